"""Picture arrays as float pixels, and back.

Colors are computed in float64 and rounded once, at the end.
"""

import numpy as np


def _pixels(image: np.ndarray) -> np.ndarray:
    """Check that a picture is uint8 RGB, H x W x 3, and return it as float64.

    Raises:
        TypeError: the array is not uint8.
        ValueError: the array is not H x W x 3.
    """
    array = np.asarray(image)
    if array.dtype != np.uint8:
        raise TypeError(f"a picture array must be uint8 (0 to 255). Received: {array.dtype}")
    if array.ndim != 3 or array.shape[-1] != 3:
        raise ValueError(f"a picture array must be H x W x 3. Received: shape {array.shape}")
    return array.astype("float64")


def _rounded(pixels: np.ndarray) -> np.ndarray:
    """Round float pixels, on the scale 0 to 255, clip them and return uint8."""
    return np.clip(np.rint(pixels), 0, 255).astype("uint8")


def _rounded_colors(colors: np.ndarray) -> np.ndarray:
    """Scale float colors from 0-1 to 0-255, round and clip them, and return uint8."""
    return np.rint(255 * colors).clip(0, 255).astype("uint8")
