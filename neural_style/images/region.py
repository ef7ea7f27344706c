"""Regions: paint a part of the content image with a part of a style image.

This follows Gatys et al. 2017, "Controlling Perceptual Factors in Neural Style Transfer",
section 3.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Region:
    """A part of the content image, and the part of a style image that it is painted with.

    Regions may overlap. Where there is no region, the content stays as it is. A mask is a gray
    picture, or an array, H x W: uint8 from 0 to 255, or bools or numbers from 0 to 1. Masks may
    have soft edges and any size, but they must have the proportions of their picture.

    Attributes:
        content: the mask of the part of the content image.
        style: the mask of the part of the style image; None means all of the style image.
        image: the number of the style image, from 0.
        inside: count only positions whose whole receptive field lies in the region, so that nothing
            beyond the region's border counts as its style. A layer without such a position does not
            count in the region.
    """

    content: Any
    style: Any = None
    image: int = 0
    inside: bool = False
