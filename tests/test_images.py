import importlib.util
import io
import os
import struct
import warnings

import keras
import numpy as np
import pytest
from PIL import EpsImagePlugin, Image, ImageCms, PngImagePlugin, features

from neural_style import deprocess, load_image, masks, preprocess, save_image
from neural_style.color import lab_to_rgb
from neural_style.images import READABLE, SUFFIXES, WRITABLE, check_writable, image_size, load_with_alpha, resize_channel
from conftest import picture
from odd_pictures import ENDLESS, POSTSCRIPT, RGB, checked, damaged_exif, mutants, with_exif, with_ghostscript


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


# ---- As people have them ---------------------------------------------------------------------------------------------

def icc(rgb_to_xyz=None, gamma=None, space=b"RGB "):
    """An ICC profile, version 2: of a matrix to XYZ at D50 and a curve, or of grey and a gamma."""
    def number(value):
        return struct.pack(">i", round(value * 65536))
    curve = b"curv" + bytes(4) + (struct.pack(">IH", 1, round(gamma * 256)) if gamma else struct.pack(">I", 1024) + b"".join(
        struct.pack(">H", round(65535 * _linear(v / 1023))) for v in range(1024)))
    tags = {b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(79), b"cprt": b"text" + bytes(4) + b"none\0",
            b"wtpt": b"XYZ " + bytes(4) + b"".join(map(number, (0.9642, 1.0, 0.8249)))}
    if space == b"RGB ":
        for name, column in zip(b"rgb", np.transpose(rgb_to_xyz)):
            tags[bytes([name]) + b"XYZ"] = b"XYZ " + bytes(4) + b"".join(map(number, column))
            tags[bytes([name]) + b"TRC"] = curve
    else:
        tags[b"kTRC"] = curve
    return profile_of(tags, space, b"XYZ ", b"mntr")


def profile_of(tags, space, connection, device):
    table, body = b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = bytes(8) + b"\x02\x20\0\0" + device + space + connection + struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">iii", 63190, 65536, 54061)  # D50
    profile = head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(profile)) + profile[4:]


def _linear(v):
    """sRGB's curve: IEC 61966-2-1."""
    return np.where(np.asarray(v) <= 0.04045, np.asarray(v) / 12.92, ((np.asarray(v) + 0.055) / 1.055) ** 2.4)


#: To XYZ at D50 (Bradford): sRGB, Adobe RGB (1998), Display P3.
SRGB = np.array([[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]])
ADOBE = np.array([[0.6097559, 0.2052401, 0.1492240], [0.3111242, 0.6256560, 0.0632197], [0.0194811, 0.0608902, 0.7448387]])
P3 = np.array([[0.5151187, 0.2919778, 0.1571035], [0.2411892, 0.6922441, 0.0665668], [-0.0010505, 0.0418791, 0.7840713]])


def in_srgb(colors, matrix, gamma=None):
    """The colors of another RGB as sRGB has them, by the matrices: 0 to 255, cut to what there is."""
    v = np.asarray(colors, "float64") / 255
    linear = (v ** gamma if gamma else _linear(v)) @ (np.linalg.inv(SRGB) @ matrix).T
    linear = np.clip(linear, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("suffix,options", [(".png", {}), (".jpg", {"quality": 100, "subsampling": 0}), (".webp", {"lossless": True}), (".tif", {})])
@pytest.mark.parametrize("matrix,gamma", [(ADOBE, 563 / 256), (P3, None)], ids=["Adobe RGB", "Display P3"])
def test_a_color_profile_is_converted_to_srgb(tmp_path, suffix, options, matrix, gamma):
    colors = np.random.default_rng(0).integers(60, 200, (4, 5, 3)).repeat(8, 0).repeat(8, 1).astype("uint8")
    Image.fromarray(colors).save(tmp_path / f"a{suffix}", icc_profile=icc(matrix, gamma), **options)
    found = load_image(tmp_path / f"a{suffix}")[4::8, 4::8]
    assert np.abs(found - in_srgb(colors[4::8, 4::8], matrix, gamma)).max() <= (3 if suffix == ".jpg" else 1.5)
    assert np.abs(found.astype(int) - colors[4::8, 4::8]).max() > 5


def test_grey_alpha_palettes_and_what_is_srgb_already(tmp_path, caplog):
    grey = np.arange(0, 256, 5, dtype="uint8")[None].repeat(4, 0)
    Image.fromarray(grey).save(tmp_path / "grey.png", icc_profile=icc(gamma=1.8, space=b"GRAY"))
    expected = 255 * np.interp((grey / 255) ** (461 / 256), _linear(np.linspace(0, 1, 5000)), np.linspace(0, 1, 5000))
    assert np.abs(load_image(tmp_path / "grey.png")[..., 0] - expected).max() <= 1.5
    colors = picture(9, 12)
    Image.fromarray(np.dstack([colors, np.full((9, 12), 255, "uint8")])).save(tmp_path / "alpha.png", icc_profile=icc(ADOBE, 563 / 256))
    assert np.abs(load_image(tmp_path / "alpha.png") - in_srgb(colors, ADOBE, 563 / 256)).max() <= 1.5
    palette = Image.fromarray(colors).quantize(16)
    palette.save(tmp_path / "palette.png", icc_profile=icc(ADOBE, 563 / 256))
    assert np.abs(load_image(tmp_path / "palette.png") - in_srgb(np.asarray(palette.convert("RGB")), ADOBE, 563 / 256)).max() <= 1.5
    Image.fromarray(colors).save(tmp_path / "srgb.png", icc_profile=icc(SRGB))
    assert np.array_equal(load_image(tmp_path / "srgb.png"), colors)
    Image.fromarray(colors).save(tmp_path / "broken.png", icc_profile=icc(ADOBE, 2.2)[:150])
    assert np.array_equal(load_image(tmp_path / "broken.png"), colors) and "taken as sRGB" in caplog.text


def of_inks():
    """An ICC profile, version 2, of a printer: each ink alone darkens to a grey, 30 % for cyan, magenta and yellow, and black to nothing."""
    def table(values):
        return b"".join(struct.pack(">H", round(value)) for value in values)
    corners = [[ink >> 3 - i & 1 for i in range(4)] for ink in range(16)]  # C, M, Y, K; K changes fastest
    lightness = [(1 - k) * (1 - 0.3 * (c + m + y)) for c, m, y, k in corners]
    identity = " ".join("1 0 0 0 1 0 0 0 1".split())
    matrix = b"".join(struct.pack(">i", int(value) << 16) for value in identity.split())
    lut = b"mft2" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + struct.pack(">HH", 2, 2) + table([0, 65535] * 4)
    lut += b"".join(table([65280 * L, 32768, 32768]) for L in lightness) + table([0, 65535] * 3)  # L*a*b* of version 2: 65280 is 100
    tags = {b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(79), b"cprt": b"text" + bytes(4) + b"none\0",
            b"wtpt": b"XYZ " + bytes(4) + struct.pack(">iii", 63190, 65536, 54061), b"A2B0": lut, b"A2B1": lut}
    return profile_of(tags, b"CMYK", b"Lab ", b"prtr")


def test_inks_by_their_profile(tmp_path, caplog):
    """Without it, cyan is (0, 255, 255); by it, a grey of L* 70."""
    inks = np.array([[0, 0, 0, 0], [255, 0, 0, 0], [0, 255, 255, 0], [0, 0, 0, 255], [255, 255, 255, 0]], "uint8")[None].repeat(8, 0).repeat(8, 1)
    Image.fromarray(inks, "CMYK").save(tmp_path / "inks.tif", icc_profile=of_inks())
    expected = lab_to_rgb(np.array([[L, 0, 0] for L in (100, 70, 40, 0, 10)]))
    assert np.abs(load_image(tmp_path / "inks.tif")[4, 4::8] - expected).max() <= 2
    assert not caplog.text
    Image.fromarray(RGB).save(tmp_path / "other.png", icc_profile=of_inks())  # which is of no use to an RGB picture
    assert np.array_equal(load_image(tmp_path / "other.png"), RGB) and "taken as sRGB: it is of CMYK colors, and the picture of RGB" in caplog.text


def test_a_pil_image_is_saved_in_the_colors_that_it_has(tmp_path):
    """Its profile goes with it; where a format has none, or not its mode, the colors are made sRGB."""
    Image.fromarray(RGB).save(tmp_path / "p3.png", icc_profile=icc(P3))
    expected = in_srgb(RGB, P3)
    with Image.open(tmp_path / "p3.png") as image:
        for suffix in (".png", ".tif", ".bmp", ".ppm", ".jp2"):
            save_image(image, tmp_path / f"a{suffix}")
            assert np.abs(load_image(tmp_path / f"a{suffix}") - expected).max() <= 1.5
    inks = Image.fromarray(np.full((4, 4, 4), (255, 0, 0, 0), "uint8"), "CMYK")
    inks.info["icc_profile"] = of_inks()
    for suffix in (".png", ".jpg", ".webp"):
        save_image(inks, tmp_path / f"inks{suffix}")
        assert np.abs(load_image(tmp_path / f"inks{suffix}") - lab_to_rgb([70, 0, 0])).max() <= 2
    grey = Image.fromarray(np.full((4, 4), 200 * 257, "uint16"))
    for suffix in (".png", ".tif", ".jpg", ".bmp", ".webp"):
        save_image(grey, tmp_path / f"grey{suffix}")
        assert np.abs(load_image(tmp_path / f"grey{suffix}").astype(int) - 200).max() <= 1


def test_results_are_tagged_as_srgb_and_the_same_picture_is_the_same_file(tmp_path):
    for suffix in (".png", ".jpg", ".webp", ".tiff"):
        for name in ("a", "b"):
            save_image(picture(9, 12), tmp_path / f"{name}{suffix}")
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
        with Image.open(tmp_path / f"a{suffix}") as image:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
            assert image.info["icc_profile"][24:36] == struct.pack(">6H", 2000, 1, 1, 0, 0, 0)  # not today's
        assert "sRGB" in ImageCms.getProfileDescription(profile)


def test_transparency_apart_from_the_colors(tmp_path):
    colors, alpha = picture(20, 30), np.zeros((20, 30), "uint8")
    alpha[5:15, 5:20], alpha[5:15, 20:25] = 255, 128
    Image.fromarray(np.dstack([np.where(alpha[..., None] > 0, colors, 0), alpha])).save(tmp_path / "a.png")
    rgb, found = load_with_alpha(tmp_path / "a.png")
    assert np.array_equal(found, alpha) and np.array_equal(rgb[alpha > 0], colors[alpha > 0])
    assert np.array_equal(rgb[0, 10], colors[5, 10]) and np.array_equal(rgb[10, 0], colors[10, 5])  # hidden: the nearest that is seen
    assert load_with_alpha(colors)[1] is None and np.array_equal(load_with_alpha(colors)[0], colors)


def test_a_smaller_picture_with_transparency_has_no_fringe(tmp_path):
    """One color, cut out: it stays that color all along the edge, at every size, whatever color the hidden pixels have."""
    disc = ((np.mgrid[:64, :64] - 32) ** 2).sum(axis=0) < 24 ** 2
    for hidden in (0, 255):
        pixels = np.where(disc[..., None], (200, 40, 90), hidden).astype("uint8")
        Image.fromarray(np.dstack([pixels, 255 * disc.astype("uint8")])).save(tmp_path / "a.png")
        rgb, alpha = load_with_alpha(tmp_path / "a.png", 30)
        assert alpha.min() == 0 and alpha.max() == 255 and len(np.unique(alpha)) > 5
        assert np.abs(rgb.astype(int) - (200, 40, 90)).max() <= 3


@pytest.mark.parametrize("size", [13, 30, 50, 97])
def test_a_resized_cut_out_on_a_background_is_the_resized_picture_of_both(size):
    """As resizing is linear: on black and on white, as far as 8 bits go; so nothing of the hidden colors, nothing of white, is in it."""
    colors, alpha = picture(40, 60, noise=0), np.zeros((40, 60))
    alpha[8:30, 10:45] = 1  # straight edges
    rgba = np.dstack([np.where(alpha[..., None] > 0, colors, (0, 255, 0)), 255 * alpha]).astype("uint8")
    rgb, opacity = load_with_alpha(rgba, size)
    opacity = opacity[..., None] / 255
    for background in (0, 255):
        together = alpha[..., None] * colors + (1 - alpha[..., None]) * background
        expected = np.dstack([resize_channel(together[..., channel], opacity.shape[1::-1]) for channel in range(3)])
        on_it = opacity * rgb + (1 - opacity) * background
        at = (opacity > 0)[..., 0] & (opacity < 1)[..., 0]  # the edge; elsewhere Lanczos' filter leaves 0 to 255, and pictures may not
        assert at.any() and np.abs(on_it - expected)[at].max() <= 2


def test_alpha_is_kept_in_the_formats_that_have_it_and_laid_on_white_in_others(tmp_path):
    pixels = np.dstack([picture(8, 8), np.full((8, 8), 100, "uint8")])
    for suffix in (".png", ".webp", ".tiff"):
        save_image(pixels, tmp_path / f"a{suffix}", **({"lossless": True, "exact": True} if suffix == ".webp" else {}))
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
    assert found.dtype == np.uint16 and np.array_equal(found, np.rint(np.clip(pixels, 0, 255) * 257))
    assert np.abs(load_image(tmp_path / f"a{suffix}") - np.clip(pixels, 0, 255)).max() <= 1
    with pytest.raises(ValueError, match="16 bits a channel need .png or .tiff"):
        save_image(pixels, tmp_path / "a.jpg", bits=16)
    with pytest.raises(ValueError, match="bits=12"):
        save_image(pixels, tmp_path / f"a{suffix}", bits=12)
    with pytest.raises(ValueError, match="finite"):
        save_image(pixels * np.nan, tmp_path / f"a{suffix}", bits=16)
    with pytest.raises(TypeError, match="quality"):
        save_image(pixels, tmp_path / f"a{suffix}", bits=16, quality=3)
    alpha = np.dstack([pixels, np.full((7, 9), 100.5)])
    save_image(alpha, tmp_path / f"alpha{suffix}", bits=16)
    found = cv2.imread(str(tmp_path / f"alpha{suffix}"), cv2.IMREAD_UNCHANGED)[..., [2, 1, 0, 3]]
    assert np.array_equal(found, np.rint(np.clip(alpha, 0, 255) * 257))


def test_16_bits_are_srgb_and_carry_a_record(tmp_path):
    text = PngImagePlugin.PngInfo()
    text.add_itxt("record", "{} – 画", zip=True)
    text.add_text("plain", "words")
    save_image(picture(7, 9), tmp_path / "a.png", bits=16, pnginfo=text)
    data, at, chunks = (tmp_path / "a.png").read_bytes(), 8, []
    while at < len(data):
        length, = struct.unpack(">I", data[at:at + 4])
        chunks.append(data[at + 4:at + 8])
        at += 12 + length
    assert chunks.count(b"sRGB") == 1 and chunks[0] == b"IHDR" and max(map(chunks.index, (b"sRGB", b"iTXt", b"tEXt"))) < chunks.index(b"IDAT")
    with Image.open(tmp_path / "a.png") as image:
        assert image.text == {"record": "{} – 画", "plain": "words"} and image.info["srgb"] == 1
    save_image(picture(7, 9), tmp_path / "a.tif", bits=16)
    with Image.open(tmp_path / "a.tif") as image:
        assert "sRGB" in ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"])))
    for suffix in (".png", ".tif"):
        save_image(picture(7, 9), tmp_path / f"b{suffix}", bits=16, **({"pnginfo": text} if suffix == ".png" else {}))
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    with pytest.raises(TypeError, match="pnginfo, of PNG"):
        save_image(picture(7, 9), tmp_path / "a.tif", bits=16, pnginfo=text)


def test_heic_and_avif(tmp_path, monkeypatch):
    import pillow_heif
    colors = picture(32, 48, noise=0)
    pillow_heif.from_pillow(Image.fromarray(colors)).save(tmp_path / "a.heic", quality=95)
    Image.fromarray(colors).save(tmp_path / "a.avif", quality=95)
    monkeypatch.setattr(Image, "OPEN", {name: opener for name, opener in Image.OPEN.items() if name != "HEIF"})
    monkeypatch.setattr(Image, "ID", [name for name in Image.ID if name != "HEIF"])
    real = importlib.util.find_spec
    with monkeypatch.context() as without:
        without.setattr(importlib.util, "find_spec", lambda name: None if name == "pillow_heif" else real(name))
        with pytest.raises(ImportError, match='needs pillow-heif: pip install "pillow-heif>='):
            load_image(tmp_path / "a.heic")
    data = (tmp_path / "a.heic").read_bytes()
    assert data[8:12] == b"heic"
    (tmp_path / "general.heic").write_bytes(data[:8] + b"mif1" + data[12:])  # as libheif's own programs begin a file
    exif = Image.Exif()
    exif[0x0112] = 6
    with io.BytesIO() as file:
        Image.fromarray(colors).save(file, "AVIF", quality=95, exif=exif)
        (tmp_path / "turned.avif").write_bytes(file.getvalue())
    assert np.abs(load_image(tmp_path / "turned.avif").astype(int) - np.rot90(colors, -1)).mean() < 4
    for name in ("a.heic", "a.avif", "general.heic"):
        assert np.abs(load_image(tmp_path / name).astype(int) - colors).mean() < 4


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_damaged_exif_data_leave_the_picture_as_it_lies(tmp_path, file_format, caplog):
    data = bytearray(with_exif(file_format))
    (tmp_path / "whole").write_bytes(data)
    (tmp_path / "entry").write_bytes(damaged_exif(file_format))
    assert load_image(tmp_path / "whole").shape == (20, 12, 3) and load_image(tmp_path / "entry").shape == (12, 20, 3)
    if file_format != "TIFF":  # where they are the file's own
        at = max(data.find(b"MM\0*"), data.find(b"II*\0"))
        data[at:at + 8] = b"damaged!"
        (tmp_path / "head").write_bytes(checked(data) if file_format == "PNG" else data)
        assert not caplog.text and load_image(tmp_path / "head").shape == (12, 20, 3)
        assert f"{str(tmp_path / 'head')!r} has damaged EXIF data, so it is taken as it lies" in caplog.text


def test_damage_elsewhere_in_exif_data_leaves_the_orientation(tmp_path):
    data = bytearray(with_exif())
    at = data.index(b"\x01\x0e", data.index(b"Exif"))  # the description's entry, before the orientation's
    data[at + 2:at + 8] = b"\x00\x05\x00\x00\x00\x01"  # a fraction
    (tmp_path / "a.jpg").write_bytes(data)
    assert load_image(tmp_path / "a.jpg").shape == (20, 12, 3)


@pytest.mark.parametrize("action", ["error", "ignore"])
def test_thousands_of_damaged_pictures(tmp_path, monkeypatch, action):
    """Whether Pillow's warnings are errors or not."""
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        assert mutants(2000, seed=2) == []


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_orientation_in_each_format(tmp_path, orientation):
    """By EXIF's own words: where row 0 and column 0 of what is stored are in what is seen."""
    turn = {1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud, 5: lambda a: a.transpose(1, 0, 2), 6: lambda a: np.rot90(a, -1),
            7: lambda a: np.rot90(a, 2).transpose(1, 0, 2), 8: np.rot90}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    for name, options in {"a.png": {}, "a.webp": {"lossless": True}, "a.tif": {}, "b.tif": {"compression": "tiff_lzw"}}.items():
        Image.fromarray(RGB).save(tmp_path / name, exif=exif, icc_profile=icc(ADOBE, 563 / 256), **options)
        assert np.abs(load_image(tmp_path / name) - turn(in_srgb(RGB, ADOBE, 563 / 256))).max() <= 1.5  # its profile is not lost by it


# ---- What is read, and what is written -------------------------------------------------------------------------------

def test_no_program_is_run_by_a_picture(tmp_path, monkeypatch):
    """Pillow itself calls Ghostscript for PostScript, whatever its name is."""
    monkeypatch.chdir(tmp_path)
    for text in (POSTSCRIPT, ENDLESS):
        for name in ("holiday.jpg", "holiday.eps"):
            (tmp_path / name).write_text(text)
            for call in (load_image, load_with_alpha, image_size, lambda source: masks.from_labels(source, source)):
                error, log = with_ghostscript(lambda: call(name))
                assert isinstance(error, ValueError) and "is not a picture in a format that is read here" in str(error) and log == ""
    for name in ("a.eps", "a.ps", "a.pdf"):
        error, log = with_ghostscript(lambda: save_image(RGB, name))
        assert isinstance(error, ValueError) and "picture format" in str(error) and log == "" and not (tmp_path / name).exists()


def test_ghostscript_would_be_run_by_pillow_alone(tmp_path, monkeypatch):
    """The wrapper of the tests above is one that it finds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)  # it remembers whether there was one
    (tmp_path / "holiday.jpg").write_text(POSTSCRIPT)

    def load():
        with Image.open("holiday.jpg") as image:
            with pytest.raises(OSError):  # the wrapper paints nothing
                image.load()
    assert "called" in with_ghostscript(load)[1]


def test_no_other_decoder_of_pillow_s_sees_a_file(tmp_path, monkeypatch):
    Image.init()
    monkeypatch.setattr(Image, "EXTENSION", {**Image.EXTENSION})  # to save as SPIDER registers the file's suffix
    tried = []
    for name in sorted({*Image.SAVE} & {*Image.OPEN} - {*READABLE}):
        path = tmp_path / "a.png"
        for mode in ("RGB", "L", "P", "1", "F"):
            try:
                with open(path, "wb") as file, warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)
                    Image.new(mode, (8, 8)).save(file, name)
            except (OSError, ValueError, KeyError):
                continue
            with pytest.raises(ValueError, match="format that is read here"):
                load_image(path)
            tried.append(name)
            break
    assert {"PCX", "SGI", "IM", "DDS"} <= {*tried}


@pytest.mark.parametrize("suffix", ".h5 .hdf .xbm .msp .palm .blp .wmf .emf .grib .bufr .ico .eps .pdf .pcx".split())
def test_what_cannot_be_written_is_known_before_the_work(tmp_path, suffix):
    with pytest.raises(ValueError, match=f"must end in a picture format.*Received: '.*a{suffix}'"):
        check_writable(tmp_path / f"a{suffix}")


def test_each_format_that_is_written_is_read_again(tmp_path):
    for suffix in WRITABLE:
        save_image(picture(24, 36, noise=0), tmp_path / f"a{suffix}")
        assert np.abs(load_image(tmp_path / f"a{suffix}").astype(int) - picture(24, 36, noise=0)).mean() < (10 if suffix == ".gif" else 3)
        assert suffix in SUFFIXES and image_size(tmp_path / f"a{suffix}") == (36, 24)


def test_a_build_of_pillow_without_a_format_is_known_before_the_work(tmp_path, monkeypatch):
    save_image(RGB, tmp_path / "a.avif")
    monkeypatch.setattr(features, "check", lambda name: False)
    for suffix in (".avif", ".webp", ".jp2", ".jpg"):
        with pytest.raises(ValueError, match="this build of Pillow cannot write"):
            check_writable(tmp_path / f"a{suffix}")
    with pytest.raises(ValueError, match="this build of Pillow cannot read AVIF"):
        load_image(tmp_path / "a.avif")
    check_writable(tmp_path / "a.png")


def test_an_input_is_no_output(tmp_path):
    save_image(RGB, tmp_path / "photo.png")
    (tmp_path / "link.png").symlink_to("photo.png")
    before = (tmp_path / "photo.png").read_bytes()
    for path in (tmp_path / "photo.png", tmp_path / "link.png"):
        for call in (lambda **options: save_image(255 - RGB, path, **options), lambda **options: check_writable(path, **options)):
            with pytest.raises(ValueError, match="is also an input"):
                call(inputs=[None, RGB, tmp_path / "photo.png"])
    assert (tmp_path / "photo.png").read_bytes() == before
    save_image(255 - RGB, tmp_path / "photo.png", inputs=[tmp_path / "photo.png"], overwrite=True)
    assert np.array_equal(load_image(tmp_path / "photo.png"), 255 - RGB)


def test_sizes_of_numpy_and_beyond_all_bounds(tmp_path):
    Image.fromarray(picture(300, 400)).save(tmp_path / "a.jpg")
    assert load_image(tmp_path / "a.jpg", np.int8(100)).shape == (75, 100, 3) and load_with_alpha(picture(300, 400), np.uint8(200))[0].shape == (150, 200, 3)
    for size in (10 ** 9, 10 ** 30, 10 ** 400):
        with pytest.raises(ValueError, match="size"):
            load_image(RGB, size)


def test_integers_of_16_bits_are_scaled_and_those_of_32_have_no_scale(tmp_path):
    values = (np.arange(60).reshape(6, 10) * 1000).astype("uint16")
    for suffix in (".png", ".tif", ".pgm", ".jp2"):
        Image.fromarray(values).save(tmp_path / f"a{suffix}", **({"irreversible": False} if suffix == ".jp2" else {}))
        assert np.array_equal(load_image(tmp_path / f"a{suffix}")[..., 0], np.rint(values / 257))
    Image.fromarray(values.astype("int32")).save(tmp_path / "b.tif")
    for source in (tmp_path / "b.tif", Image.fromarray(values.astype("int32"))):
        with pytest.raises(ValueError, match="32-bit integer picture has no fixed scale"):
            load_image(source)
    Image.fromarray(values).save(tmp_path / "clear.png", transparency=5000)  # one value of 16 bits stands for transparency
    assert load_image(tmp_path / "clear.png")[0, 4:7, 0].tolist() == [16, 255, 23]
