"""CIE L*a*b* colors of sRGB pictures, and back.

L*a*b* is that of CIE 15:2004, section 8.2.1; sRGB that of IEC 61966-2-1.
"""

import numpy as np

from .srgb import to_linear, to_srgb

#: Linear sRGB to CIE XYZ: IEC 61966-2-1. The sums of the rows are its white point, D65.
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def rgb_to_lab(rgb: np.ndarray) -> np.ndarray:
    """Convert sRGB colors to CIE L*a*b*.

    Args:
        rgb: R'G'B' from 0 to 255, ... x 3.

    Returns:
        float64, ... x 3: L* from 0 to 100, a* and b*.
    """
    t = to_linear(rgb) @ (XYZ / XYZ.sum(axis=1, keepdims=True)).T
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.stack(
        [116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])],
        axis=-1,
    )


def lab_to_rgb(lab: np.ndarray) -> np.ndarray:
    """Convert CIE L*a*b* colors to sRGB: the inverse of rgb_to_lab.

    Args:
        lab: L* from 0 to 100, a* and b*, ... x 3.

    Returns:
        float64, ... x 3: R'G'B' from 0 to 255, not rounded. Colors that sRGB does not have are
        clipped.
    """
    lab = np.asarray(lab, "float64")
    y = (lab[..., 0] + 16) / 116
    f = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=-1)
    t = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    return to_srgb((t * XYZ.sum(axis=1)) @ np.linalg.inv(XYZ).T)
