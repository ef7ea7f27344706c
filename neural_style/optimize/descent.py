"""Gradient descent by Keras' optimizers."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops
from scipy.optimize import OptimizeResult

from .._shared.types import Bounds, Objective
from .objective import Point, Problem, start_within
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
            of it is used, without the state of earlier runs. With its use_ema=True, the average of
            the iterates is returned, by its ema_momentum; less grain than the last of them.
        learning_rate: For "adam" and "sgd"; None for LEARNING_RATES.

    Returns:
        (x, Outcome): the x of least loss, or the average, a vector, and why the run ended. Also
        after Ctrl-C. x is float32 for an Evaluator, else float64.
    """
    problem = Problem(evaluator, np.shape(x), None)
    within = Problem(evaluator, np.shape(x), bounds).clip
    method, average = _method(optimizer, learning_rate)
    first = problem.tensor(start_within(x, bounds).ravel())
    kind = keras.backend.standardize_dtype(first.dtype)
    pixels = keras.Variable(first, dtype=kind)
    method.build([pixels])
    if average is not None:
        average.add(pixels)
    best: Point | None = None
    outcome = DONE
    try:
        for _ in range(steps):
            here = problem.point(ops.stop_gradient(ops.copy(pixels)))
            if best is None or here.loss <= best.loss:
                best = here
            if callback is not None:
                callback(problem.told(here))
            method.apply([ops.cast(here.grad, kind)], [pixels])
            if bounds is not None:
                pixels.assign(within(pixels))
            if average is not None:
                average.add(pixels)
    except StopIteration:
        outcome = STOPPED
    except KeyboardInterrupt:
        outcome = INTERRUPTED
    if best is None:
        return problem.pixels(first), outcome
    return problem.pixels(best.free) if average is None else average.mean(), outcome


class _Average:
    """The exponential moving average of the iterates x_0 ... x_n.

    sum_k d^(n - k) x_k / sum_k d^(n - k)
    """

    def __init__(self, decay: float) -> None:
        self._decay = decay
        self._sum: Any = 0.0
        self._shares = 0.0

    def add(self, x: Any) -> None:
        self._sum = self._decay * self._sum + ops.copy(x)
        self._shares = self._decay * self._shares + 1.0

    def mean(self) -> np.ndarray:
        return ops.convert_to_numpy(self._sum) / self._shares


def _method(optimizer: Any, learning_rate: float | None) -> tuple[Any, _Average | None]:
    """A new keras.optimizers.Optimizer, and the average that it asks for."""
    if not isinstance(optimizer, str):
        settings = optimizer.get_config()
        average = _Average(settings["ema_momentum"]) if settings["use_ema"] else None
        return type(optimizer).from_config({**settings, "use_ema": False}), average
    rate = float(LEARNING_RATES[optimizer] if learning_rate is None else learning_rate)
    if optimizer == "adam":
        return keras.optimizers.Adam(rate), None
    return keras.optimizers.SGD(rate, momentum=0.9), None
