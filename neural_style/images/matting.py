"""Alpha mattes: a subject cut out with its hair and smoke, and laid on another picture. On
PyMatting (extra `photo`).

A picture is I = alpha F + (1 - alpha) B: foreground, background, and how much of each pixel is
foreground. A trimap says where alpha is 1 and where 0; the rest is estimated.
"""

import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion

from .._shared.optional import load
from .load import load_image
from .masks import check_map
from .resize import resize

#: Name -> what it is. All propagate the known alphas along a Laplacian of the picture but "sm",
#: which samples colours first.
METHODS = {
    "cf": "closed form, Levin, Lischinski and Weiss 2008",
    "knn": "nearest neighbours, Chen, Li and Tang 2013",
    "lbdm": "learning based, Zheng and Kambhamettu 2009",
    "lkm": "large kernels, He, Sun and Tang 2010",
    "rw": "random walks, Grady et al. 2005",
    "sm": "shared sampling, Gastal and Oliveira 2010",
}


def estimate_alpha(image, trimap, method="cf"):
    """How much of each pixel is foreground: float64 from 0 to 1, H x W.

    Args:
        image: a path, PIL.Image or uint8 array.
        trimap: a picture of the image's size, or a uint8 array, H x W: white (above 240) is
            foreground, black (below 15) background, all between unknown. A few strokes on grey will
            do, as well as trimap_from_mask's.
        method: one of METHODS.

    Raises:
        ValueError: sizes that differ, a trimap without foreground or without background, an unknown
            method.
        ImportError: PyMatting is missing; the message names the extra.
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


def trimap_from_mask(mask, width=10):
    """A trimap, uint8, H x W: a band of `width` pixels on each side of a mask's edge is unknown.

    Args:
        mask: a grey picture or an array, H x W; above one half is foreground.
        width: by which the mask is eroded and dilated.
    """
    if isinstance(width, bool) or not isinstance(width, (int, np.integer)) or width < 1:
        raise ValueError(f"width must be a positive integer. Received: width={width!r}")
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


def estimate_foreground(image, alpha):
    """The colours F of the foreground alone, uint8 RGB: without it, a cut-out carries the old
    background in its hair.

    Multi-level estimation, Germer et al. 2020.
    """
    image = load_image(image)
    alpha = check_map(alpha, image, "alpha")
    return (
        np.rint(255 * load_pymatting().estimate_foreground_ml(image / 255, alpha.astype("float64")))
        .clip(0, 255)
        .astype("uint8")
    )


def composite(foreground, alpha, background):
    """alpha F + (1 - alpha) B, uint8 RGB, H x W x 3. The background is brought to the foreground's
    size.
    """
    foreground = load_image(foreground)
    background = np.asarray(resize(load_image(background), foreground.shape[1::-1]), "float64")
    alpha = check_map(alpha, foreground, "alpha")[..., None].astype("float64")
    if alpha.max() > 1:
        raise ValueError(f"alpha must have values from 0 to 1. Received: up to {alpha.max():g}")
    return np.rint(alpha * foreground + (1 - alpha) * background).astype("uint8")


def cut_out(image, alpha):
    """The foreground with its alpha: uint8 RGBA, H x W x 4."""
    foreground = estimate_foreground(image, alpha)
    return np.dstack(
        [
            foreground,
            np.rint(255 * check_map(alpha, foreground, "alpha")).clip(0, 255).astype("uint8"),
        ]
    )


def _map(mask, name):
    shape = load_image(mask).shape if not isinstance(mask, np.ndarray) else mask.shape
    return check_map(mask, np.empty((*shape[:2], 3)), name)


def load_pymatting():
    """The library, or an ImportError that names the extra."""
    return load("pymatting")
