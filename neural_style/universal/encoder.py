"""The half of VGG16 whose features the decoders know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

import keras
import numpy as np

from ..vgg.extractor import feature_extractor
from ..vgg.normalization import normalized
from ..vgg.weights import Weights

#: transfer()'s pooling. So the features are those in which it compares styles, too.
POOLING: Literal["avg"] = "avg"


def build_encoder(
    levels: Iterable[str],
    parameters: Weights,
    means: Mapping[str, np.ndarray],
    precision: Literal["float32", "bfloat16"] = "float32",
) -> keras.Model:
    """Build VGG16 up to some layers, normalized by the means that the decoders were trained with.

    Args:
        levels: Layers, such as relu3_1.
        parameters: VGG16's weights.
        means: {convolution: mean activation of its filters}.
        precision: Of the convolutions.

    Returns:
        A keras.Model, preprocessed pictures, B x H x W x 3 -> {layer: B x h x w x C}.
    """
    scaled = normalized({name: parameters.layers[name] for name in means}, means)
    return feature_extractor(
        levels,
        network="vgg16",
        weights=replace(parameters, layers=scaled),
        pooling=POOLING,
        normalize=False,
        precision=precision,
    )
