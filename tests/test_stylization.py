import numpy as np
import pytest
from PIL import Image

from neural_style import build_transform_net, load_image, save_image, save_transform_net, stylize
from neural_style import stylization
from neural_style.color import YCC
from neural_style.stylization import in_tiles, paint
from conftest import picture
from test_transform_net import varied


@pytest.fixture(scope="module")
def net():
    return varied(build_transform_net(6, 2))


@pytest.mark.parametrize("height,width,tile", [(150, 203, 64), (97, 64, 64), (129, 66, 96), (200, 150, 128)])
def test_tiles_are_the_whole(net, height, width, tile):
    x = picture(height, width)[None]
    np.testing.assert_allclose(in_tiles(net, x, tile), net.predict_on_batch(x), atol=0.01)


def test_tiles_with_half_the_precision(tmp_path):
    net = varied(build_transform_net(6, 1, precision="bfloat16"))
    x = picture(100, 80)[None]
    assert abs(in_tiles(net, x, 64) - net.predict_on_batch(x)).mean() < 2


def test_one_picture_however_it_comes(net, tmp_path):
    photo = picture(40, 52)
    save_image(photo, tmp_path / "photo.png")
    result = stylize(photo, net)
    assert isinstance(result, Image.Image) and result.size == (52, 40)
    expected = np.asarray(result)
    assert np.array_equal(np.clip(np.rint(net.predict_on_batch(photo[None])[0]), 0, 255), expected)
    for source in (tmp_path / "photo.png", str(tmp_path / "photo.png"), Image.fromarray(photo)):
        assert np.array_equal(stylize(source, net), expected)
    stylize(photo, net, tmp_path / "out.png")
    assert np.array_equal(load_image(tmp_path / "out.png"), expected)
    assert stylize(photo, net, size=26).size == (26, 20)


def test_many_networks_and_sizes_make_no_noise(caplog):
    """One graph for each network, whatever the sizes: TensorFlow does not warn of compiling too often."""
    for seed in range(7):
        net = build_transform_net(2, 0, seed=seed)
        for size in (20, 24, 33):
            stylize(picture(size, size), net)
    assert "retracing" not in caplog.text


def test_a_network_that_learned_on_paints_anew(net):
    net = build_transform_net(2, 1)
    before = np.asarray(stylize(picture(32, 32), net)).astype(int)
    net.set_weights([3 * w for w in net.get_weights()])
    assert np.abs(np.asarray(stylize(picture(32, 32), net)) - before).mean() > 1


def test_tiny_pictures(net):
    for shape in [(1, 1), (3, 40), (15, 16), (17, 2)]:
        assert stylize(picture(*shape), net).size == shape[::-1]


def test_a_batch(net):
    batch = np.stack([picture(32, 36, seed) for seed in range(3)])
    painted = stylize(batch, net)
    assert painted.shape == batch.shape and painted.dtype == np.uint8
    for photo, result in zip(batch, painted):
        assert abs(np.asarray(stylize(photo, net)).astype(int) - result).max() <= 1


def test_a_network_by_its_file_and_a_blend(net, tmp_path):
    other = varied(build_transform_net(6, 2, seed=5), 1)
    save_transform_net(net, tmp_path / "first.keras")
    photo = picture(32, 32)
    assert np.array_equal(stylize(photo, tmp_path / "first.keras"), stylize(photo, net))
    mixed = stylize(photo, {str(tmp_path / "first.keras"): 1.0})
    assert np.array_equal(mixed, stylize(photo, net))
    assert not np.array_equal(stylize(photo, [(net, 1), (other, 1)]), mixed)


def test_what_says_a_network(net, tmp_path, monkeypatch):
    monkeypatch.setattr(stylization, "pretrained", lambda: ["mosaic"])
    assert all(map(stylization.is_network, [net, {"mosaic": 1}, "mosaic", "some.keras", tmp_path / "some.keras"]))
    assert not any(map(stylization.is_network, ["painting.jpg", tmp_path / "painting.jpg", picture(8, 8), Image.new("RGB", (8, 8))]))


def test_original_colors(net):
    photo = picture(48, 40)
    painted, plain = (np.asarray(stylize(photo, net, preserve_color=how), "float64") for how in ("luminance", None))
    assert abs((painted - photo) @ YCC[1:].T).max() < 1.5  # rounding alone
    assert abs((plain - photo) @ YCC[1:].T).max() > 20


def test_a_folder(net, tmp_path, caplog):
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, shape in enumerate([(32, 40), (32, 40), (32, 40), (50, 30)]):
        save_image(picture(*shape, number), photos / f"{number}.png")
    (photos / "broken.jpg").write_text("not a picture")
    (photos / "notes.txt").write_text("no picture")
    written = stylize(photos, net, tmp_path / "painted", batch_size=2, progress=False)
    assert [path.name for path in written] == ["0.png", "1.png", "2.png", "3.png"]
    assert "broken.jpg" in caplog.text
    for path in written:
        expected = np.asarray(stylize(photos / path.name, net)).astype(int)
        assert abs(load_image(path) - expected).max() <= 1


def test_folders_that_cannot_be_painted(net, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="has no pictures"):
        stylize(tmp_path / "empty", net, tmp_path / "out")
    with pytest.raises(ValueError, match="needs output"):
        stylize(tmp_path / "empty", net)
    (tmp_path / "empty" / "a.jpg").write_text("")
    with pytest.raises(ValueError, match="none of the 1 pictures"):
        stylize(tmp_path / "empty", net, tmp_path / "out", progress=False)
    with pytest.raises(ValueError, match="another folder"):
        stylize(tmp_path / "empty", net, tmp_path / "empty")
    with pytest.raises(ValueError, match="size=0"):
        stylize(tmp_path / "empty", net, tmp_path / "new", size=0)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("options,message", [({"tile": 3}, "tile"), ({"preserve_color": "match"}, "preserve_color"), ({"batch_size": 0}, "batch_size"),
                                             ({"output": "nowhere/out.png"}, "nowhere"), ({"output": "out.txt"}, "picture format"),
                                             ({"size": 0}, "size")])
def test_bad_options(net, options, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        stylize(picture(20, 20), net, **options)


def test_bad_networks_and_batches(net):
    with pytest.raises(TypeError, match="net must be"):
        stylize(picture(20, 20), 5)
    with pytest.raises(TypeError, match="net must be .* with shares"):
        stylize(picture(20, 20), [net, net])
    with pytest.raises(ValueError, match="style must be one of"):
        stylize(picture(20, 20), "mona_lisa")
    with pytest.raises(ValueError, match="B x H x W x 3"):
        stylize(np.zeros((2, 20, 20, 4), "uint8"), net)
    with pytest.raises(ValueError, match="go with a picture"):
        stylize(np.zeros((2, 20, 20, 3), "uint8"), net, size=10)


def test_auto_takes_tiles_when_memory_is_short(net, monkeypatch):
    taken = []
    monkeypatch.setattr(stylization, "in_tiles", lambda net, x, tile: taken.append(tile) or net.predict_on_batch(x))
    monkeypatch.setattr(stylization, "TILE", 64)
    batch = picture(80, 80)[None]
    paint(net, batch)
    assert not taken
    monkeypatch.setattr(stylization, "free_memory", lambda: 1e6)
    paint(net, batch)
    assert taken == [64]
