"""Sizes and steps from coarse to fine."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """size: longer side in pixels. steps: of the optimiser. weights: {term: weight}, of the losses
    that count, each above 0.
    """

    size: int
    steps: int
    weights: dict


def _stage(size, steps, weights):
    return Stage(size, steps, {term: weight for term, weight in weights.items() if weight > 0})


def schedule(size, start_size, steps):
    """[(longer side, steps)] from coarse to fine: each size about twice the one before.

    Large strokes settle at small sizes, where an evaluation is cheap (Gatys et al. 2017,
    "Controlling Perceptual Factors in Neural Style Transfer", section 6). Without `steps`, 25,600 /
    side at each side, 100 at 256 pixels, between 40 and 200, so that each doubling of the size
    doubles the time, or triples it beyond 640 pixels, rather than quadruples it. With `steps` at
    `size`, more at the coarser ones in inverse proportion to the side. A dict of `steps` is the
    schedule.
    """
    if isinstance(steps, dict):
        return list(steps.items())
    start_size = min(start_size or size, size)
    doublings = round(math.log2(size / start_size))
    sides = [
        round(size / (size / start_size) ** (i / max(1, doublings)))
        for i in range(doublings, -1, -1)
    ]
    return [
        (side, round(steps * size / side) if steps else min(max(round(25_600 / side), 40), 200))
        for side in sides
    ]


def scaled(size, scale):
    """A side in pixels, scaled; at least 1."""
    return max(1, round(size * scale))
