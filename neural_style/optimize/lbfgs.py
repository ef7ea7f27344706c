"""L-BFGS on the device: the picture, its gradient and the memory never leave it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from keras import ops
from scipy.optimize import OptimizeResult

from .._shared.types import Bounds, Objective
from .line_search import LineSearch
from .objective import CORRECTIONS, Point, Problem, first_step, start_within
from .pairs import Pairs
from .status import DONE, INTERRUPTED, STOPPED, Outcome, Status

#: A pair of changes is remembered where the slope along it grew by more than this part of it.
LEAST_CURVATURE = 1e-8


def lbfgs(
    evaluator: Objective,
    x: np.ndarray,
    steps: int,
    bounds: Bounds = None,
    callback: Callable[[OptimizeResult], None] | None = None,
    corrections: int = CORRECTIONS,
    memory: Mapping[str, np.ndarray] | None = None,
) -> tuple[np.ndarray, Outcome]:
    """Minimize evaluator(x) by L-BFGS from x (Nocedal and Wright 2006, section 7.2).

    Gatys et al. 2016 use L-BFGS and find it best; so do we, without the restarts every 20
    evaluations that many programs copied, which throw its memory away. There is no tolerance: we
    stop by steps. A line search that fails is not the end: the noise of float32 or bfloat16
    gradients can do that long before the minimum. The run goes on from the best x without memory.
    Where that fails too, a plain step down the gradient is tried. Only where that finds no lower
    loss either is there no descent left at this precision.

    Bounds are kept by a penalty, see Problem.

    Args:
        evaluator: An Evaluator, or a function x -> (loss, gradient).
        x: Where to start. Any shape; it is flattened.
        steps: Iterations.
        bounds: (lower, upper), each broadcast to x, or None.
        callback: Called after each step with an OptimizeResult of x, a copy, fun, the terms, and
            memory(), a function that reads what L-BFGS remembers. StopIteration ends the run.
        corrections: The number that L-BFGS remembers; each takes two copies of the picture.
        memory: What memory() gave after an earlier step: the run goes on just as that one would
            have, wherever x is.

    Returns:
        (x, Outcome): the x of least loss, a vector, and why the run ended. Also after Ctrl-C. x is
        float32 for an Evaluator, else float64.
    """
    problem = Problem(evaluator, np.shape(x), bounds)
    pairs = Pairs(corrections, memory)
    if memory is not None and np.isfinite(memory["stiffness"]):
        problem.stiffness = float(memory["stiffness"])
    free = problem.tensor(start_within(x, bounds).ravel() if memory is None else memory["free"])
    best: Point | None = None
    outcome, done = DONE, 0
    try:
        here = best = problem.point(free)
        while done < steps:
            ahead = _search(problem, here, pairs)
            if ahead is None and pairs.slots:
                pairs.forget()
                here = best
                continue
            ahead = ahead or _step_down(problem, best)
            if ahead is None:
                outcome = Outcome(
                    Status.CONVERGED,
                    f"converged after {done} of {steps} steps: no descent left at this precision",
                )
                break
            here, done = ahead, done + 1
            if here.loss <= best.loss:
                best, free = here, here.free
            if callback is not None:
                callback(problem.told(here, memory=pairs.reader(here.free, problem.stiffness)))
    except StopIteration:
        outcome = STOPPED
    except KeyboardInterrupt:
        outcome = INTERRUPTED
    return problem.pixels(free), outcome


def _search(problem: Problem, here: Point, pairs: Pairs) -> Point | None:
    """The next point along L-BFGS's direction, its pair remembered; None where there is none."""
    if not here.square > 0:
        return None
    direction = pairs.direction(here.grad)
    step = 1.0 if pairs.slots else first_step(here)
    search: LineSearch | None = None
    ahead: Point | None = None
    while search is None or not search.failed:
        step = step if search is None else search.step
        ahead = None  # its memory is free for the next one
        ahead = problem.ahead(here, step, direction)
        if search is None:
            if not ahead.before < 0:
                return None
            search = LineSearch(here.value, ahead.before, step)
        search.take(ahead.value, ahead.slope)
        if search.found:
            if ahead.slope - ahead.before > LEAST_CURVATURE * abs(ahead.before):
                pairs.remember(step, direction, here, ahead)
            return ahead
    return None


def _step_down(problem: Problem, here: Point) -> Point | None:
    """A point of lower loss down the gradient, or None where there is none.

    Its largest change is 16 gray levels or less.
    """
    largest = max(float(ops.max(ops.abs(here.grad))), 1e-30)
    for length in (16, 4, 1, 1 / 4, 1 / 16):
        ahead = problem.point(problem.clip(problem.clip(here.free) - length / largest * here.grad))
        if ahead.loss < here.loss:
            return ahead
    return None
