"""The paper's experiments, small, with real weights: reconstructions (figure 1), alpha / beta
(figure 4), optimizers.
"""

import os
import time

import numpy as np
import pytest
from conftest import IMAGES

from neural_style import load_image, transfer

pytestmark = [pytest.mark.network, pytest.mark.slow]
PHOTO, PAINTING = os.path.join(IMAGES, "chenonceau.jpg"), os.path.join(IMAGES, "starry_night.jpg")
LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")


def psnr(image, reference):
    return 10 * np.log10(255**2 / np.mean((np.asarray(image, "float64") - reference) ** 2))


def test_content_reconstructions_lose_the_photo_layer_by_layer():
    photo = load_image(PHOTO, 96)
    results = [
        transfer(
            PHOTO,
            None,
            content_layers=[layer],
            tv_weight=0,
            size=96,
            start_size=24,
            steps=60,
            progress=False,
        )
        for layer in LAYERS
    ]
    decibels = [psnr(result.image, photo) for result in results]
    print("PSNR", dict(zip(LAYERS, np.round(decibels, 1))))
    assert decibels == sorted(decibels, reverse=True)
    assert decibels[0] > 25 and decibels[1] > 25 and decibels[2] > 18


@pytest.mark.parametrize("depth", range(1, 6))
def test_style_reconstructions_match_the_gram_matrices(depth):
    result = transfer(
        None,
        PAINTING,
        style_layers=LAYERS[:depth],
        tv_weight=0,
        size=96,
        start_size=None,
        steps=80,
        progress=False,
    )
    style = result.history["style"]
    assert style[-1] < 0.02 * style[0]  # the first entry is after one step: less than at the start


def test_content_falls_and_style_rises_with_alpha_over_beta():
    content, style = [], []
    for alpha in (0.1, 1, 10, 100, 1000):
        history = transfer(
            PHOTO,
            PAINTING,
            content_weight=alpha,
            size=64,
            start_size=None,
            steps=40,
            progress=False,
        ).history
        content.append(history["content"][-1] / alpha)
        style.append(history["style"][-1])
    assert content == sorted(content, reverse=True) and style == sorted(style)
    assert content[-1] < 0.2 * content[0] and style[-1] > 5 * style[0]


def test_all_optimizers_reach_the_same_region():
    """Evaluations and seconds until the loss is within 10 % of where 60 steps of L-BFGS end."""

    def run(optimizer, steps, below):
        evaluations = []

        def stop(intermediate_result):
            evaluations.append(intermediate_result.fun)
            if intermediate_result.fun < below:
                raise StopIteration

        started = time.monotonic()
        result = transfer(
            PHOTO,
            PAINTING,
            size=64,
            start_size=None,
            steps=steps,
            optimizer=optimizer,
            callback=stop,
            progress=False,
        )
        return min(result.history["total"]), len(evaluations), time.monotonic() - started

    goal = 1.1 * run("lbfgs", 60, 0)[0]
    for optimizer in ("lbfgs", "scipy", "adam", "sgd"):
        loss, steps, seconds = run(optimizer, 300, goal)
        print(f"{optimizer}: {steps} steps, {seconds:.1f} s to {goal:.2f}")
        assert loss < goal
