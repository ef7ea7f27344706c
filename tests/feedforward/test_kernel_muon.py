"""muon.py against its formulas."""

import keras
import numpy as np
import pytest

from neural_style.feedforward.kernel_muon import ADAM, MOMENTUM, RMS, KernelMuon, orthogonalized


def kernel(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


@pytest.mark.parametrize("shape", [(24, 8), (8, 24), (8, 8)])
def test_orthogonalized_keeps_the_directions_and_evens_out_the_singular_values(shape):
    matrix = kernel(*shape) @ np.diag(np.geomspace(1, 0.1, shape[1])).astype("float32")
    u, s, vt = np.linalg.svd(matrix, full_matrices=False)
    found = u.T @ np.asarray(orthogonalized(keras.ops.convert_to_tensor(matrix))) @ vt.T
    large = s > 0.02 * np.linalg.norm(s)
    np.testing.assert_allclose(found - np.diag(np.diag(found)), 0, atol=1e-3)
    assert np.all(np.abs(np.diag(found)[large] - 0.95) < 0.28) and large.sum() > 4
    assert s[0] / s[large][-1] > 5  # so it did something


def test_kernels_move_by_orthogonalized_momentum_and_the_rest_by_adam():
    starts = {"kernel": kernel(3, 3, 4, 8), "rgb": kernel(3, 3, 4, 3), "scale": kernel(8)}
    gradients = [
        {name: kernel(*start.shape, seed=seed) for name, start in starts.items()} for seed in (1, 2)
    ]

    def moved(optimizer):
        variables = {name: keras.Variable(start) for name, start in starts.items()}
        optimizer.build([*variables.values()])
        for gradient in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(gradient[name]) for name in variables])
        return {name: keras.ops.convert_to_numpy(variable) for name, variable in variables.items()}

    found, adam = moved(KernelMuon(0.01)), moved(keras.optimizers.Adam(0.01 * ADAM))
    for name in ("rgb", "scale"):
        np.testing.assert_allclose(found[name], adam[name], rtol=1e-6)
    expected, momentum = starts["kernel"].reshape(36, 8), 0
    for gradient in gradients:
        gradient = gradient["kernel"].reshape(36, 8)
        momentum = MOMENTUM * momentum + gradient
        direction = np.asarray(
            orthogonalized(keras.ops.convert_to_tensor(gradient + MOMENTUM * momentum))
        )
        expected = expected - 0.01 * RMS * 6 * direction
    np.testing.assert_allclose(found["kernel"].reshape(36, 8), expected, atol=1e-6)
    assert np.abs(found["kernel"] - adam["kernel"]).max() > 1e-3


def test_a_step_is_as_long_as_the_learning_rate_says_whatever_the_gradient():
    lengths = []
    for factor in (1e-3, 1e3):
        variable, optimizer = keras.Variable(np.zeros((3, 3, 16, 32), "float32")), KernelMuon(0.01)
        optimizer.build([variable])
        optimizer.apply([keras.ops.convert_to_tensor(factor * kernel(3, 3, 16, 32))])
        lengths.append(np.sqrt(np.mean(keras.ops.convert_to_numpy(variable) ** 2)))
    np.testing.assert_allclose(*lengths, rtol=1e-4)
    # U V^T of 144 x 32 has the root mean square 144^(-1/2), which the factor takes back
    np.testing.assert_allclose(lengths, 0.01 * RMS, rtol=0.3)


def test_a_gradient_beyond_float32_does_no_harm():
    """Squares that are too large, as of a crop of one flat color: the same step; elements that
    are: none.
    """
    steps = []
    for gradient in (
        kernel(3, 3, 4, 8),
        1e30 * kernel(3, 3, 4, 8),
        np.inf * kernel(3, 3, 4, 8),
        np.nan * kernel(3, 3, 4, 8),
    ):
        variables = [
            keras.Variable(np.zeros((3, 3, 4, 8), "float32")),
            keras.Variable(np.zeros(8, "float32")),
        ]
        optimizer = KernelMuon(0.01, global_clipnorm=1.0)
        optimizer.build(variables)
        optimizer.apply(
            [
                keras.ops.convert_to_tensor(g.astype("float32"))
                for g in (gradient, gradient[0, 0, 0])
            ]
        )
        steps.append([keras.ops.convert_to_numpy(variable) for variable in variables])
    for usual, larger, infinite, unknown in zip(*steps):
        np.testing.assert_allclose(larger, usual, rtol=1e-3, atol=1e-7)
        assert np.abs(usual).min() > 0 and not infinite.any() and not unknown.any()
