"""Pictures in and out: files and arrays to uint8 RGB, and uint8 RGB to what VGG takes.

An `image` is uint8 RGB, H x W x 3, in the color space sRGB. An `x` is float32, 1 x H x W x 3, BGR,
ImageNet's mean subtracted.
"""

import io
import logging
import math
import os
import struct
import zlib
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from scipy.ndimage import distance_transform_edt

from .checks import choice
from .extras import load
from .files import check_output, is_regular, whole_or_not

logger = logging.getLogger("neural_style")

#: Mean of the ImageNet training pixels, blue, green, red, on the scale 0 to 255. VGG was trained on
#: pixels minus it.
IMAGENET_MEAN_BGR = np.array([103.939, 116.779, 123.68], "float32")

#: Pillow's names of the formats that are read. No other decoder of Pillow's sees a file: some run
#: other programs on it (PostScript).
READABLE = (
    "PNG",
    "JPEG",
    "MPO",
    "WEBP",
    "TIFF",
    "BMP",
    "GIF",
    "PPM",
    "JPEG2000",
    "AVIF",
    "HEIF",
    "ICO",
    "TGA",
)
#: Suffix -> Pillow's name of the formats that are written.
WRITABLE = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".ppm": "PPM",
    ".tga": "TGA",
    ".jp2": "JPEG2000",
    ".avif": "AVIF",
}
#: The formats that keep transparency, those that can be told their color space, and those with 16
#: bits a channel.
WITH_ALPHA, TAGGED, WITH_16_BITS = (
    ("PNG", "WEBP", "TIFF"),
    ("PNG", "JPEG", "WEBP", "TIFF", "AVIF"),
    ("PNG", "TIFF"),
)
#: Suffixes by which a folder's files are taken for pictures.
SUFFIXES = (
    *WRITABLE,
    ".jpe",
    ".jfif",
    ".mpo",
    ".heic",
    ".heif",
    ".ico",
    ".pgm",
    ".pbm",
    ".pnm",
    ".j2k",
    ".dib",
    ".apng",
    ".avifs",
)

ALPHAS = ("white", "keep")
#: Of 255: with less alpha, a pixel's color is rounded to a few values.
CLEAR = 32

_HEIC = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_AVIF = (b"avif", b"avis")


def load_image(source, size=None):
    """Load a picture as a uint8 RGB array, H x W x 3, in sRGB.

    Args:
        source: a path, a PIL.Image of any mode, or an array: uint8 or uint16, H x W (grey), H x W x
            3 (RGB) or H x W x 4 (RGBA). The orientation in a photo's EXIF data is applied, an
            embedded color profile is converted to sRGB, transparency is laid on white, and 16-bit
            values are scaled to 8 bits.
        size: the longer side in pixels; the picture is resized by Lanczos' filter, its aspect ratio
            kept. None keeps the picture's own size.

    Raises:
        FileNotFoundError, TypeError, ValueError: what was expected and what came.
        ImportError: a HEIC picture, and pillow-heif is missing.
    """
    return np.array(_sized(on_white(_picture(source, size)), size))


def load_with_alpha(source, size=None):
    """Load a picture and its transparency: (uint8 RGB, H x W x 3; uint8 alpha, H x W, or None for
    an opaque picture).

    Arguments and errors are those of load_image. The colors are the picture's own, not mixed with
    white. Where alpha is below CLEAR, so that a color is hardly known, it is that of the nearest
    pixel where it is not.
    """
    picture = _picture(source, size)
    if picture.mode != "RGBA":
        return np.array(_sized(picture, size)), None
    rgba = np.array(picture)
    rgb, alpha = rgba[..., :3], rgba[..., 3]
    if alpha.min() == 255:
        return load_image(np.ascontiguousarray(rgb), size), None
    if size is not None and size != max(
        picture.size
    ):  # as much of each color as it is seen; by Pillow, of a few values where that is little
        width_height = _checked_fit(picture.size, size)
        seen = _by_channels(np.dstack([rgb * (alpha / 255)[..., None], alpha]), width_height)
        rgb = np.rint(
            np.clip(255 * seen[..., :3] / np.maximum(seen[..., 3:], 1e-3), 0, 255)
        ).astype("uint8")
        alpha = np.rint(np.clip(seen[..., 3], 0, 255)).astype("uint8")
    if alpha.any():
        rows, columns = distance_transform_edt(
            alpha < min(CLEAR, alpha.max()), return_distances=False, return_indices=True
        )
        rgb = rgb[rows, columns]
    return np.ascontiguousarray(rgb), alpha


def image_size(path):
    """(width, height) of a picture's file, without reading its pixels; errors as load_image."""
    with _opened(path) as picture:
        return picture.size


def check_size(size):
    """Raise a clear error if load_image could not take `size`."""
    if size is not None and (
        isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1
    ):
        raise ValueError(
            "size must be a positive integer (the longer side in pixels) or None. Received:"
            f" size={size!r}"
        )


def save_image(image, path, bits=8, inputs=(), overwrite=False, **options):
    """Write a picture to `path`, in the format of its suffix, all or nothing, tagged as sRGB where
    the format can be.

    The file is written under a temporary name in the same folder and then renamed, so no crash
    leaves half a file and an older picture stays until the new one is whole.

    Args:
        image: a PIL.Image or a uint8 array: H x W, H x W x 3, or H x W x 4 (RGBA; laid on white
            where the format knows no alpha). With bits=16 also a float array of 0 to 255, H x W x 3
            or 4.
        path: where to; one of WRITABLE's suffixes.
        bits: 8, or 16 for a channel, in PNG and TIFF (needs OpenCV).
        inputs: paths that `path` must not lead to, unless overwrite=True.
        options: passed to PIL.Image.save; JPEG and WebP get quality=95 unless told otherwise.

    Raises:
        FileNotFoundError, PermissionError, TypeError, ValueError: what was expected and what came.
        ImportError: bits=16, and OpenCV is missing.
    """
    path = Path(path)
    check_writable(path, bits, inputs=inputs, overwrite=overwrite)
    file_format = WRITABLE[path.suffix.lower()]
    if bits == 16:
        data = _encoded_16(np.asarray(image), path.suffix.lower(), options)
        with whole_or_not(path) as file:
            file.write(data)
        return
    picture = image if isinstance(image, Image.Image) else _from_array(np.asarray(image))
    if file_format not in WITH_ALPHA and picture.mode not in ("L", "RGB"):
        picture = on_white(picture)
    if file_format in ("JPEG", "WEBP"):
        options.setdefault("quality", 95)
    if file_format in TAGGED and picture.mode in ("RGB", "RGBA"):
        options.setdefault("icc_profile", picture.info.get("icc_profile") or srgb_profile())
    with whole_or_not(path) as file:
        picture.save(file, format=file_format, **options)


def check_writable(path, bits=8, alpha="white", inputs=(), overwrite=False):
    """Raise a clear error if save_image could not write to `path`: called before minutes of work,
    not after.
    """
    path = Path(path)
    file_format = WRITABLE.get(path.suffix.lower())
    if file_format is None:
        raise ValueError(
            "the file name must end in a picture format such as .png or .jpg (one of"
            f" {', '.join(WRITABLE)}). Received: {str(path)!r}"
        )
    if isinstance(bits, bool) or bits not in (8, 16):
        raise ValueError(f"bits must be 8 or 16. Received: bits={bits!r}")
    if bits == 16:
        if file_format not in WITH_16_BITS:
            raise ValueError(f"16 bits a channel need .png or .tiff. Received: {str(path)!r}")
        load("cv2", "OpenCV", "masks")
    if choice("alpha", alpha, ALPHAS) == "keep" and file_format not in WITH_ALPHA:
        raise ValueError(
            "a picture that keeps its transparency needs a format with alpha: .png, .webp or"
            f" .tiff. Received: {str(path)!r}"
        )
    if file_format == "AVIF" and "AVIF" not in _known_formats():
        raise ValueError(
            "this build of Pillow cannot write AVIF; use another format, or Pillow's own wheels"
            " from version 11.3 on"
        )
    check_output(path, inputs, overwrite)


def preprocess(image):
    """uint8 RGB, H x W x 3 -> float32 BGR minus ImageNet's mean, 1 x H x W x 3: the input of VGG.

    The same arithmetic as keras.applications.vgg16.preprocess_input, on a copy. Floats on the scale
    0 to 255 are taken too, for pictures that are not to be rounded.
    """
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[-1] != 3:
        raise ValueError(f"image must be an RGB array, H x W x 3. Received: shape {image.shape}")
    return image[None, :, :, ::-1].astype("float32") - IMAGENET_MEAN_BGR


def deprocess(x, shape=None):
    """The inverse of preprocess: BGR minus the mean -> uint8 RGB, H x W x 3, rounded and cut to
    0-255.

    Args:
        x: 1 x H x W x 3 or H x W x 3, or a flat vector together with `shape`.
        shape: shape of x, where x is flat.
    """
    return np.rint(pixels_of(x, shape, x_dtype=None)).astype("uint8")


def pixels_of(x, shape=None, x_dtype="float32"):
    """deprocess without the rounding: RGB, H x W x 3, cut to 0-255, float32 unless x_dtype says
    otherwise (None: that of x).
    """
    x = np.asarray(x)
    x = x.reshape(x.shape if shape is None else shape)
    x = x[0] if x.ndim == 4 and x.shape[0] == 1 else x
    if x.ndim != 3 or x.shape[-1] != 3:
        raise ValueError(
            f"x must be 1 x H x W x 3 (or flat, with its shape). Received: shape {x.shape}"
        )
    if not np.isfinite(x).all():
        raise ValueError("x must be finite to become a picture. Received: NaN or infinite values")
    pixels = np.clip(x + IMAGENET_MEAN_BGR, 0, 255)[:, :, ::-1]
    return np.ascontiguousarray(pixels, x_dtype)


def resize(picture, width_height):
    """Resize a PIL.Image or uint8 array to exactly (width, height) by Lanczos' filter; returns a
    PIL.Image.
    """
    picture = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    return (
        picture
        if picture.size == tuple(width_height)
        else picture.resize(width_height, Image.LANCZOS)
    )


def resize_pixels(pixels, width_height):
    """resize for a float array, H x W x C, which is not rounded."""
    return (
        pixels
        if pixels.shape[1::-1] == tuple(width_height)
        else np.clip(_by_channels(pixels, width_height), 0, 255)
    )


def _by_channels(pixels, width_height):
    """Each channel of a float array resized by Lanczos' filter, which may go below and above what
    there was.
    """
    return np.stack(
        [
            np.asarray(
                Image.fromarray(np.ascontiguousarray(channel, "float32")).resize(
                    width_height, Image.LANCZOS
                )
            )
            for channel in np.moveaxis(pixels, -1, 0)
        ],
        axis=-1,
    )


def resize_map(values, width_height):
    """Resize a float array, H x W, to exactly (width, height), by means where it becomes smaller."""
    if values.shape == tuple(width_height)[::-1]:
        return values
    resized = Image.fromarray(np.asarray(values, "float32")).resize(width_height, Image.BILINEAR)
    return np.round(np.asarray(resized), 6)  # so that what is 1 everywhere stays 1


def _fit(width_height, size):
    """(width, height) with the longer side `size` and the aspect ratio kept; no side below 1."""
    scale = size / max(width_height)
    return tuple(max(1, round(side * scale)) for side in width_height)


@contextmanager
def _opened(path):
    """The picture in a file, not yet decoded; what goes wrong with it within the block is told as
    load_image promises.
    """
    path = Path(path)
    try:
        if not is_regular(path):
            raise (
                ValueError("is a folder or a device, not a file")
                if path.exists()
                else FileNotFoundError
            )
        with open(path, "rb") as file, Image.open(file, formats=_formats(file)) as picture:
            yield picture  # Pillow leaves a file open that it refuses as too large; `with open` does not
    except FileNotFoundError:
        raise FileNotFoundError(f"no picture at {str(path)!r}") from None
    except UnidentifiedImageError:
        raise ValueError(
            f"{str(path)!r} is not a picture in a format that is read here: {', '.join(READABLE)}"
        ) from None
    except Image.DecompressionBombError:
        raise ValueError(
            f"{str(path)!r} has more than {2 * Image.MAX_IMAGE_PIXELS:,} pixels, Pillow's limit"
            " against malicious files; if you trust it, raise PIL.Image.MAX_IMAGE_PIXELS first"
        ) from None
    except (MemoryError, ImportError):
        raise
    except Exception as error:  # Pillow's decoders have their own: OSError, SyntaxError, struct.error, IndexError, zlib.error ...
        raise ValueError(
            f"{str(path)!r} cannot be read as a picture: {' '.join(str(error).split())}"
        ) from error


def _formats(file):
    """Pillow's names of the formats that `file` may have: READABLE, as far as this Pillow knows
    them.
    """
    head = file.read(12)
    file.seek(0)
    known = _known_formats()
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC and "HEIF" not in known:
        load("pillow_heif", "pillow-heif", "heic").register_heif_opener()
        known = Image.OPEN
    if head[4:8] == b"ftyp" and head[8:12] in _AVIF and "AVIF" not in known:
        raise ValueError(
            "this build of Pillow cannot read AVIF; use Pillow's own wheels from version 11.3 on"
        )
    return [name for name in READABLE if name in known]


def _known_formats():
    Image.init()
    return Image.OPEN


def _picture(source, size):
    """A PIL.Image of 8 bits in sRGB, upright: RGB, or RGBA where it has transparency."""
    if isinstance(source, (str, os.PathLike)) and isinstance(os.fspath(source), str):
        path = Path(source)
        check_size(size)
        with _opened(path) as picture:
            if size is not None and picture.format == "JPEG":
                picture.draft(
                    None, (2 * size, 2 * size)
                )  # decode a huge JPEG at a power-of-two fraction, still >= 2 size
            picture.load()
            return _in_srgb(_to_8_bits(_upright(picture, path), picture.format), path)
    check_size(size)
    if isinstance(source, Image.Image):
        try:
            return _in_srgb(
                _to_8_bits(_upright(source, "the picture"), source.format), "the picture"
            )
        except Exception as error:  # closed, not whole, or of a mode that Pillow does not convert
            raise ValueError(
                f"the PIL.Image cannot be read: {' '.join(str(error).split())}"
            ) from error
    if isinstance(source, np.ndarray):
        picture = _from_array(source)
        return picture if picture.mode == "RGBA" else picture.convert("RGB")
    raise TypeError(
        f"a picture must be a path, a PIL.Image or a NumPy array. Received: {type(source).__name__}"
    )


def _sized(picture, size):
    if size is None:
        return picture
    return resize(picture, _checked_fit(picture.size, size))


def _checked_fit(width_height, size):
    """_fit, or a ValueError where it makes more pixels than Pillow would read."""
    width, height = _fit(width_height, size)
    if width * height > 2 * (Image.MAX_IMAGE_PIXELS or math.inf):
        raise ValueError(
            f"size={size} makes a picture of {width} x {height} pixels; the limit is "
            f"{2 * Image.MAX_IMAGE_PIXELS:,}, twice PIL.Image.MAX_IMAGE_PIXELS"
        )
    return width, height


def _upright(picture, name):
    """The picture turned as its EXIF data says. Damaged EXIF data say nothing, which a warning
    tells.
    """
    try:
        return ImageOps.exif_transpose(picture)
    except Exception as error:  # of Pillow's EXIF reader: struct.error, SyntaxError, TypeError ...
        logger.warning("%s has damaged EXIF data, so it is taken as it lies: %s", name, error)
        return picture


def _from_array(array):
    if array.dtype == np.uint16:
        array = np.rint(array / 257).astype("uint8")  # 65535 -> 255
    if array.dtype != np.uint8:
        raise TypeError(
            f"a picture array must be uint8 (0 to 255) or uint16. Received: {array.dtype}"
        )
    if (
        0 in array.shape
        or array.ndim not in (2, 3)
        or (array.ndim == 3 and array.shape[2] not in (3, 4))
    ):
        raise ValueError(
            f"a picture array must be H x W, H x W x 3 or H x W x 4. Received: shape {array.shape}"
        )
    return Image.fromarray(array)


def _to_8_bits(picture, file_format):
    """16-bit greys scaled to 8 bits; ValueError for 32-bit integers and floats, which have no scale
    of their own.
    """
    if picture.mode.startswith("I;16") or (picture.mode == "I" and file_format in ("PNG", "PPM")):
        grey = Image.fromarray(
            np.clip(np.rint(np.asarray(picture, "float64") / 257), 0, 255).astype("uint8")
        )
        grey.info = dict(picture.info)
        return grey
    if picture.mode in ("I", "F"):
        kind = "floating-point" if picture.mode == "F" else "32-bit integer"
        raise ValueError(f"a {kind} picture has no fixed scale; convert it to 8 or 16 bits first")
    return picture


def on_white(picture):
    """Any 8-bit mode of Pillow to RGB, transparency laid on white."""
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert(
            "RGB"
        )
    return picture.convert("RGB")


# ---- Color profiles
# --------------------------------------------------------------------------------------------------


def _in_srgb(picture, name):
    """A picture of 8 bits in any mode and color profile -> RGB or RGBA in sRGB."""
    alpha = picture.convert("RGBA").getchannel("A") if picture.has_transparency_data else None
    profile = picture.info.get("icc_profile")
    rgb = picture.convert("RGB") if alpha is None else picture.convert("RGBA").convert("RGB")
    if profile:
        try:
            mode, transform = _to_srgb(profile)
            if transform is not None and (
                mode == "RGB" or picture.mode == mode or (picture.mode == "LA" and mode == "L")
            ):
                rgb = ImageCms.applyTransform(
                    rgb if mode == "RGB" else picture.convert(mode), transform
                )
        except Exception as error:  # LittleCMS refuses damaged profiles, each in its way
            logger.warning(
                "%s has a color profile that cannot be read, so it is taken as sRGB: %s",
                name,
                error,
            )
    if alpha is not None:
        rgb.putalpha(alpha)
    return rgb


@lru_cache(maxsize=16)
def _to_srgb(profile):
    """(mode of Pillow, transform to sRGB) of an embedded profile; no transform where it would
    change no value by more than 1.
    """
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    space = source.profile.xcolor_space.strip()
    mode = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}.get(space)
    if mode is None:
        raise ValueError(f"its colors are {space}")
    transform = ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    if mode == "CMYK":
        return mode, transform
    steps = np.arange(0, 256, 15, dtype="uint8")
    probe = (
        np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(len(steps), -1, 3)
        if mode == "RGB"
        else np.arange(256, dtype="uint8")[None]
    )
    probe = Image.fromarray(probe)
    changed = np.asarray(ImageCms.applyTransform(probe, transform), "int16")
    return mode, (
        None if np.abs(changed - np.asarray(probe.convert("RGB"))).max() <= 1 else transform
    )


@lru_cache(maxsize=1)
def srgb_profile():
    """An sRGB profile to embed; without the date of its making, so that the same picture is the
    same file.
    """
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    data[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    return bytes(data)


# ---- 16 bits
# ---------------------------------------------------------------------------------------------------------


def _encoded_16(array, suffix, options):
    """The bytes of a PNG or TIFF file with 16 bits a channel, by OpenCV, which Pillow cannot write
    in color.
    """
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise ValueError("a picture must be finite. Received: NaN or infinite values")
        array = np.rint(np.clip(array, 0, 255) * 257)
    elif array.dtype == np.uint8:
        array = array * np.uint16(257)
    elif array.dtype != np.uint16:
        raise TypeError(
            f"a picture array must be uint8, uint16 or float (0 to 255). Received: {array.dtype}"
        )
    if 0 in array.shape or array.ndim != 3 or array.shape[2] not in (3, 4):
        raise ValueError(
            f"a picture array must be H x W x 3 or H x W x 4. Received: shape {array.shape}"
        )
    text = options.pop("pnginfo", None)
    if options:
        raise TypeError(f"with bits=16 there are no other options. Received: {', '.join(options)}")
    array = array.astype("uint16")
    array = np.concatenate(
        [array[..., 2::-1], array[..., 3:]], axis=-1
    )  # OpenCV's order: B, G, R, alpha
    done, data = load("cv2", "OpenCV", "masks").imencode(suffix, np.ascontiguousarray(array))
    if not done:
        raise OSError(f"OpenCV could not encode the picture as {suffix}")
    data = data.tobytes()
    if suffix != ".png":
        return data
    chunks = [
        (b"sRGB", b"\x01"),
        *((name, of_chunk) for name, of_chunk, *_ in (text.chunks if text else ())),
    ]
    packed = b"".join(
        struct.pack(">I", len(d)) + name + d + struct.pack(">I", zlib.crc32(name + d))
        for name, d in chunks
    )
    return data[:33] + packed + data[33:]  # 33: signature and the first chunk, IHDR
