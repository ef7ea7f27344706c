import importlib.util
import io
import os
import struct

import keras
import numpy as np
import pytest
from helpers import picture
from PIL import Image, ImageCms

from neural_style import deprocess, load_image, preprocess, save_image
from neural_style.images.load import load_with_alpha
from neural_style.images.save import check_writable
from neural_style.vgg.preprocessing import IMAGENET_MEAN_BGR, pixels_of


def test_load_image_gives_uint8_rgb_from_path_picture_and_array(tmp_path):
    image = picture(20, 30)
    Image.fromarray(image).save(tmp_path / "a.png")
    for source in (tmp_path / "a.png", str(tmp_path / "a.png"), Image.fromarray(image), image):
        loaded = load_image(source)
        assert loaded.dtype == np.uint8
        np.testing.assert_array_equal(loaded, image)
        assert loaded is not image


@pytest.mark.parametrize(
    "height,width,size,expected",
    [
        (720, 1280, 512, (288, 512)),
        (1280, 720, 512, (512, 288)),
        (100, 100, 37, (37, 37)),
        (10, 20, 64, (32, 64)),
        (1, 1, 64, (64, 64)),
        (3, 1000, 100, (1, 100)),
    ],
)
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
    gray = np.array([[0, 257 * 100], [32768, 65535]], "uint16")
    Image.fromarray(gray).save(tmp_path / "gray16.png")
    for source in (gray, tmp_path / "gray16.png"):
        loaded = load_image(source)
        assert loaded[..., 0].tolist() == [[0, 100], [128, 255]]
        assert (loaded == loaded[..., :1]).all()


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "CMYK", "YCbCr", "HSV", "LAB", "RGBA", "RGBX"]
)
def test_every_mode_arrives_as_rgb(mode):
    assert load_image(Image.new(mode, (5, 4))).shape == (4, 5, 3)


def test_preprocess_is_keras_own_and_changes_nothing():
    image = picture(8, 9)
    before = image.copy()
    x = preprocess(image)
    np.testing.assert_array_equal(image, before)
    assert x.dtype == np.float32 and x.shape == (1, 8, 9, 3)
    np.testing.assert_allclose(
        x, keras.applications.vgg16.preprocess_input(image[None].astype("float32")), atol=1e-4
    )


def test_deprocess_is_the_exact_inverse_on_all_values():
    image = np.arange(256, dtype="uint8").repeat(3).reshape(16, 16, 3)
    image[..., 1] = 255 - image[..., 1]
    x = preprocess(image)
    kept = x.copy()
    np.testing.assert_array_equal(deprocess(x), image)
    np.testing.assert_array_equal(deprocess(x.ravel().astype("float64"), x.shape), image)
    np.testing.assert_array_equal(x, kept)


def test_a_tall_picture_is_converted_by_rows():
    x = np.random.default_rng(0).uniform(-200, 200, (1, 600, 5, 3)).astype("float32")
    pixels = np.clip(x[0] + IMAGENET_MEAN_BGR, 0, 255)[..., ::-1]
    np.testing.assert_array_equal(deprocess(x), np.rint(pixels).astype("uint8"))
    np.testing.assert_array_equal(pixels_of(x), pixels)
    assert pixels_of(np.zeros((300, 4, 3), "int64"), x_dtype=None).dtype == np.float64
    x[0, 590, 2, 1] = np.inf
    with pytest.raises(ValueError, match="x must be finite"):
        pixels_of(x)


def test_deprocess_rounds_and_cuts():
    x = preprocess(np.full((1, 1, 3), 100, "uint8"))
    assert (
        (deprocess(x + 0.6) == 101).all()
        and (deprocess(x + 1000) == 255).all()
        and (deprocess(x - 1000) == 0).all()
    )


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
        (Image.new("F", (2, 2)), ValueError, "floating-point"),
    ]:
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


# ---- As people have them
# ---------------------------------------------------------------------------------------------


def icc(rgb_to_xyz=None, gamma=None, space=b"RGB ", device=b"mntr"):
    """An ICC profile, version 2: of a matrix to XYZ at D50 and a curve, or of gray and a gamma."""

    def number(value):
        return struct.pack(">i", round(value * 65536))

    curve = (
        b"curv"
        + bytes(4)
        + (
            struct.pack(">IH", 1, round(gamma * 256))
            if gamma
            else struct.pack(">I", 1024)
            + b"".join(struct.pack(">H", round(65535 * _linear(v / 1023))) for v in range(1024))
        )
    )
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(79),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": b"XYZ " + bytes(4) + b"".join(map(number, (0.9642, 1.0, 0.8249))),
    }
    if space == b"RGB ":
        for name, column in zip(b"rgb", np.transpose(rgb_to_xyz)):
            tags[bytes([name]) + b"XYZ"] = b"XYZ " + bytes(4) + b"".join(map(number, column))
            tags[bytes([name]) + b"TRC"] = curve
    else:
        tags[b"kTRC"] = curve
    table, body = b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = (
        bytes(8)
        + b"\x02\x20\0\0"
        + device
        + space
        + b"XYZ "
        + struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
        + b"acsp"
        + bytes(28)
    )
    head += b"".join(map(number, (0.9642, 1.0, 0.8249)))
    profile = head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(profile)) + profile[4:]


def _linear(v):
    """sRGB's curve: IEC 61966-2-1."""
    return np.where(
        np.asarray(v) <= 0.04045, np.asarray(v) / 12.92, ((np.asarray(v) + 0.055) / 1.055) ** 2.4
    )


#: To XYZ at D50 (Bradford): sRGB, Adobe RGB (1998), Display P3.
SRGB = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)
ADOBE = np.array(
    [
        [0.6097559, 0.2052401, 0.1492240],
        [0.3111242, 0.6256560, 0.0632197],
        [0.0194811, 0.0608902, 0.7448387],
    ]
)
P3 = np.array(
    [
        [0.5151187, 0.2919778, 0.1571035],
        [0.2411892, 0.6922441, 0.0665668],
        [-0.0010505, 0.0418791, 0.7840713],
    ]
)


def in_srgb(colors, matrix, gamma=None):
    """Convert colors of another RGB to sRGB by the matrices, clipped to 0-255."""
    v = np.asarray(colors, "float64") / 255
    linear = (v**gamma if gamma else _linear(v)) @ (np.linalg.inv(SRGB) @ matrix).T
    linear = np.clip(linear, 0, 1)
    return 255 * np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055
    )


@pytest.mark.parametrize(
    "suffix,options",
    [
        (".png", {}),
        (".jpg", {"quality": 100, "subsampling": 0}),
        (".webp", {"lossless": True}),
        (".tif", {}),
    ],
)
@pytest.mark.parametrize(
    "matrix,gamma", [(ADOBE, 563 / 256), (P3, None)], ids=["Adobe RGB", "Display P3"]
)
def test_a_color_profile_is_converted_to_srgb(tmp_path, suffix, options, matrix, gamma):
    colors = (
        np.random.default_rng(0)
        .integers(60, 200, (4, 5, 3))
        .repeat(8, 0)
        .repeat(8, 1)
        .astype("uint8")
    )
    Image.fromarray(colors).save(tmp_path / f"a{suffix}", icc_profile=icc(matrix, gamma), **options)
    found = load_image(tmp_path / f"a{suffix}")[4::8, 4::8]
    assert np.abs(found - in_srgb(colors[4::8, 4::8], matrix, gamma)).max() <= (
        3 if suffix == ".jpg" else 1.5
    )
    assert np.abs(found.astype(int) - colors[4::8, 4::8]).max() > 5


def test_gray_alpha_palettes_and_what_is_srgb_already(tmp_path, caplog):
    gray = np.arange(0, 256, 5, dtype="uint8")[None].repeat(4, 0)
    Image.fromarray(gray).save(tmp_path / "gray.png", icc_profile=icc(gamma=1.8, space=b"GRAY"))
    expected = 255 * np.interp(
        (gray / 255) ** (461 / 256), _linear(np.linspace(0, 1, 5000)), np.linspace(0, 1, 5000)
    )
    assert np.abs(load_image(tmp_path / "gray.png")[..., 0] - expected).max() <= 1.5
    colors = picture(9, 12)
    Image.fromarray(np.dstack([colors, np.full((9, 12), 255, "uint8")])).save(
        tmp_path / "alpha.png", icc_profile=icc(ADOBE, 563 / 256)
    )
    assert (
        np.abs(load_image(tmp_path / "alpha.png") - in_srgb(colors, ADOBE, 563 / 256)).max() <= 1.5
    )
    palette = Image.fromarray(colors).quantize(16)
    palette.save(tmp_path / "palette.png", icc_profile=icc(ADOBE, 563 / 256))
    assert (
        np.abs(
            load_image(tmp_path / "palette.png")
            - in_srgb(np.asarray(palette.convert("RGB")), ADOBE, 563 / 256)
        ).max()
        <= 1.5
    )
    Image.fromarray(colors).save(tmp_path / "srgb.png", icc_profile=icc(SRGB))
    assert np.array_equal(load_image(tmp_path / "srgb.png"), colors)
    Image.fromarray(colors).save(tmp_path / "broken.png", icc_profile=icc(ADOBE, 2.2)[:150])
    assert (
        np.array_equal(load_image(tmp_path / "broken.png"), colors)
        and "taken as sRGB" in caplog.text
    )


def test_results_are_tagged_as_srgb_and_the_same_picture_is_the_same_file(tmp_path):
    for suffix in (".png", ".jpg", ".webp", ".tiff"):
        for name in ("a", "b"):
            save_image(picture(9, 12), tmp_path / f"{name}{suffix}")
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
        with Image.open(tmp_path / f"a{suffix}") as image:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        assert "sRGB" in ImageCms.getProfileDescription(profile)


def test_transparency_apart_from_the_colors(tmp_path):
    colors, alpha = picture(20, 30), np.zeros((20, 30), "uint8")
    alpha[5:15, 5:20], alpha[5:15, 20:25] = 255, 128
    Image.fromarray(np.dstack([np.where(alpha[..., None] > 0, colors, 0), alpha])).save(
        tmp_path / "a.png"
    )
    rgb, found = load_with_alpha(tmp_path / "a.png")
    assert np.array_equal(found, alpha) and np.array_equal(rgb[alpha > 0], colors[alpha > 0])
    assert np.array_equal(rgb[0, 10], colors[5, 10]) and np.array_equal(
        rgb[10, 0], colors[10, 5]
    )  # hidden: the nearest that is seen
    assert load_with_alpha(colors)[1] is None and np.array_equal(load_with_alpha(colors)[0], colors)


def test_a_smaller_picture_with_transparency_has_no_fringe(tmp_path):
    """One color, cut out: it stays that color all along the edge, at every size, whatever color the
    hidden pixels have.
    """
    disc = ((np.mgrid[:64, :64] - 32) ** 2).sum(axis=0) < 24**2
    for hidden in (0, 255):
        pixels = np.where(disc[..., None], (200, 40, 90), hidden).astype("uint8")
        Image.fromarray(np.dstack([pixels, 255 * disc.astype("uint8")])).save(tmp_path / "a.png")
        rgb, alpha = load_with_alpha(tmp_path / "a.png", 30)
        assert alpha.min() == 0 and alpha.max() == 255 and len(np.unique(alpha)) > 5
        assert np.abs(rgb.astype(int) - (200, 40, 90)).max() <= 3


def test_alpha_is_kept_in_the_formats_that_have_it_and_laid_on_white_in_others(tmp_path):
    pixels = np.dstack([picture(8, 8), np.full((8, 8), 100, "uint8")])
    for suffix in (".png", ".webp", ".tiff"):
        save_image(
            pixels,
            tmp_path / f"a{suffix}",
            **({"lossless": True, "exact": True} if suffix == ".webp" else {}),
        )
        assert np.array_equal(np.asarray(Image.open(tmp_path / f"a{suffix}")), pixels)
    white = np.rint(pixels[..., :3] * (100 / 255) + 255 * (155 / 255))
    for suffix in (".bmp", ".ppm", ".tga"):
        save_image(pixels, tmp_path / f"a{suffix}")
        assert np.abs(load_image(tmp_path / f"a{suffix}") - white).max() <= 1
    with pytest.raises(ValueError, match="needs a format with alpha"):
        check_writable(tmp_path / "a.jpg", alpha="keep")


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_16_bits_a_channel(tmp_path, suffix):
    import cv2

    pixels = np.random.default_rng(0).uniform(-3, 258, (7, 9, 3)).astype("float32")
    save_image(pixels, tmp_path / f"a{suffix}", bits=16)
    found = cv2.imread(str(tmp_path / f"a{suffix}"), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert found.dtype == np.uint16 and np.array_equal(
        found, np.rint(np.clip(pixels, 0, 255) * 257)
    )
    assert np.abs(load_image(tmp_path / f"a{suffix}") - np.clip(pixels, 0, 255)).max() <= 1
    with pytest.raises(ValueError, match="16 bits a channel need .png or .tiff"):
        save_image(pixels, tmp_path / "a.jpg", bits=16)
    with pytest.raises(ValueError, match="bits=12"):
        save_image(pixels, tmp_path / f"a{suffix}", bits=12)
    with pytest.raises(ValueError, match="finite"):
        save_image(pixels * np.nan, tmp_path / f"a{suffix}", bits=16)


def test_heic_and_avif(tmp_path, monkeypatch):
    import pillow_heif

    colors = picture(32, 48, noise=0)
    pillow_heif.from_pillow(Image.fromarray(colors)).save(tmp_path / "a.heic", quality=95)
    Image.fromarray(colors).save(tmp_path / "a.avif", quality=95)
    monkeypatch.setattr(
        Image, "OPEN", {name: opener for name, opener in Image.OPEN.items() if name != "HEIF"}
    )
    real = importlib.util.find_spec
    with monkeypatch.context() as without:
        without.setattr(
            importlib.util, "find_spec", lambda name: None if name == "pillow_heif" else real(name)
        )
        with pytest.raises(ImportError, match="pillow-heif"):
            load_image(tmp_path / "a.heic")
    for name in ("a.heic", "a.avif"):
        assert np.abs(load_image(tmp_path / name).astype(int) - colors).mean() < 4


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_damaged_exif_data_leave_the_picture_as_it_lies(tmp_path, suffix, caplog):
    from odd_pictures import RGB, damaged_exif

    (tmp_path / f"a{suffix}").write_bytes(
        damaged_exif({".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".tif": "TIFF"}[suffix])
    )
    assert load_image(tmp_path / f"a{suffix}").shape == RGB.shape


def test_integers_of_16_bits_are_scaled_and_those_of_32_have_no_scale(tmp_path):
    values = (np.arange(60).reshape(6, 10) * 1000).astype("uint16")
    for suffix in (".png", ".tif", ".pgm", ".jp2"):
        Image.fromarray(values).save(
            tmp_path / f"a{suffix}", **({"irreversible": False} if suffix == ".jp2" else {})
        )
        assert np.array_equal(load_image(tmp_path / f"a{suffix}")[..., 0], np.rint(values / 257))
    Image.fromarray(values.astype("int32")).save(tmp_path / "b.tif")
    for source in (tmp_path / "b.tif", Image.fromarray(values.astype("int32"))):
        with pytest.raises(ValueError, match="32-bit integer picture has no fixed scale"):
            load_image(source)
