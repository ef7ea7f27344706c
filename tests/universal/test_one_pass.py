"""One pass: moments reach the painting's, tiles and zones are exact, and bad input is refused."""

import numpy as np
import pytest
from helpers import picture
from PIL import Image

from neural_style import preprocess, stylize
from neural_style.images.masks import Region
from neural_style.universal import OnePass, passes, save_moments
from neural_style.universal.codec import codec, codec_of
from neural_style.universal.decoder import Decoders
from neural_style.universal.moments_file import load_moments
from neural_style.universal.one_pass import with_shares
from neural_style.universal.passes import Zone, moments_of, repaint
from neural_style.universal.tiles import automatic_tile, tiles_of
from neural_style.universal.transport import mixed_map, sums_of

PHOTO, PAINTING, OTHER = picture(72, 96, 1), picture(64, 80, 2), picture(90, 64, 3)

pytest_plugins = ["one_pass_fixtures"]
pytestmark = pytest.mark.usefixtures("one_pass_offline")


def close(a, b, apart=1):
    a, b = (np.asarray(one).astype(int) for one in (a, b))
    return a.shape == b.shape and np.abs(a - b).max() <= apart


def test_mapped_features_have_the_painting_s_moments():
    one = passes.PASSES[-1]
    f, g = (codec(one.level).encode(preprocess(image)[0]) for image in (PHOTO, PAINTING))
    target = sums_of(g).normal()
    matrix, offset = mixed_map(sums_of(f).normal(), [(target, 1.0)], floor=1e-9)
    mapped = sums_of(f @ matrix.T + offset).normal()
    np.testing.assert_allclose(mapped.mean, target.mean, rtol=1e-3, atol=1e-3)
    apart = np.linalg.norm(mapped.covariance - target.covariance)
    assert apart < 1e-3 * np.linalg.norm(target.covariance)


def test_the_passes_are_encode_map_decode_from_coarse_to_fine(monkeypatch):
    """Written out once more, for one pass at full and one at half the size."""
    fine, coarse = passes.Pass("relu2_1"), passes.Pass("relu1_1", 1)
    monkeypatch.setattr(passes, "PASSES", (coarse, fine))
    x, y = preprocess(PHOTO)[0], preprocess(PAINTING)[0]
    zones = [Zone(None, [(moments_of(y), 1.0)])]
    half, of_style = passes.halved(x, 1), passes.halved(y, 1)
    assert half.shape == (36, 48, 3)
    half = np.pad(half, ((0, 4), (0, 0), (0, 0)), mode="symmetric")
    painted = transported("relu1_1", half, of_style)[:36]
    expected = x + passes.resize_channels(painted - passes.halved(x, 1), (96, 72))
    expected = transported("relu2_1", expected, y)
    np.testing.assert_allclose(repaint(x, zones), expected, atol=1e-2)


def transported(level, x, y):
    f, g = codec(level).encode(x), codec(level).encode(y)
    matrix, offset = mixed_map(sums_of(f).normal(), [(sums_of(g).normal(), 1.0)])
    return codec(level).decode(f @ matrix.T + offset)


def test_tiles_give_the_same_picture():
    large, painting = picture(200, 264, 1), picture(160, 120, 2)
    whole, tiled = (OnePass(painting).paint(large, tile) for tile in (None, 64))
    assert close(whole, tiled)


def test_tiles_cover_a_picture_once():
    covered = np.zeros((264, 400), int)
    tiles = tiles_of((264, 400, 3), 64)
    assert len(tiles) > 4
    for seen, inside, own in tiles:
        covered[own] += 1
        assert all(side.start % 8 == 0 for side in (*seen, *inside, *own))
        for whole, within, place in zip(seen, inside, own):
            assert whole.start + within.start == place.start
            assert whole.start + within.stop == place.stop <= whole.stop
    assert (covered == 1).all()


@pytest.mark.parametrize("sides", [(1, 1), (1, 40), (17, 16), (71, 97)])
def test_any_size(sides):
    photo = picture(*sides, 1)
    assert np.asarray(stylize(photo, PAINTING)).shape == photo.shape
    assert np.asarray(stylize(PHOTO, photo)).shape == PHOTO.shape


@pytest.mark.parametrize("color", [0, 128, 255])
def test_a_painting_or_a_photo_of_one_color(color):
    flat = np.full((40, 48, 3), color, "uint8")
    for photo, painting in ((flat, PAINTING), (PHOTO, flat)):
        assert np.asarray(stylize(photo, painting)).shape == photo.shape


def test_strength_begins_at_the_photo_without_a_jump():
    """Though no decoder makes all of a photo."""
    assert np.array_equal(stylize(PHOTO, PAINTING, strength=0), PHOTO)
    little, half, whole = (
        np.abs(np.asarray(stylize(PHOTO, PAINTING, strength=s)).astype(int) - PHOTO).mean()
        for s in (0.01, 0.5, 1)
    )
    assert little < 2 and little < half < whole


def test_shares():
    whole = np.asarray(stylize(PHOTO, PAINTING))
    assert np.array_equal(stylize(PHOTO, [(PAINTING, 3.0), (OTHER, 0)]), whole)
    assert np.array_equal(stylize(PHOTO, [(PAINTING, 1.0), (PAINTING, 2.0)]), whole) or close(
        stylize(PHOTO, [(PAINTING, 1.0), (PAINTING, 2.0)]), whole
    )
    assert not close(stylize(PHOTO, [(PAINTING, 0.5), (OTHER, 0.5)]), whole)
    assert with_shares({"a.jpg": 3, "b.jpg": 1}) == [("a.jpg", 0.75), ("b.jpg", 0.25)]


def test_a_mask_of_ones_changes_nothing_and_where_no_region_is_the_photo_stays():
    left = np.zeros((72, 96))
    left[:, :48] = 1
    whole = np.asarray(stylize(PHOTO, PAINTING))
    assert close(stylize(PHOTO, PAINTING, masks=[np.ones((72, 96))]), whole)
    half = np.asarray(stylize(PHOTO, PAINTING, masks=[left]))
    assert np.array_equal(half[:, 48:], PHOTO[:, 48:])
    assert not close(half[:, :48], PHOTO[:, :48])


def test_each_region_has_its_own_painting():
    left = np.zeros((72, 96))
    left[:, :48] = 1
    both = np.asarray(stylize(PHOTO, [PAINTING, OTHER], masks=[left, 1 - left]))
    other = np.asarray(stylize(PHOTO, [PAINTING, PAINTING], masks=[left, 1 - left]))
    assert not close(both[:, 60:], other[:, 60:])
    part = np.zeros(PAINTING.shape[:2])
    part[:32] = 1
    region = stylize(PHOTO, PAINTING, masks=[Region(left, part)])
    assert not close(region, stylize(PHOTO, PAINTING, masks=[Region(left)]))


def test_style_scale_is_the_painting_s_size():
    small = Image.fromarray(PAINTING).resize((48, 38), Image.Resampling.LANCZOS)
    scaled = stylize(PHOTO, PAINTING, style_scale=0.5)
    assert not close(scaled, stylize(PHOTO, PAINTING))
    moments = moments_of(preprocess(np.asarray(small))[0])
    expected = repaint(preprocess(PHOTO)[0], [Zone(None, [(moments, 1.0)])])
    assert close(scaled, np.clip(np.rint(expected[..., ::-1] + [123.68, 116.779, 103.939]), 0, 255))


def test_a_file_of_moments_stands_for_the_painting(tmp_path):
    saved = save_moments(PAINTING, tmp_path / "painting.npz", 96)
    read = load_moments(tmp_path / "painting.npz")
    for key, normal in saved.items():
        np.testing.assert_allclose(read[key].covariance, normal.covariance, rtol=1e-6)
    assert close(stylize(PHOTO, tmp_path / "painting.npz"), stylize(PHOTO, PAINTING))
    mixed = stylize(PHOTO, {str(tmp_path / "painting.npz"): 1.0})
    assert close(mixed, stylize(PHOTO, PAINTING))


def test_a_damaged_file_of_moments_is_refused(tmp_path):
    path = tmp_path / "painting.npz"
    save_moments(PAINTING, path)
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    name = next(name for name in arrays if name.endswith("/mean"))
    for wrong, words in [
        (arrays[name][:-1], "must have the shape"),
        (np.full_like(arrays[name], np.nan), "no moments"),
    ]:
        np.savez(path, **{**arrays, name: wrong})
        with pytest.raises(ValueError, match=words):
            stylize(PHOTO, path)


def test_a_batch_and_a_folder(tmp_path):
    batch = np.stack([picture(32, 40, seed) for seed in range(3)])
    painted = stylize(batch, PAINTING)
    for photo, result in zip(batch, painted):
        assert close(stylize(photo, PAINTING), result, 0)
    (tmp_path / "in").mkdir()
    for number, photo in enumerate(batch):
        Image.fromarray(photo).save(tmp_path / "in" / f"{number}.png")
    written = stylize(tmp_path / "in", PAINTING, tmp_path / "out", progress=False)
    assert all(close(Image.open(path), one, 0) for path, one in zip(written, painted))


@pytest.mark.parametrize("masks", [None, [np.ones((32, 40))]])
def test_the_painting_s_moments_are_computed_once(masks, monkeypatch):
    calls = []
    real = passes.moments_of
    monkeypatch.setattr(
        "neural_style.universal.one_pass.moments_of",
        lambda *args, **more: calls.append(1) or real(*args, **more),
    )
    stylize(np.stack([picture(32, 40, seed) for seed in range(3)]), PAINTING, masks=masks)
    assert len(calls) == 1


def test_preserve_color_keeps_the_photo_s_chroma():
    gray = np.repeat(PHOTO.mean(axis=-1, keepdims=True), 3, axis=-1).astype("uint8")
    painted = np.asarray(stylize(gray, PAINTING, preserve_color="luminance")).astype(int)
    assert np.ptp(painted, axis=-1).max() <= 2


@pytest.mark.parametrize(
    "arguments,words",
    [
        ({"strength": 2}, "strength must be a finite number, at least 0 and at most 1"),
        ({"strength": np.nan}, "strength must be"),
        ({"style_scale": 0}, "style_scale must be a finite number, above 0"),
        ({"masks": []}, "masks must be a list"),
        ({"masks": [np.ones((50, 50))]}, "proportions"),
        ({"net": [(PAINTING, -1)]}, "shares must be"),
        ({"net": [(PAINTING, 1, 2)]}, "style must be a painting"),
        ({"net": "none.jpg"}, "none.jpg"),
        ({"tile": 3}, "tile must be"),
    ],
)
def test_bad_input(arguments, words):
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        stylize(PHOTO, **{"net": PAINTING, **arguments})


def test_shares_say_nothing_beside_masks():
    ones = np.ones((72, 96))
    with pytest.raises(ValueError, match="shares say nothing"):
        stylize(PHOTO, [(PAINTING, 1), (OTHER, 0)], masks=[ones, ones])


@pytest.mark.parametrize("free,tile", [(0, 768), (1e12, None)])
def test_tiles_where_the_memory_is_short(free, tile, monkeypatch):
    monkeypatch.setattr("neural_style.universal.tiles.free_memory", lambda: free)
    assert automatic_tile((100, 100, 3)) == tile


@pytest.mark.parametrize("option", [{"style_scale": 0.5}, {"masks": [np.ones((72, 96))]}])
def test_a_network_takes_no_options_of_paintings(option):
    with pytest.raises(TypeError, match="go with paintings"):
        stylize(PHOTO, "starry_night", **option)


def test_decoders_of_other_weights_are_refused(random_decoders):
    record = {"weights": {"source": "random", "sha256": "0" * 64}}
    others = Decoders(random_decoders.networks, random_decoders.means, record)
    with pytest.raises(ValueError, match="trained with VGG16's weights 000000000000"):
        codec_of("relu1_1", others)
