"""Gradient descent by Keras' optimizers."""

import keras
import numpy as np
import pytest

from neural_style import optimize
from neural_style.optimize.descent import gradient_descent


def noisy_slope():
    """A quadratic whose gradient is wrong by a noise that is the same in each run."""
    rng = np.random.default_rng(0)
    target = np.array([30.0, -20.0, 5.0])

    def evaluate(x):
        x = np.asarray(x, "float64")
        error = x - target
        return float(error @ error), 2 * error + rng.normal(0, 20, 3)

    return evaluate, target


@pytest.mark.parametrize("bounds", [None, (-10.0, 25.0)])
def test_the_average_of_the_iterates(bounds):
    """With use_ema, the result is sum_k d^(n-k) x_k / sum_k d^(n-k) of the very iterates that a run
    without it goes through."""
    start, steps, decay = np.zeros(3), 12, 0.8

    def run(steps, **options):
        seen = []
        evaluate, _ = noisy_slope()
        found, outcome = gradient_descent(
            evaluate,
            start,
            steps,
            bounds,
            lambda intermediate_result: seen.append(np.array(intermediate_result.x)),
            keras.optimizers.Adam(4.0, **options),
        )
        assert outcome == optimize.status.DONE
        return found, seen

    _, iterates = run(steps + 1)  # the callback tells x before each step: one more step, one more x
    average, seen = run(steps, use_ema=True, ema_momentum=decay)
    np.testing.assert_allclose(seen, iterates[:-1], rtol=1e-6)
    shares = decay ** np.arange(steps, -1, -1.0)
    expected = (shares[:, None] * iterates).sum(axis=0) / shares.sum()
    np.testing.assert_allclose(average, expected, rtol=1e-5)


def test_an_average_of_no_step_is_the_start():
    evaluate, _ = noisy_slope()
    start = np.array([1.0, 2.0, 3.0])
    optimizer = keras.optimizers.Adam(4.0, use_ema=True)
    found, _ = gradient_descent(evaluate, start, 0, optimizer=optimizer)
    np.testing.assert_array_equal(found, start)
