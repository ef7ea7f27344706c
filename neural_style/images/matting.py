"""Alpha mattes: cut out a subject with its hair or smoke, and lay it on another picture.

A picture is I = alpha F + (1 - alpha) B, with the foreground F, the background B, and alpha, which
says how much of each pixel is foreground. A trimap marks where alpha is 1 and where alpha is 0; the
rest is estimated. PyMatting does the work (extra `photo`).
"""

from types import ModuleType
from typing import Literal

import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion

from .._shared.checks import count
from .._shared.optional import load
from .._shared.types import Picture
from .load import load_image
from .masks import check_map
from .pixels import _rounded_colors
from .resize import resize

#: {name: description} of the methods of estimate_alpha. "sm" samples colors first; all others
#: spread the known alphas along a Laplacian of the picture.
METHODS = {
    "cf": "closed form, Levin, Lischinski and Weiss 2008",
    "knn": "nearest neighbors, Chen, Li and Tang 2013",
    "lbdm": "learning based, Zheng and Kambhamettu 2009",
    "lkm": "large kernels, He, Sun and Tang 2010",
    "rw": "random walks, Grady et al. 2005",
    "sm": "shared sampling, Gastal and Oliveira 2010",
}


def estimate_alpha(
    image: Picture, trimap: Picture, method: Literal["cf", "knn", "lbdm", "lkm", "rw", "sm"] = "cf"
) -> np.ndarray:
    """Estimate how much of each pixel is foreground.

    Args:
        image: a path, PIL.Image or uint8 array.
        trimap: a picture of the image's size, or a uint8 array, H x W. White (above 240) is
            foreground, black (below 15) is background, and everything between is unknown. A trimap
            from trimap_from_mask will do, and so will a few strokes on gray.
        method: one of METHODS.

    Returns:
        float64 from 0 to 1, H x W.

    Raises:
        ValueError: the sizes differ, the trimap has no foreground or no background, or the method
            is unknown.
        ImportError: PyMatting is missing; the message names the command that installs it.
    """
    pymatting = load_pymatting()
    if method not in METHODS:
        raise ValueError(f"method must be one of {tuple(METHODS)}. Received: method={method!r}")
    image, known = load_image(image), load_image(trimap).astype("float64").mean(axis=-1)
    if known.shape != image.shape[:2]:
        raise ValueError(
            f"trimap must have the image's size, {image.shape[:2]}. Received: {known.shape}"
        )
    foreground, background = known > 240, known < 15
    if not foreground.any() or not background.any():
        raise ValueError(
            "trimap must mark some foreground (white) and some background (black). Received: "
            f"{foreground.sum()} and {background.sum()} pixels"
        )
    if (foreground | background).all():
        return foreground.astype("float64")
    trimap = np.where(foreground, 1.0, np.where(background, 0.0, 0.5))
    return np.clip(getattr(pymatting, f"estimate_alpha_{method}")(image / 255, trimap), 0, 1)


def trimap_from_mask(mask: Picture, width: int = 10) -> np.ndarray:
    """Make a trimap from a mask: a band on both sides of the mask's edge is unknown.

    Args:
        mask: a gray picture or an array, H x W; values above one half are foreground.
        width: how far the mask is eroded and dilated, in pixels: the width of the band on each
            side of the edge.

    Returns:
        uint8, H x W: 255 is foreground, 0 is background, 128 is unknown.

    Raises:
        ValueError: the width is not a positive integer, or leaves no foreground or no background.
    """
    width = count("width", width)
    subject = _map(mask, "mask") > 0.5
    foreground = binary_erosion(subject, iterations=width, border_value=1)
    background = ~binary_dilation(subject, iterations=width)
    if not foreground.any() or not background.any():
        raise ValueError(
            f"at width={width} nothing of the"
            f" {'foreground' if not foreground.any() else 'background'} is left; use a smaller"
            " width"
        )
    return np.where(foreground, 255, np.where(background, 0, 128)).astype("uint8")


def estimate_foreground(image: Picture, alpha: Picture) -> np.ndarray:
    """Estimate the colors F of the foreground alone.

    A cut-out with the image's own colors would show the old background in the subject's hair. The
    method is multi-level estimation, Germer et al. 2020.

    Args:
        image: a path, PIL.Image or uint8 array.
        alpha: the foreground's share of each pixel: a gray picture, or an array from 0 to 1, H x W.

    Returns:
        uint8 RGB, H x W x 3.

    Raises:
        ValueError: alpha has other proportions than the image, or negative values.
        ImportError: PyMatting is missing; the message names the command that installs it.
    """
    image = load_image(image)
    alpha = check_map(alpha, image, "alpha")
    return _rounded_colors(
        load_pymatting().estimate_foreground_ml(image / 255, alpha.astype("float64"))
    )


def composite(foreground: Picture, alpha: Picture, background: Picture) -> np.ndarray:
    """Lay a foreground on a background: alpha F + (1 - alpha) B.

    Args:
        foreground: a path, PIL.Image or uint8 array.
        alpha: the foreground's share of each pixel: a gray picture, or an array from 0 to 1, H x W.
        background: a path, PIL.Image or uint8 array; it is resized to the foreground's size.

    Returns:
        uint8 RGB, H x W x 3.

    Raises:
        ValueError: alpha has other proportions than the foreground, or values outside 0 to 1.
    """
    foreground = load_image(foreground)
    height, width = foreground.shape[:2]
    background = np.asarray(resize(load_image(background), (width, height)), "float64")
    alpha = check_map(alpha, foreground, "alpha")[..., None].astype("float64")
    if alpha.max() > 1:
        raise ValueError(f"alpha must have values from 0 to 1. Received: up to {alpha.max():g}")
    return np.rint(alpha * foreground + (1 - alpha) * background).astype("uint8")


def cut_out(image: Picture, alpha: Picture) -> np.ndarray:
    """Cut out the foreground: its estimated colors, with alpha as the transparency.

    Args:
        image: a path, PIL.Image or uint8 array.
        alpha: the foreground's share of each pixel: a gray picture, or an array from 0 to 1, H x W.

    Returns:
        uint8 RGBA, H x W x 4.

    Raises:
        ValueError: alpha has other proportions than the image, or negative values.
        ImportError: PyMatting is missing; the message names the command that installs it.
    """
    foreground = estimate_foreground(image, alpha)
    return np.dstack([foreground, _rounded_colors(check_map(alpha, foreground, "alpha"))])


def _map(mask: Picture, name: str) -> np.ndarray:
    """Load a mask of any size as a float32 map."""
    shape = load_image(mask).shape if not isinstance(mask, np.ndarray) else mask.shape
    return check_map(mask, np.empty((*shape[:2], 3)), name)


def load_pymatting() -> ModuleType:
    """Import PyMatting, or raise an ImportError that names the command that installs it."""
    return load("pymatting")
