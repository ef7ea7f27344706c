"""Give a painted picture the photo's hues in the painting's palette.

After Kolkin et al. 2022, "Neural Neighbor Style Transfer", section 4.4.
"""

from __future__ import annotations

import numpy as np

from .._shared.types import Picture
from .color import _matrix_power
from .load import load_image
from .oklab import oklab_to_rgb, rgb_to_oklab
from .pixels import _rounded
from .resize import resize

#: Largest covariance of the painting's hues, in Oklab, below which the painting counts as gray.
GRAY = 6e-5

#: How often hues are smoothed, and how much a step of lightness, 0 to 1, holds them apart.
ROUNDS, SHARPNESS = 5, 10.0


def match_palette(picture: Picture, content: Picture, style: Picture) -> np.ndarray:
    """Keep a picture's lightness, and give it the content's hues in the style's palette.

    In Oklab: L is the picture's, within the range of the style's. (a, b) are the content's, mapped
    by the symmetric affine map to the mean and the covariance that the style's have, and smoothed
    where L is smooth. So a thing that had one color has one color again, and stray spots of paint
    lose theirs. For a painting that is nearly gray, the picture's own colors are mapped.

        painted = transfer(photo, painting, **presets.nnst)
        match_palette(painted.image, photo, painting)

    Departures: colors are made linear before they are brought to Oklab, which Kolkin et al.'s code
    leaves out. A direction in which the content's hues hardly vary is not stretched without limit.

    Args:
        picture: What was painted.
        content: The photo; it is brought to the picture's size.
        style: The painting.

    Returns:
        uint8 RGB, H x W x 3.
    """
    picture, content, style = (load_image(one) for one in (picture, content, style))
    height, width = picture.shape[:2]
    content = np.asarray(resize(content, (width, height)))
    painted, own, target = (rgb_to_oklab(image) for image in (picture, content, style))
    lowest, highest = target.min(axis=(0, 1)), target.max(axis=(0, 1))
    is_gray = np.abs(np.cov(target[..., 1:].reshape(-1, 2), rowvar=False, bias=True)).max() < GRAY
    lightness = np.clip(painted[..., 0], lowest[0], highest[0])
    hues = _mapped((painted if is_gray else own)[..., 1:], target[..., 1:])
    hues = np.clip(_smoothed(hues, lightness), lowest[1:], highest[1:])
    return _rounded(oklab_to_rgb(np.dstack([lightness, hues])))


def _mapped(hues: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Hues with the mean and covariance of others, by the symmetric map S^(1/2) C^(-1/2)."""
    moments = [
        (some.reshape(-1, 2).mean(axis=0), np.cov(some.reshape(-1, 2), rowvar=False, bias=True))
        for some in (hues, target)
    ]
    (mean, covariance), (wanted, spread) = moments
    matrix = _matrix_power(spread, 0.5) @ _matrix_power(covariance, -0.5, GRAY / 10)
    return (hues - mean) @ matrix.T + wanted


def _smoothed(hues: np.ndarray, lightness: np.ndarray) -> np.ndarray:
    """Means over 3 x 3 pixels, each weighted by exp(-SHARPNESS |difference in lightness|)."""
    height, width = lightness.shape
    places = [(i, j) for i in range(3) for j in range(3)]

    def window(array: np.ndarray, i: int, j: int) -> np.ndarray:
        return array[i : i + height, j : j + width]

    around = np.pad(lightness, 1, mode="edge")
    weights = [
        np.exp(-SHARPNESS * np.abs(window(around, *place) - lightness))[..., None]
        for place in places
    ]
    for _ in range(ROUNDS):
        padded = np.pad(hues, ((1, 1), (1, 1), (0, 0)), mode="edge")
        parts = zip(weights, places)
        hues = sum(w * window(padded, *place) for w, place in parts) / sum(weights)
    return hues
