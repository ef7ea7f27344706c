"""What tells one input from another: the SHA-256 of files, pixels and weights."""

import hashlib
import os

import numpy as np
from PIL import Image

from .._shared.files import file_digest, is_regular


def _identity(image):
    """{"path", "sha256"}: of a file's bytes, or of the pixels where it is no file."""
    if image is None:
        return None
    if isinstance(image, (str, os.PathLike)):
        if not is_regular(image):
            raise FileNotFoundError(f"no picture at {str(image)!r}")
        return {"path": str(image), "sha256": file_digest(image)}
    array = np.ascontiguousarray(image)
    return {
        "path": None,
        "sha256": (
            hashlib.sha256(f"{array.shape} {array.dtype}".encode() + array.tobytes()).hexdigest()
        ),
    }


def digest(source):
    """What tells pictures, films and networks from others: SHA-256 of a file's bytes, of pixels or
    of weights; anything else as it is.
    """
    if isinstance(source, dict):
        return {str(name): digest(item) for name, item in source.items()}
    if isinstance(source, (list, tuple)):
        return [digest(item) for item in source]
    if isinstance(source, (str, os.PathLike)) and is_regular(source):
        return file_digest(source)
    if hasattr(source, "get_weights"):
        return hashlib.sha256(
            b"".join(np.ascontiguousarray(w).tobytes() for w in source.get_weights())
        ).hexdigest()
    if isinstance(source, (Image.Image, np.ndarray)):
        return _identity(source)["sha256"]
    return source if isinstance(source, (float, int, type(None))) else str(source)
