"""What a run will take, said before it starts: time and memory."""

import itertools
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from .._shared.display import duration
from .._shared.types import Features
from ..losses.statistics import gram_matrix
from ..optimize.evaluator import Evaluator
from ..optimize.objective import CORRECTIONS
from ..optimize.tiling import Tiling
from .plan import Plan, is_lbfgs
from .schedule import StageSettings

#: Evaluations for a step: a line search now and then takes a second one.
EVALUATIONS = 1.05


#: Seconds to build and compile a stage's losses, in those of the trial's own compilation: of whole
#: pictures, and of tiles, whose losses are several compiled functions.
COMPILATIONS, COMPILATIONS_TILED = 4.0, 10.0


#: Evaluations that a stage's targets take: photo and painting go through the network, and not back.
TARGETS = 1.5


#: Each region has Gram matrices of its own: this part of an evaluation.
REGION = 0.12


#: Sides in pixels of the pictures of the trial.
TRIALS = (128, 256)


#: A tile's halo is evaluated with it, and its features twice, once in each pass: this much longer
#: for a pixel of its crop.
TILED = 1.4


def estimate(
    extractor: Callable[[Any], Features],
    shapes: Sequence[Sequence[int]],
    stages: Sequence[StageSettings],
    plans: Sequence[Plan],
    precision: str = "float32",
    regions: int = 0,
    elapsed: float = 0.0,
) -> str:
    """One line on what the run will take: "about 1:20 and 1.4 GB of memory".

    The time is told from short evaluations of a small and a larger picture: a fixed part, and one
    for each pixel.

    Args:
        extractor: The network.
        shapes: H x W x 3 of each stage.
        stages: The settings of each stage.
        plans: The Plan of each stage.
        precision: Of the network's convolutions.
        regions: The number of regions with styles of their own.
        elapsed: Seconds that the run took before.
    """
    started = time.perf_counter()
    largest = max(max(shape[:2]) for shape in shapes)
    trials = [_trial(extractor, side) for side in TRIALS if side <= max(largest, TRIALS[0])]
    fixed, each, compilation = _fitted(trials)
    seconds = elapsed + time.perf_counter() - started
    for shape, stage, planned in zip(shapes, stages, plans):
        tiles, pixels = _evaluated(shape, planned.tiling)
        evaluations = EVALUATIONS * stage.steps + TARGETS
        seconds += (COMPILATIONS_TILED if planned.tiling.tile else COMPILATIONS) * compilation
        seconds += evaluations * (tiles * fixed + pixels * each) * (1 + REGION * regions)
    last = plans[-1]
    notes = [f"convolutions in {precision}"] * (precision != "float32")
    notes += [f"in tiles of {last.tiling.tile} pixels"] * bool(last.tiling.tile)
    notes += [f"L-BFGS's history cut to {last.corrections}"] * (
        is_lbfgs(last.optimizer) and last.corrections < CORRECTIONS
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


def _trial(extractor: Callable[[Any], Features], side: int) -> tuple[int, float, float]:
    """(pixels, seconds of an evaluation, seconds to compile it) of a square picture."""
    started = time.perf_counter()
    probe = Evaluator(
        extractor,
        {"style": lambda f: sum(ops.mean(ops.square(gram_matrix(a))) for a in f.values())},
        {"style": 1.0},
        (1, side, side, 3),
    )
    x = np.zeros((1, side, side, 3), "float32")
    times = []
    for i in range(3):  # the first one includes the start of the backend's threads
        times.append(time.perf_counter())
        (loss, _), _ = probe.on_device(ops.convert_to_tensor(x + i))
        float(loss)  # a GPU answers before it has computed
    times.append(time.perf_counter())
    seconds = min(after - before for before, after in itertools.pairwise(times))
    return side * side, seconds, times[1] - started - seconds


def _fitted(trials: Sequence[tuple[int, float, float]]) -> tuple[float, float, float]:
    """(fixed seconds of an evaluation, those for each pixel, those to compile) of trials."""
    compilation = min(trial[2] for trial in trials)
    (few, fast, _), (many, slow, _) = trials[0], trials[-1]
    if len(trials) == 1:
        return 0.0, fast / few, compilation
    each = max(slow - fast, 0.5 * slow) / (many - few)
    return max(0.0, fast - each * few), each, compilation


def _evaluated(shape: Sequence[int], tiling: Tiling) -> tuple[int, float]:
    """(tiles, pixels) that one evaluation of the picture takes, the tiles' halos included."""
    if tiling.tile is None:
        return 1, shape[0] * shape[1]
    tiles = tiling.tiles(*shape[:2])
    sides = [(rows.stop - rows.start, columns.stop - columns.start) for (rows, columns), _ in tiles]
    return len(tiles), TILED * sum(height * width for height, width in sides)
