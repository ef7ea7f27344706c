"""Gradient descent by Keras' optimizers."""

import keras
import numpy as np
from scipy.optimize import OptimizeResult

from .lbfgs import _start
from .status import INTERRUPTED, STOPPED

#: In grey levels a step for Adam, which divides by the gradient's size. SGD's depends on the loss:
#: this one suits transfer()'s relative errors.
LEARNING_RATES = {"adam": 10.0, "sgd": 3e3}


def gradient_descent(
    evaluator, x, steps, bounds=None, callback=None, optimizer="adam", learning_rate=None
):
    """Minimise evaluator(x) by keras.optimizers' Adam, or SGD with momentum 0.9, from x.

    One step is one evaluation; bounds are kept by clipping. Arguments and result are those of
    lbfgs, and

        optimizer: "adam" or "sgd".
        learning_rate: None for LEARNING_RATES.
    """
    start = _start(x, bounds)
    rate = float(LEARNING_RATES[optimizer] if learning_rate is None else learning_rate)
    method = (
        keras.optimizers.Adam(rate)
        if optimizer == "adam"
        else keras.optimizers.SGD(rate, momentum=0.9)
    )
    pixels = keras.Variable(start, dtype="float32")
    method.build([pixels])
    x = start.ravel()
    best = {"x": x, "fun": np.inf}
    message = "all steps done"
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
        message = STOPPED
    except KeyboardInterrupt:
        message = INTERRUPTED
    return best["x"], message
