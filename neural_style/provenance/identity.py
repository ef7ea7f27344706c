"""Fingerprints of inputs: the SHA-256 of files, pixels and weights."""

import hashlib
import os
from typing import Any

import numpy as np
from PIL import Image

from .._shared.files import file_digest, is_regular
from .._shared.types import Picture


def _identity(image: Picture | None) -> dict[str, str | None] | None:
    """Return {"path", "sha256"} of a file; {"path": None, "sha256"} of pixels; None for None."""
    if image is None:
        return None
    if isinstance(image, (str, os.PathLike)):
        if not is_regular(image):
            raise FileNotFoundError(f"no picture at {str(image)!r}")
        return {"path": str(image), "sha256": file_digest(image)}
    return {"path": None, "sha256": _pixel_digest(image)}


def _pixel_digest(image: Image.Image | np.ndarray) -> str:
    """Compute the SHA-256 of a picture's shape, dtype and pixels."""
    array = np.ascontiguousarray(image)
    return hashlib.sha256(f"{array.shape} {array.dtype}".encode() + array.tobytes()).hexdigest()


def digest(source: Any) -> Any:
    """Compute a fingerprint of an input or of a setting.

    Args:
        source: a picture, a film, a network or a setting, or a dict, list or tuple of these.

    Returns:
        The SHA-256 of a file's bytes, of a picture's pixels or of a network's weights. Dicts, lists
        and tuples become dicts and lists of fingerprints. Numbers and None are returned unchanged;
        everything else becomes its text.
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
        return _pixel_digest(source)
    return source if isinstance(source, (float, int, type(None))) else str(source)
