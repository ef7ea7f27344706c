"""Save pictures: completely or not at all, with 8 or 16 bits a channel."""

import pathlib
import struct
import zlib
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from PIL import Image

from .._shared.checks import choice
from .._shared.files import check_output, whole_or_not
from .._shared.optional import load
from .._shared.types import Path
from .decode import _from_array
from .formats import ALPHAS, TAGGED, WITH_16_BITS, WITH_ALPHA, WRITABLE, _known_formats
from .load import on_white
from .profiles import srgb_profile


def save_image(
    image: Image.Image | np.ndarray,
    path: Path,
    bits: Literal[8, 16] = 8,
    inputs: Iterable[object] = (),
    overwrite: bool = False,
    **options: Any,
) -> None:
    """Save a picture in the format of the path's suffix, completely or not at all.

    The file appears at `path` only once it is complete. So a crash leaves no half file, and an
    older picture stays until then. The picture is tagged as sRGB if the format can be tagged.

    Args:
        image: a PIL.Image or a uint8 array: H x W, H x W x 3, or H x W x 4 (RGBA, which is laid on
            white if the format has no alpha). With bits=16, also a uint16 array or a float array
            from 0 to 255, H x W x 3 or 4.
        path: the file to write; its suffix is one of WRITABLE.
        bits: the bits of a channel. 16 needs PNG or TIFF, and OpenCV.
        inputs: paths of the inputs, which the output must not replace.
        overwrite: let the output replace an input.
        **options: further options of PIL.Image.save. JPEG and WebP get quality=95 by default.

    Raises:
        FileNotFoundError: the output's folder does not exist.
        PermissionError: the output cannot be written.
        TypeError: an array of another dtype; options with bits=16.
        ValueError: an array of another shape or with values that are not finite, a suffix or bits
            that are not supported, or a path that is also an input.
        ImportError: bits=16, and OpenCV is missing.
    """
    path = pathlib.Path(path)
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


def check_writable(
    path: Path,
    bits: int = 8,
    alpha: str = "white",
    inputs: Iterable[object] = (),
    overwrite: bool = False,
) -> None:
    """Raise a clear error, before minutes of work, if save_image could not write to `path`.

    Args:
        path: the file to write.
        bits: the bits of a channel, 8 or 16.
        alpha: what becomes of transparency: "white", or "keep", which needs a format with alpha.
        inputs: paths of the inputs, which the output must not replace.
        overwrite: let the output replace an input.

    Raises:
        FileNotFoundError: the output's folder does not exist.
        PermissionError: the output cannot be written.
        ValueError: a suffix, bits or alpha that are not supported, or a path that is also an input.
        ImportError: bits=16, and OpenCV is missing.
    """
    path = pathlib.Path(path)
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
        load("cv2")
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


def _encoded_16(array: np.ndarray, suffix: str, options: dict[str, Any]) -> bytes:
    """Encode a PNG or TIFF file with 16 bits a channel by OpenCV: Pillow cannot, in color."""
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
    # OpenCV's order of channels: B, G, R, alpha
    array = np.concatenate([array[..., 2::-1], array[..., 3:]], axis=-1)
    done, encoded = load("cv2").imencode(suffix, np.ascontiguousarray(array))
    if not done:
        raise OSError(f"OpenCV could not encode the picture as {suffix}")
    data = encoded.tobytes()
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
    return data[:33] + packed + data[33:]  # 33 bytes: the signature and the first chunk, IHDR
