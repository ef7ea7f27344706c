"""Decoders: small networks that make a picture of VGG16's features at one layer."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

import keras
import numpy as np
from keras import layers

from .._shared.checks import choice, count
from .._shared.files import whole_or_not
from .._shared.npz import read_npz
from .._shared.types import Path
from ..vgg.architecture import conv_layers
from ..vgg.build import PRECISIONS
from .reflection import ReflectionPadding2D

#: {layer of VGG16: filters of the decoder's convolutions; 0: its positions are doubled}, from the
#: finest to the coarsest. A last convolution, of three filters, makes pixels.
DECODERS: dict[str, tuple[int, ...]] = {
    "relu1_1": (32,),
    "relu2_1": (64, 32, 0, 16),
    "relu3_1": (128, 128, 0, 64, 32, 0, 16),
    "relu4_1": (256, 0, 128, 128, 0, 64, 32, 0, 16),
}

#: {layer: its channels}.
CHANNELS = {"relu1_1": 64, "relu2_1": 128, "relu3_1": 256, "relu4_1": 512}

#: {layer: how many pixels wide and high one of its positions is}.
STRIDES = {"relu1_1": 1, "relu2_1": 2, "relu3_1": 4, "relu4_1": 8}

#: Gray levels for 1 of a decoder's last convolution, so that its weights are of the others' size.
GRAY_LEVELS = 64.0

#: VGG16's convolutions up to relu4_1, by Keras' names.
ENCODER = tuple(conv_layers("vgg16"))[:8]


@dataclass(frozen=True)
class Decoders:
    """The trained decoders and what their features are.

    Attributes:
        networks: {layer: B x h x w x C -> pictures, B x H x W x 3, BGR minus ImageNet's mean}.
        means: {convolution of VGG16: mean activation of its filters}; the features are divided by
            these, see feature_extractor.
        record: How they were trained.
    """

    networks: Mapping[str, keras.Model]
    means: Mapping[str, np.ndarray]
    record: Mapping[str, Any] = field(repr=False)


def build_decoder(
    level: str, seed: int = 0, precision: Literal["float32", "bfloat16"] = "float32"
) -> keras.Model:
    """Build an untrained decoder of a layer.

    3 x 3 convolutions whose borders are reflections, ReLU, and upsampling to nearest neighbors
    before a convolution, which leaves no checkerboard (Odena et al. 2016).

    Args:
        level: A layer of DECODERS.
        seed: Seeds the first weights.
        precision: Of the convolutions; weights and pictures are float32.

    Returns:
        A keras.Model, B x h x w x C -> B x H x W x 3, BGR minus ImageNet's mean.
    """
    policy = PRECISIONS[choice("precision", precision, PRECISIONS)]
    rng, channels = np.random.default_rng(count("seed", seed, 0)), CHANNELS[level]
    x = inputs = keras.Input((None, None, channels), name=level)
    convolutions = []
    for filters in (*DECODERS[level], 3):
        if not filters:
            x = layers.UpSampling2D(2, "channels_last", interpolation="nearest", dtype=policy)(x)
            continue
        last = filters == 3
        layer = layers.Conv2D(
            filters,
            3,
            activation=None if last else "relu",
            data_format="channels_last",
            dtype=policy,
        )
        x = layer(ReflectionPadding2D(1, dtype=policy)(x))
        deviation = 0.01 if last else (2 / (9 * channels)) ** 0.5  # He et al. 2015
        kernel = deviation * rng.standard_normal((3, 3, channels, filters))
        convolutions.append((layer, kernel.astype("float32")))
        channels = filters
    outputs = layers.Rescaling(GRAY_LEVELS, dtype="float32")(x)
    for layer, kernel in convolutions:
        layer.set_weights([kernel, np.zeros(kernel.shape[-1], "float32")])
    return keras.Model(inputs, outputs, name=f"decoder_of_{level}")


def save_decoders(decoders: Decoders, path: Path) -> None:
    """Write decoders to a file; it appears whole or not at all.

    Kernels are rounded to int8, with a scale for each filter: that costs 0.03 decibels at most, and
    0.4 gray levels in a painted picture.

    Args:
        decoders: What to write.
        path: The .npz file.
    """
    arrays: dict[str, Any] = {f"means/{name}": mean for name, mean in decoders.means.items()}
    for level, network in decoders.networks.items():
        for number, weight in enumerate(network.get_weights()):
            name = f"{level}/{number}"
            if weight.ndim == 4:
                scale = np.maximum(np.abs(weight).max(axis=(0, 1, 2)), 1e-12) / 127
                arrays[f"{name}/scale"], weight = scale, np.rint(weight / scale).astype("int8")
            arrays[name] = weight
    found = io.BytesIO()
    np.savez_compressed(found, record=np.array(json.dumps(dict(decoders.record))), **arrays)
    with whole_or_not(path) as file:
        file.write(found.getbuffer())


def load_decoders(path: Path) -> Decoders:
    """Read decoders from a file, which may be damaged or come from a stranger.

    Args:
        path: The .npz file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged or holds something else.
    """
    networks = {level: build_decoder(level) for level in DECODERS}
    shapes: dict[str, tuple[int, ...]] = {
        f"{level}/{number}": weight.shape
        for level, network in networks.items()
        for number, weight in enumerate(network.get_weights())
    }
    shapes |= {f"{name}/scale": shape[-1:] for name, shape in shapes.items() if len(shape) == 4}
    shapes |= {f"means/{name}": (conv_layers("vgg16")[name][-1],) for name in ENCODER}
    arrays = read_npz(path, {**shapes, "record": ()}, most_bytes=1 << 27)
    if not all(np.isfinite(array).all() for name, array in arrays.items() if name != "record"):
        raise ValueError(f"{str(path)!r} holds decoders whose numbers are not all finite")
    for level, network in networks.items():
        network.set_weights(
            [
                arrays[name].astype("float32") * arrays.get(f"{name}/scale", np.float32(1))
                for name in (f"{level}/{number}" for number in range(len(network.get_weights())))
            ]
        )
        network.trainable = False
    means = {name: arrays[f"means/{name}"].astype("float32") for name in ENCODER}
    if not all((mean >= 0).all() and mean.max() > 0 for mean in means.values()):
        raise ValueError(f"{str(path)!r} holds mean activations that cannot be right")
    return Decoders(networks, means, _record(arrays["record"], path))


@lru_cache(1)
def packaged_decoders() -> Decoders:
    """The decoders that come with the package."""
    return load_decoders(str(files("neural_style") / "universal" / "decoders.npz"))


def _record(array: np.ndarray, path: Path) -> dict[str, Any]:
    try:
        found = json.loads(str(array))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ValueError(f"{str(path)!r} holds no record of how its decoders were trained")
    return found
