"""Load pictures: files, PIL.Images and arrays to uint8 RGB, H x W x 3, in the color space sRGB."""

import io
import logging
import math
import os
import struct
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from scipy.ndimage import distance_transform_edt

from .._shared.files import is_regular
from .formats import READABLE, _formats
from .resize import _by_channels, fitted_size, resize

logger = logging.getLogger("neural_style")

#: Of 255: with less alpha, a pixel's color is rounded to a few values.
CLEAR = 32


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
    """fitted_size, or a ValueError where it makes more pixels than Pillow would read."""
    width, height = fitted_size(width_height, size)
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
