"""Masks of a subject by GrabCut, from a rectangle or from a few strokes.

Rother, Kolmogorov and Blake 2004, "GrabCut: Interactive Foreground Extraction using Iterated Graph
Cuts". OpenCV does the work (extra `masks`).
"""

import math
from types import ModuleType

import numpy as np

from .._shared.checks import count, is_count
from .._shared.optional import load
from .._shared.types import Picture
from .load import load_image


def from_rectangle(
    image: Picture, rectangle: tuple[int, int, int, int], steps: int = 5
) -> np.ndarray:
    """Find the subject within a rectangle by GrabCut.

    Args:
        image: a path, PIL.Image or uint8 array.
        rectangle: (left, top, width, height) in pixels; everything outside it is background.
        steps: the number of GrabCut's iterations.

    Returns:
        A bool mask, H x W: True on the subject.

    Raises:
        ValueError: the rectangle does not lie within the picture or is all of it, or GrabCut finds
            no subject.
        ImportError: OpenCV is missing; the message names the command that installs it.
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


def from_scribbles(image: Picture, scribbles: Picture, steps: int = 5) -> np.ndarray:
    """Find the subject by GrabCut, from a few strokes on the subject and on the background.

    Args:
        image: a path, PIL.Image or uint8 array.
        scribbles: a picture of the image's size: white (above 240) is subject, black (below 15) is
            background, and GrabCut decides everything between. Or an int array, H x W, with 1 for
            the subject, 0 for the background, and -1 for the rest.
        steps: the number of GrabCut's iterations.

    Returns:
        A bool mask, H x W: True on the subject.

    Raises:
        ValueError: the sizes differ, the strokes miss the subject or the background, or GrabCut
            finds no subject.
        ImportError: OpenCV is missing; the message names the command that installs it.
    """
    cv2, image, steps = load("cv2"), load_image(image), count("steps", steps)
    if isinstance(scribbles, np.ndarray) and scribbles.ndim == 2 and scribbles.dtype.kind == "i":
        subject, background = scribbles == 1, scribbles == 0
    else:
        gray = load_image(scribbles).astype("int").mean(axis=-1)
        subject, background = gray > 240, gray < 15
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


def _grabcut(
    cv2: ModuleType,
    image: np.ndarray,
    labels: np.ndarray,
    rectangle: tuple[int, int, int, int] | None,
    steps: int,
    mode: int,
) -> np.ndarray:
    """Run GrabCut on an RGB picture and return the bool mask of the subject."""
    cv2.setRNGSeed(0)  # GrabCut's color clusters start at random: the same call, the same mask
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
