"""L-BFGS on the pixels, by SciPy, in one run; and what to do when its line search fails."""
import numpy as np
from scipy.optimize import minimize

INTERRUPTED = "interrupted"
STOPPED = "stopped by the callback"
#: Corrections that L-BFGS remembers. 20 to 50 gain 5 to 10 % over SciPy's 10, for 40 float64 copies of the picture.
MEMORY = 20


def lbfgs(evaluator, x, steps, bounds=None, callback=None):
    """Minimise evaluator(x) by L-BFGS from x.

    Gatys et al. 2016 use L-BFGS and find it best; so do we, without the restarts every 20 evaluations that many programs
    copied, which throw its memory away. SciPy's tolerances are off: they are made for losses of order 1, and we stop by
    steps. A line search that fails (the noise of float32 or bfloat16 gradients can do that long before the minimum) is not
    the end: the run starts again from the best x. Where that fails too, a plain step down the gradient is tried; only
    where that finds no lower loss either is there no descent left at this precision.

    Args:
        evaluator: x -> (loss, gradient).
        x: where to start; any shape, it is flattened.
        steps: iterations.
        bounds: (lower, upper), each broadcast to x, or None.
        callback: called after each step as callback(intermediate_result=OptimizeResult(x, fun)), x a copy.
            StopIteration ends the run.

    Returns:
        (x, message): the x of least loss, a float64 vector, and why the run ended. Also after Ctrl-C.
    """
    shape = np.shape(x)
    best = {"x": np.array(x, "float64").ravel(), "fun": np.inf}
    if bounds is not None:
        lower, upper = (np.broadcast_to(bound, shape).astype("float64").ravel() for bound in bounds)
        bounds = np.column_stack([lower, upper])
        best["x"] = np.clip(best["x"], lower, upper)
    done = 0

    def after_step(intermediate_result):
        nonlocal done
        done += 1
        intermediate_result.x = intermediate_result.x.copy()  # SciPy passes its live x
        if intermediate_result.fun <= best["fun"]:
            best.update(x=intermediate_result.x, fun=intermediate_result.fun)
        if callback is not None:
            callback(intermediate_result)

    message = f"all {steps} steps done"
    try:
        while done < steps:
            before = best["fun"]
            result = minimize(evaluator, best["x"], jac=True, method="L-BFGS-B", bounds=bounds, callback=after_step,
                              options={"maxiter": steps - done, "maxfun": 20 * steps, "maxcor": MEMORY, "ftol": 0, "gtol": 0})
            if result.status == 99:  # the callback raised StopIteration
                message = STOPPED
                break
            if done < steps and not best["fun"] < before:
                x = _step_down(evaluator, best["x"], bounds)
                if x is None:
                    message = f"converged after {done} of {steps} steps: no descent left at this precision"
                    break
                best.update(x=x, fun=evaluator(x)[0])
    except KeyboardInterrupt:
        message = INTERRUPTED
    return best["x"], message


def _step_down(evaluator, x, bounds):
    """A lower point down the gradient, its largest change 4 grey levels or less; None where there is none."""
    loss, grad = evaluator(x)
    for length in (4, 1, 1 / 4, 1 / 16):
        lower = x - length * grad / max(abs(grad).max(), 1e-300)
        lower = lower if bounds is None else np.clip(lower, *bounds.T)
        if evaluator(lower)[0] < loss:
            return lower
    return None
