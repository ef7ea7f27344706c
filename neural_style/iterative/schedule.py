"""Sizes, steps and weights from coarse to fine."""

import math
from dataclasses import dataclass
from typing import Any

from .settings import Settings


@dataclass(frozen=True)
class StageSettings:
    """What is set for one stage.

    Attributes:
        size: Longer side of the picture in pixels.
        steps: Iterations of the optimizer.
        weights: {term: weight} of the terms that count, each above 0.
    """

    size: int
    steps: int
    weights: dict[str, float]


def stages_of(settings: Settings, counts: dict[str, bool]) -> list[StageSettings]:
    """The stages of a run, from coarse to fine.

    Args:
        settings: As for transfer().
        counts: {"content", "style": whether there is such a picture, and its layers have weights}.
    """
    *coarse, (_, steps) = schedule(settings.size, settings.start_size, settings.steps)
    weights = {
        "content": settings.content_weight * counts["content"],
        "style": settings.style_weight * counts["style"],
        "tv": settings.tv_weight,
    }
    own = {term.name: float(term.weight) for term in settings.terms}
    own_coarse = {
        term.name: float(term.weight * getattr(term, "coarse", 1)) for term in settings.terms
    }
    at_coarse = {
        **weights,
        "content": settings.coarse_weight * weights["content"],
        "photorealism": settings.coarse_weight * settings.photorealism[0],
        **own_coarse,
    }
    stages = [_stage(size, number, at_coarse) for size, number in coarse]
    return stages + [
        _stage(settings.size, steps, {**weights, "photorealism": weight, **own})
        for weight in settings.photorealism
    ]


def _stage(size: int, steps: int, weights: dict[str, float]) -> StageSettings:
    return StageSettings(size, steps, {term: w for term, w in weights.items() if w > 0})


def schedule(size: int, start_size: int | None, steps: Any) -> list[tuple[int, int]]:
    """[(longer side, steps)] from coarse to fine: each size about twice the one before.

    Large strokes settle at small sizes, where an evaluation is cheap (Gatys et al. 2017,
    "Controlling Perceptual Factors in Neural Style Transfer", section 6). Without `steps`, the last
    size gets 90 (256 / size)^(2/3), 57 at 512 pixels, between 40 and 200; each coarser one gets
    1.4 times as many as the next. So each doubling of the size takes two and a half times as long,
    rather than four times. benchmarks/schedule.py compares schedules.

    Args:
        size: The last longer side, in pixels.
        start_size: The first one; None for `size` alone.
        steps: The number at `size`, more at the coarser sizes in inverse proportion to the side;
            None for the above; or a dict or a list of pairs, which is the schedule.
    """
    if isinstance(steps, (dict, list)):
        return list(steps.items()) if isinstance(steps, dict) else steps
    start_size = min(start_size or size, size)
    doublings = round(math.log2(size / start_size))
    sides = [
        round(size / (size / start_size) ** (i / max(1, doublings)))
        for i in range(doublings, -1, -1)
    ]
    if steps:
        return [(side, round(steps * size / side)) for side in sides]
    last = min(max(90 * (256 / size) ** (2 / 3), 40), 200)
    return [(side, min(round(last * (size / side) ** 0.5), 200)) for side in sides]


def scaled(size: int, scale: float) -> int:
    """A side in pixels, scaled; at least 1."""
    return max(1, round(size * scale))
