"""Masks: loaded and checked, shrunk to layers, found by labels and by GrabCut; and regions of a
transfer.
"""

import numpy as np
import pytest
from helpers import picture, random_weights
from keras import ops
from PIL import Image

from neural_style import Evaluator, feature_extractor, load_image, preprocess, transfer
from neural_style._shared import optional as extras
from neural_style.images.grabcut import from_rectangle, from_scribbles
from neural_style.images.labels import from_labels
from neural_style.images.masks import check_masks, shrink
from neural_style.images.region import Region
from neural_style.losses import Loss, style_loss, style_statistics
from neural_style.losses.loss import weighted_sum
from neural_style.optimize.tiled_evaluator import TiledEvaluator
from neural_style.optimize.tiling import Tiling
from neural_style.vgg.layers import receptive_fields, tile_geometry

CONTENT, ONE, OTHER = picture(64, 96, 1), picture(60, 80, 2), picture(80, 60, 3)
LEFT = np.zeros((64, 96), "float32")
LEFT[:, :48] = 1
LAYERS = ["conv1_1", "conv2_1", "conv3_1"]
QUICK = dict(
    weights=random_weights(),
    size=96,
    start_size=None,
    content_layers=["conv3_2"],
    style_layers=LAYERS,
    progress=False,
)


@pytest.fixture(scope="module")
def extractor():
    return feature_extractor(LAYERS, weights=random_weights(), normalize=False)


def test_guided_gram_matrix_and_all_statistics_by_a_transcription(tiny):
    """sum_k m_k F_k F_k^T / sum_k m_k, weighted mean and deviation, in a loop over positions."""
    rng = np.random.default_rng(0)
    f = rng.normal(1, 1, (1, 5, 6, 7)).astype("float32")
    m = rng.uniform(0, 1, (1, 5, 6, 1)).astype("float32")
    gram, mean, square = np.zeros((7, 7)), np.zeros(7), np.zeros(7)
    for i in range(5):
        for j in range(6):
            v, w = f[0, i, j].astype("float64"), float(m[0, i, j, 0])
            gram += w * np.outer(v, v)
            mean += w * v
            square += w * v * v
    total = m.sum()
    found = {
        s: style_statistics(["a"], s, {"a": m})({"a": f})["a"]
        for s in ("gram", "moments", "wasserstein")
    }
    np.testing.assert_allclose(found["gram"]["gram"][0], gram / total, rtol=1e-5)
    np.testing.assert_allclose(found["wasserstein"]["gram"][0], gram / total, rtol=1e-5)
    for name in ("moments", "wasserstein"):
        np.testing.assert_allclose(found[name]["sum"][0], mean / total, rtol=1e-5)
    np.testing.assert_allclose(found["moments"]["squares"][0], square / total, rtol=1e-5)


def test_shrink_by_hand():
    mask = np.zeros((5, 7), "float32")
    mask[:3, :4] = 1
    np.testing.assert_allclose(shrink(mask, 2)[0, :, :, 0], [[1, 1, 0], [0.5, 0.5, 0]])
    np.testing.assert_allclose(
        shrink(mask, 1, halo=1)[0, :, :, 0],
        [[1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 0, 0, 0, 0]] + [[0] * 7] * 3,
    )
    assert (
        shrink(np.ones((64, 48), "float32"), 16, halo=40).min() == 1
    )  # the picture's own border is no border of the region


def test_inside_means_nothing_from_beyond_the_border(extractor):
    """Statistics of a region do not move when pixels beyond its border do."""
    masks = {
        name: shrink(LEFT, stride, halo)
        for name, (stride, halo) in receptive_fields(LAYERS, "vgg16").items()
    }
    changed = CONTENT.copy()
    changed[:, 48:] = picture(64, 48, 9)
    for inside, same in ((True, True), (False, False)):
        masks = {
            name: shrink(LEFT, stride, halo if inside else 0)
            for name, (stride, halo) in receptive_fields(LAYERS, "vgg16").items()
        }
        measure = style_statistics(LAYERS, mask=masks)
        one, other = (measure(extractor(preprocess(image))) for image in (CONTENT, changed))
        agree = all(
            np.allclose(one[name]["gram"], other[name]["gram"], rtol=1e-4, atol=1e-4)
            for name in LAYERS
        )
        assert agree is same


@pytest.mark.slow
def test_a_mask_of_ones_gives_exactly_the_unmasked_result():
    plain = transfer(CONTENT, ONE, steps=5, **QUICK)
    masked = transfer(CONTENT, ONE, steps=5, masks=[np.ones((64, 96))], **QUICK)
    labels, of_style = np.full((32, 48, 3), 200, "uint8"), np.full((30, 40, 3), 200, "uint8")
    labelled = transfer(
        CONTENT,
        ONE,
        steps=5,
        masks={"content": labels, "style": of_style},
        content_map=np.ones((64, 96)),
        **QUICK,
    )
    assert plain.history["total"] == masked.history["total"]
    np.testing.assert_array_equal(np.asarray(plain.image), np.asarray(masked.image))
    assert np.abs(np.asarray(plain.image).astype(int) - np.asarray(labelled.image)).max() <= 1


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("inside", [False, True])
def test_each_half_has_its_own_style(inside):
    """Its Gram loss is within 15 % of a run with its style alone. With inside, another style beside
    it changes it by 5 % at most; without, the positions that see across the border, on so small a
    picture half of them, follow it more."""
    masks = [LEFT, 1 - LEFT]
    runs = {**QUICK, "weights": "torchvision", "steps": 150, "style_weight": 5.0}

    def run(*styles):
        return transfer(
            CONTENT,
            list(styles),
            masks=[Region(m, image=i, inside=inside) for i, m in enumerate(masks)],
            **runs,
        ).image

    both, third = run(ONE, OTHER), run(ONE, picture(70, 70, 7))
    seen = [[], []]  # as painted, before the other half is made the content's again
    for i, style in enumerate((ONE, OTHER)):
        transfer(
            CONTENT,
            style,
            masks=[Region(masks[i], inside=inside)],
            callback=lambda here: seen[i].append(here.image),
            **runs,
        )
    alone = [images[-1] for images in seen]
    everywhere = transfer(CONTENT, ONE, **runs).image
    extractor = feature_extractor(
        LAYERS, weights="torchvision", normalize=False, padding="reflect"
    )  # as transfer()'s

    def half_loss(image, side):
        style = extractor(preprocess(load_image((ONE, OTHER)[side], 96)))
        mask = masks[side]
        maps = {
            name: shrink(mask, stride, halo * inside)
            for name, (stride, halo) in receptive_fields(LAYERS, "vgg16").items()
        }
        return float(
            style_loss(style, LAYERS, mask=maps)(extractor(preprocess(load_image(image, 96))))
        )

    for side in (0, 1):
        assert half_loss(both, side) == pytest.approx(half_loss(alone[side], side), rel=0.15)
        assert half_loss(both, side) < 0.2 * half_loss(CONTENT, side)
    assert half_loss(both, 0) < 1.15 * half_loss(
        everywhere, 0
    )  # which has the whole picture to agree with, not this half
    assert half_loss(third, 0) == pytest.approx(half_loss(both, 0), rel=0.05 if inside else 0.2)


@pytest.mark.slow
def test_where_no_region_is_the_content_stays():
    result = np.asarray(
        transfer(CONTENT, ONE, steps=3, masks=[LEFT], **{**QUICK, "start_size": 48}).image
    ).astype(int)
    content = load_image(CONTENT, 96).astype(int)
    np.testing.assert_array_equal(result[:, 48:], content[:, 48:])
    assert np.abs(result[:, :48] - content[:, :48]).mean() > 5


@pytest.mark.slow
def test_masks_in_tiles_are_masks_without(extractor):
    image, style = preprocess(picture(203, 150, 4)), extractor(preprocess(ONE))
    soft = np.clip(np.linspace(-0.5, 1.5, 150), 0, 1).astype("float32") * np.ones(
        (203, 1), "float32"
    )
    geometry = tile_geometry(LAYERS, "vgg16")
    parts = [
        {name: shrink(mask, stride) for name, stride in geometry[0].items()}
        for mask in (soft, 1 - soft)
    ]
    losses = {
        "style": weighted_sum(
            [
                (0.3, style_loss(style, LAYERS, mask=parts[0])),
                (0.7, style_loss(style, LAYERS[:2], mask=parts[1], statistic="moments")),
            ]
        )
    }
    (loss, grad), (tiled, tiled_grad) = (
        evaluator(image.ravel())
        for evaluator in (
            Evaluator(extractor, losses, {"style": 1.0}, image.shape),
            TiledEvaluator(extractor, losses, {"style": 1.0}, image.shape, Tiling(96, *geometry)),
        )
    )
    assert (
        tiled == pytest.approx(loss, rel=1e-5)
        and np.abs(tiled_grad - grad).max() < 1e-4 * np.abs(grad).max()
    )


@pytest.mark.slow
def test_transfer_with_masks_in_tiles():
    options = {**QUICK, "size": 160}
    pictures = [
        np.asarray(
            transfer(
                CONTENT, [ONE, OTHER], steps=3, masks=[LEFT, 1 - LEFT], tile=tile, **options
            ).image
        ).astype(int)
        for tile in (None, 96)
    ]
    assert np.abs(pictures[0] - pictures[1]).mean() < 0.1


def test_a_weighted_sum_is_the_sum_of_its_losses(tiny):
    rng = np.random.default_rng(0)
    f = {
        "a": rng.normal(size=(1, 4, 5, 3)).astype("float32"),
        "b": rng.normal(size=(1, 2, 2, 6)).astype("float32"),
    }
    m = rng.uniform(size=(1, 4, 5, 1)).astype("float32")
    target = {name: rng.normal(size=array.shape).astype("float32") for name, array in f.items()}
    losses = [
        (2.0, style_loss(target, ["a"], mask={"a": m})),
        (0.5, style_loss(target, ["a", "b"])),
        (3.0, Loss({"b": ops.sum}, lambda sums: sums["b"])),
    ]
    assert float(weighted_sum(losses)(f)) == pytest.approx(
        sum(w * float(loss(f)) for w, loss in losses), rel=1e-5
    )


@pytest.mark.network
@pytest.mark.slow
def test_the_content_map_keeps_what_it_marks():
    kept = transfer(
        CONTENT,
        ONE,
        steps=15,
        content_map=LEFT * 20,
        **{**QUICK, "weights": "torchvision", "content_weight": 1.0},
    )
    error = ((np.asarray(kept.image).astype(float) - CONTENT) ** 2).mean(axis=(0, 2))
    free = transfer(
        CONTENT, ONE, steps=15, **{**QUICK, "weights": "torchvision", "content_weight": 1.0}
    )
    error_free = ((np.asarray(free.image).astype(float) - CONTENT) ** 2).mean(axis=(0, 2))
    assert (
        error[:44].mean() < 0.8 * error_free[:44].mean()
        and error[52:].mean() > 0.9 * error_free[52:].mean()
    )


def test_regions_by_labels():
    labels, of_style = np.zeros((40, 60, 3), "uint8"), np.zeros((30, 30, 3), "uint8")
    labels[:, 30:] = (255, 0, 0)
    labels[10, 10] = (3, 2, 1)  # a stray pixel belongs to the nearest label
    of_style[:10], of_style[25:] = (255, 0, 0), (9, 9, 255)
    regions = from_labels(labels, of_style)
    assert [int(region.content.sum()) for region in regions] == [1200, 1200] and {
        r.image for r in regions
    } == {0}
    by_sum = sorted(int(region.style.sum()) for region in regions)
    assert by_sum == [300, 450]
    second = np.full((20, 20, 3), (255, 0, 0), "uint8")
    of_style[:10] = 0
    assert sorted(region.image for region in from_labels(labels, [of_style, second])) == [0, 1]
    with pytest.raises(
        ValueError, match=r"lack colors .* \(255, 0, 0\); they have \(0, 0, 0\), \(9, 9, 255\)"
    ):
        from_labels(labels, of_style)
    with pytest.raises(ValueError, match="flat colors"):
        from_labels(np.random.default_rng(0).integers(0, 256, (60, 60, 3), "uint8"), second)


def test_masks_from_files_and_of_any_size(tmp_path):
    Image.fromarray((LEFT * 255).astype("uint8")).resize((48, 32)).save(tmp_path / "left.png")
    regions = check_masks(
        [tmp_path / "left.png", (1 - LEFT > 0.5, np.ones((30, 40), "uint8") * 255)],
        CONTENT,
        [ONE, ONE],
    )
    assert regions[0].content.shape == (64, 96) and abs(regions[0].content - LEFT).mean() < 0.02
    assert regions[1].style.shape == ONE.shape[:2] and regions[1].image == 1
    for same in (LEFT.astype(int), LEFT.astype("uint8"), LEFT.astype("uint8") * 255, LEFT > 0):
        np.testing.assert_array_equal(check_masks([same], CONTENT, [ONE])[0].content, LEFT)
    assert check_masks([LEFT, 1 - LEFT], CONTENT, [ONE])[1].image == 0  # one style image for both
    assert check_masks([Region(LEFT, image=1)], CONTENT, [ONE, OTHER])[0].image == 1


@pytest.mark.parametrize(
    "masks,error,words",
    [
        ([LEFT[:, :30]], ValueError, "proportions of its picture, 96 x 64. Received: 30 x 64"),
        ([LEFT * 0], ValueError, "region 1's mask is empty"),
        ([(LEFT, np.zeros((60, 80)))], ValueError, "region 1's style mask is empty"),
        ([LEFT * 2], ValueError, "values from 0 to 1"),
        ([LEFT * np.nan], ValueError, "values from 0 to 1"),
        ([LEFT.astype(str)], TypeError, "array of numbers. Received: <U"),
        ([LEFT.astype("uint16") * 9], ValueError, "0 to 1. Received: 0 to 9"),
        ([LEFT[0]], ValueError, "H x W"),
        ([], ValueError, "one region or more"),
        (LEFT, ValueError, "must be a list"),
        ({"content": LEFT}, ValueError, "label pictures"),
        ([LEFT, LEFT, LEFT], ValueError, "3 masks need as many style images, or one. Received: 2"),
        ([Region(LEFT, image=2)], ValueError, "0 to 1. Received: 2"),
        (["nowhere.png", LEFT], FileNotFoundError, "nowhere.png"),
    ],
)
def test_bad_masks(masks, error, words):
    style = (
        [ONE, OTHER]
        if (isinstance(masks, list) and len(masks) > 1) or "Received: 2" in words
        else ONE
    )
    with pytest.raises(error, match=words):
        transfer(CONTENT, style, masks=masks, **QUICK)


def test_masks_ask_for_content_and_style_and_for_no_shares():
    for content, style in ((None, ONE), (CONTENT, None)):
        with pytest.raises(ValueError, match="masks need both"):
            transfer(content, style, masks=[LEFT], **QUICK)
    with pytest.raises(ValueError, match="shares say nothing"):
        transfer(CONTENT, [(ONE, 1), (OTHER, 2)], masks=[LEFT, LEFT], **QUICK)
    with pytest.raises(ValueError, match="content_map needs.*content_weight=0"):
        transfer(CONTENT, ONE, content_map=np.ones((64, 96)), **{**QUICK, "content_weight": 0})
    with pytest.raises(ValueError, match="content_map needs"):
        transfer(None, ONE, content_map=LEFT, **QUICK)


@pytest.mark.slow
def test_a_region_that_vanishes_at_a_layer_does_not_count_there():
    """A thin region, inside only: deep layers have no position in it, conv1_1 has."""
    thin = np.zeros((64, 96), "float32")
    thin[:, 40:44] = 1
    result = transfer(CONTENT, ONE, steps=2, masks=[Region(thin, inside=True)], **QUICK)
    assert np.isfinite(result.history["style"]).all() and result.history["style"][0] > 0
    speck = np.zeros((64, 96), "float32")
    speck[9, 9] = 1e-6  # rounded to nothing where the picture is smaller
    result = transfer(
        CONTENT, [ONE, OTHER], steps=2, masks=[LEFT, speck], **{**QUICK, "start_size": 24}
    )
    assert (
        np.abs(np.asarray(result.image)[:, 60:].astype(int) - load_image(CONTENT, 96)[:, 60:]).max()
        <= 1
    )
    line = np.zeros((64, 96), "float32")
    line[:, 40] = 1
    with pytest.raises(ValueError, match="no region has a position"):
        transfer(CONTENT, ONE, steps=2, masks=[Region(line, inside=True)], **QUICK)


def disc():
    """A bright disc on a dark ground, both with a grain: its picture and its mask."""
    y, x = np.mgrid[:80, :100]
    mask = (y - 40) ** 2 + (x - 55) ** 2 < 22**2
    noise = np.random.default_rng(0).normal(0, 8, (80, 100, 3))
    return (
        np.clip(np.where(mask[..., None], (220, 180, 60), (30, 60, 90)) + noise, 0, 255).astype(
            "uint8"
        ),
        mask,
    )


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def test_grabcut_from_a_rectangle_and_from_scribbles():
    image, mask = disc()
    found = from_rectangle(image, (25, 10, 60, 60))
    assert found.dtype == bool and found.shape == mask.shape and iou(found, mask) > 0.95
    np.testing.assert_array_equal(found, from_rectangle(image, (25, 10, 60, 60)))
    strokes = np.full((80, 100), -1)
    strokes[38:42, 45:65], strokes[2:6, 5:90] = 1, 0
    assert iou(from_scribbles(image, strokes), mask) > 0.95
    drawn = np.full((80, 100, 3), 128, "uint8")
    drawn[strokes == 1], drawn[strokes == 0] = 255, 0
    np.testing.assert_array_equal(from_scribbles(image, drawn), from_scribbles(image, strokes))


def test_bad_rectangles_and_scribbles_and_a_missing_extra(monkeypatch):
    image, _ = disc()
    for rectangle, words in [
        ((0, 0, 100, 80), "not be all"),
        ((90, 0, 20, 20), "lie within"),
        ((0.5, 0, 9, 9), "integers"),
    ]:
        with pytest.raises(ValueError, match=words):
            from_rectangle(image, rectangle)
    with pytest.raises(ValueError, match="image's size"):
        from_scribbles(image, np.zeros((9, 9), int))
    with pytest.raises(ValueError, match="some of the subject"):
        from_scribbles(image, np.zeros((80, 100), int))
    monkeypatch.setattr(extras.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match='pip install "opencv-python-headless>=4.9"$'):
        from_rectangle(image, (1, 1, 9, 9))
