"""The gradient of the pixels against finite differences of a NumPy transcription, and the contract
with SciPy.
"""

import keras
import numpy as np
import pytest
from helpers import on_numpy, picture
from scipy.optimize import fmin_l_bfgs_b

from neural_style import Evaluator, feature_extractor, preprocess, transfer
from neural_style.iterative.transfer import CONTENT_LAYERS, STYLE_LAYERS
from neural_style.losses import content_loss, style_loss, total_variation_loss
from neural_style.optimize.autodiff import BACKENDS

LAYERS = ("conv1", "conv2")
WEIGHTS = {"content": 2.0, "style": 5.0, "tv": 1e-3}
SHAPE = (1, 37, 29, 3)


@pytest.fixture(scope="module")
def images():
    return (
        preprocess(picture(37, 29, 1)),
        preprocess(picture(50, 41, 2)),
        preprocess(picture(37, 29, 3)),
    )


@pytest.fixture
def evaluator(tiny, images):
    content, style, _ = images
    losses = {
        "content": content_loss(tiny.model(content), "conv2"),
        "style": style_loss(tiny.model(style), LAYERS),
        "tv": total_variation_loss(1.25),
    }
    return Evaluator(tiny.model, losses, WEIGHTS, SHAPE)


def numpy_loss(tiny, images, x):
    """The whole loss in float64, literally."""
    (content, style, _), generated = images, tiny.numpy(x.reshape(SHAPE))
    P, F = tiny.numpy(content)["conv2"], generated["conv2"]
    total = WEIGHTS["content"] * np.sum((F - P) ** 2) / np.sum(P**2)

    def gram(f):
        F = f.reshape(-1, f.shape[-1])
        return F.T @ F / len(F)

    targets = tiny.numpy(style)
    for layer in LAYERS:
        G, A = gram(generated[layer]), gram(targets[layer])
        total += WEIGHTS["style"] / len(LAYERS) * np.sum((G - A) ** 2) / np.sum(A**2)
    image = generated["image"]
    squared = (image[:, 1:, :-1] - image[:, :-1, :-1]) ** 2 + (
        image[:, :-1, 1:] - image[:, :-1, :-1]
    ) ** 2
    return total + WEIGHTS["tv"] * np.mean(squared**1.25)


def test_loss_and_gradient_match_numpy_and_finite_differences(tiny, images, evaluator):
    x = images[2].ravel().astype("float64")
    loss, grad = evaluator(x)
    assert loss == pytest.approx(numpy_loss(tiny, images, x), rel=1e-4)
    pixels = np.random.default_rng(0).choice(x.size, 60, replace=False)
    step, differences = 1e-4, []
    for pixel in pixels:
        nudge = np.zeros_like(x)
        nudge[pixel] = step
        differences.append(
            (numpy_loss(tiny, images, x + nudge) - numpy_loss(tiny, images, x - nudge)) / (2 * step)
        )
    error = np.linalg.norm(grad[pixels] - differences) / np.linalg.norm(differences)
    assert error < 1e-3


def test_types_terms_and_one_evaluation_a_point(images, evaluator):
    x = images[2].ravel().astype("float64")
    loss, grad = evaluator(x)
    assert isinstance(loss, float) and grad.dtype == np.float64 and grad.shape == x.shape
    assert sum(evaluator.terms.values()) == pytest.approx(loss, rel=1e-6) and set(
        evaluator.terms
    ) == set(WEIGHTS)
    calls = []
    compiled = evaluator._evaluate
    evaluator._evaluate = lambda x, maps: calls.append(1) or compiled(x, maps)
    assert evaluator.loss(x) == loss and evaluator.loss(x) == loss
    np.testing.assert_array_equal(evaluator.grads(x), grad)
    assert not calls
    np.testing.assert_array_equal(evaluator.grads(x + 1), evaluator(x + 1)[1])
    evaluator.loss(x + 1)
    assert len(calls) == 1


def test_x_changed_in_place_is_noticed_and_the_gradient_is_the_callers(images, evaluator):
    x = images[2].ravel().astype("float64")
    loss, grad = evaluator(x)
    grad[:] = 0
    assert evaluator.grads(x).any()
    x += 5
    assert evaluator.loss(x) != loss


def test_other_targets_without_another_compilation(tiny, images, evaluator):
    """At the same x, the new targets count at once; and a total with them is what an evaluator made
    for them has, but for the scale.
    """
    content, _, x = images
    other = tiny.model(preprocess(picture(37, 29, 8)))
    before, _ = evaluator(x.ravel())
    energy, other_energy = (
        float(
            np.square(
                keras.ops.convert_to_numpy((tiny.model(c) if c is content else c)["conv2"])
            ).sum()
        )
        for c in (content, other)
    )
    made = Evaluator(
        tiny.model,
        {"content": content_loss(other, "conv2")},
        {"content": WEIGHTS["content"]},
        SHAPE,
    )
    compiled = evaluator._evaluate
    evaluator.retarget({"content": {"conv2": other["conv2"]}, "style": {}, "tv": {}})
    after, grad = evaluator(x.ravel())
    assert after != before
    assert evaluator.terms["content"] == pytest.approx(
        made(x.ravel())[0] * other_energy / energy, rel=1e-4
    )
    evaluator.retarget({"content": {"conv2": tiny.model(content)["conv2"]}, "style": {}, "tv": {}})
    assert evaluator(x.ravel())[0] == before and not np.array_equal(grad, evaluator(x.ravel())[1])
    assert evaluator._evaluate is compiled
    with pytest.raises(ValueError, match="shapes"):
        evaluator.retarget({"content": {"conv2": other["conv2"][:, 1:]}})


@pytest.mark.slow
def test_as_every_tutorial_calls_it(images, evaluator):
    x = images[2].ravel().astype("float64")
    before = evaluator.loss(x)
    for _ in range(2):
        x, after, _info = fmin_l_bfgs_b(evaluator.loss, x, fprime=evaluator.grads, maxfun=20)
    assert after < 0.5 * before
    assert after == pytest.approx(evaluator.loss(x), rel=1e-5)


def test_a_plain_function_is_a_loss(tiny):
    evaluator = Evaluator(
        lambda x: {"image": x},
        {"square": lambda f: (f["image"] ** 2)[0, 0, 0, 0]},
        {"square": 3.0},
        (1, 1, 2, 3),
    )
    loss, grad = evaluator(np.array([2.0, 1, 1, 1, 1, 1]))
    assert loss == 12 and grad.tolist() == [12, 0, 0, 0, 0, 0]


@pytest.mark.slow
def test_the_same_bytes_each_time_at_full_size():
    """Large pictures are where TensorFlow's graph optimizer lets sums depend on which thread is
    done first.
    """
    extractor = feature_extractor([*CONTENT_LAYERS, *STYLE_LAYERS], weights=None)
    features = extractor(preprocess(picture(384, 512, 1)))
    losses = {
        "content": content_loss(features, CONTENT_LAYERS),
        "style": style_loss(features, STYLE_LAYERS),
        "tv": total_variation_loss(),
    }
    evaluator = Evaluator(extractor, losses, WEIGHTS, (1, 384, 512, 3))
    x = preprocess(picture(384, 512, 3)).ravel()
    first, *others = (evaluator(x + nudge)[1].tobytes() for nudge in (0, 1, 0, 1, 0, 1, 0, 1, 0))
    assert others[1::2] == 4 * [first]


def test_clear_errors(tiny):
    with pytest.raises(ValueError, match="same names"):
        Evaluator(tiny.model, {"style": None}, {"content": 1.0}, SHAPE)
    with pytest.raises(ValueError, match="at least one"):
        Evaluator(tiny.model, {}, {}, SHAPE)
    broken = Evaluator(
        lambda x: {"image": x},
        {"root": lambda f: f["image"][0, 0, 0, 0] ** 0.5},
        {"root": 1.0},
        (1, 1, 1, 3),
    )
    with pytest.raises(FloatingPointError, match="root"):
        broken(np.array([-1.0, 0, 0]))


@pytest.mark.network
def test_bfloat16_is_near_float32(images):
    """Convolutions in bfloat16, Gram matrices and losses in float32."""
    content, style, x = images
    results = {}
    for precision in ("float32", "bfloat16"):
        vgg = feature_extractor(
            (*CONTENT_LAYERS, *STYLE_LAYERS),
            weights="torchvision",
            normalize=False,
            precision=precision,
        )
        features = vgg(content)
        losses = {
            "content": content_loss(features, CONTENT_LAYERS),
            "style": style_loss(vgg(style), STYLE_LAYERS, content=features),
        }
        results[precision] = Evaluator(vgg, losses, {"content": 1.0, "style": 50.0}, SHAPE)(
            x.ravel()
        )
    (loss, grad), (low_loss, low_grad) = results.values()
    assert low_loss == pytest.approx(loss, rel=0.02) and low_loss != loss
    assert np.dot(grad, low_grad) > 0.99 * np.linalg.norm(grad) * np.linalg.norm(low_grad)


def out_of_memory():
    """The errors that this backend raises where there is no memory."""
    words = "allocating tensor\nof many lines"
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        kinds = tf.errors.ResourceExhaustedError, tf.errors.AbortedError
        return [kind(None, None, f"OOM when {words}") for kind in kinds]
    if keras.backend.backend() == "jax":
        import jax

        return [jax.errors.JaxRuntimeError(f"RESOURCE_EXHAUSTED: Out of memory {words}")]
    import torch

    return [torch.OutOfMemoryError(words), RuntimeError(f"you can't allocate memory: {words}")]


@pytest.mark.slow
@pytest.mark.parametrize("error", out_of_memory(), ids=repr)
def test_out_of_memory_is_one_line_and_keeps_the_picture_so_far(error, monkeypatch):
    """The backend's error in the second step."""
    real, calls = Evaluator._compile, []

    def compile(self, *arguments):
        evaluate = real(self, *arguments)

        def failing(x, maps):
            calls.append(x)
            if len(calls) > 3:
                raise error
            return evaluate(x, maps)

        return failing

    monkeypatch.setattr(Evaluator, "_compile", compile)
    with pytest.raises(MemoryError) as caught:
        transfer(
            picture(24, 32, 1),
            picture(32, 24, 2),
            weights=None,
            size=32,
            start_size=None,
            steps=9,
            content_layers=["conv1_2"],
            style_layers=["conv1_1"],
            progress=False,
        )
    assert (
        str(caught.value)
        == f"{BACKENDS[keras.backend.backend()]} ran out of memory at 32 x 24 pixels; use a smaller size, or tile="
    )
    assert (
        caught.value.result.image.size == (32, 24)
        and 0 < len(caught.value.result.history["total"]) < 9
    )


@pytest.mark.slow
def test_a_backend_without_gradients_is_told_at_once():
    told = on_numpy()
    assert told["progress=False"] == told["progress=True"] == told["expected"], told
