"""Regions from color-coded label pictures."""

import os

import numpy as np

from .._shared.types import Picture
from .load import image_size, load_image
from .region import Region

#: A color that covers a smaller share of a label picture than this is taken for the nearest larger
#: color: such colors come from soft edges and from JPEG's noise.
LEAST_LABEL_SHARE = 0.005

#: The most pixels that a label picture may have: more than a camera's photo has. Finding the labels
#: of so many pixels takes a few seconds.
MOST_LABEL_PIXELS = 1 << 25


def from_labels(
    content: Picture, style: Picture | list[Picture] | tuple[Picture, ...], inside: bool = False
) -> list[Region]:
    """Make regions from color-coded label pictures: the same color means the same region.

    A color that covers less than 0.5 % of a picture is taken for the nearest color that covers
    more. A color that only a style has is ignored. If several style images have a color, the first
    of them is taken.

    Args:
        content: the label picture of the content image: a path, PIL.Image or uint8 array.
        style: the label picture of the style image, or a list with the label picture of each style
            image.
        inside: see Region.

    Returns:
        The regions, the largest first.

    Raises:
        ValueError: the content's labels have a color that no style's labels have, or a label
            picture has too many pixels or no flat colors.
    """
    styles = [_labels(one) for one in (style if isinstance(style, (list, tuple)) else [style])]
    if not styles:
        raise ValueError("style must be a label picture, or a list of one and more. Received: none")
    regions, missing = [], []
    for color, mask in _labels(content).items():
        number = next((i for i, labels in enumerate(styles) if color in labels), None)
        if number is None:
            missing.append(color)
        else:
            regions.append(Region(mask, styles[number][color], number, inside))
    if missing:
        raise ValueError(
            "the style's labels lack colors (R, G, B) of the content's:"
            f" {', '.join(map(str, missing))}; they have"
            f" {', '.join(str(color) for labels in styles for color in labels)}"
        )
    return regions


def _labels(source: Picture) -> dict[tuple[int, ...], np.ndarray]:
    """Find the labels of a label picture: {(R, G, B): bool mask, H x W}, the largest first."""
    if isinstance(source, (str, os.PathLike)):
        _check_label_pixels(*image_size(source))  # before the picture is read
    image = load_image(source)
    _check_label_pixels(image.shape[1], image.shape[0])
    packed = image[..., 0].astype("uint32")  # one number for each color
    for channel in (1, 2):
        packed <<= 8
        packed |= image[..., channel]
    del image
    numbers, counts = np.unique(packed, return_counts=True)
    large = np.flatnonzero(counts >= LEAST_LABEL_SHARE * counts.sum())
    if not len(large):
        raise ValueError(
            "a label picture must have a few flat colors. Received: none that covers 0.5 % of it"
        )
    colors = np.stack([numbers >> 16, numbers >> 8 & 255, numbers & 255], axis=-1).astype("int16")
    nearest, distance = np.zeros(len(colors), "uint8"), np.full(len(colors), 3 * 256, "int16")
    # there are at most 200 large colors, as each covers 0.5 %; one at a time keeps memory small
    for label, color in enumerate(colors[large]):
        to_it = np.abs(colors - color).sum(axis=-1, dtype="int16")
        closer = to_it < distance
        nearest[closer], distance[closer] = label, to_it[closer]
    labels = np.stack([nearest[np.searchsorted(numbers, row)] for row in packed])
    order = sorted(range(len(large)), key=lambda label: -counts[large[label]])
    return {tuple(colors[large[label]].tolist()): labels == label for label in order}


def _check_label_pixels(width: int, height: int) -> None:
    """Raise a ValueError if a label picture has too many pixels."""
    if width * height > MOST_LABEL_PIXELS:
        raise ValueError(
            f"a label picture may have at most {MOST_LABEL_PIXELS:,} pixels. Received: {width} x"
            f" {height}"
        )
