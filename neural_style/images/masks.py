"""Masks: load and check them, and bring them to the size of a picture or a layer.

A mask is a gray picture, or an array, H x W: uint8 from 0 to 255, or bools or numbers from 0 to 1.
Masks may have soft edges and any size, but they must have the proportions of their picture. This
module, neural_style.masks, also has the ways to make masks: from_labels (labels.py), from_rectangle
and from_scribbles (grabcut.py).
"""

import math
import os
from collections.abc import Sequence
from typing import Any, overload

import numpy as np
from PIL import Image
from scipy.ndimage import minimum_filter

from .._shared.checks import flag, is_count
from .._shared.types import Picture
from .grabcut import from_rectangle as from_rectangle
from .grabcut import from_scribbles as from_scribbles
from .labels import from_labels as from_labels
from .load import load_image
from .region import Region as Region
from .resize import resize_map


def check_masks(
    masks: Any, content: np.ndarray | None, styles: Sequence[np.ndarray]
) -> list[Region]:
    """Check and load transfer()'s argument `masks`.

    Args:
        masks: None, or a list with a Region, a (content mask, style mask) pair or a content mask
            for each region. Pairs and masks go to the style images in order, or all to the only
            style image. Or label pictures: {"content": labels, "style": labels or a list of labels,
            "inside": bool}.
        content: the content image, H x W x 3, or None.
        styles: the style images, each H x W x 3.

    Returns:
        The regions, whose masks are float arrays from 0 to 1, of their pictures' sizes; [] for
        None.

    Raises:
        TypeError: a mask is neither a picture nor an array of numbers.
        ValueError: anything else that is wrong with the masks, or masks without content or style.
        FileNotFoundError: there is no mask at a path.
    """
    if masks is None:
        return []
    if content is None or not styles:
        raise ValueError("masks need both content and style")
    if isinstance(masks, dict):
        if not {"content", "style"} <= set(masks) <= {"content", "style", "inside"}:
            raise ValueError(
                "label pictures must be {'content': ..., 'style': ...}. Received:"
                f" {sorted(masks)}"
            )
        masks = from_labels(**masks)
    if not isinstance(masks, (list, tuple)) or not masks:
        raise ValueError(
            "masks must be a list with one region or more, or label pictures {'content': ...,"
            f" 'style': ...}}. Received: {type(masks).__name__}"
        )
    if not all(isinstance(one, Region) for one in masks) and len(styles) not in (1, len(masks)):
        raise ValueError(
            f"{len(masks)} masks need as many style images, or one. Received: {len(styles)} style"
            " images"
        )
    return [_load_region(number, one, content, styles) for number, one in enumerate(masks)]


def _load_region(
    number: int, given: Any, content: np.ndarray, styles: Sequence[np.ndarray]
) -> Region:
    """Load the masks of a region that is given as a Region, a pair of masks or a content mask."""
    if isinstance(given, Region):
        region = given
    else:
        content_mask, style_mask = (
            given if isinstance(given, (list, tuple)) and len(given) == 2 else (given, None)
        )
        region = Region(content_mask, style_mask, number if len(styles) > 1 else 0)
    if not is_count(region.image, 0) or region.image >= len(styles):
        raise ValueError(
            f"a region's image must be the number of a style image, 0 to {len(styles) - 1}."
            f" Received: {region.image!r}"
        )
    name = f"region {number + 1}"
    return Region(
        _load_mask(region.content, content, f"{name}'s mask"),
        (
            None
            if region.style is None
            else _load_mask(region.style, styles[region.image], f"{name}'s style mask")
        ),
        int(region.image),
        flag(f"{name}'s inside", region.inside),
    )


@overload
def check_map(values: None, image: np.ndarray, name: str) -> None: ...
@overload
def check_map(values: Picture, image: np.ndarray, name: str) -> np.ndarray: ...
def check_map(values: Picture | None, image: np.ndarray, name: str) -> np.ndarray | None:
    """Check and load a map of weights.

    Args:
        values: a gray picture, whose 0 to 255 stand for 0 to 1, an array of numbers, at least 0, or
            None.
        image: the picture that the map belongs to, H x W x 3.
        name: the argument's name, for error messages.

    Returns:
        A float array of the image's size, H x W; None for None.

    Raises:
        TypeError: the map is neither a picture nor an array of numbers.
        ValueError: the map has other proportions than the image, holds negative or infinite
            numbers, or is 0 everywhere.
        FileNotFoundError: there is no picture at the path.
    """
    return None if values is None else _load_mask(values, image, name, highest=math.inf)


def shrink(mask: np.ndarray, stride: int, halo: int = 0) -> np.ndarray:
    """Bring a mask to a layer's size.

    Args:
        mask: float, H x W.
        stride: the pixels between two positions of the layer. Each position takes the mean over its
            stride x stride pixels.
        halo: if not 0, each position takes the minimum over its pixels and over `halo` pixels more
            around them.

    Returns:
        float32, 1 x H // stride x W // stride x 1.
    """
    height, width = (side // stride * stride for side in mask.shape)
    if halo:
        mask = minimum_filter(mask, 2 * halo + 1, mode="nearest")
    # H // stride x stride x W // stride x stride
    blocks = mask[:height, :width].reshape(height // stride, stride, width // stride, stride)
    return (blocks.min(axis=(1, 3)) if halo else blocks.mean(axis=(1, 3)))[None, :, :, None].astype(
        "float32"
    )


def resized(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Bring a mask to another size.

    Args:
        mask: float, H x W.
        shape: the new (H, W, ...).

    Returns:
        A float array of the new size.
    """
    return resize_map(mask, (shape[1], shape[0]))


def only_in_regions(
    picture: np.ndarray, content: np.ndarray | None, regions: Sequence[Region], rounded: bool = True
) -> np.ndarray:
    """The picture where regions are, and the content where none is.

    Args:
        picture: What was painted, RGB, H x W x 3.
        content: The content image of the same size.
        regions: [] leaves the picture as it is.
        rounded: Give uint8; otherwise float32.
    """
    if not regions:
        return picture
    assert content is not None  # masks need a content image
    masks = sum(resized(region.content, content.shape) for region in regions)
    covered = np.minimum(masks, 1)[..., None]
    mixed = covered * picture + (1 - covered) * content
    return np.rint(mixed).astype("uint8") if rounded else mixed.astype("float32")


def _load_mask(source: Picture, image: np.ndarray, name: str, highest: float = 1.0) -> np.ndarray:
    """Load a mask as a float array of the image's size, with values from 0 to `highest`."""
    if isinstance(source, (str, os.PathLike, Image.Image)):
        mask = load_image(source).mean(axis=-1) / 255
    else:
        mask = np.asarray(source)
        if mask.dtype == np.uint8 and mask.size and mask.max() > 1:
            mask = mask / 255
        elif mask.dtype.kind not in "bfiu":
            raise TypeError(
                f"{name} must be a picture or an array of numbers. Received: {mask.dtype}"
            )
        mask = mask.astype("float32")
    if mask.ndim != 2 or 0 in mask.shape:
        raise ValueError(f"{name} must be H x W. Received: shape {mask.shape}")
    if not np.isfinite(mask).all() or mask.min() < 0 or mask.max() > highest:
        raise ValueError(
            f"{name} must have values from 0 to {highest:g}. Received: {mask.min():g} to"
            f" {mask.max():g}"
        )
    if not mask.any():
        raise ValueError(f"{name} is empty: 0 everywhere")
    (height, width), (h, w) = image.shape[:2], mask.shape
    if abs(width * h / (height * w) - 1) > 0.02 and abs(round(w * height / width) - h) > 1:
        raise ValueError(
            f"{name} must have the proportions of its picture, {width} x {height}. Received: {w}"
            f" x {h}"
        )
    return resized(mask, image.shape)
