"""JAX and PyTorch against TensorFlow, each in a process of its own."""

import os
import subprocess
import sys

import numpy as np
import pytest
from helpers import PATHS, needs_tensorflow

ON_A_BACKEND = """
import sys
import numpy as np
import no_tensorflow  # on JAX and PyTorch, its import fails
from helpers import picture, random_weights
from neural_style import Evaluator, feature_extractor, preprocess, transfer
from neural_style.losses import content_loss, style_loss, total_variation_loss

layers = ["conv1_1", "conv2_1", "conv3_1", "conv4_2"]
vgg = feature_extractor(layers, weights=random_weights(), normalize=False)
content, style, x = (preprocess(picture(48, 64, seed)) for seed in (1, 2, 3))
losses = {
    "content": content_loss(vgg(content), ["conv4_2"]),
    "style": style_loss(vgg(style), layers[:3]),
    "tv": total_variation_loss(),
}
evaluator = Evaluator(vgg, losses, {"content": 1.0, "style": 10.0, "tv": 1e-5}, x.shape)
loss, grad = evaluator(x.ravel())
result = transfer(
    picture(48, 64, 1), picture(64, 48, 2), weights=random_weights(), size=64, start_size=32,
    steps=6, style_layers=layers[:2], content_layers=layers[2:3], precision="float32",
    progress=False,
)
np.savez(sys.argv[1], loss=loss, grad=grad, total=result.history["total"], image=result.image)
"""


def on(backend, path):
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": PATHS}
    command = [sys.executable, "-c", ON_A_BACKEND, str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(path) as file:
        return dict(file)


@pytest.fixture(scope="module")
def on_tensorflow(tmp_path_factory):
    return on("tensorflow", tmp_path_factory.mktemp("backends") / "tensorflow.npz")


@needs_tensorflow
@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_the_same_loss_gradient_and_picture(backend, on_tensorflow, tmp_path):
    pytest.importorskip(backend)
    found = on(backend, tmp_path / "found.npz")
    assert found["loss"] == pytest.approx(on_tensorflow["loss"], rel=1e-5)
    off = np.linalg.norm(found["grad"] - on_tensorflow["grad"])
    assert off < 1e-4 * np.linalg.norm(on_tensorflow["grad"])
    # a line search may decide otherwise by the last bit; the pictures stay alike
    np.testing.assert_allclose(found["total"], on_tensorflow["total"], rtol=0.02)
    apart = np.abs(found["image"].astype(float) - on_tensorflow["image"])
    assert apart.mean() < 2
