"""Odd environments, and little memory, around the library, and the right answers."""

import os
import pwd
import sys
import tracemalloc
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from unittest import mock

import keras
import numpy as np
from helpers import on_numpy, out_of_memory, picture, random_weights, read_only, small_calibration
from odd import Row, refused, works
from odd_callbacks import warned
from PIL import Image

from neural_style import Evaluator, compare, masks, stylize, transfer
from neural_style.vgg import vgg_weights

QUICK = dict(
    size=32,
    start_size=None,
    steps=2,
    content_layers=["conv1_2"],
    style_layers=["conv1_1"],
    progress=False,
)
COLORS = np.random.default_rng(0).permutation(
    [(r, g, b) for r in range(0, 250, 50) for g in range(0, 250, 50) for b in range(0, 200, 50)]
)


def prepare():
    Image.fromarray(picture(24, 32, 1)).save("photo.png")
    Image.fromarray(picture(32, 24, 2)).save("art.png")


def run(weights=None, **options):
    return transfer(
        "photo.png", "art.png", weights=weights or random_weights(), **{**QUICK, **options}
    )


@lru_cache(1)
def _weights():
    return Path(vgg_weights("vgg16", "torchvision").path)


@contextmanager
def keras_home(value):
    with mock.patch.dict(os.environ, {"KERAS_HOME": value}):
        yield


@contextmanager
def read_only_cache(filled):
    """Keras' cache folder, with torchvision's weights or empty, where nothing can be written."""
    models = Path("keras/models")
    models.mkdir(parents=True)
    for name in (_weights().name, _weights().name + ".sha256") if filled else ():
        os.symlink(_weights().with_name(name), models / name)
    with keras_home("keras"), read_only(models):
        yield


def with_weights():
    with read_only_cache(True):
        return run("torchvision")


def normalized():
    with read_only_cache(True), small_calibration():
        return warned(lambda: run("torchvision", normalize=True))


def without_weights():
    fetch = mock.Mock(side_effect=AssertionError("fetched"))
    with (
        read_only_cache(False),
        mock.patch("neural_style.vgg.download.lpips_checkpoint", fetch),
        mock.patch("keras.utils.get_file", fetch),
    ):
        vgg_weights("vgg16", "torchvision")


def at_home(value):
    with keras_home(value):
        vgg_weights("vgg16", "torchvision")


def homeless():
    with (
        mock.patch.dict(os.environ),
        mock.patch.object(pwd, "getpwuid", side_effect=KeyError("uid not found")),
    ):
        os.environ.pop("HOME", None)
        os.environ.pop("KERAS_HOME", None)
        vgg_weights("vgg16", "torchvision")


def both_ways(function, setting, value):
    """Whether the function gives the same with Keras' setting, as in keras.json, as without."""
    get, put = getattr(keras.config, setting), getattr(keras.config, f"set_{setting}")
    before, plain = get(), function()
    put(value)
    try:
        return np.array_equal(function(), plain)
    finally:
        put(before)


def painted():
    return np.asarray(run().image)


def by_network():
    from neural_style.feedforward import resolve_network

    resolve_network._of_name.cache_clear()
    return np.asarray(stylize("photo.png", "poppies"))


def labels(side, rows, columns):
    """A label picture of rows x columns colors, side x side."""
    of_pixel = (np.arange(side) * rows // side)[:, None] * columns + np.arange(
        side
    ) * columns // side
    return COLORS[of_pixel].astype("uint8")


def noisy_labels():
    """(regions, bytes a pixel at the peak) of 100 labels with noise in 45 % of the pixels, as a
    lossy format leaves it.
    """
    rng, flat = np.random.default_rng(0), labels(1000, 10, 10)
    noise = rng.integers(-20, 21, flat.shape) * (rng.random((1000, 1000, 1)) < 0.45)
    Image.fromarray(np.clip(flat + noise, 0, 255).astype("uint8")).save("labels.png")
    tracemalloc.start()
    try:
        found = masks.from_labels("labels.png", "labels.png")
        return len(found), tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def eight_labels():
    Image.fromarray(labels(64, 2, 4)).save("labels.png")
    return masks.from_labels("labels.png", "labels.png")


def without_matplotlib():
    with mock.patch.dict(sys.modules, {"matplotlib": None, "matplotlib.pyplot": None}):
        compare([picture(24, 32)])


def wrong_length():
    evaluator = Evaluator(
        lambda x: {"image": x},
        {"mean": lambda features: keras.ops.mean(features["image"])},
        {"mean": 1.0},
        (1, 4, 5, 3),
    )
    return evaluator(np.zeros(59))


def finished(result):
    return result.message == "all steps done"


ROWS = [
    Row("read-only cache with weights", with_weights, works(finished), network=True),
    Row(
        "the same, normalize=True",
        normalized,
        works(
            lambda found: (
                finished(found[0])
                and len(found[1]) == 1
                and "cannot be kept in keras/models" in found[1][0]
            )
        ),
        seconds=30,
        network=True,
    ),
    Row(
        "read-only cache without weights",
        without_weights,
        refused("cannot be written.*KERAS_HOME", RuntimeError),
    ),
    Row(
        "KERAS_HOME that cannot be made",
        lambda: at_home("/proc/none/keras"),
        refused("KERAS_HOME", RuntimeError),
    ),
    Row("KERAS_HOME a file", lambda: at_home("photo.png"), refused("KERAS_HOME", RuntimeError)),
    Row(
        "KERAS_HOME=~nobody/x",
        lambda: at_home("~no_such_user/x"),
        refused("KERAS_HOME", RuntimeError),
    ),
    Row("no HOME, no passwd entry", homeless, refused("KERAS_HOME", RuntimeError)),
    Row(
        "keras.json: channels_first, transfer",
        lambda: both_ways(painted, "image_data_format", "channels_first"),
        works(bool),
        slow=True,
    ),
    Row(
        "keras.json: channels_first, stylize(…, 'poppies')",
        lambda: both_ways(by_network, "image_data_format", "channels_first"),
        works(bool),
        slow=True,
    ),
    Row(
        "keras.json: floatx float16",
        lambda: both_ways(painted, "floatx", "float16"),
        works(bool),
        slow=True,
    ),
    Row(
        "KERAS_BACKEND=numpy, progress=False",
        lambda: on_numpy()["progress=False"],
        works(lambda text: text == on_numpy()["expected"]),
        seconds=60,
        slow=True,
    ),
    Row(
        "KERAS_BACKEND=numpy, progress=True",
        lambda: on_numpy()["progress=True"],
        works(lambda text: text == on_numpy()["expected"]),
        seconds=60,
        slow=True,
    ),
    Row(
        "out of memory (100 MB of address space left)",
        out_of_memory,
        works(
            lambda told: (
                told
                == "MemoryError: TensorFlow ran out of memory at 768 x 576 pixels; use a smaller"
                " size, or tile="
            )
        ),
        seconds=120,
        slow=True,
    ),
    Row(
        "label picture of 1 megapixel, 100 labels and noise",
        noisy_labels,
        works(lambda found: found[0] == 100 and found[1] < 1000),
        slow=True,
    ),
    Row("masks.from_labels of 8 colors", eight_labels, works(lambda found: len(found) == 8)),
    Row("vgg_weights(None)", lambda: vgg_weights(None), refused("network must be one of")),
    Row(
        "compare without matplotlib",
        without_matplotlib,
        refused('pip install "matplotlib>=3.8"$', ImportError),
    ),
    Row("Evaluator of the wrong length", wrong_length, refused("59")),
]
