"""What earlier results tell of a frame, along the optical flow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from .flow import is_cut, optical_flow, reliable, warp

#: (an earlier result moved to this frame, uint8 RGB; where it holds: float, H x W, 0 or 1).
Known: TypeAlias = tuple[np.ndarray, np.ndarray]


def known_from(
    image: np.ndarray, before: Sequence[tuple[np.ndarray, np.ndarray]], long_term: Sequence[int]
) -> list[Known]:
    """What earlier results tell of a frame, the nearest first; [] after a cut.

    Args:
        image: The frame, uint8 RGB, H x W x 3.
        before: [(an earlier frame, its result)], the nearest first.
        long_term: How far back the frames lie that it is held to.
    """
    found: list[Known] = []
    taken = np.zeros(image.shape[:2], bool)
    for distance in sorted(long_term):
        if distance > len(before):
            break
        other, result = before[distance - 1]
        back, forth = optical_flow(image, other), optical_flow(other, image)
        if distance == min(long_term) and is_cut(back, forth):
            return []
        # equation 10: what a nearer frame knows, a farther one does not say again
        holds = reliable(back, forth) & ~taken
        taken |= holds
        # each frame is made of the last one: blur would add up
        found.append((warp(result, back, sharp=True), holds.astype("float32")))
    return found
