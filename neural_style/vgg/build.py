"""Build VGG as a Keras model."""

from collections.abc import Mapping

import keras
import numpy as np

from .architecture import conv_layers
from .layers import _graph

#: {precision: Keras' dtype policy of the layers}.
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}

#: {pooling: Keras' layer}.
POOLINGS = {"avg": keras.layers.AveragePooling2D, "max": keras.layers.MaxPooling2D}


def _build(
    names: Mapping[str, str],
    network: str,
    convolutions: Mapping[str, tuple[np.ndarray, np.ndarray]],
    pooling: str,
    precision: str,
) -> keras.Model:
    """Build a VGG with the given weights, up to the deepest layer of {output: Keras' layer name}.

    The model maps B x H x W x 3 to {output: B x h x w x C, "image": the input}.
    """
    graph = _graph(network)
    deepest = max(graph.index(name) for name in names.values())
    x = inputs = keras.Input((None, None, 3), name="image", dtype="float32")
    tensors = {}
    for name in graph[: deepest + 1]:
        if name.endswith("pool"):
            layer = POOLINGS[pooling](
                2, name=name, dtype=PRECISIONS[precision], data_format="channels_last"
            )
        else:
            layer = keras.layers.Conv2D(
                conv_layers(network)[name][-1],
                3,
                padding="same",
                activation="relu",
                name=name,
                kernel_initializer="zeros",
                dtype=PRECISIONS[precision],
                data_format="channels_last",
            )
        x = tensors[name] = layer(x)
        if name in convolutions:
            layer.set_weights(convolutions[name])
    outputs = {asked: tensors[name] for asked, name in names.items()}
    model = keras.Model(inputs, {**outputs, "image": inputs}, name=network)
    model.trainable = False
    return model
