"""The optimizer of a name."""

from .descent import gradient_descent
from .lbfgs import MEMORY, lbfgs

OPTIMIZERS = ("lbfgs", "adam", "sgd")


def optimize(
    evaluator,
    x,
    steps,
    bounds=None,
    callback=None,
    optimizer="lbfgs",
    learning_rate=None,
    memory=MEMORY,
):
    """Minimise evaluator(x) from x: lbfgs(...) or gradient_descent(...), by name."""
    if optimizer == "lbfgs":
        return lbfgs(evaluator, x, steps, bounds, callback, memory)
    return gradient_descent(evaluator, x, steps, bounds, callback, optimizer, learning_rate)
