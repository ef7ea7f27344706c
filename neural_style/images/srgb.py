"""sRGB's transfer function (IEC 61966-2-1) and its inverse."""

import numpy as np


def to_linear(rgb: np.ndarray) -> np.ndarray:
    """Convert sRGB colors to linear light.

    Args:
        rgb: R'G'B' from 0 to 255.

    Returns:
        float64, from 0 to 1.
    """
    v = np.asarray(rgb, "float64") / 255
    return np.where(v <= 0.04045, v / 12.92, ((np.maximum(v, 0.04045) + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """Convert linear light to sRGB colors: the inverse of to_linear.

    Args:
        linear: From 0 to 1; what is beyond is clipped.

    Returns:
        float64: R'G'B' from 0 to 255, not rounded.
    """
    linear = np.clip(linear, 0, 1)
    return 255 * np.where(
        linear <= 0.0031308,
        12.92 * linear,
        1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055,
    )
