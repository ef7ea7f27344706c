"""SciPy's L-BFGS in one run, picked up where its line search fails; the optimizer "scipy"."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from .._shared.types import Bounds, Objective
from .objective import CORRECTIONS, FIRST_STEP, STIFFNESS, start_within
from .status import DONE, INTERRUPTED, STOPPED, Outcome, Status


def scipy_lbfgs(
    evaluator: Objective,
    x: np.ndarray,
    steps: int,
    bounds: Bounds = None,
    callback: Callable[[OptimizeResult], None] | None = None,
    corrections: int = CORRECTIONS,
) -> tuple[np.ndarray, Outcome]:
    """Minimize evaluator(x) by SciPy's L-BFGS-B from x, in float64.

    It is what most published programs call. lbfgs does the same with the picture and its memory on
    the device, in a fifth of the memory and of the time beside the evaluations. There are no
    restarts every 20 evaluations, which throw its memory away. SciPy's tolerances are off:
    they are made for losses of order 1, and we stop by steps. A line search that fails is not the
    end: the noise of float32 or bfloat16 gradients can do that long before the minimum. The run
    starts again from the best x. Where that fails too, a plain step down the gradient is tried.
    Only where that finds no lower loss either is there no descent left at this precision.

    Bounds are kept by a penalty, see Bounded. SciPy's own bounds cost more than everything else
    that SciPy does: they make Python objects of all pixels and sort them at each step.

    Args:
        evaluator: x -> (loss, gradient).
        x: Where to start. Any shape; it is flattened.
        steps: Iterations.
        bounds: (lower, upper), each broadcast to x, or None.
        callback: Called after each step with an OptimizeResult of x, a copy, and fun.
            StopIteration ends the run.
        corrections: The number that L-BFGS remembers; each takes two float64 copies of the picture.

    Returns:
        (x, Outcome): the x of least loss, a float64 vector, and why the run ended. Also after
        Ctrl-C.
    """
    start = start_within(x, bounds)
    problem = Bounded(evaluator, start.shape, bounds)
    best: dict[str, Any] = {"x": start.ravel(), "fun": np.inf}
    done = 0

    def after_step(intermediate_result: OptimizeResult) -> None:
        nonlocal done
        done += 1
        here = OptimizeResult(x=problem.pixels(intermediate_result.x), fun=problem.loss)
        if here.fun <= best["fun"]:
            best.update(here)
        if callback is not None:
            callback(OptimizeResult(x=here.x.copy(), fun=here.fun))

    outcome = DONE
    try:
        while done < steps:
            before = best["fun"]
            result = minimize(
                problem,
                best["x"] / problem.unit,
                jac=True,
                method="L-BFGS-B",
                callback=after_step,
                options={
                    "maxiter": steps - done,
                    "maxfun": 20 * steps,
                    "maxcor": corrections,
                    "ftol": 0,
                    "gtol": 0,
                },
            )
            if result.status == 99:  # the callback raised StopIteration
                outcome = STOPPED
                break
            if done < steps and not best["fun"] < before:
                lower = _step_down(evaluator, best["x"], problem.clip)
                if lower is None:
                    outcome = Outcome(
                        Status.CONVERGED,
                        f"converged after {done} of {steps} steps: no descent left at this"
                        " precision",
                    )
                    break
                best.update(x=lower, fun=evaluator(lower)[0])
    except KeyboardInterrupt:
        outcome = INTERRUPTED
    return best["x"], outcome


class Bounded:
    """evaluator(x) for x within bounds, as a function of a free vector z.

        f(clip(u z)) + mu/2 |u z - clip(u z)|^2

    Its minimum is the bounded one's, and no pixel that the evaluator or a callback sees is ever out
    of bounds. The unit u is such that SciPy's first step, of length 1 in z, changes the pixels by
    FIRST_STEP on average. Without it, that step would change all of them together by one gray
    level, and the line search would need half a dozen evaluations to get anywhere.

    Args:
        evaluator: x -> (loss, gradient).
        shape: The picture's, 1 x H x W x 3.
        bounds: (lower, upper), each broadcast to x, or None.

    Attributes:
        unit: u.
        loss: The evaluator's loss at the last z, without the penalty.
    """

    def __init__(self, evaluator: Objective, shape: tuple[int, ...], bounds: Bounds) -> None:
        self._evaluator = evaluator
        self._mu: float | None = None
        # bounds of one row of the picture, not of one pixel: NumPy works several times as fast on
        # long rows
        self._bounds = bounds and [np.broadcast_to(bound, shape[-2:]).ravel() for bound in bounds]
        self.unit: float = FIRST_STEP * max(1, math.prod(shape)) ** 0.5
        self.loss = np.inf

    def clip(self, x: np.ndarray) -> np.ndarray:
        """x with each number moved into its bounds."""
        return (
            x
            if self._bounds is None
            else np.clip(x.reshape(-1, len(self._bounds[0])), *self._bounds).ravel()
        )

    def pixels(self, z: np.ndarray) -> np.ndarray:
        """The pixels that z stands for."""
        return self.clip(self.unit * z)

    def __call__(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        free = self.unit * z
        x = self.clip(free)
        self.loss, grad = self._evaluator(x)
        if self._bounds is None:
            return self.loss, self.unit * grad
        if self._mu is None:
            self._mu = STIFFNESS * np.sqrt(np.mean(np.square(grad)))
        outside = free - x
        grad = np.where(outside == 0, grad, self._mu * outside)
        penalty = self._mu / 2 * np.square(outside).sum()  # np.dot's threads would wait for SciPy's
        return self.loss + penalty, self.unit * grad


def _step_down(
    evaluator: Objective, x: np.ndarray, clip: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray | None:
    """A point of lower loss down the gradient, or None where there is none.

    Its largest change is 16 gray levels or less.
    """
    loss, grad = evaluator(x)
    for length in (16, 4, 1, 1 / 4, 1 / 16):
        lower = clip(x - length * grad / max(abs(grad).max(), 1e-300))
        if evaluator(lower)[0] < loss:
            return lower
    return None
