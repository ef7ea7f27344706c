import os

import keras
import numpy as np
import pytest
from PIL import Image

from neural_style import deprocess, load_image, preprocess, save_image
from conftest import picture


def test_load_image_gives_uint8_rgb_from_path_picture_and_array(tmp_path):
    image = picture(20, 30)
    Image.fromarray(image).save(tmp_path / "a.png")
    for source in (tmp_path / "a.png", str(tmp_path / "a.png"), Image.fromarray(image), image):
        loaded = load_image(source)
        assert loaded.dtype == np.uint8
        np.testing.assert_array_equal(loaded, image)
        assert loaded is not image


@pytest.mark.parametrize("height,width,size,expected", [
    (720, 1280, 512, (288, 512)), (1280, 720, 512, (512, 288)), (100, 100, 37, (37, 37)), (10, 20, 64, (32, 64)),
    (1, 1, 64, (64, 64)), (3, 1000, 100, (1, 100))])
def test_size_is_the_longer_side(height, width, size, expected):
    assert load_image(picture(height, width), size).shape == (*expected, 3)


def test_resize_is_lanczos():
    image = picture(40, 60)
    expected = Image.fromarray(image).resize((30, 20), Image.LANCZOS)
    np.testing.assert_array_equal(load_image(image, 30), np.asarray(expected))


def test_a_large_jpeg_decoded_at_a_fraction_looks_the_same(tmp_path):
    Image.fromarray(picture(600, 900)).save(tmp_path / "large.jpg", quality=95)
    whole = Image.open(tmp_path / "large.jpg").resize((60, 40), Image.LANCZOS)
    assert abs(load_image(tmp_path / "large.jpg", 60).astype(int) - np.asarray(whole)).mean() < 2


def test_exif_orientation_is_applied(tmp_path):
    image = picture(20, 30)
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise to show
    Image.fromarray(image).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(load_image(tmp_path / "turned.png"), np.rot90(image, -1))


def test_transparency_is_laid_on_white():
    rgba = np.zeros((2, 2, 4), "uint8")
    rgba[0, 0] = 10, 20, 30, 255
    rgba[0, 1] = 0, 0, 0, 51  # 20 % black
    loaded = load_image(rgba)
    assert loaded[0, 0].tolist() == [10, 20, 30]
    assert loaded[0, 1].tolist() == [204, 204, 204]
    assert loaded[1, 1].tolist() == [255, 255, 255]
    palette = Image.fromarray(rgba).convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE)
    palette.info["transparency"] = palette.getpixel((1, 1))
    assert load_image(palette)[1, 1].tolist() == [255, 255, 255]


def test_sixteen_bits_are_scaled(tmp_path):
    grey = np.array([[0, 257 * 100], [32768, 65535]], "uint16")
    Image.fromarray(grey).save(tmp_path / "grey16.png")
    for source in (grey, tmp_path / "grey16.png"):
        loaded = load_image(source)
        assert loaded[..., 0].tolist() == [[0, 100], [128, 255]]
        assert (loaded == loaded[..., :1]).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "YCbCr", "HSV", "LAB", "RGBA", "RGBX"])
def test_every_mode_arrives_as_rgb(mode):
    assert load_image(Image.new(mode, (5, 4))).shape == (4, 5, 3)


def test_preprocess_is_keras_own_and_changes_nothing():
    image = picture(8, 9)
    before = image.copy()
    x = preprocess(image)
    np.testing.assert_array_equal(image, before)
    assert x.dtype == np.float32 and x.shape == (1, 8, 9, 3)
    np.testing.assert_allclose(x, keras.applications.vgg16.preprocess_input(image[None].astype("float32")), atol=1e-4)


def test_deprocess_is_the_exact_inverse_on_all_values():
    image = np.arange(256, dtype="uint8").repeat(3).reshape(16, 16, 3)
    image[..., 1] = 255 - image[..., 1]
    x = preprocess(image)
    kept = x.copy()
    np.testing.assert_array_equal(deprocess(x), image)
    np.testing.assert_array_equal(deprocess(x.ravel().astype("float64"), x.shape), image)
    np.testing.assert_array_equal(x, kept)


def test_deprocess_rounds_and_cuts():
    x = preprocess(np.full((1, 1, 3), 100, "uint8"))
    assert (deprocess(x + 0.6) == 101).all() and (deprocess(x + 1000) == 255).all() and (deprocess(x - 1000) == 0).all()


def test_nan_never_becomes_a_picture():
    with pytest.raises(ValueError, match="finite"):
        deprocess(np.full((1, 2, 2, 3), np.nan))


@pytest.mark.parametrize("name", ["a.png", "a.JPG", "a.webp", "a.tiff", "a.bmp"])
def test_save_image_by_suffix(tmp_path, name):
    image = picture(20, 30, noise=0)
    save_image(image, tmp_path / name)
    assert abs(load_image(tmp_path / name).astype(int) - image).mean() < 3
    assert os.listdir(tmp_path) == [name]


def test_a_failed_save_keeps_the_old_file_and_leaves_no_part(tmp_path, monkeypatch):
    save_image(picture(5, 5), tmp_path / "a.png")
    old = (tmp_path / "a.png").read_bytes()

    def half(self, file, **options):
        file.write(b"half a file")
        raise OSError("disk full")
    monkeypatch.setattr(Image.Image, "save", half)
    with pytest.raises(OSError, match="disk full"):
        save_image(picture(5, 5, seed=1), tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == old and os.listdir(tmp_path) == ["a.png"]


def test_clear_errors(tmp_path):
    (tmp_path / "text.jpg").write_text("not a picture")
    Image.fromarray(picture(50, 50)).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:2000])
    for source, error, words in [
            ("nowhere.jpg", FileNotFoundError, "no picture at 'nowhere.jpg'"),
            (tmp_path, ValueError, "cannot be read"),
            (tmp_path / "text.jpg", ValueError, "is not a picture"),
            (tmp_path / "cut.png", ValueError, "cannot be read as a picture"),
            (42, TypeError, "int"),
            (np.zeros((4, 4, 3)), TypeError, "float64"),
            (np.zeros((4, 4, 2), "uint8"), ValueError, r"\(4, 4, 2\)"),
            (np.zeros((0, 4, 3), "uint8"), ValueError, r"\(0, 4, 3\)"),
            (Image.new("F", (2, 2)), ValueError, "floating-point")]:
        with pytest.raises(error, match=words):
            load_image(source)
    for size in (0, -1, 2.5, True):
        with pytest.raises(ValueError, match="size must be a positive integer"):
            load_image(picture(4, 4), size)
    with pytest.raises(ValueError, match="picture format"):
        save_image(picture(4, 4), tmp_path / "a.txt")
    with pytest.raises(FileNotFoundError, match="folder"):
        save_image(picture(4, 4), tmp_path / "none" / "a.png")
    with pytest.raises(ValueError, match="H x W x 3"):
        preprocess(np.zeros((4, 4), "uint8"))
    with pytest.raises(ValueError, match="1 x H x W x 3"):
        deprocess(np.zeros(12))


def test_a_decompression_bomb_is_named(tmp_path, monkeypatch):
    Image.new("L", (100, 100)).save(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ValueError, match="MAX_IMAGE_PIXELS"):
        load_image(tmp_path / "large.png")
