"""Optical flow between frames: where each pixel went, and where that can be relied on.

Ruder, Dosovitskiy and Brox 2016, "Artistic Style Transfer for Videos", section 4, with the flow of
Kroeger et al. 2016, "Fast Optical Flow using Dense Inverse Search", which OpenCV has.

A flow is float32, H x W x 2, in pixels, right and down: the pixel at (x, y) of one frame is at (x +
flow[y, x, 0], y + flow[y, x, 1]) of the other.
"""

import numpy as np

from .._shared.optional import load

#: Share of a frame's pixels that are new in it, above which it is another scene.
CUT = 0.5


#: The smallest side of a picture in which the search finds its way.
LEAST_SIDE = 16


def optical_flow(image, other):
    """The flow from `image` to `other`, uint8 RGB, H x W x 3 both.

    Raises:
        ValueError: pictures of two sizes, or of a side below LEAST_SIDE.
        ImportError: no OpenCV; the message names the extra.
    """
    cv2 = load_cv2()
    if image.shape != other.shape or min(image.shape[:2]) < LEAST_SIDE:
        raise ValueError(
            f"the flow needs two pictures of one size, at least {LEAST_SIDE} x {LEAST_SIDE}."
            f" Received: shapes {image.shape} and {other.shape}"
        )
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(
        0
    )  # whole pixels and closer patches: a subject's outline to a pixel or two
    search.setPatchStride(3)
    search.setVariationalRefinementIterations(20)
    return search.calc(
        *(
            cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)
            for frame in (image, other)
        ),
        None,
    )


def warp(image, flow, sharp=False):
    """The picture that has at (x, y) what `image` has at (x, y) + flow: with the flow from this
    frame to the last one, the last one moved to this. Bilinear, or bicubic if `sharp`; beyond the
    border, the border."""
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


def disoccluded(back, forth):
    """Which pixels of this frame were hidden in the other, or beyond its border: bool, H x W.

    Where the way there and back does not return: |w~ + w|^2 > 0.01 (|w~|^2 + |w|^2) + 0.5 (Ruder et
    al., equation 4, after Sundaram et al. 2010).

    Args:
        back: flow w from this frame to the other. forth: from the other to this; w~ is what it says
            at the place that w leads to.
    """
    height, width = back.shape[:2]
    returned = warp(forth, back)
    x, y = np.arange(width) + back[..., 0], np.arange(height)[:, None] + back[..., 1]
    outside = (x < -0.5) | (x > width - 0.5) | (y < -0.5) | (y > height - 0.5)
    lost = outside | (
        _squared(back + returned) > 0.01 * (_squared(returned) + _squared(back)) + 0.5
    )
    return load_cv2().medianBlur(lost.astype("uint8"), 5).astype(bool)


def reliable(back, forth):
    """Where a pixel of this frame can be found in the other: bool, H x W. Not where it was
    disoccluded; nor on the motion's own edges, |grad u|^2 + |grad v|^2 > 0.01 |w|^2 + 0.002, where
    the flow is uncertain (Ruder et al., equation 5). Arguments as above."""
    slopes = sum(
        np.square(slope) for channel in (0, 1) for slope in np.gradient(back[..., channel])
    )
    return ~disoccluded(back, forth) & ~(slopes > 0.01 * _squared(back) + 0.002)


def is_cut(back, forth):
    """Whether the film was cut between two frames: between pictures of two things, hardly a pixel
    finds its way there and back.
    """
    return bool(disoccluded(back, forth).mean() > CUT)


def warping_error(last, this, back, seen):
    """How much a film flickers between two of its frames: the mean of (this - last moved to this)^2
    where `seen`, RGB from 0 to 1.

    Args:
        last, this: painted frames, uint8, H x W x 3. back: the flow from this one to the last, the
            true one where it is known.
        seen: bool, H x W: the pixels that the last frame shows too.
    """
    return float(np.square((warp(last.astype("float32"), back) - this) / 255)[seen].mean())


def _squared(flow):
    return np.square(flow).sum(axis=-1)


def load_cv2():
    """OpenCV, or an ImportError that names the extra."""
    return load("cv2")
