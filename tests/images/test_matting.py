"""Mattes of a picture whose alpha is known, compositing by hand, and what is refused."""

import numpy as np
import pytest
from helpers import picture
from scipy.ndimage import gaussian_filter

from neural_style._shared import optional as extras
from neural_style.images.matting import (
    METHODS,
    composite,
    cut_out,
    estimate_alpha,
    estimate_foreground,
    trimap_from_mask,
)


@pytest.fixture(scope="module")
def known():
    """A disc with a soft, frayed edge on another picture: image, foreground, background, alpha."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:80, :100]
    angle = np.arctan2(y - 40, x - 50)
    edge = 24 + 3 * np.sin(9 * angle) - np.hypot(y - 40, x - 50)
    alpha = np.clip(edge / 6 + 0.5, 0, 1)
    foreground = np.clip(
        np.stack([200 + 30 * np.sin(x / 9), 90 + 0.5 * y, 60 + 0 * x], -1)
        + rng.normal(0, 2, (80, 100, 3)),
        0,
        255,
    )
    background = np.clip(
        np.stack([40 + 0.3 * x, 110 + 0.5 * y, 170 + 20 * np.cos(y / 11)], -1)
        + rng.normal(0, 2, (80, 100, 3)),
        0,
        255,
    )
    image = alpha[..., None] * foreground + (1 - alpha[..., None]) * background
    trimap = np.where(
        gaussian_filter(alpha, 2) > 0.97, 255, np.where(gaussian_filter(alpha, 2) < 0.03, 0, 128)
    ).astype("uint8")
    return (
        *tuple(np.rint(a).astype("uint8") for a in (image, foreground, background)),
        alpha,
        trimap,
    )


@pytest.mark.parametrize(
    "method",
    [
        pytest.param(method, marks=[pytest.mark.slow] * (method == "lkm"))  # compiled by Numba
        for method in METHODS
    ],
)
def test_alpha_of_a_known_composite(known, method):
    image, _, _, alpha, trimap = known
    found = estimate_alpha(image, trimap, method)
    assert found.shape == alpha.shape and found.min() >= 0 and found.max() <= 1
    assert np.abs(found - alpha).mean() < 0.03
    unknown = trimap == 128
    assert (
        unknown.mean() > 0.1
        and np.abs(found - alpha)[unknown].mean() < 0.5 * np.abs(0.5 - alpha)[unknown].mean()
    )


def test_foreground_and_composite(known):
    image, foreground, background, alpha, _ = known
    found = estimate_foreground(image, alpha)
    there = alpha > 0.3
    assert (
        np.abs(found.astype(float) - foreground)[there].mean()
        < 0.5 * np.abs(image.astype(float) - foreground)[there].mean() + 2
    )
    again = composite(found, alpha, background)
    assert np.abs(again.astype(int) - image).mean() < 2
    np.testing.assert_array_equal(
        composite(foreground, np.full((80, 100), 0.25), background),
        np.rint(0.25 * foreground + 0.75 * background),
    )
    np.testing.assert_array_equal(
        cut_out(image, alpha)[..., 3], np.rint(255 * alpha.astype("float32"))
    )


def test_a_trimap_from_a_mask_by_hand():
    mask = np.zeros((9, 12), bool)
    mask[:, 6:] = True
    trimap = trimap_from_mask(mask, 2)
    assert (trimap == np.array([0] * 4 + [128] * 4 + [255] * 4)).all()
    with pytest.raises(ValueError, match="nothing of the foreground is left"):
        trimap_from_mask(mask[:, :7], 3)


@pytest.mark.parametrize(
    "call,error,words",
    [
        (
            lambda: estimate_alpha(picture(9, 9), np.full((9, 9), 128, "uint8")),
            ValueError,
            "some foreground .* Received: 0 and 0",
        ),
        (
            lambda: estimate_alpha(picture(9, 9), np.full((9, 9), 255, "uint8")),
            ValueError,
            "some foreground .* Received: 81 and 0",
        ),
        (
            lambda: estimate_alpha(picture(9, 9), np.zeros((9, 8), "uint8")),
            ValueError,
            r"size, \(9, 9\). Received: \(9, 8\)",
        ),
        (
            lambda: estimate_alpha(picture(9, 9), picture(9, 9), "magic"),
            ValueError,
            "method must be one of",
        ),
        (lambda: trimap_from_mask(np.eye(9), 0), ValueError, "width must be"),
        (
            lambda: composite(picture(9, 9), np.ones((5, 9)), picture(9, 9)),
            ValueError,
            "proportions",
        ),
        (
            lambda: composite(picture(9, 9), np.full((9, 9), 2.0), picture(9, 9)),
            ValueError,
            "from 0 to 1",
        ),
    ],
)
def test_clear_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(extras.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match='pip install "pymatting>=1.1.13"$'):
        estimate_alpha(picture(9, 9), picture(9, 9))
