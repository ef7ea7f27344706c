"""Oklab colors of sRGB pictures, and back (Ottosson 2020, "A perceptual color space")."""

import numpy as np

from .srgb import to_linear, to_srgb

#: Linear sRGB to the responses of three kinds of cones.
CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)

#: Cube roots of these to L (lightness, 0 to 1), a (green to red) and b (blue to yellow).
OPPONENT = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def rgb_to_oklab(rgb: np.ndarray) -> np.ndarray:
    """Convert sRGB colors to Oklab.

    Args:
        rgb: R'G'B' from 0 to 255, ... x 3.

    Returns:
        float64, ... x 3: L from 0 to 1, a and b about 0.
    """
    return np.cbrt(to_linear(rgb) @ CONES.T) @ OPPONENT.T


def oklab_to_rgb(oklab: np.ndarray) -> np.ndarray:
    """Convert Oklab colors to sRGB: the inverse of rgb_to_oklab.

    Args:
        oklab: L, a and b, ... x 3.

    Returns:
        float64, ... x 3: R'G'B' from 0 to 255, not rounded. Colors that sRGB does not have are
        clipped.
    """
    cones = (np.asarray(oklab, "float64") @ np.linalg.inv(OPPONENT).T) ** 3
    return to_srgb(cones @ np.linalg.inv(CONES).T)
