"""Each formula against a literal NumPy transcription of the paper, in float64."""

import numpy as np
import pytest
from helpers import picture
from keras import ops

from neural_style import preprocess
from neural_style.losses import content_loss, gram_matrix, style_loss, total_variation_loss

LAYERS = ("conv1", "conv2")


@pytest.fixture(scope="module")
def sample(tiny):
    """NumPy features of a generated picture, a content image of the same odd size and a style image
    of another.
    """
    generated, content, style = (
        tiny.numpy(preprocess(picture(h, w, seed)))
        for h, w, seed in [(37, 29, 0), (37, 29, 1), (50, 41, 2)]
    )
    return generated, content, style


def float32(features):
    return {name: f.astype("float32") for name, f in features.items()}


def gram(f):
    """Equation 3, as the paper writes it: F is N x M."""
    F = f[0].reshape(-1, f.shape[-1]).T
    return F @ F.T


def test_gram_matrix_by_hand():
    f = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])  # two positions, two channels
    assert ops.convert_to_numpy(gram_matrix(f, normalize=False))[0].tolist() == [[10, 14], [14, 20]]
    assert ops.convert_to_numpy(gram_matrix(f))[0].tolist() == [[5, 7], [7, 10]]


def test_gram_matrix_keeps_the_batch_apart(sample):
    f = np.concatenate([sample[0]["conv2"], sample[1]["conv2"]])
    for i in (0, 1):
        np.testing.assert_allclose(
            gram_matrix(f, normalize=False)[i], gram(f[i : i + 1]), rtol=1e-5
        )


def test_content_loss_is_equation_1(sample):
    generated, content, _ = sample
    F, P = generated["conv2"], content["conv2"]
    for error, expected in {
        "paper": 0.5 * np.sum((F - P) ** 2),
        "mean": np.mean((F - P) ** 2),
        "sum": np.sum((F - P) ** 2),
        "sqrt": np.sum((F - P) ** 2) / (2 * F.size**0.5),
        "relative": np.sum((F - P) ** 2) / np.sum(P**2),
    }.items():
        loss = content_loss(float32(content), "conv2", error)
        assert float(loss(float32(generated))) == pytest.approx(expected, rel=1e-5)
        assert float(loss(float32(content))) == 0


@pytest.mark.parametrize("weights", [None, {"conv1": 0.3, "conv2": 2.0}])
def test_style_loss_is_equations_4_and_5(sample, weights):
    generated, content, style = sample
    w = weights or dict.fromkeys(LAYERS, 1 / 2)
    paper = sum(
        w[l] / (4 * N**2 * M**2) * np.sum((gram(generated[l]) - gram(content[l])) ** 2)
        for l in LAYERS
        for N, M in [(generated[l].shape[3], np.prod(generated[l].shape[1:3]))]
    )
    assert float(
        style_loss(float32(content), weights or LAYERS, "paper")(float32(generated))
    ) == pytest.approx(paper, rel=1e-4)

    def per_position(f):
        return gram(f) / np.prod(f.shape[1:3])

    relative = sum(
        w[l]
        * np.sum((per_position(generated[l]) - per_position(style[l])) ** 2)
        / np.sum(per_position(style[l]) ** 2)
        for l in LAYERS
    )
    assert float(
        style_loss(float32(style), weights or LAYERS)(float32(generated))
    ) == pytest.approx(relative, rel=1e-4)
    assert float(style_loss(float32(style), LAYERS)(float32(style))) == pytest.approx(0, abs=1e-9)


def test_style_errors_are_relative_to_the_content_images_where_that_is_larger(sample):
    generated, content, style = sample
    loud = {"conv1": 3 * content["conv1"], "conv2": 0.01 * content["conv2"]}

    def per_position(f):
        return gram(f) / np.prod(f.shape[1:3])

    expected, larger = 0, []
    for l in LAYERS:
        A = per_position(style[l])
        own, contents = np.sum(A**2), np.sum((per_position(loud[l]) - A) ** 2)
        expected += 0.5 * np.sum((per_position(generated[l]) - A) ** 2) / max(own, contents)
        larger.append(contents > own)
    assert larger == [True, False]
    loss = style_loss(float32(style), LAYERS, content=float32(loud))
    assert float(loss(float32(generated))) == pytest.approx(expected, rel=1e-4)


def test_a_blend_of_styles_has_the_mean_gram_matrix(sample):
    generated, content, style = sample
    A = 0.25 * gram(content["conv1"]) / (37 * 29) + 0.75 * gram(style["conv1"]) / (50 * 41)
    G = gram(generated["conv1"]) / (37 * 29)
    blend = style_loss([(float32(content), 1.0), (float32(style), 3.0)], "conv1")
    assert float(blend(float32(generated))) == pytest.approx(
        np.sum((G - A) ** 2) / np.sum(A**2), rel=1e-4
    )


@pytest.mark.parametrize("exponent", [1, 1.25, 2])
def test_total_variation_by_the_loop(exponent):
    x = preprocess(picture(7, 9)).astype("float64")
    expected = 0
    for i in range(6):
        for j in range(8):
            for c in range(3):
                down, right = x[0, i + 1, j, c] - x[0, i, j, c], x[0, i, j + 1, c] - x[0, i, j, c]
                expected += (down**2 + right**2) ** exponent
    features = {"image": x.astype("float32")}
    assert float(total_variation_loss(exponent, "sum")(features)) == pytest.approx(
        expected, rel=1e-4
    )
    assert float(total_variation_loss(exponent)(features)) == pytest.approx(
        expected / (6 * 8 * 3), rel=1e-4
    )


@pytest.mark.parametrize("exponent", [0.5, 1])
def test_total_variation_of_each_direction_by_the_loop(exponent):
    x = preprocess(picture(7, 9)).astype("float64")
    down = [
        abs(x[0, i + 1, j, c] - x[0, i, j, c]) ** (2 * exponent)
        for i in range(6)
        for j in range(9)
        for c in range(3)
    ]
    right = [
        abs(x[0, i, j + 1, c] - x[0, i, j, c]) ** (2 * exponent)
        for i in range(7)
        for j in range(8)
        for c in range(3)
    ]
    features = {"image": x.astype("float32")}
    assert float(total_variation_loss(exponent, "sum", True)(features)) == pytest.approx(
        sum(down) + sum(right), rel=1e-4
    )
    assert float(total_variation_loss(exponent, "mean", True)(features)) == pytest.approx(
        np.mean(down) + np.mean(right), rel=1e-4
    )


def test_style_sums_and_means(sample):
    """The Keras program's scale and Torch's, for a style of the content's size; presets' tests hold
    them to the programs.
    """
    generated, content, _ = sample
    H, W = generated["image"].shape[1:3]
    sums = sum(
        0.5 * np.sum((gram(generated[l]) - gram(content[l])) ** 2) / (4 * 9 * (H * W) ** 2)
        for l in LAYERS
    )
    means = sum(
        0.5
        * np.mean(
            (gram(generated[l]) / generated[l].size - gram(content[l]) / content[l].size) ** 2
        )
        for l in LAYERS
    )
    assert float(style_loss(float32(content), LAYERS, "sum")(float32(generated))) == pytest.approx(
        sums, rel=1e-4
    )
    assert float(style_loss(float32(content), LAYERS, "mean")(float32(generated))) == pytest.approx(
        means, rel=1e-4
    )


def test_statistics_add_up_over_parts(sample):
    """Two halves of a picture, their statistics added, have the value of the whole."""
    generated, content, style = map(float32, sample)

    def halves(features):
        return [{"conv1": features["conv1"][:, :20]}, {"conv1": features["conv1"][:, 20:]}]

    loss = style_loss(style, "conv1")
    a, b = (loss.statistics(half) for half in halves(generated))
    whole = {"conv1": {key: a["conv1"][key] + b["conv1"][key] for key in a["conv1"]}}
    assert float(loss.value(whole)) == pytest.approx(float(loss(generated)), rel=1e-5)

    parts = [
        content_loss(c, "conv1", "paper")(g) for c, g in zip(halves(content), halves(generated))
    ]
    assert float(sum(parts)) == pytest.approx(
        float(content_loss(content, "conv1", "paper")(generated)), rel=1e-5
    )


def test_clear_errors(sample):
    features = float32(sample[0])
    for call, words in [
        (lambda: gram_matrix(np.zeros((3, 3))), r"\(3, 3\)"),
        (lambda: content_loss(features, "conv9"), "conv9"),
        (lambda: content_loss(features, "conv1", "absolute"), "absolute"),
        (lambda: style_loss(features, {"conv1": -1.0}), "conv1: -1.0"),
        (lambda: style_loss(features, {"conv1": float("nan")}), "nan"),
        (lambda: style_loss(features, []), "at least one"),
        (
            lambda: style_loss({"conv1": np.zeros((1, 4, 4, 2), "float32")}, "conv1"),
            "zero everywhere",
        ),
        (lambda: total_variation_loss(0.5), "0.5"),
        (lambda: total_variation_loss(float("nan")), "nan"),
        (lambda: total_variation_loss(reduction="max"), "max"),
    ]:
        with pytest.raises(ValueError, match=words):
            call()
