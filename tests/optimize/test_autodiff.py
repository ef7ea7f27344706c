"""Gradients and compiled functions, the same on each backend."""

import keras
import numpy as np
import pytest
from keras import KerasTensor, ops

from neural_style.optimize.autodiff import compiled, pullback, specs_of, value_and_grad, with_row


def tensors(*arrays):
    return [ops.convert_to_tensor(np.asarray(array, "float32")) for array in arrays]


def numpy(nested):
    return keras.tree.map_structure(ops.convert_to_numpy, nested)


def test_value_and_gradient_of_a_nested_x():
    """d/da and d/db of sum a^2 b, and zero for what the value does not depend on."""
    a, b, c = tensors([1.0, 2.0], [3.0, 4.0], [5.0])
    found = value_and_grad(lambda x: (ops.sum(x["a"] ** 2 * x["b"]), {"twice": 2 * x["c"]}))
    (value, more), grad = numpy(found({"a": a, "b": b, "c": c}))
    assert value == 1 * 3 + 4 * 4 and more["twice"] == 10
    np.testing.assert_array_equal(grad["a"], [6, 16])
    np.testing.assert_array_equal(grad["b"], [1, 4])
    np.testing.assert_array_equal(grad["c"], [0])


def test_a_value_that_depends_on_nothing_has_no_slope():
    (x,) = tensors([1.0, 2.0])
    spec = KerasTensor((2,), "float32")
    run = compiled(value_and_grad(lambda x: (ops.sum(ops.zeros((3,))), {})), spec)
    (value, _), grad = numpy(run(x))
    assert value == 0 and not grad.any()


def test_what_is_pulled_back_is_the_gradient_of_the_product():
    """Of <u, f(x)> by finite differences; one of the outputs does not depend on x."""
    rng = np.random.default_rng(0)
    x, weights, fixed = tensors(*rng.normal(size=(3, 4)))
    upstream = dict(zip("ab", tensors(rng.normal(size=4), rng.normal())))
    upstream["c"] = ops.ones_like(fixed)

    def function(x, weights):
        return {"a": ops.sin(x) * weights, "b": ops.sum(x**3), "c": fixed}

    back = compiled(pullback(function), *specs_of((x, upstream, weights)))
    grad = numpy(back(x, upstream, weights))

    def product(x):
        found = numpy(function(ops.convert_to_tensor(x.astype("float32")), weights))
        return sum(float((np.float64(found[k]) * numpy(upstream[k])).sum()) for k in found)

    for pixel in range(4):
        nudge = np.zeros(4)
        nudge[pixel] = 1e-2
        slope = (product(numpy(x) + nudge) - product(numpy(x) - nudge)) / 2e-2
        assert grad[pixel] == pytest.approx(slope, rel=1e-3, abs=1e-3)


def test_one_compiled_function_for_pictures_of_all_sizes_and_places():
    pixels = KerasTensor((1, None, None, 3), "float32")
    run = compiled(
        lambda x, place, maps: {"sum": ops.sum(x[:, place[0] :, place[1] :]) + ops.sum(maps["m"])},
        pixels,
        (0, 0),
        {"m": KerasTensor((None,), "float32")},
        static=(1,),
    )
    for side, place in [(3, (0, 0)), (4, (1, 2)), (5, (4, 4))]:
        x = np.random.default_rng(side).normal(size=(1, side, side, 3)).astype("float32")
        expected = x[:, place[0] :, place[1] :].sum() + side
        found = run(x, place, {"m": np.ones(side, "float32")})
        assert numpy(found["sum"]) == pytest.approx(expected, rel=1e-5)


def test_a_row_is_replaced_and_the_others_stay():
    buffer, row = tensors(np.arange(12).reshape(4, 3), [7, 8, 9])
    buffer = with_row(with_row(buffer, 2, row), 0, 2 * row)
    np.testing.assert_array_equal(numpy(buffer), [[14, 16, 18], [3, 4, 5], [7, 8, 9], [9, 10, 11]])
