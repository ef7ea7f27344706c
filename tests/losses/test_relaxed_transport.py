"""The relaxed earth mover's distance, moments and self-similarity, against NumPy and by hand."""

import numpy as np
import pytest
from helpers import check_gradient, picture
from keras import ops
from scipy.optimize import linear_sum_assignment

from neural_style import Evaluator, preprocess
from neural_style.losses.nearest import cells
from neural_style.losses.relaxed_transport import (
    columns,
    cosine_distances,
    euclidean_distances,
    moment_distance,
    moments,
    palette,
    relaxed_cost,
    self_similarity,
    transport_loss,
)
from neural_style.optimize.autodiff import value_and_grad
from neural_style.vgg import IMAGENET_MEAN_BGR

RNG = np.random.default_rng(0)
A, B = (RNG.normal(size=(n, 5)).astype("float32") for n in (7, 9))


def test_distances_are_those_of_numpy():
    lengths = np.linalg.norm(A, axis=1)[:, None] * np.linalg.norm(B, axis=1)
    np.testing.assert_allclose(
        ops.convert_to_numpy(cosine_distances(A, B)), 1 - A @ B.T / lengths, atol=1e-5
    )
    expected = np.linalg.norm(A[:, None] - B[None], axis=2)
    np.testing.assert_allclose(ops.convert_to_numpy(euclidean_distances(A, B)), expected, rtol=1e-4)


def test_the_relaxed_cost_by_hand_and_below_the_true_one():
    """Both directions count, and it is a lower bound of the earth mover's distance."""
    assert float(relaxed_cost(np.float32([[1, 2], [3, 4], [5, 6]]))) == 3  # rows: 1, 3, 5
    assert float(relaxed_cost(np.float32([[0, 0, 9], [0, 0, 9]]))) == 3  # columns: 0, 0, 9
    C = ops.convert_to_numpy(euclidean_distances(A, B[:7]))
    rows, columns = linear_sum_assignment(C)
    assert 0 < float(relaxed_cost(C)) < C[rows, columns].mean()


def test_moments_and_their_distance():
    mean, covariance = moments(A)
    np.testing.assert_allclose(ops.convert_to_numpy(mean), A.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(ops.convert_to_numpy(covariance), np.cov(A.T, bias=True), atol=1e-5)
    assert float(moment_distance(A, mean, covariance)) == pytest.approx(0, abs=1e-6)
    moved = float(moment_distance(A + 0.5, mean, covariance))
    assert moved == pytest.approx(0.5, rel=1e-4)


def test_self_similarity_knows_neither_length_nor_rotation():
    """Each column sums to 1; a turn of all features and another length of each change nothing."""
    similar = ops.convert_to_numpy(self_similarity(A))
    np.testing.assert_allclose(similar.sum(axis=0), 1, rtol=1e-5)
    turn, _ = np.linalg.qr(RNG.normal(size=(5, 5)))
    other = (A @ turn * RNG.uniform(1, 3, (7, 1))).astype("float32")
    np.testing.assert_allclose(ops.convert_to_numpy(self_similarity(other)), similar, atol=1e-5)


def test_the_palette_of_gray_is_luma_alone():
    gray = np.full((1, 1, 3), 51.0) - IMAGENET_MEAN_BGR
    found = ops.convert_to_numpy(palette(gray.astype("float32")))[0, 0]
    np.testing.assert_allclose(found, [0.2, 0, 0], atol=1e-5)


def of_pictures(alpha):
    content = {
        "a": RNG.normal(0, 100, (1, 4, 5, 6)).astype("float32"),
        "image": RNG.uniform(-100, 100, (1, 4, 5, 3)).astype("float32"),
    }
    style = RNG.normal(size=(12, 9)).astype("float32")
    colors = RNG.uniform(0, 1, (12, 3)).astype("float32")
    return content, transport_loss(content, style, colors, alpha)


def test_gradients_are_finite_differences(tiny):
    """To the pixels, through all five parts of the loss."""
    features = {}
    for name, seed in (("content", 1), ("style", 2)):
        x = preprocess(picture(24, 32, seed))
        found = {**tiny.model(x), "image": ops.convert_to_tensor(x)}
        features[name] = {
            layer: ops.convert_to_numpy(cells(found[layer], (6, 8))) for layer in ("conv1", "image")
        }
    style = columns(features["style"], ["conv1", "image"], (6, 8))
    hues = palette(ops.reshape(features["style"]["image"], (-1, 3)))
    loss = transport_loss(
        features["content"], ops.convert_to_numpy(style), ops.convert_to_numpy(hues), 2.0
    )
    evaluator = Evaluator(tiny.model, {"transport": loss}, {"transport": 1e3}, (1, 24, 32, 3))
    check_gradient(evaluator, preprocess(picture(24, 32, 3)).ravel().astype("float64"))


def test_the_content_itself_has_no_content_loss():
    """With more and more alpha, only the content's part is left."""
    content, loss = of_pictures(alpha=1e6)
    assert float(loss(content)) < 1e-3
    other = {**content, "a": np.ascontiguousarray(content["a"][:, ::-1])}
    assert float(loss(other)) > 0.05


@pytest.mark.parametrize("color", [0, 255])
def test_features_without_a_direction_are_finite(color):
    flat = {
        "a": np.zeros((1, 4, 5, 6), "float32"),
        "image": np.full((1, 4, 5, 3), color, "float32"),
    }
    loss = transport_loss(flat, np.zeros((3, 9), "float32"), np.zeros((3, 3), "float32"), 2.0)

    def total(x):
        return loss({"a": x, "image": flat["image"]}), None

    (value, _), grad = value_and_grad(total)(ops.convert_to_tensor(flat["a"]))
    assert np.isfinite(float(value)) and np.isfinite(ops.convert_to_numpy(grad)).all()
