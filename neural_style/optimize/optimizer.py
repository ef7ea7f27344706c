"""The optimizer that a name, a Keras optimizer or a function stands for."""

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import keras
import numpy as np

from .._shared.types import Bounds, Objective
from .descent import gradient_descent
from .lbfgs import lbfgs
from .objective import CORRECTIONS
from .scipy_lbfgs import scipy_lbfgs
from .status import DONE, INTERRUPTED, STOPPED, Outcome

OPTIMIZERS = ("lbfgs", "scipy", "adam", "sgd")


class Optimizer(Protocol):
    """A function that minimizes evaluator(x) from x.

    It calls callback(scipy.optimize.OptimizeResult(x=..., fun=...)) after each step, which may
    raise StopIteration, and returns (x, Outcome). One of your own may return x alone.
    """

    def __call__(
        self,
        evaluator: Objective,
        x: np.ndarray,
        steps: int,
        bounds: Bounds,
        callback: Callable[[Any], None] | None,
    ) -> tuple[np.ndarray, Outcome]: ...


def check_optimizer(optimizer: object, learning_rate: float | None = None) -> None:
    """Raise unless `optimizer` is a known name, a keras.optimizers.Optimizer or a function.

    Raises:
        ValueError: An unknown name, or a learning rate beside an optimizer that has its own.
        TypeError: An object that cannot optimize.
    """
    if isinstance(optimizer, str) or not (_is_keras(optimizer) or callable(optimizer)):
        if optimizer not in OPTIMIZERS:
            kind: type[Exception] = ValueError if isinstance(optimizer, str) else TypeError
            raise kind(
                f"optimizer must be one of {OPTIMIZERS}, a keras.optimizers.Optimizer such as"
                " keras.optimizers.Lion(5.0), or a function of (evaluator, x, steps, bounds,"
                f" callback). Received: optimizer={optimizer!r:.200}"
            )
    elif isinstance(optimizer, type):
        raise TypeError(
            f"optimizer must be an instance, such as {optimizer.__name__}(). Received: the class"
        )
    elif learning_rate is not None:
        raise ValueError(
            "learning_rate goes with optimizer='adam' or 'sgd'; an optimizer of your own has its"
            f" own. Received: learning_rate={learning_rate!r}"
        )


def optimizer_of(
    optimizer: Any,
    learning_rate: float | None = None,
    corrections: int = CORRECTIONS,
    memory: Any = None,
) -> Optimizer:
    """The Optimizer that `optimizer` stands for.

    Args:
        optimizer: "lbfgs", "scipy" (SciPy's L-BFGS-B), "adam", "sgd", a
            keras.optimizers.Optimizer, or a function.
        learning_rate: For "adam" and "sgd"; None for descent.LEARNING_RATES.
        corrections: The number that L-BFGS remembers.
        memory: What "lbfgs" remembers from an earlier call, or None.
    """
    if isinstance(optimizer, str) and optimizer == "lbfgs":
        return partial(lbfgs, corrections=corrections, memory=memory)
    if isinstance(optimizer, str) and optimizer == "scipy":
        return partial(scipy_lbfgs, corrections=corrections)
    if isinstance(optimizer, str) or _is_keras(optimizer):
        return partial(gradient_descent, optimizer=optimizer, learning_rate=learning_rate)
    return partial(_by_function, optimizer)


def _is_keras(optimizer: object) -> bool:
    return isinstance(optimizer, keras.optimizers.Optimizer)


def _by_function(
    function: Callable[..., Any],
    evaluator: Objective,
    x: np.ndarray,
    steps: int,
    bounds: Bounds = None,
    callback: Any = None,
) -> tuple[np.ndarray, Outcome]:
    """Run a function of the caller's, and check what it returns.

    What a callback or Ctrl-C ends keeps the best x so far.
    """
    best: dict[str, Any] = {"x": x, "fun": np.inf}

    def after_step(intermediate_result: Any) -> None:
        if intermediate_result.fun <= best["fun"]:
            best.update(x=intermediate_result.x, fun=intermediate_result.fun)
        if callback is not None:
            callback(intermediate_result)

    try:
        result = function(evaluator, x, steps, bounds, after_step)
    except StopIteration:
        result = best["x"], STOPPED
    except KeyboardInterrupt:
        result = best["x"], INTERRUPTED
    found, outcome = result if isinstance(result, tuple) else (result, DONE)
    found = np.asarray(found, "float64").ravel()
    if found.size != np.size(x) or not isinstance(outcome, Outcome):
        raise TypeError(
            f"the optimizer must return x, {np.size(x)} numbers, or (x, Outcome). Received:"
            f" {found.size} numbers and {type(outcome).__name__}"
        )
    return found, outcome
