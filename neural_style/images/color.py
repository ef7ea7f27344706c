"""Move the colors of one picture to another, or keep the colors of a picture.

Gatys, Bethge, Hertzmann and Shechtman 2016, "Preserving Color in Neural Artistic Style Transfer",
describes both ways. `transfer(..., preserve_color="match")` recolors the painting to the photo's
colors before the transfer. `preserve_color="luminance"` paints only brightness and keeps the
photo's chroma.
"""

from typing import Literal, TypeAlias

import numpy as np

from .histogram import match_histogram as match_histogram
from .lab import lab_to_rgb, rgb_to_lab
from .pixels import _pixels, _rounded

#: Mean (3,) and covariance (3 x 3) of colors.
ColorStatistics: TypeAlias = tuple[np.ndarray, np.ndarray]

#: The forms of color_transform.
FORMS = ("symmetric", "cholesky")

#: The color spaces of match_color.
SPACES = ("rgb", "lab")


#: Luma and color differences of full-range R'G'B': ITU-R BT.601-7, section 2.5, with the scale of
#: ITU-T T.871 (JFIF). Rows: Y', C_B and C_R, on the scale of R'G'B'; C_B and C_R are around 0.
YCC = np.array(
    [
        [0.299, 0.587, 0.114],
        [-0.299 / 1.772, -0.587 / 1.772, 0.886 / 1.772],
        [0.701 / 1.402, -0.587 / 1.402, -0.114 / 1.402],
    ]
)


def color_statistics(image: np.ndarray, weights: np.ndarray | None = None) -> ColorStatistics:
    """Compute the mean and the covariance of a picture's colors.

    Args:
        image: uint8 RGB, H x W x 3.
        weights: the weight of each pixel, H x W; None weighs all pixels the same.

    Returns:
        The mean (3,) and the covariance (3 x 3), on the scale 0 to 255.
    """
    return _statistics(_pixels(image), weights)


def _statistics(pixels: np.ndarray, weights: np.ndarray | None = None) -> ColorStatistics:
    """Compute the weighted mean and covariance of float pixels, H x W x 3."""
    weights = np.ones(pixels.shape[:2]) if weights is None else weights
    weights = (weights / weights.sum()).reshape(-1, 1)
    pixels = pixels.reshape(-1, 3)
    mean = (weights * pixels).sum(axis=0)
    return mean, (weights * (pixels - mean)).T @ (pixels - mean)


def match_color(
    image: np.ndarray,
    reference: np.ndarray | ColorStatistics,
    form: Literal["symmetric", "cholesky"] = "symmetric",
    space: Literal["rgb", "lab"] = "rgb",
) -> np.ndarray:
    """Give a picture the color mean and the color covariance of another picture.

    Args:
        image: the picture to recolor, uint8 RGB, H x W x 3.
        reference: the other picture, or its RGB mean and covariance from color_statistics.
        form: the form of the transform; see color_transform.
        space: the color space in which the transform is affine: "rgb", or "lab" for CIE L*a*b*.
            "lab" is the simplest recoloring, after Reinhard et al. 2001; compare a photo's new
            light with it.

    Returns:
        uint8 RGB, H x W x 3, rounded and clipped to 0-255.

    Raises:
        ValueError: an unknown form or space, an array that is not H x W x 3, or a mean and
            covariance as the reference in "lab".
        TypeError: an array that is not uint8.
    """
    if space not in SPACES:
        raise ValueError(f"space must be one of {SPACES}. Received: space={space!r}")
    if space == "lab":
        if isinstance(reference, tuple):
            raise ValueError("with space='lab', reference must be a picture. Received: a tuple")
        lab = rgb_to_lab(_pixels(image))
        matrix, offset = color_transform(
            _statistics(lab), _statistics(rgb_to_lab(_pixels(reference))), form
        )
        return _rounded(lab_to_rgb(lab @ matrix.T + offset))
    matrix, offset = color_transform(image, reference, form)
    return _rounded(_pixels(image) @ matrix.T + offset)


def color_transform(
    image: np.ndarray | ColorStatistics,
    reference: np.ndarray | ColorStatistics,
    form: Literal["symmetric", "cholesky"] = "symmetric",
) -> tuple[np.ndarray, np.ndarray]:
    """Find the affine map A c + b that gives colors the reference's mean and covariance.

    Gatys et al. 2016, section 4, gives two forms for the covariances S_i of the image and S_r of
    the reference:

        "symmetric":  A = S_r^(1/2) S_i^(-1/2)        symmetric square roots: equations 6 to 8
        "cholesky":   A = L_r L_i^(-1), S = L L^T     equation 5; red comes first, so the result
                                                      depends on the order of the channels

    Departure: a direction in which the image's colors hardly vary is not stretched without limit,
    because its variances are raised to at least one gray level squared. On such an image, the
    covariances agree only in the other directions.

    Args:
        image: the picture to recolor, uint8 RGB, H x W x 3, or its color_statistics.
        reference: the other picture, or its color_statistics.
        form: "symmetric" or "cholesky".

    Returns:
        A (3 x 3) and b (3,).
    """
    if form not in FORMS:
        raise ValueError(f"form must be one of {FORMS}. Received: form={form!r}")
    (mean, covariance), (target_mean, target_covariance) = (
        one if isinstance(one, tuple) else color_statistics(one) for one in (image, reference)
    )
    if form == "symmetric":
        matrix = _matrix_power(target_covariance, 0.5) @ _matrix_power(covariance, -0.5)
    else:
        matrix = _lower(target_covariance, 1e-9) @ np.linalg.inv(_lower(covariance, 1.0))
    return matrix, target_mean - matrix @ mean


def match_luminance(image: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Turn a picture gray, with the mean and standard deviation of another picture's luma.

    Gatys et al. 2016, section 5. Departure: luma that hardly varies is not stretched without limit,
    because the image's deviation counts as at least one gray level.

    Args:
        image: the picture to change, uint8 RGB, H x W x 3.
        reference: the other picture, uint8 RGB, of any size.

    Returns:
        The image's luma Y' as uint8 RGB, H x W x 3, with three equal channels.

    Raises:
        TypeError: an array that is not uint8.
        ValueError: an array that is not H x W x 3.
    """
    luma, target = _pixels(image) @ YCC[0], _pixels(reference) @ YCC[0]
    luma = (luma - luma.mean()) * (target.std() / max(luma.std(), 1.0)) + target.mean()
    return _rounded(np.repeat(luma[..., None], 3, axis=-1))


def transfer_luminance(image: np.ndarray, content: np.ndarray) -> np.ndarray:
    """Combine the luma Y' of one picture with the chroma (C_B, C_R) of another.

    The chroma is kept exactly, up to the final rounding. Where R'G'B' has no color of that chroma
    and luma, the nearest luma that fits is taken.

    Args:
        image: the picture that gives its luma, uint8 RGB, H x W x 3.
        content: the picture that gives its chroma, uint8 RGB, of the same size.

    Returns:
        uint8 RGB, H x W x 3.

    Raises:
        TypeError: an array that is not uint8.
        ValueError: an array that is not H x W x 3, or pictures of different sizes.
    """
    return _rounded(luminance_of(_pixels(image), content))


def luminance_of(pixels: np.ndarray, content: np.ndarray) -> np.ndarray:
    """Do what transfer_luminance does for a picture that is not rounded.

    Args:
        pixels: the picture that gives its luma, float RGB from 0 to 255, H x W x 3.
        content: the picture that gives its chroma, uint8 RGB, of the same size.

    Returns:
        float64 RGB, H x W x 3, not rounded.
    """
    return _with_luma(pixels @ YCC[0], _pixels(content))


def gray(image: np.ndarray) -> np.ndarray:
    """Turn a picture gray.

    Args:
        image: uint8 RGB, H x W x 3.

    Returns:
        The luma Y' as uint8 RGB, H x W x 3, with three equal channels.
    """
    return _rounded(np.repeat((_pixels(image) @ YCC[0])[..., None], 3, axis=-1))


def _with_luma(luma: np.ndarray, content: np.ndarray) -> np.ndarray:
    """Give float pixels, H x W x 3, the luma of another picture, H x W, and keep their chroma."""
    if luma.shape != content.shape[:2]:
        raise ValueError(
            f"image and content must have one size. Received: {luma.shape} and {content.shape[:2]}"
        )
    # R'G'B' minus Y' depends on the chroma alone
    offsets = content - (content @ YCC[0])[..., None]
    return np.clip(luma, -offsets.min(axis=-1), 255 - offsets.max(axis=-1))[..., None] + offsets


def _matrix_power(covariance: np.ndarray, power: float, least: float = 1.0) -> np.ndarray:
    """Raise a covariance matrix to a power; for a negative one, variances are at least `least`."""
    variances, axes = np.linalg.eigh(covariance)
    return (axes * np.maximum(variances, 0.0 if power > 0 else least) ** power) @ axes.T


def _lower(covariance: np.ndarray, floor: float) -> np.ndarray:
    """Return L of L L^T = covariance, after the variances are raised to at least `floor`."""
    variances, axes = np.linalg.eigh(covariance)
    return np.linalg.cholesky((axes * np.maximum(variances, floor)) @ axes.T)
