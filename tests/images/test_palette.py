"""match_palette and Oklab, against published values and transcriptions."""

import numpy as np
import pytest
from helpers import picture

from neural_style.images import match_palette
from neural_style.images import palette as module
from neural_style.images.oklab import oklab_to_rgb, rgb_to_oklab


@pytest.mark.parametrize(
    "rgb,oklab",
    [
        ((255, 255, 255), (1.0, 0.0, 0.0)),
        ((0, 0, 0), (0.0, 0.0, 0.0)),
        ((255, 0, 0), (0.62796, 0.22486, 0.12585)),
        ((0, 255, 0), (0.86644, -0.23389, 0.17950)),
        ((0, 0, 255), (0.45201, -0.03246, -0.31153)),
    ],
)
def test_oklab_of_the_primaries(rgb, oklab):
    """As CSS Color 4 and others list them."""
    np.testing.assert_allclose(rgb_to_oklab(rgb), oklab, atol=1e-4)


def test_there_and_back():
    image = picture(20, 30, 1, noise=60)
    np.testing.assert_allclose(oklab_to_rgb(rgb_to_oklab(image)), image, atol=1e-6)


def hues(image):
    return rgb_to_oklab(image)[..., 1:].reshape(-1, 2)


def test_hues_have_the_paintings_mean_and_covariance(monkeypatch):
    monkeypatch.setattr(module, "ROUNDS", 0)
    content, style = picture(40, 50, 2) // 2 + 60, picture(60, 30, 3) // 4 + 100
    found = match_palette(content, content, style)
    np.testing.assert_allclose(hues(found).mean(0), hues(style).mean(0), atol=3e-3)
    spreads = [np.cov(hues(image), rowvar=False) for image in (found, style)]
    np.testing.assert_allclose(*spreads, atol=0.15 * np.abs(spreads[1]).max())


def test_lightness_stays_and_stray_spots_lose_their_color():
    content = np.full((30, 30, 3), (90, 120, 200), "uint8")
    content[:, 15:] = (120, 170, 90)
    painted = content.copy()
    painted[5:8, 5:8] = (230, 60, 40)
    found = match_palette(painted, content, content)
    lightness = [rgb_to_oklab(image)[..., 0] for image in (found, painted)]
    low, high = rgb_to_oklab(content)[..., 0].min(), rgb_to_oklab(content)[..., 0].max()
    np.testing.assert_allclose(lightness[0], np.clip(lightness[1], low, high), atol=0.01)
    np.testing.assert_allclose(hues(found[5:8, 5:8]), hues(content[5:8, 5:8]), atol=0.02)
    np.testing.assert_allclose(found[:, :10], content[:, :10], atol=12)


def test_smoothing_against_a_transcription():
    rng = np.random.default_rng(4)
    ab, lightness = rng.normal(size=(6, 7, 2)), rng.uniform(size=(6, 7))
    expected = ab
    for _ in range(module.ROUNDS):
        before, expected = expected, np.zeros_like(ab)
        for y in range(6):
            for x in range(7):
                total = 0
                for dy in (-1, 0, 1):
                    for dx in (-1, 0, 1):
                        at = min(max(y + dy, 0), 5), min(max(x + dx, 0), 6)
                        weight = np.exp(-10 * abs(lightness[at] - lightness[y, x]))
                        expected[y, x] += weight * before[at]
                        total += weight
                expected[y, x] /= total
    np.testing.assert_allclose(module._smoothed(ab, lightness), expected, rtol=1e-9)


def test_a_gray_painting_and_one_of_another_size():
    painted, content = picture(20, 30, 5), picture(40, 60, 6)
    gray = np.repeat(picture(10, 10, 7)[..., :1], 3, axis=-1)
    found = match_palette(painted, content, gray)
    assert found.shape == (20, 30, 3) and found.dtype == np.uint8
    assert np.ptp(found.astype(int), axis=-1).max() <= 2
    assert match_palette(painted, content, gray[:1, :1]).shape == (20, 30, 3)
