"""Decode picture files and arrays to upright PIL.Images with 8 bits a channel."""

import logging
import pathlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from .._shared.files import is_regular
from .._shared.types import Path
from .formats import READABLE, _formats

logger = logging.getLogger("neural_style")


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open a picture's file without decoding it.

    Any error in the `with` block becomes one of the errors that load_image promises.
    """
    path = pathlib.Path(path)
    try:
        if not is_regular(path):
            raise (
                ValueError("is a folder or a device, not a file")
                if path.exists()
                else FileNotFoundError
            )
        # Pillow leaves a file open that it refuses as too large; `with open` closes the file
        with open(path, "rb") as file, Image.open(file, formats=_formats(file)) as picture:
            yield picture
    except FileNotFoundError:
        raise FileNotFoundError(f"no picture at {str(path)!r}") from None
    except UnidentifiedImageError:
        raise ValueError(
            f"{str(path)!r} is not a picture in a format that is read here: {', '.join(READABLE)}"
        ) from None
    except Image.DecompressionBombError:
        raise ValueError(
            f"{str(path)!r} has more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels, Pillow's"
            " limit against malicious files; if you trust it, raise PIL.Image.MAX_IMAGE_PIXELS"
            " first"
        ) from None
    except (MemoryError, ImportError):
        raise
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, struct.error, ...
        raise ValueError(
            f"{str(path)!r} cannot be read as a picture: {' '.join(str(error).split())}"
        ) from error


def _upright(picture: Image.Image, name: object) -> Image.Image:
    """Turn a picture as its EXIF data say; with damaged EXIF data, warn and do not turn it."""
    try:
        return ImageOps.exif_transpose(picture) or picture
    except Exception as error:  # Pillow's EXIF reader raises struct.error, SyntaxError, ...
        logger.warning("%s has damaged EXIF data, so it is not turned: %s", name, error)
        return picture


def _from_array(array: np.ndarray) -> Image.Image:
    """Turn a uint8 or uint16 array, H x W, H x W x 3 or H x W x 4, into a PIL.Image."""
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


def _to_8_bits(picture: Image.Image, file_format: str | None) -> Image.Image:
    """Scale 16-bit grays to 8 bits, and leave pictures of 8 bits unchanged.

    Raises:
        ValueError: the picture has 32-bit integers or floats, which have no fixed scale.
    """
    if picture.mode.startswith("I;16") or (picture.mode == "I" and file_format in ("PNG", "PPM")):
        gray = Image.fromarray(
            np.clip(np.rint(np.asarray(picture, "float64") / 257), 0, 255).astype("uint8")
        )
        gray.info = dict(picture.info)
        return gray
    if picture.mode in ("I", "F"):
        kind = "floating-point" if picture.mode == "F" else "32-bit integer"
        raise ValueError(f"a {kind} picture has no fixed scale; convert it to 8 or 16 bits first")
    return picture
