import itertools

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

from neural_style.optimize.lbfgs import lbfgs
from neural_style.optimize.status import DONE, INTERRUPTED, STOPPED, Status


def rosenbrock(x):
    return rosen(x), rosen_der(x)


def test_finds_the_minimum_in_one_run_and_reports_each_step():
    seen = []
    x, outcome = lbfgs(
        rosenbrock,
        np.zeros(20),
        500,
        callback=lambda intermediate_result: seen.append(intermediate_result),
    )
    np.testing.assert_allclose(x, 1, atol=1e-6)
    assert outcome.status is Status.CONVERGED and "converged" in outcome.message and len(seen) < 500
    funs = [result.fun for result in seen]
    assert all(b <= a for a, b in itertools.pairwise(funs))
    assert (
        len({result.x.tobytes() for result in seen[:20]}) == 20
    )  # copies, not SciPy's one live array


def test_steps_are_kept_and_told():
    count = []
    _, outcome = lbfgs(
        rosenbrock, np.zeros(20), 7, callback=lambda intermediate_result: count.append(1)
    )
    assert len(count) == 7 and outcome == DONE


def test_bounds_hold_at_every_step_and_clip_the_start():
    lower, upper = np.array([-0.5, -2.0]), np.array([0.5, 2.0])
    seen = []
    x, _ = lbfgs(
        rosenbrock,
        np.array([[5.0, 5.0]]),
        50,
        (lower, upper),
        lambda intermediate_result: seen.append(intermediate_result.x),
    )
    assert all((lower <= x).all() and (x <= upper).all() for x in seen)
    np.testing.assert_allclose(
        x, [0.5, 0.25], atol=1e-6
    )  # the minimum of Rosenbrock's function for x <= 0.5


def coarse(x):
    """Rosenbrock's function and gradient in units of 100, both rounded to six bits of mantissa, as
    low precision does.
    """

    def rounded(value):
        mantissa, exponent = np.frexp(value)
        return np.ldexp(np.round(mantissa * 64) / 64, exponent)

    return float(rounded(rosen(x / 100))), rounded(rosen_der(x / 100) / 100)


def test_a_failed_line_search_is_not_the_end():
    """From each of these starts SciPy gives up early, from one of them at once; we go on."""
    from scipy.optimize import minimize

    for seed in range(4):
        start = np.random.default_rng(seed).normal(0, 50, 50)
        alone = minimize(
            coarse,
            start,
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": 300, "ftol": 0, "gtol": 0},
        )
        assert alone.status == 2 and alone.nit < 20
        x, _ = lbfgs(coarse, start, 300)
        assert coarse(x)[0] <= alone.fun
        if alone.nit == 0:
            assert coarse(x)[0] < 0.5 * alone.fun
            return
    pytest.fail("no start where SciPy alone gives up at once")


@pytest.mark.slow
def test_a_noisy_gradient_of_a_network_does_not_end_a_stage_early(tiny):
    """Loss and gradient as inexact as bfloat16 makes them, and more: SciPy alone gives up, we make
    every step.
    """
    from helpers import picture
    from scipy.optimize import minimize

    from neural_style import Evaluator, preprocess
    from neural_style.losses import style_loss

    style = tiny.model(preprocess(picture(32, 24, 1)))
    evaluator = Evaluator(
        tiny.model, {"style": style_loss(style, tiny.layers)}, {"style": 1.0}, (1, 24, 32, 3)
    )

    def noisy(x):
        loss, grad = evaluator(x)
        rng = np.random.default_rng(
            np.abs(x).astype("float32").view("uint32").sum()
        )  # the same noise for the same x
        return loss * (1 + rng.normal(0, 0.01)), grad + rng.normal(
            0, np.abs(grad).mean(), grad.shape
        )

    start = preprocess(picture(24, 32, 2)).ravel().astype("float64")
    alone = minimize(
        noisy, start, jac=True, method="L-BFGS-B", options={"maxiter": 60, "ftol": 0, "gtol": 0}
    )
    assert alone.nit < 10 and evaluator(alone.x)[0] > 0.9 * evaluator(start)[0]
    steps = []
    x, outcome = lbfgs(noisy, start, 60, callback=steps.append)
    assert evaluator(x)[0] < 1e-3 * evaluator(start)[0]
    assert outcome == DONE and len(steps) == 60


def test_a_wrong_gradient_ends_the_run_and_says_so():
    x, outcome = lbfgs(lambda x: (rosen(x), -rosen_der(x)), np.zeros(5), 50)
    assert "converged after 0 of 50" in outcome.message
    np.testing.assert_array_equal(x, 0)


def test_the_callback_can_stop_and_an_interrupt_keeps_the_best():
    def stop_at(count, signal):
        seen = []

        def callback(intermediate_result):
            seen.append(intermediate_result)
            if len(seen) == count:
                raise signal

        return seen, callback

    for signal, expected in [(StopIteration, STOPPED), (KeyboardInterrupt, INTERRUPTED)]:
        seen, callback = stop_at(5, signal)
        x, outcome = lbfgs(rosenbrock, np.zeros(20), 100, callback=callback)
        assert outcome == expected and rosen(x) == seen[-1].fun < rosen(np.zeros(20))


def test_other_errors_are_not_swallowed():
    def broken(x):
        raise FloatingPointError("the loss is not finite")

    with pytest.raises(FloatingPointError, match="not finite"):
        lbfgs(broken, np.zeros(3), 10)
