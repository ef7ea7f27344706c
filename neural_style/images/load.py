"""Load pictures: files, PIL.Images and arrays become uint8 RGB, H x W x 3, in sRGB."""

import math
import os
import pathlib
from typing import Any

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt

from .._shared.checks import is_count
from .._shared.types import Path, Picture
from .decode import _from_array, _opened, _to_8_bits, _upright
from .profiles import _in_srgb
from .resize import fitted_size, resize, resize_channels

#: A pixel with less alpha than this (of 255) has a color that is hardly known: rounding leaves it
#: only a few values.
LEAST_ALPHA = 32


def load_image(source: Picture, size: int | None = None) -> np.ndarray:
    """Load a picture as a uint8 RGB array in sRGB.

    The orientation in a photo's EXIF data is applied, an embedded color profile is converted to
    sRGB, transparency is laid on white, and 16-bit values are scaled to 8 bits.

    Args:
        source: a path, a PIL.Image of any mode, or an array: uint8 or uint16, H x W (gray), H x W x
            3 (RGB) or H x W x 4 (RGBA).
        size: the longer side in pixels. The picture is resized by Lanczos' filter and keeps its
            aspect ratio. None keeps the picture's own size.

    Returns:
        uint8 RGB, H x W x 3.

    Raises:
        FileNotFoundError: there is no picture at the path.
        TypeError: the source is no path, PIL.Image or array, or an array of another dtype.
        ValueError: the picture cannot be read, or size is not a positive integer.
        ImportError: the picture is HEIC, and pillow-heif is missing.
    """
    return np.array(_sized(on_white(_picture(source, size)), size))


def load_with_alpha(
    source: Picture, size: int | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Load a picture and its transparency.

    The colors are the picture's own; they are not mixed with white. Where alpha is below
    LEAST_ALPHA, a pixel's color is hardly known, so the pixel takes the color of the nearest pixel
    with more alpha.

    Args:
        source: as for load_image.
        size: as for load_image.

    Returns:
        uint8 RGB, H x W x 3; and uint8 alpha, H x W, or None for an opaque picture.

    Raises:
        FileNotFoundError: as load_image.
        TypeError: as load_image.
        ValueError: as load_image.
        ImportError: as load_image.
    """
    picture = _picture(source, size)
    if picture.mode != "RGBA":
        return np.array(_sized(picture, size)), None
    rgba = np.array(picture)
    rgb, alpha = rgba[..., :3], rgba[..., 3]
    if alpha.min() == 255:
        return load_image(np.ascontiguousarray(rgb), size), None
    if size is not None and size != max(picture.size):
        # each color counts as much as it is seen; Pillow's own resizing would round faint colors
        width_height = _checked_fit(picture.size, size)
        seen = resize_channels(np.dstack([rgb * (alpha / 255)[..., None], alpha]), width_height)
        rgb = np.rint(
            np.clip(255 * seen[..., :3] / np.maximum(seen[..., 3:], 1e-3), 0, 255)
        ).astype("uint8")
        alpha = np.rint(np.clip(seen[..., 3], 0, 255)).astype("uint8")
    if alpha.any():
        rows, columns = distance_transform_edt(
            alpha < min(LEAST_ALPHA, alpha.max()), return_distances=False, return_indices=True
        )
        rgb = rgb[rows, columns]
    return np.ascontiguousarray(rgb), alpha


def image_size(path: Path) -> tuple[int, int]:
    """Read the size of a picture's file, without reading its pixels.

    Args:
        path: the picture's file.

    Returns:
        (width, height) in pixels, as they are stored in the file.

    Raises:
        FileNotFoundError: there is no picture at the path.
        ValueError: the picture cannot be read.
        ImportError: the picture is HEIC, and pillow-heif is missing.
    """
    with _opened(path) as picture:
        return picture.size


def check_size(size: Any) -> None:
    """Raise a ValueError if load_image would refuse a size.

    Args:
        size: the longer side in pixels, or None.
    """
    if size is not None and not is_count(size):
        raise ValueError(
            "size must be a positive integer (the longer side in pixels) or None. Received:"
            f" size={size!r}"
        )


def on_white(picture: Image.Image) -> Image.Image:
    """Convert a picture to RGB, with its transparency laid on white.

    Args:
        picture: a PIL.Image of any mode with 8 bits a channel.

    Returns:
        A PIL.Image of mode RGB.
    """
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert(
            "RGB"
        )
    return picture.convert("RGB")


def _picture(source: Picture, size: int | None) -> Image.Image:
    """Load an upright PIL.Image of 8 bits in sRGB: RGBA if it has transparency, else RGB."""
    if isinstance(source, (str, os.PathLike)) and isinstance(os.fspath(source), str):
        path = pathlib.Path(source)
        check_size(size)
        with _opened(path) as picture:
            if size is not None and picture.format == "JPEG":
                # decode a huge JPEG at a power-of-two fraction, still at least 2 size
                picture.draft(None, (2 * size, 2 * size))  # type: ignore[arg-type]
            picture.load()
            return _in_srgb(_to_8_bits(_upright(picture, path), picture.format), path)
    check_size(size)
    if isinstance(source, Image.Image):
        try:
            return _in_srgb(
                _to_8_bits(_upright(source, "the picture"), source.format), "the picture"
            )
        except Exception as error:  # closed, incomplete, or of a mode that Pillow does not convert
            raise ValueError(
                f"the PIL.Image cannot be read: {' '.join(str(error).split())}"
            ) from error
    if isinstance(source, np.ndarray):
        picture = _from_array(source)
        return picture if picture.mode == "RGBA" else picture.convert("RGB")
    raise TypeError(
        f"a picture must be a path, a PIL.Image or a NumPy array. Received: {type(source).__name__}"
    )


def _sized(picture: Image.Image, size: int | None) -> Image.Image:
    """Resize a picture so that its longer side is `size`; None keeps its own size."""
    if size is None:
        return picture
    return resize(picture, _checked_fit(picture.size, size))


def _checked_fit(width_height: tuple[int, int], size: int) -> tuple[int, int]:
    """Call fitted_size; raise a ValueError for more pixels than Pillow would read."""
    width, height = fitted_size(width_height, size)
    limit = 2 * (Image.MAX_IMAGE_PIXELS or math.inf)
    if width * height > limit:
        raise ValueError(
            f"size={size} makes a picture of {width} x {height} pixels; the limit is "
            f"{limit:,}, twice PIL.Image.MAX_IMAGE_PIXELS"
        )
    return width, height
