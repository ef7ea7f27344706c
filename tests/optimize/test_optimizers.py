"""Both kinds of L-BFGS: ours on the device, and SciPy's."""

import importlib
import itertools

import keras
import numpy as np
import pytest
from helpers import needs_float64
from scipy.optimize import minimize, rosen, rosen_der

from neural_style.optimize.lbfgs import lbfgs
from neural_style.optimize.line_search import CURVATURE, DECREASE, MOST, LineSearch
from neural_style.optimize.scipy_lbfgs import scipy_lbfgs
from neural_style.optimize.status import DONE, INTERRUPTED, STOPPED, Status

both = pytest.mark.parametrize(
    "lbfgs",
    [pytest.param(lbfgs, marks=needs_float64, id="lbfgs"), pytest.param(scipy_lbfgs, id="scipy")],
)


def rosenbrock(x):
    return rosen(x), rosen_der(x)


def quadratic(count, decades):
    """A quadratic function of that many numbers, its curvatures from 1 to 10^decades."""
    rng = np.random.default_rng(0)
    turned = np.linalg.qr(rng.normal(size=(count, count)))[0]
    A, b = turned * np.logspace(0, decades, count) @ turned.T, rng.normal(size=count)
    return lambda x: (x @ A @ x / 2 - b @ x, A @ x - b)


@needs_float64
@pytest.mark.parametrize(
    "function, start",
    [
        (rosenbrock, np.array([-1.2, 1.0])),
        (rosenbrock, np.tile([-1.2, 1.0], 50)),
        (quadratic(50, 3), np.zeros(50)),
        (quadratic(200, 2), np.zeros(200)),
    ],
    ids=["rosenbrock2", "rosenbrock100", "quadratic50", "quadratic200"],
)
def test_as_few_evaluations_as_scipy(function, start, monkeypatch):
    """To a gradient of 1e-5, in float64, from SciPy's first step: at most 1.1 times as many."""
    module = importlib.import_module("neural_style.optimize.objective")
    monkeypatch.setattr(module, "FIRST_STEP", 1 / len(start) ** 0.5)
    evaluations = []

    def counted(x):
        evaluations.append(1)
        return function(x)

    def near(here):
        if np.abs(function(here.x)[1]).max() < 1e-5:
            raise StopIteration

    options = {"maxcor": 10, "ftol": 0, "gtol": 1e-5, "maxiter": 3000, "maxfun": 9000}
    theirs = minimize(function, start, jac=True, method="L-BFGS-B", options=options)
    x, outcome = lbfgs(counted, start, 3000, callback=near)
    assert outcome == STOPPED
    assert function(x)[0] == pytest.approx(theirs.fun, abs=1e-9)
    assert len(evaluations) <= 1.1 * theirs.nfev


def test_a_search_ends_where_the_wolfe_conditions_hold():
    """Of functions of one number, from short and long first steps."""
    for value, slope in [
        (lambda t: (t - 3) ** 2, lambda t: 2 * (t - 3)),
        (lambda t: t**4 - 8 * t, lambda t: 4 * t**3 - 8),
        (lambda t: -t / (t * t + 2), lambda t: (t * t - 2) / (t * t + 2) ** 2),  # More, Thuente 1994
        (lambda t: (t + 0.004) ** 5 - 2 * (t + 0.004) ** 4,
         lambda t: 5 * (t + 0.004) ** 4 - 8 * (t + 0.004) ** 3),
    ]:  # fmt: skip
        for first in (1e-3, 0.1, 1.0, 10.0, 1e3):
            search, count = LineSearch(value(0.0), slope(0.0), first), 0
            while not search.found:
                assert not search.failed
                search.take(value(search.step), slope(search.step))
                count += 1
            assert value(search.step) <= value(0.0) + DECREASE * search.step * slope(0.0)
            assert abs(slope(search.step)) <= CURVATURE * abs(slope(0.0))
            assert count <= MOST


def test_a_search_comes_back_from_where_the_loss_is_not_finite():
    search = LineSearch(1.0, -1.0, 1e6)
    while not search.found:
        finite = search.step < 3
        assert not search.failed
        search.take((search.step - 1) ** 2 if finite else np.inf, 2 * (search.step - 1))
    assert search.step < 3


def test_one_read_an_evaluation_and_one_or_two_a_step(tiny, monkeypatch):
    """The picture itself is read once, at the end; a few numbers for each evaluation, and the
    products with the memory twice a step.
    """
    from helpers import picture

    from neural_style import Evaluator, preprocess
    from neural_style.losses import style_loss
    from neural_style.optimize import objective

    style = tiny.model(preprocess(picture(32, 24, 1)))
    evaluator = Evaluator(
        tiny.model, {"style": style_loss(style, tiny.layers)}, {"style": 1.0}, (1, 24, 32, 3)
    )
    evaluations, reads = [], []
    real, read = evaluator.on_device, keras.ops.convert_to_numpy
    monkeypatch.setattr(evaluator, "on_device", lambda x: evaluations.append(1) or real(x))

    def counted(tensor):
        reads.append(int(np.prod(tensor.shape)))
        return read(tensor)

    monkeypatch.setattr(objective.ops, "convert_to_numpy", counted)
    x = preprocess(picture(24, 32, 2))
    lbfgs(evaluator, x, 20, (np.full(3, -120.0), np.full(3, 130.0)))
    assert sum(size == x.size for size in reads) == 1
    assert max(size for size in reads if size != x.size) <= 20
    assert len(reads) <= len(evaluations) + 2 * 20 + 1


@needs_float64
def test_from_its_memory_a_run_goes_on_to_the_last_bit():
    bounds = np.full(20, -1.5), np.full(20, 0.9)
    start = np.random.default_rng(0).normal(size=20)
    seen, memories = [], []

    def keep(here):
        seen.append(here.x)
        memories.append(here.memory())

    lbfgs(rosenbrock, start, 30, bounds, keep)
    for step in (0, 3, 17):
        again = []
        lbfgs(rosenbrock, seen[step], 29 - step, bounds, again.append, memory=memories[step])
        np.testing.assert_array_equal([here.x for here in again], seen[step + 1 :])


@both
def test_finds_the_minimum_in_one_run_and_reports_each_step(lbfgs):
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


@both
def test_steps_are_kept_and_told(lbfgs):
    count = []
    _, outcome = lbfgs(
        rosenbrock, np.zeros(20), 7, callback=lambda intermediate_result: count.append(1)
    )
    assert len(count) == 7 and outcome == DONE


@both
def test_bounds_hold_at_every_step_and_clip_the_start(lbfgs):
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


@both
def test_a_failed_line_search_is_not_the_end(lbfgs):
    """From each of these starts SciPy gives up early, from one of them at once; we go on."""
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


@both
@pytest.mark.slow
def test_a_noisy_gradient_of_a_network_does_not_end_a_stage_early(lbfgs, tiny):
    """Loss and gradient as inexact as bfloat16 makes them, and more: SciPy alone gives up, we make
    every step.
    """
    from helpers import picture

    from neural_style import Evaluator, preprocess
    from neural_style.losses import style_loss

    style = tiny.model(preprocess(picture(32, 24, 1)))
    evaluator = Evaluator(
        tiny.model, {"style": style_loss(style, tiny.layers)}, {"style": 1.0}, (1, 24, 32, 3)
    )

    def noise(seed):
        def noisy(x):
            loss, grad = evaluator(x)
            bits = int(np.abs(x).astype("float32").view("uint32").sum())
            rng = np.random.default_rng([seed, bits])  # the same noise for the same x
            return loss * (1 + rng.normal(0, 0.01)), grad + rng.normal(
                0, np.abs(grad).mean(), grad.shape
            )

        return noisy

    start = preprocess(picture(24, 32, 2)).ravel().astype("float64")
    for seed in range(20):  # on which noise SciPy gives up, the processor's last bits decide
        alone = minimize(
            noise(seed),
            start,
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": 60, "ftol": 0, "gtol": 0},
        )
        if alone.nit < 10 and evaluator(alone.x)[0] > 0.9 * evaluator(start)[0]:
            break
    else:
        pytest.fail("no noise on which SciPy alone gives up")
    steps = []
    x, outcome = lbfgs(noise(seed), start, 60, callback=steps.append)
    assert evaluator(x)[0] < 1e-3 * evaluator(start)[0]
    assert outcome == DONE and len(steps) == 60


@both
def test_a_wrong_gradient_ends_the_run_and_says_so(lbfgs):
    x, outcome = lbfgs(lambda x: (rosen(x), -rosen_der(x)), np.zeros(5), 50)
    assert "converged after 0 of 50" in outcome.message
    np.testing.assert_array_equal(x, 0)


@both
def test_where_nothing_descends_the_start_is_the_result(lbfgs):
    x, outcome = lbfgs(lambda x: (1.0, np.zeros(5)), np.arange(5.0), 50)
    assert outcome.status is Status.CONVERGED
    np.testing.assert_array_equal(x, np.arange(5.0))


@both
def test_the_callback_can_stop_and_an_interrupt_keeps_the_best(lbfgs):
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


@both
def test_other_errors_are_not_swallowed(lbfgs):
    def broken(x):
        raise FloatingPointError("the loss is not finite")

    with pytest.raises(FloatingPointError, match="not finite"):
        lbfgs(broken, np.zeros(3), 10)
