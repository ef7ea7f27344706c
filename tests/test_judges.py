"""The judges of benchmarks.judges, against transcriptions and the published code's numbers."""

import io
import pickle

import numpy as np
import pytest
import scipy.linalg
import scipy.special
from conftest import IMAGES
from helpers import picture

from benchmarks.judges import alexnet, colors, copied, dists, scaled, structure
from neural_style import load_image
from neural_style.images.resize import resize


def test_colors_against_a_transcription():
    """HistoGAN's equations, pixel by pixel and bin by bin, in the published code's order."""
    image = picture(5, 4, 1)
    expected, bins = np.zeros((3, 64, 64)), np.linspace(-3, 3, 64)
    for pixel in image.reshape(-1, 3) / 255:
        brightness = np.sqrt((pixel**2).sum() + 1e-6)
        for channel, (a, b) in enumerate([(1, 2), (0, 2), (0, 1)]):
            u, v = (np.log(pixel[channel] + 1e-6) - np.log(pixel[i] + 1e-6) for i in (a, b))
            near_u, near_v = (1 / (1 + (w - bins) ** 2 / 0.02**2) for w in (u, v))
            expected[channel] += brightness * np.outer(near_u, near_v)
    expected /= expected.sum() + 1e-6
    np.testing.assert_allclose(colors.histogram(image), expected, rtol=1e-6)
    other = picture(5, 4, 2)
    found = colors.colors(other, image, other)
    apart = np.sqrt(colors.histogram(other)) - np.sqrt(expected)
    assert found == pytest.approx(np.linalg.norm(apart) / np.sqrt(2), rel=1e-6)


def test_colors_do_not_ask_where():
    image = picture(40, 30, 3)
    assert colors.colors(None, image, image[::-1]) == pytest.approx(0, abs=1e-6)
    assert colors.colors(None, image, 255 - image) > 0.2


@pytest.mark.parametrize("block", [7, 1024])
def test_structure_against_the_whole_matrix(monkeypatch, block):
    rng = np.random.default_rng(0)
    p, f = (rng.normal(size=(30, 5)).astype("float32") for _ in "pf")
    monkeypatch.setattr(structure, "BLOCK", block)
    tables = [scipy.special.softmax(some @ some.T, axis=1) for some in (p, f)]
    expected = sum(scipy.special.rel_entr(*rows).sum() for rows in zip(*tables))
    assert structure.divergence(p, f) == pytest.approx(expected, rel=1e-4)
    assert structure.divergence(p, p) == pytest.approx(0, abs=1e-5)


def test_frechet_against_scipy(monkeypatch):
    rng = np.random.default_rng(1)
    layers = {
        who: [rng.normal(i, 1 + i, (1, 6, 7, 4)).astype("float32") for i in (0, 1)]
        for who in ("result", "painting")
    }
    monkeypatch.setattr(alexnet, "features", layers.get)
    expected = []
    for f, g in zip(layers["result"], layers["painting"]):
        f, g = (some.reshape(-1, 4).astype("float64") for some in (f, g))
        C, S = (np.cov(some, rowvar=False, bias=True) for some in (f, g))
        cross = scipy.linalg.sqrtm(C @ S).real
        apart = ((f.mean(0) - g.mean(0)) ** 2).sum() + np.trace(C + S - 2 * cross)
        expected.append(apart / np.trace(S))
    found = alexnet.frechet(None, "painting", "result")
    assert found == pytest.approx(np.mean(expected), rel=1e-3)


def test_dists_against_a_transcription(monkeypatch):
    rng = np.random.default_rng(2)
    stacks = {who: [rng.uniform(size=(20, c)) for c in (3, 4)] for who in ("photo", "result")}
    alpha, beta = rng.uniform(size=(2, 7))
    monkeypatch.setattr(dists, "_stack", stacks.get)
    monkeypatch.setattr(dists, "_weights", lambda: (alpha, beta))
    expected, number = 1.0, 0
    for f, g in zip(stacks["photo"], stacks["result"]):
        for x, y in zip(f.T, g.T):
            m, n = x.mean(), y.mean()
            covariance = ((x - m) * (y - n)).mean()
            expected -= alpha[number] * (2 * m * n + 1e-6) / (m**2 + n**2 + 1e-6)
            expected -= beta[number] * (2 * covariance + 1e-6) / (x.var() + y.var() + 1e-6)
            number += 1
    assert dists.dists("photo", None, "result") == pytest.approx(expected, rel=1e-9)


def test_l2_pooling_against_a_transcription():
    x = np.random.default_rng(3).normal(size=(1, 6, 8, 2)).astype("float32")
    side = np.array([0.5, 1.0, 0.5])
    window = np.outer(side, side) / 4
    padded = np.pad(x[0], ((1, 1), (1, 1), (0, 0)))
    expected = [
        [
            np.sqrt((window[..., None] * padded[i : i + 3, j : j + 3] ** 2).sum((0, 1)))
            for j in range(0, 8, 2)
        ]
        for i in range(0, 6, 2)
    ]
    np.testing.assert_allclose(np.asarray(dists.l2_pool(x))[0], expected, rtol=1e-5)


def test_a_file_of_weights_makes_nothing_but_numbers():
    file = io.BytesIO(b"".join(pickle.dumps(part) for part in (1, 1001, print)))
    with pytest.raises(pickle.UnpicklingError, match="not in a file of weights: builtins.print"):
        dists._torch_arrays(file)


def test_pieces_of_a_copy():
    rng = np.random.default_rng(4)
    everywhere = np.stack(np.mgrid[:20, :30], axis=-1)
    assert copied.largest_piece(everywhere + 5) == 600
    scattered = rng.integers(0, 1000, (20, 30, 2))
    assert copied.largest_piece(scattered) == 0
    pasted = scattered.copy()
    pasted[3:8, 4:11] = everywhere[3:8, 4:11] + (40, 7)
    assert copied.largest_piece(pasted) == 35


def test_the_result_is_scaled_to_the_photo():
    sizes = [one.shape for one in scaled(picture(30, 40), picture(50, 20), picture(15, 20), 80)]
    assert sizes == [(60, 80, 3), (200, 80, 3), (60, 80, 3)]


# ---- With real weights


def small(name):
    return np.asarray(resize(load_image(f"{IMAGES}/{name}.jpg"), (256, 192)))


@pytest.mark.network
@pytest.mark.parametrize(
    "one,other,published", [("dog", "lemurs", 0.39853), ("petra", "poppies", 0.40568)]
)
def test_dists_is_what_its_own_code_says(one, other, published):
    """DISTS-pytorch 0.1 with torchvision's VGG16, on these pictures."""
    assert dists.dists(small(one), None, small(other)) == pytest.approx(published, abs=1e-3)


@pytest.mark.network
@pytest.mark.parametrize(
    "judge", [alexnet.lpips, alexnet.lpips_gray, dists.dists, structure.structure, copied.copied]
)
def test_the_photo_itself_has_lost_nothing(judge):
    assert judge(small("dog"), small("poppies"), small("dog")) == pytest.approx(0, abs=1e-4)


@pytest.mark.network
@pytest.mark.parametrize("judge", [alexnet.gram, alexnet.frechet, colors.colors])
def test_the_painting_itself_has_its_style(judge):
    photo, painting = small("dog"), small("poppies")
    assert judge(photo, painting, painting) == pytest.approx(0, abs=2e-3)
    assert judge(photo, painting, photo) > 0.1


@pytest.mark.network
def test_new_colors_cost_nothing_on_gray_pictures():
    photo = small("dog")
    turned = photo[..., [2, 1, 0]]
    assert alexnet.lpips_gray(photo, None, turned) < 0.6 * alexnet.lpips(photo, None, turned)


@pytest.mark.network
def test_a_boat_that_was_pasted_into_a_photo_is_copied():
    photo, painting, result = scaled(
        f"{IMAGES}/machu_picchu.jpg", f"{IMAGES}/summertime.jpg", f"{IMAGES}/machu_picchu.jpg", 512
    )
    height, width = painting.shape[0] // 2, painting.shape[1] // 2
    result = result.copy()
    result[:height, 100 : 100 + width] = painting[-height:, -width:][: result.shape[0]]
    assert copied.copied(photo, painting, result) > 0.2
    assert copied.copied(photo, painting, photo[:, ::-1]) < 0.1
