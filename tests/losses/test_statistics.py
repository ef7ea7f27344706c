"""Other statistics of style than the Gram matrix, against NumPy and SciPy; gradients against finite
differences.
"""

import keras
import numpy as np
import pytest
import scipy.linalg
from helpers import check_gradient, picture, random_weights

from neural_style import Evaluator, preprocess, transfer
from neural_style.losses import gram_matrix, style_loss, style_statistics
from neural_style.losses.statistics import PARTS, STATISTICS
from neural_style.optimize.autodiff import value_and_grad

LAYERS = ("conv1", "conv2")


@pytest.fixture(scope="module")
def sample(tiny):
    """Generated and style features, float64, of sizes of their own."""
    return [
        tiny.numpy(preprocess(picture(h, w, seed))) for h, w, seed in ((37, 29, 1), (50, 41, 2))
    ]


def float32(features):
    return {name: array.astype("float32") for name, array in features.items()}


def flat(features, name):
    return features[name].reshape(-1, features[name].shape[-1])


def moments_distance(f, s):
    return np.sum((f.mean(0) - s.mean(0)) ** 2) + np.sum((f.std(0) - s.std(0)) ** 2)


def wasserstein_distance(f, s):
    C, D = np.cov(f, rowvar=False, bias=True), np.cov(s, rowvar=False, bias=True)
    root = scipy.linalg.sqrtm(D)
    return (
        np.sum((f.mean(0) - s.mean(0)) ** 2)
        + np.trace(C + D - 2 * scipy.linalg.sqrtm(root @ C @ root)).real
    )


@pytest.mark.parametrize(
    "statistic,distance", [("moments", moments_distance), ("wasserstein", wasserstein_distance)]
)
def test_against_a_transcription(sample, statistic, distance):
    generated, style = sample
    layers = [(flat(generated, name), flat(style, name)) for name in LAYERS]
    mean = sum(0.5 * distance(f, s) / f.shape[1] for f, s in layers)
    energies = [
        np.sum(s.mean(0) ** 2) + np.sum(s.var(0)) for _, s in layers
    ]  # either distance to features that are all zero
    relative = sum(0.5 * distance(f, s) / energy for (f, s), energy in zip(layers, energies))
    loss = {
        error: style_loss(float32(style), LAYERS, error, statistic=statistic)
        for error in ("mean", "relative")
    }
    assert float(loss["mean"](float32(generated))) == pytest.approx(mean, rel=1e-4)
    assert float(loss["relative"](float32(generated))) == pytest.approx(relative, rel=1e-4)
    assert float(loss["relative"](float32(style))) == pytest.approx(0, abs=2e-6)


def test_a_layer_that_the_photo_disturbs_more_counts_by_the_photos_error(sample):
    generated, style = sample
    loud = {name: 3 * array for name, array in generated.items()}
    expected = 0.5 * sum(
        moments_distance(flat(generated, name), flat(style, name))
        / max(
            np.sum(flat(style, name).mean(0) ** 2 + flat(style, name).var(0)),
            moments_distance(flat(loud, name), flat(style, name)),
        )
        for name in LAYERS
    )
    loss = style_loss(float32(style), LAYERS, content=float32(loud), statistic="moments")
    assert float(loss(float32(generated))) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize("masked", [False, True])
def test_gradients_against_finite_differences(tiny, statistic, masked):
    style = tiny.model(preprocess(picture(21, 17, 2)))
    mask = (
        {
            "conv1": np.linspace(0, 1, 12 * 16).reshape(1, 12, 16, 1).astype("float32"),
            "conv2": np.linspace(1, 0, 6 * 8).reshape(1, 6, 8, 1).astype("float32"),
        }
        if masked
        else None
    )
    loss = style_loss(style, LAYERS, statistic=statistic, mask=mask)
    evaluator = Evaluator(tiny.model, {"style": loss}, {"style": 1e3}, (1, 12, 16, 3))
    x = preprocess(picture(12, 16, 3)).ravel().astype("float64")
    check_gradient(evaluator, x, least=1e-4)


def test_a_blend_is_the_mixture_of_all_positions(sample):
    """Mean and covariance of the positions of both images, each with its share."""
    generated, style = sample
    f, s = flat(generated, "conv1"), flat(style, "conv1")
    f, s = f[:1000], s[:1000]
    both = np.concatenate([f, s])
    image = {
        "conv1": np.random.default_rng(0).normal(1, 1, (1, 5, 5, f.shape[1])).astype("float32")
    }
    blend = [
        (
            style_statistics(["conv1"], "wasserstein")(
                {"conv1": a.reshape(1, 40, 25, -1).astype("float32")}
            ),
            1.0,
        )
        for a in (f, s)
    ]
    loss = style_loss(blend, "conv1", "mean", statistic="wasserstein")
    assert float(loss(image)) == pytest.approx(
        wasserstein_distance(image["conv1"].reshape(25, -1), both) / f.shape[1], rel=1e-3
    )


def test_shares_of_their_own_for_each_layer(sample):
    """Strokes of one image and shapes of another: the layers' losses are those of the two alone."""
    generated, style = map(float32, sample)
    other = {name: 2 * array[:, :20] for name, array in generated.items()}
    mixed = style_loss([(style, {"conv1": 1.0}), (other, {"conv2": 3.0})], LAYERS)
    alone = style_loss(style, {"conv1": 0.5})(generated) + style_loss(other, {"conv2": 0.5})(
        generated
    )
    assert float(mixed(generated)) == pytest.approx(float(alone), rel=1e-5)
    with pytest.raises(ValueError, match="'conv2' has no share"):
        style_loss([(style, {"conv1": 1.0})], LAYERS)


def test_bad_statistics(sample):
    style = float32(sample[1])
    with pytest.raises(ValueError, match="statistic must be one of"):
        style_loss(style, LAYERS, statistic="cosine")
    with pytest.raises(ValueError, match="scale must be one of .*'mean'"):
        style_loss(style, LAYERS, "paper", statistic="moments")


QUICK = dict(
    weights=random_weights(),
    size=64,
    start_size=None,
    steps=4,
    content_layers=["conv2_2"],
    style_layers=["conv1_1", "conv2_1"],
    progress=False,
)
CONTENT, STYLE = picture(48, 64, 1), picture(64, 48, 2)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_transfer_with_each(statistic):
    result = transfer(CONTENT, STYLE, statistic=statistic, **QUICK)
    assert (
        result.history["style"][-1] < result.history["style"][0]
        and result.settings["statistic"] == statistic
    )


@pytest.mark.slow
def test_transfer_with_strokes_and_shapes():
    other = picture(50, 50, 5)
    mixed = transfer(CONTENT, [(STYLE, ["block1_conv1"]), (other, {"relu2_1": 2})], **QUICK)
    swapped = transfer(CONTENT, [(other, ["block1_conv1"]), (STYLE, {"relu2_1": 2})], **QUICK)
    assert mixed.history["style"] != swapped.history["style"]
    same = transfer(CONTENT, [(STYLE, {"conv1_1": 2, "conv2_1": 1})], **QUICK)
    assert same.history["style"] == transfer(CONTENT, STYLE, **QUICK).history["style"]
    for shares, words in [
        ({"conv1_1": 1}, "in layer 'conv2_1'"),
        ({"conv1_1": 1, "conv5_1": 1}, "not among style_layers: conv5_1"),
        ({"conv1_1": -1, "conv2_1": 1}, "at least 0"),
        ({"conv9_1": 1}, "no layer"),
    ]:
        with pytest.raises(ValueError, match=words):
            transfer(CONTENT, [(STYLE, shares)], **QUICK)


def test_transfer_refuses_what_a_statistic_does_not_know():
    with pytest.raises(ValueError, match="statistic must be one of"):
        transfer(CONTENT, STYLE, statistic="cosine", **QUICK)
    with pytest.raises(ValueError, match="supports only scale='relative' or 'mean'"):
        transfer(CONTENT, STYLE, statistic="moments", scale="paper", **QUICK)


@pytest.mark.parametrize("height,width,error", [(40, 33, 1e-3), (3, 4, 1e-6)])
def test_a_gram_matrix_of_bfloat16_features_is_near_that_in_float64(height, width, error):
    """Many positions in eight parts, the last few apart; few positions in float32."""
    assert 40 * 33 % PARTS == 0 != 41 * 33 % PARTS
    rng = np.random.default_rng(0)
    for rows in (height, height + 1):
        array = rng.uniform(0, 2, (2, rows, width, 5)).astype("float32")
        f = keras.ops.cast(array, "bfloat16")
        exact = keras.ops.convert_to_numpy(keras.ops.cast(f, "float32")).astype("float64")
        exact = np.einsum("bhwi,bhwj->bij", exact, exact) / (rows * width)
        gram = gram_matrix(f)
        assert keras.backend.standardize_dtype(gram.dtype) == "float32"
        off = np.linalg.norm(keras.ops.convert_to_numpy(gram) - exact) / np.linalg.norm(exact)
        assert off < error


@pytest.mark.parametrize("kind,error", [("float32", 1e-6), ("bfloat16", 1e-2)])
def test_a_gram_matrix_goes_back_in_the_precision_of_the_features(kind, error):
    """The gradient of sum W G is F (W + W^T)."""
    rng = np.random.default_rng(1)
    f = keras.ops.cast(rng.normal(size=(1, 9, 7, 4)).astype("float32"), kind)
    W = rng.normal(size=(4, 4)).astype("float32")
    weights = keras.ops.convert_to_tensor(W)
    go = value_and_grad(lambda f: (keras.ops.sum(weights * gram_matrix(f, normalize=False)), None))
    _, grad = go(f)
    assert keras.backend.standardize_dtype(grad.dtype) == kind
    exact = keras.ops.convert_to_numpy(keras.ops.cast(f, "float32")) @ (W + W.T)
    found = keras.ops.convert_to_numpy(keras.ops.cast(grad, "float32"))
    assert np.abs(found - exact).max() < error * np.abs(exact).max()
