import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import PATHS, picture, varied
from odd_pictures import damaged_exif
from PIL import Image

from neural_style import load_image, save_image, stylize
from neural_style.feedforward import (
    build_transform_net,
    resolve_network,
    save_transform_net,
    stylize_folder,
)
from neural_style.feedforward import paint as painting
from neural_style.feedforward import stylize as stylization
from neural_style.feedforward.paint import in_tiles, paint
from neural_style.images.color import YCC
from neural_style.images.load import load_with_alpha


@pytest.fixture(scope="module")
def net():
    return varied(build_transform_net(6, 2))


@pytest.mark.slow
@pytest.mark.parametrize(
    "height,width,tile", [(150, 203, 64), (97, 64, 64), (129, 66, 96), (200, 150, 128)]
)
def test_tiles_are_the_whole(net, height, width, tile):
    x = picture(height, width)[None]
    np.testing.assert_allclose(in_tiles(net, x, tile), net.predict_on_batch(x), atol=0.01)


@pytest.mark.slow
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


@pytest.mark.slow
def test_many_networks_and_sizes_make_no_noise(caplog):
    """One graph for each network, whatever the sizes: TensorFlow does not warn of compiling too
    often.
    """
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


@pytest.mark.slow
def test_a_network_by_its_file_and_a_blend(net, tmp_path):
    other = varied(build_transform_net(6, 2, seed=5), 1)
    save_transform_net(net, tmp_path / "first.keras")
    photo = picture(32, 32)
    assert np.array_equal(stylize(photo, tmp_path / "first.keras"), stylize(photo, net))
    mixed = stylize(photo, {str(tmp_path / "first.keras"): 1.0})
    assert np.array_equal(mixed, stylize(photo, net))
    assert not np.array_equal(stylize(photo, [(net, 1), (other, 1)]), mixed)


def test_what_says_a_network(net, tmp_path, monkeypatch):
    monkeypatch.setattr(resolve_network, "pretrained", lambda: ["mosaic"])
    assert all(
        map(
            resolve_network.is_network,
            [net, {"mosaic": 1}, "mosaic", "some.keras", tmp_path / "some.keras"],
        )
    )
    assert not any(
        map(
            resolve_network.is_network,
            ["painting.jpg", tmp_path / "painting.jpg", picture(8, 8), Image.new("RGB", (8, 8))],
        )
    )


def test_original_colors(net):
    photo = picture(48, 40)
    painted, plain = (
        np.asarray(stylize(photo, net, preserve_color=how), "float64")
        for how in ("luminance", None)
    )
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


@pytest.mark.parametrize(
    "options,message",
    [
        ({"tile": 3}, "tile"),
        ({"preserve_color": "match"}, "preserve_color"),
        ({"batch_size": 0}, "batch_size"),
        ({"output": "nowhere/out.png"}, "nowhere"),
        ({"output": "out.txt"}, "picture format"),
        ({"size": 0}, "size"),
    ],
)
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
    monkeypatch.setattr(
        painting, "in_tiles", lambda net, x, tile: taken.append(tile) or net.predict_on_batch(x)
    )
    monkeypatch.setattr(painting, "TILE", 64)
    batch = picture(80, 80)[None]
    paint(net, batch)
    assert not taken
    monkeypatch.setattr(painting, "free_memory", lambda: 1e6)
    paint(net, batch)
    assert taken == [64]


# ---- Originals, damaged pictures, transparency
# ------------------------------------------------------------------------


@pytest.fixture
def photos(tmp_path):
    """A folder of two pictures."""
    (tmp_path / "photos").mkdir()
    for number in (0, 1):
        save_image(picture(24, 20, number), tmp_path / "photos" / f"{number}.png")
    return tmp_path / "photos"


def test_the_photo_is_not_overwritten_unless_asked(net, photos, monkeypatch):
    photo, link = photos / "0.png", photos.parent / "link.png"
    link.symlink_to(photo)
    before, painted = photo.read_bytes(), np.asarray(stylize(photo, net))
    with monkeypatch.context() as patch:
        patch.setattr(stylization, "paint", None)  # it is refused before anything is painted
        for source, output in (
            (photo, photo),
            (photo, link),
            (link, photo),
            (str(photo), photos / ".." / "photos" / "0.png"),
        ):
            with pytest.raises(ValueError, match="also an input.*overwrite=True"):
                stylize(source, net, output)
        with pytest.raises(ValueError, match="overwrite must be True or False"):
            stylize(photo, net, photo, overwrite="no")
    assert photo.read_bytes() == before
    stylize(photo, net, link, overwrite=True)
    assert link.is_symlink() and np.array_equal(load_image(photo), painted)


@pytest.mark.parametrize("target", ["0.png", "1.png"])
@pytest.mark.parametrize("make", [os.symlink, os.link])
def test_a_folder_is_not_painted_over_its_own_pictures(net, photos, make, target):
    """Not even where a name in the other folder leads to the one or the other of them."""
    output = photos.parent / "painted"
    output.mkdir()
    make(photos / target, output / "0.png")
    before = {path.name: path.read_bytes() for path in photos.iterdir()}
    with pytest.raises(ValueError, match="also an input"):
        stylize(photos, net, output, progress=False)
    assert {path.name: path.read_bytes() for path in photos.iterdir()} == before and os.listdir(
        output
    ) == ["0.png"]
    assert len(stylize(photos, net, output, overwrite=True, progress=False)) == 2


@pytest.mark.parametrize(
    "name", ["out.h5", "out.xbm", "out", "out" + 260 * "x" + ".png", "none/out.png"]
)
def test_an_output_that_cannot_be_written_is_refused_before_painting(
    net, tmp_path, monkeypatch, name
):
    monkeypatch.setattr(stylization, "paint", None)
    with pytest.raises((ValueError, FileNotFoundError), match="out"):
        stylize(picture(20, 20), net, tmp_path / name)


def test_a_painting_that_cannot_be_written_is_not_lost(net, tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stylization, "save_image", full)
    with pytest.raises(OSError, match="No space") as caught:
        stylize(picture(20, 20), net, tmp_path / "out.png")
    assert np.array_equal(caught.value.result, stylize(picture(20, 20), net))


def test_no_picture_ends_a_folder(net, photos, tmp_path, caplog, monkeypatch):
    """Damaged EXIF is a picture still; others are named and left out: damaged ones, one that needs
    a missing package or more memory than there is, one whose format cannot hold its size."""
    (photos / "exif.jpg").write_bytes(damaged_exif())
    (photos / "cut.jpg").write_bytes(damaged_exif()[:300])
    (photos / "exif.webp").write_bytes(damaged_exif("WEBP"))
    (photos / "script.jpg").write_text(
        "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 60 40\n%%EndComments\n"
    )
    (photos / "phone.heic").write_text("HEIC")
    (photos / "huge.png").write_text("huge")
    Image.new("RGB", (1, 17000)).save(
        photos / "long.webp", "PNG"
    )  # a PNG by another name: WebP has 16,383 pixels at most
    known = stylize_folder.load_image

    def load(path, size):
        if path.name == "phone.heic":
            raise ImportError("HEIC needs pillow-heif")
        if path.name == "huge.png":
            raise MemoryError
        return known(path, size)

    monkeypatch.setattr(stylize_folder, "load_image", load)
    written = stylize(photos, net, tmp_path / "painted", progress=False)
    assert (
        [path.name for path in written]
        == ["0.png", "1.png", "exif.jpg", "exif.webp"]
        == sorted(os.listdir(tmp_path / "painted"))
    )
    left_out = {
        record.getMessage().split(" is left out: ")[0]: record.getMessage()
        for record in caplog.records
        if "left out" in record.getMessage()
    }
    assert {os.path.basename(path) for path in left_out} == {
        "cut.jpg",
        "script.jpg",
        "phone.heic",
        "huge.png",
        "long.webp",
    }
    assert (
        "pillow-heif" in left_out[str(photos / "phone.heic")]
        and "MemoryError" in left_out[str(photos / "huge.png")]
    )


def test_a_full_disk_ends_a_folder(net, photos, tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stylize_folder, "save_image", full)
    with pytest.raises(OSError, match="No space"):
        stylize(photos, net, tmp_path / "painted", progress=False)


def test_pictures_in_formats_that_are_read_only_become_png(net, tmp_path):
    (tmp_path / "photos").mkdir()
    for name in ("a.ico", "a.pgm", "a.ppm"):
        Image.fromarray(picture(32, 32)).convert("L" if name == "a.pgm" else "RGB").save(
            tmp_path / "photos" / name
        )
    written = stylize(tmp_path / "photos", net, tmp_path / "painted", progress=False)
    assert [path.name for path in written] == ["a.ico.png", "a.pgm.png", "a.ppm"]
    assert [known_of(path, "format") for path in written] == ["PNG", "PNG", "PPM"]


def known_of(path, name):
    with Image.open(path) as image:
        return getattr(image, name)


def rgba(height, width):
    """A picture and its alpha: an ellipse that fades out, on what nobody sees."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    alpha = np.clip(255 * 4 * (1 - np.hypot(x, y)), 0, 255).astype("uint8")
    return np.dstack([picture(height, width), alpha]), alpha


def test_alpha_is_kept(net, tmp_path):
    photo, alpha = rgba(40, 52)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    kept, white = (stylize(tmp_path / "photo.png", net, alpha=how) for how in ("keep", "white"))
    assert (
        kept.mode == "RGBA"
        and white.mode == "RGB"
        and stylize(tmp_path / "photo.png", net).mode == "RGB"
    )
    assert np.array_equal(np.asarray(kept)[..., 3], alpha)
    colors, _ = load_with_alpha(photo)  # those that are seen, and they go on where nothing is
    assert np.array_equal(np.asarray(kept)[..., :3], np.asarray(stylize(colors, net)))
    assert np.array_equal(white, stylize(load_image(photo), net)) and not np.array_equal(
        np.asarray(kept)[..., :3], white
    )
    for name in ("out.png", "out.webp", "out.tiff"):
        stylize(photo, net, tmp_path / name, alpha="keep")
        assert known_of(tmp_path / name, "mode") == "RGBA"
    assert stylize(photo[..., :3], net, alpha="keep").mode == "RGB"  # it has none
    small = stylize(photo, net, size=26, alpha="keep")
    assert small.size == (26, 20) and small.mode == "RGBA"


@pytest.mark.parametrize(
    "call,message",
    [
        (
            lambda net, folder: stylize(picture(20, 20), net, folder / "out.jpg", alpha="keep"),
            ".png, .webp or .tiff",
        ),
        (
            lambda net, folder: stylize(np.stack([picture(20, 20)]), net, alpha="keep"),
            "Received: a batch",
        ),
        (lambda net, folder: stylize(picture(20, 20), net, alpha="black"), "alpha must be one of"),
        (lambda net, folder: stylize(picture(20, 20), net, alpha=True), "alpha must be one of"),
    ],
)
def test_alpha_that_cannot_be_kept(net, tmp_path, monkeypatch, call, message):
    monkeypatch.setattr(stylization, "paint", None)
    with pytest.raises(ValueError, match=message):
        call(net, tmp_path)


def test_alpha_in_a_folder(net, tmp_path):
    """Kept where the file's format knows it; laid on white elsewhere."""
    photos, (photo, alpha) = tmp_path / "photos", rgba(32, 32)
    photos.mkdir()
    for name in ("a.png", "b.webp", "c.gif"):
        Image.fromarray(photo).save(
            photos / name, **({"lossless": True} if name == "b.webp" else {})
        )
    save_image(photo[..., :3], photos / "d.jpg")
    written = stylize(photos, net, tmp_path / "painted", alpha="keep", progress=False)
    assert [path.name for path in written] == ["a.png", "b.webp", "c.gif", "d.jpg"]
    assert [known_of(path, "has_transparency_data") for path in written] == [
        True,
        True,
        False,
        False,
    ]
    assert np.array_equal(load_with_alpha(written[0])[1], alpha)


@pytest.mark.parametrize("share", ["0.5", None, float("nan"), float("inf"), -1])
def test_a_share_that_is_none_is_named(net, share):
    with pytest.raises(ValueError, match=f"shares must be finite numbers.*{share}"):
        stylize(picture(20, 20), [(net, 1.0), (net, share)])


@pytest.mark.slow
def test_a_pretrained_style_by_a_path():
    photo = picture(20, 20)
    assert np.array_equal(stylize(photo, "poppies"), stylize(photo, Path("poppies")))


@pytest.mark.slow
def test_painting_leaves_no_files_of_generated_code(tmp_path):
    """TensorFlow's autograph writes some, and removes them at an end that a killed process does not
    have.
    """
    code = (
        "import os\nfrom helpers import picture\nfrom neural_style import stylize\n"
        "from neural_style.feedforward import build_transform_net\nstylize(picture(20, 20), build_transform_net(1, 0))\nos._exit(0)"
    )
    environment = {**os.environ, "PYTHONPATH": PATHS, "TMPDIR": str(tmp_path)}
    assert (
        subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True
        ).returncode
        == 0
    )
    assert not [name for name in os.listdir(tmp_path) if "autograph" in name]
