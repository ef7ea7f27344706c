"""Optical flow between frames: where each pixel went, and where that can be relied on.

Ruder, Dosovitskiy and Brox 2016, "Artistic Style Transfer for Videos", section 4, with the flow of
Kroeger et al. 2016, "Fast Optical Flow using Dense Inverse Search", which OpenCV has.

A flow is float32, H x W x 2, in pixels, right and down: the pixel at (x, y) of one frame is at (x +
flow[y, x, 0], y + flow[y, x, 1]) of the other.
"""

from types import ModuleType

import numpy as np

from .._shared.optional import load

#: If more than this share of a frame's pixels is new, the frame belongs to another scene.
CUT = 0.5

#: The smallest side in pixels of a picture in which the search for the flow works.
LEAST_SIDE = 16


def optical_flow(image: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Find the flow from one frame to another.

    Args:
        image: The frame that the flow starts from, uint8 RGB, H x W x 3.
        other: The frame that the flow leads to, uint8 RGB, H x W x 3.

    Returns:
        The flow, float32, H x W x 2, in pixels, right and down.

    Raises:
        ValueError: The pictures differ in size, or a side is shorter than 16 pixels.
        ImportError: OpenCV is missing; the message names the package to install.
    """
    cv2 = load_cv2()
    if image.shape != other.shape or min(image.shape[:2]) < LEAST_SIDE:
        raise ValueError(
            f"the flow needs two pictures of one size, at least {LEAST_SIDE} x {LEAST_SIDE}."
            f" Received: shapes {image.shape} and {other.shape}"
        )
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    # Whole pixels and closer patches find a subject's outline to a pixel or two.
    search.setFinestScale(0)
    search.setPatchStride(3)
    search.setVariationalRefinementIterations(20)
    return search.calc(
        *(
            cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)
            for frame in (image, other)
        ),
        None,
    )


def warp(image: np.ndarray, flow: np.ndarray, sharp: bool = False) -> np.ndarray:
    """Move a picture along a flow: the result has at (x, y) what `image` has at (x, y) + flow.

    With the flow from this frame to the last one, the last frame is moved to this one. Beyond the
    border, the border's pixels are repeated.

    Args:
        image: The picture to move, H x W x C.
        flow: The flow from the result to `image`, float32, H x W x 2, in pixels, right and down.
        sharp: Interpolate bicubically instead of bilinearly, which blurs less.

    Returns:
        The moved picture, of the dtype and the channels of `image`.

    Raises:
        ImportError: OpenCV is missing; the message names the package to install.
    """
    cv2 = load_cv2()
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype="float32"), np.arange(height, dtype="float32"))
    return cv2.remap(
        image,
        x + flow[..., 0],
        y + flow[..., 1],
        cv2.INTER_CUBIC if sharp else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def disoccluded(back: np.ndarray, forth: np.ndarray) -> np.ndarray:
    """Find the pixels of this frame that were hidden in the other, or lay beyond its border.

    At these pixels the way there and back does not return: |w~ + w|^2 > 0.01 (|w~|^2 + |w|^2) + 0.5
    (Ruder et al., equation 4, after Sundaram et al. 2010).

    Args:
        back: The flow w from this frame to the other, float32, H x W x 2, in pixels.
        forth: The flow from the other frame to this one, of the same kind; w~ is its value at the
            place that w leads to.

    Returns:
        bool, H x W: True where a pixel was hidden.
    """
    height, width = back.shape[:2]
    returned = warp(forth, back)
    x, y = np.arange(width) + back[..., 0], np.arange(height)[:, None] + back[..., 1]
    outside = (x < -0.5) | (x > width - 0.5) | (y < -0.5) | (y > height - 0.5)
    lost = outside | (
        _squared(back + returned) > 0.01 * (_squared(returned) + _squared(back)) + 0.5
    )
    return load_cv2().medianBlur(lost.astype("uint8"), 5).astype(bool)


def reliable(back: np.ndarray, forth: np.ndarray) -> np.ndarray:
    """Find the pixels of this frame that can be found in the other.

    Excluded are the disoccluded pixels, and the edges of the motion, where the flow is uncertain:
    |grad u|^2 + |grad v|^2 > 0.01 |w|^2 + 0.002 (Ruder et al., equation 5).

    Args:
        back: The flow w = (u, v) from this frame to the other, float32, H x W x 2, in pixels.
        forth: The flow from the other frame to this one, of the same kind.

    Returns:
        bool, H x W: True where the flow can be relied on.
    """
    slopes = sum(
        np.square(slope) for channel in (0, 1) for slope in np.gradient(back[..., channel])
    )
    return ~disoccluded(back, forth) & ~(slopes > 0.01 * _squared(back) + 0.002)


def is_cut(back: np.ndarray, forth: np.ndarray) -> bool:
    """Tell whether the film was cut between two frames.

    Between pictures of two scenes, hardly a pixel finds its way there and back.

    Args:
        back: The flow from this frame to the other, float32, H x W x 2, in pixels.
        forth: The flow from the other frame to this one, of the same kind.
    """
    return bool(disoccluded(back, forth).mean() > CUT)


def warping_error(last: np.ndarray, this: np.ndarray, back: np.ndarray, seen: np.ndarray) -> float:
    """Measure how much a film flickers between two of its frames.

    Args:
        last: The earlier painted frame, uint8 RGB, H x W x 3.
        this: The later painted frame, uint8 RGB, H x W x 3.
        back: The flow from `this` to `last`, float32, H x W x 2; the true flow where it is known.
        seen: bool, H x W: True for the pixels that the last frame shows too.

    Returns:
        The mean of (this - last moved to this)^2 over the pixels where `seen`, RGB from 0 to 1.
    """
    return float(np.square((warp(last.astype("float32"), back) - this) / 255)[seen].mean())


def load_cv2() -> ModuleType:
    """Import OpenCV, or raise an ImportError that names the package to install."""
    return load("cv2")


def _squared(flow: np.ndarray) -> np.ndarray:
    """Square the length of a flow at each pixel: H x W x 2 to H x W."""
    return np.square(flow).sum(axis=-1)
