"""SciPy's L-BFGS in one run, picked up where its line search fails."""

import math

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from .status import INTERRUPTED, STOPPED

#: Corrections that L-BFGS remembers, at most; each takes two float64 copies of the picture. 20 end
#: at a loss 0.3 % lower after 50 steps, but take longer over each.
MEMORY = 10


#: Root mean square, in grey levels, of the first step that L-BFGS tries.
FIRST_STEP = 2.0


#: A pixel one grey level out of its bounds is pulled back as hard as this part of the average
#: pixel's first gradient.
STIFFNESS = 0.25


def lbfgs(evaluator, x, steps, bounds=None, callback=None, memory=MEMORY):
    """Minimise evaluator(x) by L-BFGS from x.

    Gatys et al. 2016 use L-BFGS and find it best; so do we, without the restarts every 20
    evaluations that many programs copied, which throw its memory away. SciPy's tolerances are off:
    they are made for losses of order 1, and we stop by steps. A line search that fails (the noise
    of float32 or bfloat16 gradients can do that long before the minimum) is not the end: the run
    starts again from the best x. Where that fails too, a plain step down the gradient is tried;
    only where that finds no lower loss either is there no descent left at this precision.

    Bounds are kept by a penalty, see Bounded: SciPy's own cost it more than everything else it
    does, as they make Python objects of all pixels and sort them at each step.

    Args:
        evaluator: x -> (loss, gradient).
        x: where to start; any shape, it is flattened.
        steps: iterations.
        bounds: (lower, upper), each broadcast to x, or None.
        callback: called after each step with an OptimizeResult of x, a copy, and fun. StopIteration
            ends the run.
        memory: corrections that L-BFGS remembers; each takes two float64 copies of the picture.

    Returns:
        (x, message): the x of least loss, a float64 vector, and why the run ended. Also after
        Ctrl-C.
    """
    start = _start(x, bounds)
    problem = Bounded(evaluator, start.shape, bounds)
    best = {"x": start.ravel(), "fun": np.inf}
    done = 0

    def after_step(intermediate_result):
        nonlocal done
        done += 1
        here = OptimizeResult(x=problem.pixels(intermediate_result.x), fun=problem.loss)
        if here.fun <= best["fun"]:
            best.update(here)
        if callback is not None:
            callback(OptimizeResult(x=here.x.copy(), fun=here.fun))

    message = "all steps done"
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
                    "maxcor": memory,
                    "ftol": 0,
                    "gtol": 0,
                },
            )
            if result.status == 99:  # the callback raised StopIteration
                message = STOPPED
                break
            if done < steps and not best["fun"] < before:
                x = _step_down(evaluator, best["x"], problem.clip)
                if x is None:
                    message = (
                        f"converged after {done} of {steps} steps: no descent left at this"
                        " precision"
                    )
                    break
                best.update(x=x, fun=evaluator(x)[0])
    except KeyboardInterrupt:
        message = INTERRUPTED
    return best["x"], message


class Bounded:
    """evaluator(x) for x within bounds, as a function of a free z: f(clip(u z)) + mu/2 |u z -
    clip(u z)|^2.

    Its minimum is the bounded one's, and no pixel that the evaluator or a callback sees is ever out
    of bounds. The unit u is such that SciPy's first step, of length 1 in z, changes the pixels by
    FIRST_STEP on average, rather than all of them together by one grey level, from which its line
    search would need half a dozen evaluations to get anywhere.
    """

    def __init__(self, evaluator, shape, bounds):
        self._evaluator, self._mu = evaluator, None
        # of one row of the picture, not of one pixel: NumPy works on long rows several times as
        # fast
        self._bounds = bounds and [np.broadcast_to(bound, shape[-2:]).ravel() for bound in bounds]
        self.unit, self.loss = FIRST_STEP * max(1, math.prod(shape)) ** 0.5, None

    def clip(self, x):
        return (
            x
            if self._bounds is None
            else np.clip(x.reshape(-1, len(self._bounds[0])), *self._bounds).ravel()
        )

    def pixels(self, z):
        return self.clip(self.unit * z)

    def __call__(self, z):
        free = self.unit * z
        x = self.clip(free)
        self.loss, grad = self._evaluator(x)
        if self._bounds is None:
            return self.loss, self.unit * grad
        if self._mu is None:
            self._mu = STIFFNESS * np.sqrt(np.mean(np.square(grad)))
        outside = free - x
        grad = np.where(outside == 0, grad, self._mu * outside)
        return (
            self.loss + self._mu / 2 * np.square(outside).sum(),
            self.unit * grad,
        )  # np.dot's threads would wait for SciPy's


def _start(x, bounds):
    """A float64 copy of x within its bounds, of its shape."""
    x = np.array(x, "float64")
    return x if bounds is None else np.clip(x, *bounds)


def _step_down(evaluator, x, clip):
    """A lower point down the gradient, its largest change 16 grey levels or less; None where there
    is none.
    """
    loss, grad = evaluator(x)
    for length in (16, 4, 1, 1 / 4, 1 / 16):
        lower = clip(x - length * grad / max(abs(grad).max(), 1e-300))
        if evaluator(lower)[0] < loss:
            return lower
    return None
