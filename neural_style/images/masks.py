"""Regions: this style here and that one there, after Gatys et al. 2017, "Controlling Perceptual
Factors", section 3.

A mask is a picture in grey or an array, H x W: uint8 from 0 to 255, or bool or numbers from 0 to 1;
soft edges are fine. It may have any size of its picture's proportions.
"""

import math
import os
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.ndimage import minimum_filter

from .._shared.checks import count, flag, is_count
from .._shared.optional import load
from .load import image_size, load_image
from .resize import resize_map

#: Colours of a label picture that cover less of it than this belong to the nearest larger one: soft
#: edges, JPEG's noise.
LEAST_LABEL = 0.005


#: Pixels that a label picture may have: more than a camera's photo, and a few seconds.
MOST_LABELED = 1 << 25


@dataclass(frozen=True)
class Region:
    """A part of the content image, and the part of a style image that it is painted with. Regions
    may overlap; where there is none, the content stays as it is.

    content: its mask. style: the mask of the style image's part; None: all of it. image: which of
    the style images, from 0. inside: count only positions whose whole receptive field lies in the
    region, so that nothing from beyond its border is taken for its style; where a layer has none,
    that layer does not count in the region.
    """

    content: object
    style: object = None
    image: int = 0
    inside: bool = False


def from_labels(content, style, inside=False):
    """Regions from colour-coded label pictures: the same colour means the same region.

    Colours that cover less than 0.5 % of a picture are taken for the nearest one that covers more.
    Colours that only a style has are left aside; where several style images have a colour, the
    first is taken.

    Args:
        content: the label picture of the content image: a path, PIL.Image or uint8 array.
        style: that of the style image, or a list, one for each style image.
        inside: see Region.

    Returns:
        [Region], the largest first.

    Raises:
        ValueError: a colour of the content's labels that no style's have.
    """
    styles = [_labels(one) for one in (style if isinstance(style, (list, tuple)) else [style])]
    if not styles:
        raise ValueError("style must be a label picture, or a list of one and more. Received: none")
    regions, missing = [], []
    for colour, mask in _labels(content).items():
        number = next((i for i, labels in enumerate(styles) if colour in labels), None)
        if number is None:
            missing.append(colour)
        else:
            regions.append(Region(mask, styles[number][colour], number, inside))
    if missing:
        raise ValueError(
            "the style's labels lack colours (R, G, B) of the content's:"
            f" {', '.join(map(str, missing))}; they have"
            f" {', '.join(str(colour) for labels in styles for colour in labels)}"
        )
    return regions


def from_rectangle(image, rectangle, steps=5):
    """The subject within a rectangle, as a bool mask, H x W, by GrabCut (Rother et al. 2004;
    OpenCV, extra `masks`).

    Args:
        image: a path, PIL.Image or uint8 array.
        rectangle: (left, top, width, height) in pixels; all outside it is background.
        steps: of GrabCut.
    """
    cv2, image, steps = load("cv2"), load_image(image), count("steps", steps)
    height, width = image.shape[:2]
    if (
        not isinstance(rectangle, (list, tuple, np.ndarray))
        or len(rectangle) != 4
        or not all(is_count(side, -math.inf) for side in rectangle)
    ):
        raise ValueError(
            "rectangle must be (left, top, width, height), integers. Received:"
            f" rectangle={rectangle!r}"
        )
    left, top, w, h = map(int, rectangle)
    if not (
        left >= 0
        and top >= 0
        and w > 0
        and h > 0
        and left + w <= width
        and top + h <= height
        and w * h < width * height
    ):
        raise ValueError(
            f"rectangle must lie within the {width} x {height} pixels, and not be all of them."
            f" Received: {rectangle}"
        )
    labels = np.zeros((height, width), "uint8")
    return _grabcut(cv2, image, labels, (left, top, w, h), steps, cv2.GC_INIT_WITH_RECT)


def from_scribbles(image, scribbles, steps=5):
    """The subject as a bool mask, H x W, from a few strokes on it and on the background, by GrabCut
    (OpenCV, extra `masks`).

    Args:
        image: a path, PIL.Image or uint8 array.
        scribbles: a picture of the image's size: white (above 240) is subject, black (below 15)
            background, all between is to be found. Or an int array, H x W: 1, 0 and -1.
        steps: of GrabCut.
    """
    cv2, image, steps = load("cv2"), load_image(image), count("steps", steps)
    if isinstance(scribbles, np.ndarray) and scribbles.ndim == 2 and scribbles.dtype.kind == "i":
        subject, background = scribbles == 1, scribbles == 0
    else:
        grey = load_image(scribbles).astype("int").mean(axis=-1)
        subject, background = grey > 240, grey < 15
    if subject.shape != image.shape[:2]:
        raise ValueError(
            f"scribbles must have the image's size, {image.shape[:2]}. Received: {subject.shape}"
        )
    if not subject.any() or not background.any():
        raise ValueError(
            "scribbles must mark some of the subject (white) and some of the background (black)."
            f" Received: {subject.sum()} and {background.sum()} pixels"
        )
    labels = np.full(subject.shape, cv2.GC_PR_BGD, "uint8")
    labels[subject], labels[background] = cv2.GC_FGD, cv2.GC_BGD
    return _grabcut(cv2, image, labels, None, steps, cv2.GC_INIT_WITH_MASK)


def check_masks(masks, content, styles):
    """[Region], masks loaded as float32 arrays from 0 to 1, of transfer()'s argument `masks`; []
    for None.

    Args:
        masks: a list of a Region, a (content mask, style mask) pair or a content mask for each
            region; pairs and masks go to the style images in their order, or all to one. Or label
            pictures: {"content": labels, "style": labels or list of labels, "inside": bool}.
        content: H x W x 3, or None; styles: [H x W x 3].
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
    regions = []
    for number, one in enumerate(masks):
        if not isinstance(one, Region):
            content_mask, style_mask = (
                one if isinstance(one, (list, tuple)) and len(one) == 2 else (one, None)
            )
            one = Region(content_mask, style_mask, number if len(styles) > 1 else 0)
        if not is_count(one.image, 0) or one.image >= len(styles):
            raise ValueError(
                f"a region's image must be the number of a style image, 0 to {len(styles) - 1}."
                f" Received: {one.image!r}"
            )
        name = f"region {number + 1}"
        regions.append(
            Region(
                _load_mask(one.content, content, f"{name}'s mask"),
                (
                    None
                    if one.style is None
                    else _load_mask(one.style, styles[one.image], f"{name}'s style mask")
                ),
                int(one.image),
                flag(f"{name}'s inside", one.inside),
            )
        )
    return regions


def check_map(values, image, name):
    """A float32 map of weights, H x W, at least 0, from a grey picture (0 to 255 for 0 to 1) or an
    array; None for None.
    """
    return None if values is None else _load_mask(values, image, name, highest=math.inf)


def shrink(mask, stride, halo=0):
    """A mask brought to a layer's size: float32, 1 x H // stride x W // stride x 1.

    Each position takes the mean over its stride x stride pixels; with a halo, the least over these
    and `halo` pixels around.
    """
    height, width = (side // stride * stride for side in mask.shape)
    if halo:
        mask = minimum_filter(mask, 2 * halo + 1, mode="nearest")
    blocks = mask[:height, :width].reshape(height // stride, stride, width // stride, stride)
    return (blocks.min(axis=(1, 3)) if halo else blocks.mean(axis=(1, 3)))[None, :, :, None].astype(
        "float32"
    )


def resized(mask, shape):
    """A mask at another size, shape = (H, W, ...)."""
    return resize_map(mask, shape[1::-1])


def _load_mask(source, image, name, highest=1.0):
    """Float32, of the image's size."""
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


def _labels(source):
    """{(R, G, B): bool mask} of a label picture, the largest first."""
    if isinstance(source, (str, os.PathLike)):
        _check_labeled(*image_size(source))  # before it is read
    image = load_image(source)
    _check_labeled(*image.shape[1::-1])
    packed = image[..., 0].astype("uint32")  # one number a color
    for channel in (1, 2):
        packed <<= 8
        packed |= image[..., channel]
    del image
    numbers, counts = np.unique(packed, return_counts=True)
    large = np.flatnonzero(counts >= LEAST_LABEL * counts.sum())
    if not len(large):
        raise ValueError(
            "a label picture must have a few flat colours. Received: none that covers 0.5 % of it"
        )
    colors = np.stack([numbers >> 16, numbers >> 8 & 255, numbers & 255], axis=-1).astype("int16")
    nearest, distance = np.zeros(len(colors), "uint8"), np.full(len(colors), 3 * 256, "int16")
    for label, color in enumerate(
        colors[large]
    ):  # at most 200: each covers 0.5 %; one after the other, so that memory stays small
        to_it = np.abs(colors - color).sum(axis=-1, dtype="int16")
        closer = to_it < distance
        nearest[closer], distance[closer] = label, to_it[closer]
    labels = np.stack([nearest[np.searchsorted(numbers, row)] for row in packed])
    order = sorted(range(len(large)), key=lambda label: -counts[large[label]])
    return {tuple(colors[large[label]].tolist()): labels == label for label in order}


def _check_labeled(width, height):
    if width * height > MOST_LABELED:
        raise ValueError(
            f"a label picture may have at most {MOST_LABELED:,} pixels. Received: {width} x"
            f" {height}"
        )


def _grabcut(cv2, image, labels, rectangle, steps, mode):
    cv2.setRNGSeed(0)  # GrabCut's colour clusters start at random: the same call, the same mask
    cv2.grabCut(
        np.ascontiguousarray(image[:, :, ::-1]),
        labels,
        rectangle,
        np.zeros((1, 65)),
        np.zeros((1, 65)),
        steps,
        mode,
    )
    mask = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    if not mask.any() or mask.all():
        raise ValueError("GrabCut finds no subject there: try a closer rectangle or more strokes")
    return mask
