"""Features of a layer and back: VGG16 and the decoder, as functions of arrays of any size."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import keras
import numpy as np
from keras import KerasTensor, ops

from ..optimize.autodiff import check_backend, compiled, memory_error
from ..vgg.weights import vgg_weights
from .decoder import CHANNELS, STRIDES, Decoders, packaged_decoders
from .encoder import build_encoder


class Codec:
    """VGG16 up to a layer, and the layer's decoder.

    Args:
        level: The layer.
        encoder: From build_encoder, with this layer.
        decoder: B x h x w x C -> pictures.

    Attributes:
        stride: Pixels from one position to the next.
    """

    def __init__(self, level: str, encoder: keras.Model, decoder: keras.Model) -> None:
        self.stride = STRIDES[level]
        self._encode = compiled(
            lambda x: ops.cast(encoder(x, training=False)[level], "float32"),
            KerasTensor((None, None, None, 3)),
        )
        self._decode = compiled(
            lambda f: ops.cast(decoder(f, training=False), "float32"),
            KerasTensor((None, None, None, CHANNELS[level])),
        )

    def encode(self, x: np.ndarray) -> np.ndarray:
        """The features of a picture.

        Args:
            x: BGR minus ImageNet's mean, H x W x 3, sides multiples of the stride.

        Returns:
            float32, H / stride x W / stride x C.
        """
        with memory_error((1, *x.shape)):
            return ops.convert_to_numpy(self._encode(x[None].astype("float32")))[0]

    def decode(self, features: np.ndarray) -> np.ndarray:
        """The picture that has these features.

        Args:
            features: h x w x C.

        Returns:
            BGR minus ImageNet's mean, float32, h stride x w stride x 3.
        """
        shape = (1, *(side * self.stride for side in features.shape[:2]), 3)
        with memory_error(shape):
            return ops.convert_to_numpy(self._decode(features[None].astype("float32")))[0]


def codec_of(
    level: str, decoders: Decoders, precision: Literal["float32", "bfloat16"] = "float32"
) -> Codec:
    """The codec of a layer.

    Args:
        level: The layer.
        decoders: The decoders.
        precision: Of VGG16's convolutions.

    Raises:
        RuntimeError: VGG16's weights cannot be fetched.
        ValueError: They are others than those that the decoders were trained with.
    """
    check_backend()
    known = decoders.record["weights"]
    parameters = vgg_weights("vgg16", None if known["source"] == "random" else known["source"])
    if parameters.sha256 != known["sha256"]:
        raise ValueError(
            f"these decoders were trained with VGG16's weights {known['sha256'][:12]}. Received:"
            f" {parameters.source} weights {parameters.sha256[:12]}"
        )
    encoder = build_encoder([level], parameters, decoders.means, precision)
    return Codec(level, encoder, decoders.networks[level])


@lru_cache(8)
def codec(level: str) -> Codec:
    """The codec of a layer, with the decoders that come with the package."""
    return codec_of(level, packaged_decoders())
