"""The matting Laplacian against Levin's equation, and the loss and gradient on it."""

import os
import time

import numpy as np
import pytest
from conftest import IMAGES
from helpers import picture, random_weights

from neural_style import Evaluator, feature_extractor, load_image, preprocess, presets, transfer
from neural_style._shared import optional as extras
from neural_style.images.filters import guided_filter, locally_affine, matting_laplacian
from neural_style.iterative.transfer import STYLE_LAYERS
from neural_style.losses import content_loss
from neural_style.losses.photorealism import photorealism_loss


def levin(image, epsilon, radius=1):
    """Equation 12, term by term, in float64."""
    I = image.reshape(-1, 3) / 255
    height, width = image.shape[:2]
    L = np.zeros((height * width, height * width))
    size = (2 * radius + 1) ** 2
    for y in range(radius, height - radius):
        for x in range(radius, width - radius):
            window = [
                v * width + u
                for v in range(y - radius, y + radius + 1)
                for u in range(x - radius, x + radius + 1)
            ]
            mu = I[window].mean(axis=0)
            sigma = np.cov(I[window], rowvar=False, bias=True)
            inverse = np.linalg.inv(sigma + epsilon / size * np.eye(3))
            for i in window:
                for j in window:
                    L[i, j] += (i == j) - (1 + (I[i] - mu) @ inverse @ (I[j] - mu)) / size
    return L


@pytest.mark.parametrize("epsilon", [1e-7, 1e-3])
def test_the_laplacian_is_levins(epsilon):
    image = picture(12, 12, 1)
    np.testing.assert_allclose(
        matting_laplacian(image, epsilon).toarray(), levin(image, epsilon), atol=1e-8
    )


def test_symmetric_positive_semi_definite_and_constants_in_its_null_space():
    L = matting_laplacian(picture(12, 15, 2)).toarray()
    np.testing.assert_allclose(L, L.T, atol=1e-10)
    values = np.linalg.eigvalsh(L)
    assert values.min() > -1e-9 and values.max() > 0.1
    np.testing.assert_allclose(L @ np.ones(180), 0, atol=1e-9)


def test_an_affine_recoloring_costs_nothing():
    image = picture(24, 30, 3)
    L = matting_laplacian(image)
    V = (image.reshape(-1, 3) / 255) @ [[0.6, 0.1, 0.0], [-0.2, 0.5, 0.3], [0.1, 0.2, 0.4]] + [
        0.1,
        0.2,
        0.0,
    ]
    other = np.random.default_rng(0).uniform(0, 1, V.shape)
    costs = [sum(v @ (L @ v) for v in values.T) for values in (V, other)]
    assert abs(costs[0]) < 1e-6 * costs[1]


def test_loss_and_gradient():
    content, x = picture(20, 24, 1), picture(20, 24, 2)
    L = matting_laplacian(content).toarray()
    loss = photorealism_loss(matting_laplacian(content))
    evaluator = Evaluator(
        lambda x: {"image": x}, {"photorealism": loss}, {"photorealism": 1.0}, (1, 20, 24, 3)
    )
    value, grad = evaluator(preprocess(x).ravel())
    V = x.reshape(-1, 3)[:, ::-1] / 255
    assert value == pytest.approx(sum(v @ L @ v for v in V.T), rel=1e-4)
    np.testing.assert_allclose(
        grad.reshape(-1, 3), 2 * (L @ V) / 255, rtol=1e-3, atol=1e-5 * np.abs(grad).max()
    )


def test_a_matrix_with_too_many_diagonals_is_no_matting_laplacian():
    from scipy.sparse import csr_matrix

    with pytest.raises(ValueError, match="at most 289 diagonals.* Received: 599"):
        photorealism_loss(csr_matrix(np.ones((300, 300))))


@pytest.mark.timing
def test_building_it_is_quick():
    """At 700 px at most 10 seconds, the first time, when Numba compiles, aside."""
    matting_laplacian(picture(12, 12))
    image, started = picture(525, 700), time.monotonic()
    L = matting_laplacian(image)
    assert time.monotonic() - started < 10 and L.shape == (367500, 367500)


@pytest.mark.parametrize(
    "call,error,words",
    [
        (lambda: matting_laplacian(picture(9, 2)), ValueError, "at least 3 pixels"),
        (lambda: matting_laplacian(picture(9, 9), 0), ValueError, "epsilon"),
        (lambda: matting_laplacian(picture(9, 9), radius=0), ValueError, "radius"),
        (lambda: matting_laplacian("nowhere.png"), FileNotFoundError, "nowhere"),
        (
            lambda: photorealism_loss(matting_laplacian(picture(9, 9)))(
                {"image": preprocess(picture(8, 9))}
            ),
            ValueError,
            "81 pixels. Received: 8 x 9",
        ),
    ],
)
def test_clear_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(extras.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match='pip install "pymatting>=1.1.13"$'):
        matting_laplacian(picture(9, 9))
    with pytest.raises(ImportError, match='pip install "pymatting>=1.1.13"$'):
        transfer(picture(9, 9), picture(9, 9), photorealism_weight=1.0)


QUICK = dict(
    weights=random_weights(),
    size=64,
    start_size=None,
    steps=20,
    content_layers=["conv3_2"],
    style_layers=["conv1_1", "conv2_1", "conv3_1"],
    progress=False,
)
CONTENT, STYLE = picture(48, 64, 1, noise=4), picture(64, 48, 2)


def residual(image):
    V, L = np.asarray(image).reshape(-1, 3) / 255, matting_laplacian(CONTENT)
    return sum(v @ (L @ v) for v in V.T)


@pytest.mark.network
@pytest.mark.slow
def test_transfer_keeps_patches_affine():
    options = {**QUICK, "weights": "torchvision"}
    free = transfer(CONTENT, STYLE, **options)
    kept = transfer(CONTENT, STYLE, photorealism_weight=3.0, **{**options, "steps": 80})
    assert "photorealism" in kept.history and "photorealism" not in free.history
    assert residual(kept.image) < 0.1 * residual(free.image)
    assert kept.history["style"][-1] < kept.history["style"][0]


@pytest.mark.slow
def test_two_stages_at_one_size():
    """(0, w): the first stage is the run without the term, the second starts from its picture and
    has it.
    """
    first = transfer(CONTENT, STYLE, **QUICK)
    second = transfer(CONTENT, STYLE, init=first.image, photorealism_weight=3.0, **QUICK)
    both = transfer(CONTENT, STYLE, photorealism_weight=(0, 3.0), **QUICK)
    assert both.history["total"] == first.history["total"] + second.history["total"]
    assert (
        both.history["photorealism"]
        == [0.0] * len(first.history["total"]) + second.history["photorealism"]
    )
    np.testing.assert_array_equal(np.asarray(both.image), np.asarray(second.image))


@pytest.mark.parametrize("weight", [-1.0, (), [1.0, -1.0], "1", [None], float("nan"), [[1.0]]])
def test_weights_that_cannot_be(weight):
    with pytest.raises(ValueError, match="photorealism_weight must be"):
        transfer(CONTENT, STYLE, photorealism_weight=weight, **QUICK)


@pytest.mark.slow
def test_transfer_in_tiles_too():
    options = {**QUICK, "size": 160, "steps": 3}
    pictures = [
        np.asarray(
            transfer(CONTENT, STYLE, photorealism_weight=0.1, tile=tile, **options).image
        ).astype(int)
        for tile in (None, 96)
    ]
    assert np.abs(pictures[0] - pictures[1]).mean() < 0.1


def test_transfer_asks_for_a_content_image():
    with pytest.raises(ValueError, match="needs a content image"):
        transfer(None, STYLE, photorealism_weight=1.0, **QUICK)


PHOTO = load_image(os.path.join(IMAGES, "neuschwanstein.jpg"), 80)


def test_locally_affine_solves_its_equation():
    """By hand on a small picture: a dense solution of (L + fidelity 1) V = fidelity S."""
    photo, target = PHOTO[:20, :24], picture(20, 24, 3)
    A = matting_laplacian(photo).toarray() + 0.01 * np.eye(20 * 24)
    expected = np.linalg.solve(A, 0.01 * target.reshape(-1, 3) / 255).reshape(20, 24, 3)
    assert (
        np.abs(locally_affine(target, photo, 0.01) - 255 * expected.clip(0, 1)).max() <= 0.6
    )  # rounding


def test_locally_affine_keeps_an_affine_recoloring_and_mends_a_noisy_one():
    recolored = np.rint(
        PHOTO @ np.array([[0.5, 0.1, 0], [0, 0.4, 0.2], [0.3, 0, 0.3]]) + 40
    ).astype("uint8")
    assert np.abs(locally_affine(recolored, PHOTO).astype(int) - recolored).max() <= 3
    noisy = (
        (recolored + np.random.default_rng(0).normal(0, 20, PHOTO.shape))
        .clip(0, 255)
        .astype("uint8")
    )
    mended = locally_affine(noisy, PHOTO)
    assert (
        np.abs(mended.astype(int) - recolored).mean()
        < 0.5 * np.abs(noisy.astype(int) - recolored).mean()
    )


def test_guided_filter_against_a_literal_transcription():
    """He, Sun and Tang, equations 14 to 16, window by window, away from the border."""
    photo, target, radius, epsilon = PHOTO[:16, :18], picture(16, 18, 3), 2, 1e-3
    fits = {}
    for i in range(radius, 16 - radius):
        for j in range(radius, 18 - radius):
            window = np.s_[i - radius : i + radius + 1, j - radius : j + radius + 1]
            I, p = photo[window].reshape(-1, 3) / 255, target[window].reshape(-1, 3) / 255
            covariance = I.T @ p / len(I) - np.outer(I.mean(0), p.mean(0))
            a = np.linalg.solve(np.cov(I.T, bias=True) + epsilon * np.eye(3), covariance)
            fits[i, j] = a, p.mean(0) - a.T @ I.mean(0)
    filtered = guided_filter(target, photo, radius, epsilon)
    for i in range(2 * radius, 16 - 2 * radius):
        for j in range(2 * radius, 18 - 2 * radius):
            near = [
                fits[k, l]
                for k in range(i - radius, i + radius + 1)
                for l in range(j - radius, j + radius + 1)
            ]
            expected = np.mean([a for a, _ in near], axis=0).T @ (photo[i, j] / 255) + np.mean(
                [b for _, b in near], axis=0
            )
            assert np.abs(filtered[i, j] - 255 * expected.clip(0, 1)).max() <= 0.51


def test_guided_filter_mends_posterisation():
    posterised = PHOTO // 48 * 48 + 24
    filtered = guided_filter(posterised, PHOTO)
    assert (
        np.abs(filtered.astype(int) - PHOTO).mean()
        < 0.6 * np.abs(posterised.astype(int) - PHOTO).mean()
    )
    np.testing.assert_allclose(guided_filter(PHOTO, PHOTO, epsilon=1e-9), PHOTO, atol=1)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: locally_affine(PHOTO, PHOTO[:9]), "one size"),
        (lambda: guided_filter(PHOTO[:, :9], PHOTO), "one size"),
        (lambda: locally_affine(PHOTO, PHOTO, 0), "fidelity must be"),
        (lambda: locally_affine(PHOTO, PHOTO, "1"), "fidelity must be"),
        (lambda: guided_filter(PHOTO, PHOTO, radius=0), "radius must be"),
        (lambda: guided_filter(PHOTO, PHOTO, epsilon=-1.0), "epsilon must be"),
    ],
)
def test_clear_errors_of_the_filters(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.timing
def test_a_step_is_hardly_slower_with_it():
    """At most 15 %: the median of ratios of evaluations that take turns."""
    photo = preprocess(load_image(os.path.join(IMAGES, "neuschwanstein.jpg"), 192))
    extractor = feature_extractor(STYLE_LAYERS, weights=None, normalize=False)
    losses = {
        "content": content_loss(extractor(photo), STYLE_LAYERS),
        "photorealism": photorealism_loss(
            matting_laplacian(load_image(os.path.join(IMAGES, "neuschwanstein.jpg"), 192))
        ),
    }
    x = photo.ravel() + 1
    evaluators = [
        Evaluator(
            extractor,
            {name: losses[name] for name in names},
            dict.fromkeys(names, 1.0),
            photo.shape,
        )
        for names in (["content"], ["content", "photorealism"])
    ]
    ratios = []
    for turn in range(9):
        seconds = []
        for evaluator in evaluators:
            started = time.perf_counter()
            evaluator(x + turn)
            seconds.append(time.perf_counter() - started)
        ratios.append(seconds[1] / seconds[0])
    assert np.median(ratios) < 1.15


@pytest.mark.slow
def test_deep_photo_with_label_pictures():
    """Each region has its reference's statistics: the style loss is that of masks, and both stages
    are run.
    """
    red, blue = (255, 0, 0), (0, 0, 255)
    labels, of_style = np.full((48, 64, 3), red, "uint8"), np.full((64, 48, 3), red, "uint8")
    labels[:, 32:], of_style[20:] = blue, blue
    settings = {
        **presets.deep_photo,
        "network": "vgg16",
        "weights": random_weights(),
        "size": 64,
        "steps": 3,
        "progress": False,
    }
    guided = transfer(CONTENT, STYLE, masks={"content": labels, "style": of_style}, **settings)
    free = transfer(CONTENT, STYLE, **settings)
    assert (
        len(guided.history["total"]) == 6
        and guided.history["photorealism"][:3] == [0, 0, 0]
        and min(guided.history["photorealism"][3:]) > 0
    )
    assert guided.history["style"][0] != pytest.approx(free.history["style"][0], rel=1e-3)
