"""Gradient descent by Keras' optimizers."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from scipy.optimize import OptimizeResult

from .._shared.types import Bounds, Objective
from .lbfgs import start_within
from .status import DONE, INTERRUPTED, STOPPED, Outcome

#: In gray levels a step for Adam, which divides by the gradient's size. SGD's depends on the loss:
#: this one suits transfer()'s relative errors.
LEARNING_RATES = {"adam": 10.0, "sgd": 3e3}


def gradient_descent(
    evaluator: Objective,
    x: np.ndarray,
    steps: int,
    bounds: Bounds = None,
    callback: Callable[[OptimizeResult], None] | None = None,
    optimizer: Any = "adam",
    learning_rate: float | None = None,
) -> tuple[np.ndarray, Outcome]:
    """Minimize evaluator(x) from x by an optimizer of Keras.

    One step is one evaluation. Bounds are kept by clipping.

    Args:
        evaluator: x -> (loss, gradient).
        x: Where to start. Any shape; it is flattened.
        steps: Iterations.
        bounds: (lower, upper), each broadcast to x, or None.
        callback: Called after each step with an OptimizeResult of x, a copy, and fun.
            StopIteration ends the run.
        optimizer: "adam", "sgd" (with momentum 0.9), or a keras.optimizers.Optimizer. A fresh copy
            of it is used, without the state of earlier runs.
        learning_rate: For "adam" and "sgd"; None for LEARNING_RATES.

    Returns:
        (x, Outcome): the x of least loss, a float64 vector, and why the run ended. Also after
        Ctrl-C.
    """
    start = start_within(x, bounds)
    method = _method(optimizer, learning_rate)
    pixels = keras.Variable(start, dtype="float32")
    method.build([pixels])
    x = start.ravel()
    best: dict[str, Any] = {"x": x, "fun": np.inf}
    outcome = DONE
    try:
        for _ in range(steps):
            loss, grad = evaluator(x)
            if loss <= best["fun"]:
                best.update(x=x, fun=loss)
            if callback is not None:
                callback(OptimizeResult(x=x.copy(), fun=loss))
            method.apply(
                [keras.ops.convert_to_tensor(grad.reshape(start.shape), "float32")], [pixels]
            )
            if bounds is not None:
                pixels.assign(keras.ops.clip(pixels, *bounds))
            x = keras.ops.convert_to_numpy(pixels).astype("float64").ravel()
    except StopIteration:
        outcome = STOPPED
    except KeyboardInterrupt:
        outcome = INTERRUPTED
    return best["x"], outcome


def _method(optimizer: Any, learning_rate: float | None) -> Any:
    """A new keras.optimizers.Optimizer."""
    if not isinstance(optimizer, str):
        return type(optimizer).from_config(optimizer.get_config())
    rate = float(LEARNING_RATES[optimizer] if learning_rate is None else learning_rate)
    if optimizer == "adam":
        return keras.optimizers.Adam(rate)
    return keras.optimizers.SGD(rate, momentum=0.9)
