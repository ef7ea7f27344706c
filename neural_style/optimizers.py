"""Optimisers of the pixels: SciPy's L-BFGS in one run, picked up where its line search fails; Keras' Adam and SGD."""
import keras
import numpy as np
from scipy.optimize import OptimizeResult, minimize

INTERRUPTED = "interrupted"
STOPPED = "stopped by the callback"
#: Corrections that L-BFGS remembers, at most; each takes two float64 copies of the picture. 20 end at a loss 0.3 % lower
#: after 50 steps, but take longer over each.
MEMORY = 10

OPTIMIZERS = ("lbfgs", "adam", "sgd")
#: In grey levels a step for Adam, which divides by the gradient's size. SGD's depends on the loss: this one suits
#: transfer()'s relative errors.
LEARNING_RATES = {"adam": 10.0, "sgd": 3e3}


def optimize(evaluator, x, steps, bounds=None, callback=None, optimizer="lbfgs", learning_rate=None, memory=MEMORY):
    """Minimise evaluator(x) from x: lbfgs(...) or gradient_descent(...), by name."""
    if optimizer == "lbfgs":
        return lbfgs(evaluator, x, steps, bounds, callback, memory)
    return gradient_descent(evaluator, x, steps, bounds, callback, optimizer, learning_rate)


def lbfgs(evaluator, x, steps, bounds=None, callback=None, memory=MEMORY):
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
        callback: called after each step with an OptimizeResult of x, a copy, and fun. StopIteration ends the run.
        memory: corrections that L-BFGS remembers; each takes two float64 copies of the picture.

    Returns:
        (x, message): the x of least loss, a float64 vector, and why the run ended. Also after Ctrl-C.
    """
    start = _start(x, bounds)
    if bounds is not None:
        bounds = np.column_stack([np.broadcast_to(bound, start.shape).ravel() for bound in bounds]).astype("float64")
    best = {"x": start.ravel(), "fun": np.inf}
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
                              options={"maxiter": steps - done, "maxfun": 20 * steps, "maxcor": memory, "ftol": 0, "gtol": 0})
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


def gradient_descent(evaluator, x, steps, bounds=None, callback=None, optimizer="adam", learning_rate=None):
    """Minimise evaluator(x) by keras.optimizers' Adam, or SGD with momentum 0.9, from x.

    One step is one evaluation; bounds are kept by clipping. Arguments and result are those of lbfgs, and

        optimizer: "adam" or "sgd".
        learning_rate: None for LEARNING_RATES.
    """
    start = _start(x, bounds)
    rate = float(LEARNING_RATES[optimizer] if learning_rate is None else learning_rate)
    method = keras.optimizers.Adam(rate) if optimizer == "adam" else keras.optimizers.SGD(rate, momentum=0.9)
    pixels = keras.Variable(start, dtype="float32")
    method.build([pixels])
    x = start.ravel()
    best = {"x": x, "fun": np.inf}
    message = f"all {steps} steps done"
    try:
        for _ in range(steps):
            loss, grad = evaluator(x)
            if loss <= best["fun"]:
                best.update(x=x, fun=loss)
            if callback is not None:
                callback(OptimizeResult(x=x.copy(), fun=loss))
            method.apply([keras.ops.convert_to_tensor(grad.reshape(start.shape), "float32")], [pixels])
            if bounds is not None:
                pixels.assign(keras.ops.clip(pixels, *bounds))
            x = keras.ops.convert_to_numpy(pixels).astype("float64").ravel()
    except StopIteration:
        message = STOPPED
    except KeyboardInterrupt:
        message = INTERRUPTED
    return best["x"], message


def _start(x, bounds):
    """A float64 copy of x within its bounds, of its shape."""
    x = np.array(x, "float64")
    return x if bounds is None else np.clip(x, *bounds)


def _step_down(evaluator, x, bounds):
    """A lower point down the gradient, its largest change 16 grey levels or less; None where there is none."""
    loss, grad = evaluator(x)
    for length in (16, 4, 1, 1 / 4, 1 / 16):
        lower = x - length * grad / max(abs(grad).max(), 1e-300)
        lower = lower if bounds is None else np.clip(lower, *bounds.T)
        if evaluator(lower)[0] < loss:
            return lower
    return None
