"""What a run will take, said before it starts: time, and memory, which decides the tiles."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from .._shared.display import duration
from .._shared.memory import free_memory
from .._shared.types import Features
from ..losses.statistics import gram_matrix
from ..optimize.evaluator import Evaluator
from ..optimize.lbfgs import CORRECTIONS
from ..optimize.tiling import Tiling
from .schedule import StageSettings

#: Peak memory of an evaluation, in activations of the network, which the backward pass needs beside
#: temporaries of its own: of a whole picture, and of a tile, where two compiled functions take
#: turns. Measured by benchmarks/memory.py.
PEAK_WHOLE, PEAK_TILE = 1.3, 2.0


#: Float64 pictures that live beside an evaluation: x and gradient and their copies, content maps,
#: temporaries of the losses.
PICTURES = 13


#: Float64 pictures that SciPy's L-BFGS-B takes besides its history, and the penalty that keeps the
#: bounds.
WORK = 16


#: The same for Adam and SGD.
WORK_DESCENT = 4


#: L-BFGS remembers at least so many corrections, however little memory there is.
LEAST_CORRECTIONS = 3


#: Evaluations for a step: a line search now and then takes a second one.
EVALUATIONS = 1.05


#: Seconds to build and compile a stage's losses.
COMPILATION = 2.0


#: A tile's halo is evaluated with it, and its features twice, once in each pass: this much longer
#: for a pixel of its crop.
TILED = 1.4


@dataclass(frozen=True)
class Plan:
    """How a stage is evaluated.

    Attributes:
        tiling: How the picture is cut.
        corrections: The number that L-BFGS remembers.
        bytes: Memory that the run needs, beside what the process has.
        optimizer: As asked for, or "adam" where L-BFGS would not fit.
        takeover: Whether Adam takes over from L-BFGS, for lack of memory.
        exact: Whether pictures can be cut into tiles with the same result.
    """

    tiling: Tiling
    corrections: int
    bytes: float
    optimizer: Any = "lbfgs"
    takeover: bool = False
    exact: bool = True


def plan(
    height: int,
    width: int,
    geometry: tuple[Mapping[str, int], int],
    activation_bytes: float,
    tile: Any = "auto",
    corrections: int = CORRECTIONS,
    optimizer: Any = "lbfgs",
    free: float | None = None,
    extra: float = 0,
) -> Plan:
    """Choose tiles and L-BFGS's memory so that a run at height x width fits what is free.

    Args:
        height: Of the picture in pixels.
        width: Of the picture in pixels.
        geometry: (strides, halo), from FeatureNetwork.geometry.
        activation_bytes: Bytes of the network's activations for a pixel.
        tile: "auto": no tiles where the whole picture fits, else the largest that do. Or None, or
            an int.
        corrections: The number that L-BFGS would like to remember; each takes two float64 pictures.
        optimizer: "lbfgs": Adam takes over where even the shortest memory does not fit. Or another.
        free: Bytes; None for free_memory().
        extra: Bytes for a pixel that something else takes.

    Raises:
        MemoryError: Not even the smallest tiles would fit; the message names a size that would.
    """
    free = free_memory() if free is None else free
    pixels = height * width
    picture = 3 * 8 * pixels
    smallest = Tiling(None, *geometry).smallest

    def needed(side: int | None, m: int, optimizer: Any = optimizer) -> float:
        evaluated = PEAK_WHOLE * pixels if side is None else PEAK_TILE * min(pixels, side * side)
        own = (2 * m + WORK) * picture if _is_lbfgs(optimizer) else WORK_DESCENT * picture
        return activation_bytes * evaluated + PICTURES * picture + own + extra * pixels

    least = min(LEAST_CORRECTIONS, corrections) if _is_lbfgs(optimizer) else corrections
    sides: list[Any] = [None, *range(2048, smallest, -64), smallest] if tile == "auto" else [tile]
    for enough in (corrections, least):  # smaller tiles before a shorter memory
        for side in sides:
            if needed(side, enough) <= free:
                m = max(m for m in range(enough, corrections + 1) if needed(side, m) <= free)
                return Plan(Tiling(side, *geometry), m, needed(side, m), optimizer)
    for side in sides:
        if _is_lbfgs(optimizer) and needed(side, 0, "adam") <= free:
            return Plan(Tiling(side, *geometry), 0, needed(side, 0, "adam"), "adam", takeover=True)
    if tile == "auto":
        total, fixed = (
            needed(smallest, 0, "adam"),
            PEAK_TILE * activation_bytes * min(pixels, smallest**2),
        )
        fits = int(max(height, width) * (max(0, free - fixed) / (total - fixed)) ** 0.5) // 16 * 16
        raise MemoryError(
            f"{width} x {height} pixels need about {total / 1e9:.1f} GB even in tiles, and"
            f" {free / 1e9:.1f} GB are free; a longer side of about {fits} pixels would fit"
        )
    # as asked for: it may yet fit
    return Plan(Tiling(tile, *geometry), least, needed(tile, least), optimizer)


def _is_lbfgs(optimizer: Any) -> bool:
    return isinstance(optimizer, str) and optimizer == "lbfgs"


def estimate(
    extractor: Callable[[Any], Features],
    shapes: Sequence[Sequence[int]],
    stages: Sequence[StageSettings],
    plans: Sequence[Plan],
) -> str:
    """One line on what the run will take: "about 1:20 and 1.4 GB of memory".

    The time is told from a short evaluation.

    Args:
        extractor: The network.
        shapes: H x W x 3 of each stage.
        stages: The settings of each stage.
        plans: The Plan of each stage.
    """
    probe = Evaluator(
        extractor,
        {"style": lambda f: sum(ops.mean(ops.square(gram_matrix(a))) for a in f.values())},
        {"style": 1.0},
        (1, 128, 128, 3),
    )
    x = np.zeros(128 * 128 * 3)
    times = []
    for i in range(3):  # the first one includes the start of TensorFlow's threads
        started = time.perf_counter()
        probe(x + i)
        times.append(time.perf_counter() - started)
    total = sum(
        EVALUATIONS * stage.steps * _evaluated_pixels(shape, planned.tiling)
        for shape, stage, planned in zip(shapes, stages, plans)
    )
    seconds = total * min(times) / 128**2 + COMPILATION * len(stages)
    last = plans[-1]
    notes = [f"in tiles of {last.tiling.tile} pixels"] * bool(last.tiling.tile)
    notes += [f"L-BFGS's history cut to {last.corrections}"] * (
        _is_lbfgs(last.optimizer) and last.corrections < CORRECTIONS
    )
    notes += ["by Adam, where L-BFGS would not fit"] * last.takeover
    return ", ".join(
        [
            (
                f"about {duration(seconds)} and"
                f" {(_resident() + max(planned.bytes for planned in plans)) / 1e9:.1f} GB of memory"
            ),
            *notes,
        ]
    )


def _resident() -> float:
    """Bytes that the process has by now.

    Where the system does not say: about what TensorFlow takes.
    """
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return 6.5e8


def _evaluated_pixels(shape: Sequence[int], tiling: Tiling) -> float:
    """Pixels that one evaluation of the picture takes, the halos of its tiles included."""
    if tiling.tile is None:
        return shape[0] * shape[1]
    return TILED * sum(
        (rows.stop - rows.start) * (columns.stop - columns.start)
        for (rows, columns), _ in tiling.tiles(*shape[:2])
    )
