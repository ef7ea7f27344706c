"""Tiles against the whole picture: the loss, each term and the gradient, for sizes that fit neither
the tile nor 16.
"""

import sys

import numpy as np
import pytest
from helpers import picture, random_weights

from neural_style import Evaluator, feature_extractor, preprocess, transfer
from neural_style.iterative.transfer import CONTENT_LAYERS, STYLE_LAYERS
from neural_style.losses import content_loss, style_loss, style_statistics, total_variation_loss
from neural_style.optimize.lbfgs import lbfgs
from neural_style.optimize.targets import targets_of
from neural_style.optimize.tiled_evaluator import TiledEvaluator
from neural_style.optimize.tiling import Tiling
from neural_style.vgg.layers import tile_geometry

WEIGHTS = {"content": 1.0, "style": 50.0, "tv": 1e-3}
LAYERS = (*CONTENT_LAYERS, *STYLE_LAYERS)


@pytest.fixture(scope="module")
def extractor():
    return feature_extractor(LAYERS, weights="torchvision", normalize=False)


def tiling(tile, layers=LAYERS, network="vgg16"):
    return Tiling(tile, *tile_geometry(layers, network))


def losses_of(content, style, grams_of_content=None, scale="relative"):
    return {
        "content": content_loss(content, CONTENT_LAYERS, scale),
        "tv": total_variation_loss(),
        "style": style_loss(style, STYLE_LAYERS, scale, grams_of_content),
    }


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("height,width,tile", [(301, 215, 192), (215, 160, 176), (250, 333, 208)])
@pytest.mark.parametrize("scale", ["relative", "sum"])
def test_loss_and_gradient_are_those_of_the_whole_picture(extractor, height, width, tile, scale):
    content, style, x = (
        preprocess(picture(h, w, seed))
        for h, w, seed in [(height, width, 1), (270, 190, 2), (height, width, 3)]
    )
    features = extractor(content)
    whole = Evaluator(
        extractor, losses_of(features, extractor(style), features, scale), WEIGHTS, x.shape
    )
    cut = tiling(tile)
    assert len(cut.tiles(height, width)) > 1
    measure = style_statistics(STYLE_LAYERS)
    content_maps, [content_grams] = targets_of(extractor, content, CONTENT_LAYERS, [measure], cut)
    _, [style_grams] = targets_of(extractor, style, (), [measure], cut)
    tiled = TiledEvaluator(
        extractor, losses_of(content_maps, style_grams, content_grams, scale), WEIGHTS, x.shape, cut
    )
    (loss, grad), (tiled_loss, tiled_grad) = whole(x.ravel()), tiled(x.ravel())
    assert tiled_loss == pytest.approx(loss, rel=1e-5)
    assert np.abs(tiled_grad - grad).max() < 1e-4 * np.abs(grad).max()
    for name in WEIGHTS:
        assert tiled.terms[name] == pytest.approx(whole.terms[name], rel=2e-5)
    other, _ = targets_of(extractor, preprocess(picture(height, width, 9)), CONTENT_LAYERS, [], cut)
    for evaluator in (whole, tiled):
        evaluator.retarget({name: other if name == "content" else {} for name in WEIGHTS})
    assert tiled(x.ravel())[0] == pytest.approx(whole(x.ravel())[0], rel=1e-5) and whole(x.ravel())[
        0
    ] != pytest.approx(loss, rel=1e-3)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"separate": True, "exponent": 0.5},
        {"separate": True, "reduction": "sum"},
        {"separate": True, "exponent": 1.0, "diagonals": True},
    ],
)
@pytest.mark.parametrize(
    "height",  # 257: the last strip is one row
    [301, *(pytest.param(height, marks=pytest.mark.slow) for height in (513, 512)), 257],
)
def test_total_variation_in_strips_is_that_of_the_whole_picture(options, height):
    x, loss = preprocess(picture(height, 150, 3)), {"tv": total_variation_loss(**options)}
    whole = Evaluator(lambda x: {"image": x}, loss, {"tv": 1.0}, x.shape)
    tiled = TiledEvaluator(lambda x: {"image": x}, loss, {"tv": 1.0}, x.shape, tiling(208))
    (value, grad), (tiled_value, tiled_grad) = whole(x.ravel()), tiled(x.ravel())
    assert tiled_value == pytest.approx(value, rel=1e-5)
    assert np.abs(tiled_grad - grad).max() < 1e-4 * np.abs(grad).max()


@pytest.mark.network
@pytest.mark.slow
def test_a_halo_too_small_would_be_seen(extractor):
    """The test above can fail: with a quarter of the halo the gradient is wrong at the seams."""
    x, style = preprocess(picture(301, 215, 3)), extractor(preprocess(picture(100, 100, 2)))
    losses = {"style": style_loss(style, STYLE_LAYERS)}
    strides, halo = tile_geometry(LAYERS, "vgg16")
    grads = [
        TiledEvaluator(extractor, losses, {"style": 1.0}, x.shape, Tiling(tile, strides, h))(
            x.ravel()
        )[1]
        for tile, h in ((None, halo), (192, halo // 4))
    ]
    assert np.abs(grads[1] - grads[0]).max() > 1e-2 * np.abs(grads[0]).max()


@pytest.mark.network
@pytest.mark.slow
def test_targets_in_tiles_are_those_of_the_whole_picture(extractor):
    x = preprocess(picture(301, 215, 1))
    whole, cut = (
        targets_of(extractor, x, CONTENT_LAYERS, [style_statistics(STYLE_LAYERS)], tiling(tile))
        for tile in (None, 192)
    )
    grams = [
        {name: of_layer["gram"] for name, of_layer in found[1][0].items()} for found in (whole, cut)
    ]
    for one, other in [(whole[0], cut[0]), grams]:
        assert one.keys() == other.keys()
        for name in one:
            assert one[name].shape == other[name].shape
            assert np.abs(one[name] - other[name]).max() < 1e-4 * np.abs(one[name]).max()


def test_in_bfloat16_targets_are_kept_in_it_and_tiles_are_the_whole():
    layers = ["conv1_2", "conv2_1"]
    extractor = feature_extractor(layers, weights=None, normalize=False, precision="bfloat16")
    cut, (content, style, x) = (
        tiling(64, layers),
        (preprocess(picture(90, 70, i)) for i in range(3)),
    )
    values = []
    for one in (tiling(None, layers), cut):
        measure = style_statistics(layers)
        maps, [grams] = targets_of(extractor, content, ["conv2_1"], [measure], one)
        assert maps["conv2_1"].dtype.name == "bfloat16" and maps["conv2_1"].shape[1:3] == (45, 35)
        _, [target] = targets_of(extractor, style, (), [measure], one)
        losses = {
            "content": content_loss(maps, ["conv2_1"]),
            "style": style_loss(target, layers, "relative", grams),
        }
        arguments = extractor, losses, {"content": 1.0, "style": 5.0}, x.shape
        whole = one.tile is None
        evaluator = Evaluator(*arguments) if whole else TiledEvaluator(*arguments, one)
        values.append(evaluator(x.ravel()))
    (loss, grad), (tiled_loss, tiled_grad) = values
    assert tiled_loss == pytest.approx(loss, rel=2e-3)
    assert np.linalg.norm(tiled_grad - grad) < 0.03 * np.linalg.norm(grad)


@pytest.mark.parametrize(
    "network,layers,stride,halo",
    [
        ("vgg16", ["conv1_1"], 1, 1),
        ("vgg16", ["conv1_2", "conv2_1"], 2, 4),
        ("vgg16", ["conv5_1"], 16, 64),
        ("vgg19", ["conv4_2"], 8, 40),
    ],
)
def test_geometry_by_hand(network, layers, stride, halo):
    strides, found = tile_geometry(layers, network)
    assert max(strides.values()) == stride and found == halo


def test_every_pixel_lies_in_one_core():
    cut = tiling(208)
    for height, width in [(301, 215), (1000, 17), (208, 209), (640, 480)]:
        seen = np.zeros((height, width), int)
        for (rows, columns), (top, left, bottom, right) in cut.tiles(height, width):
            assert rows.stop - rows.start <= 208 and columns.stop - columns.start <= 208
            assert rows.start % 16 == columns.start % 16 == 0
            seen[
                rows.start + top : rows.start + bottom, columns.start + left : columns.start + right
            ] += 1
        assert (seen == 1).all()


def test_clear_errors(tiny):
    with pytest.raises(ValueError, match="at least 144 pixels.*tile=100"):
        tiling(100)
    with pytest.raises(TypeError, match="mine: function"):
        TiledEvaluator(
            tiny.model, {"mine": lambda f: 0.0}, {"mine": 1.0}, (1, 300, 300, 3), tiling(208)
        )


@pytest.mark.parametrize(
    "height,width,tile,more",
    [
        (76, 96, 48, {"content_layers": ["conv2_1"], "style_layers": ["conv1_1", "conv2_1"]}),
        pytest.param(
            190, 240, 176, {"weights": "torchvision"}, marks=[pytest.mark.network, pytest.mark.slow]
        ),
    ],
)
def test_transfer_in_tiles_makes_the_same_picture(height, width, tile, more, monkeypatch):
    tiles = []

    def tiled_evaluator(*arguments):
        tiles.append(arguments[-1].tile)
        return TiledEvaluator(*arguments)

    monkeypatch.setattr(
        sys.modules["neural_style.iterative.stage"], "TiledEvaluator", tiled_evaluator
    )
    content, style = picture(height, width, 1), picture(200, 170, 2)
    options = dict(size=width, start_size=None, steps=3, progress=False)
    options.update({"weights": random_weights(), **more})
    whole, tiled = (
        np.asarray(transfer(content, style, tile=side, **options).image).astype(int)
        for side in (None, tile)
    )
    assert tiles == [tile]
    assert np.abs(whole - tiled).mean() < 0.1


@pytest.mark.network
@pytest.mark.slow
def test_a_large_style_image_is_described_in_tiles(monkeypatch):
    """style_scale must not cost more memory than the picture itself does."""
    module = sys.modules["neural_style.iterative.stage"]
    tilings = []
    real = module.targets_of
    monkeypatch.setattr(
        module, "targets_of", lambda *a: tilings.append((a[1].shape[1:3], a[4])) or real(*a)
    )
    pictures = []
    for tile in (None, 200):
        result = transfer(
            picture(60, 80, 1),
            picture(90, 70, 2),
            weights="torchvision",
            size=160,
            style_scale=2.0,
            start_size=None,
            steps=2,
            tile=tile,
            progress=False,
        )
        pictures.append(np.asarray(result.image).astype(int))
    # after the content's features and its statistics
    assert tilings[2][0] == (320, 249) and tilings[2][1].tile == 160
    assert np.abs(pictures[0] - pictures[1]).mean() < 0.1


def test_in_tiles_each_term_and_the_gradient_are_those_of_the_whole_picture():
    """With random weights, on each backend: what L-BFGS is told, too."""
    layers = ("conv1_1", "conv2_1", "conv2_2")
    vgg = feature_extractor(layers, weights=random_weights(), normalize=False)
    content, style, x = (preprocess(picture(h, 96, h)) for h in (76, 64, 77))
    x = x[:, :76]
    losses = {
        "tv": total_variation_loss(),
        "style": 0.5 * style_loss(vgg(style), layers) + 0.5 * total_variation_loss(),
        "content": content_loss(vgg(content), "conv2_2"),
    }
    geometry = tile_geometry(layers, "vgg16")
    cut = Tiling(Tiling(None, *geometry).smallest + 8, *geometry)
    assert len(cut.tiles(76, 96)) > 1
    whole = Evaluator(vgg, losses, WEIGHTS, x.shape)
    tiled = TiledEvaluator(vgg, losses, WEIGHTS, x.shape, cut)
    (loss, grad), (of_tiles, grad_of_tiles) = whole(x.ravel()), tiled(x.ravel())
    assert of_tiles == pytest.approx(loss, rel=1e-5)
    assert np.linalg.norm(grad_of_tiles - grad) < 1e-4 * np.linalg.norm(grad)
    assert list(tiled.terms) == list(whole.terms) == list(losses)
    assert tiled.terms == pytest.approx(whole.terms, rel=1e-4)
    for evaluator in (whole, tiled):
        told = []
        lbfgs(evaluator, x, 1, callback=told.append)
        assert list(told[0].terms) == list(losses)
        evaluator(told[0].x)
        assert told[0].terms == pytest.approx(evaluator.terms, rel=1e-6)
