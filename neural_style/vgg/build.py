"""Build VGG as a Keras model."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from .architecture import PADDINGS, conv_layers
from .layers import _graph

#: {precision: Keras' dtype policy of layers whose weights are trained, in float32}. The feature
#: network's are not: they are kept in the precision that they are multiplied in.
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}

#: {pooling: Keras' layer}.
POOLINGS = {"avg": keras.layers.AveragePooling2D, "max": keras.layers.MaxPooling2D}


class Border(keras.layers.Layer):
    """Add a row and a column at each edge: B x H x W x C -> B x (H + 2) x (W + 2) x C.

    Args:
        mode: "reflect" or "symmetric", as for keras.ops.pad, which takes longer.
    """

    def __init__(self, mode: str, **options: Any) -> None:
        super().__init__(**options)
        self.mode = mode

    def call(self, x: Any) -> Any:
        join, inner = keras.ops.concatenate, self.mode == "reflect"
        first, last = (slice(1, 2), slice(-2, -1)) if inner else (slice(0, 1), slice(-1, None))
        x = join([x[:, first], x, x[:, last]], axis=1)
        return join([x[:, :, first], x, x[:, :, last]], axis=2)

    def compute_output_shape(self, shape: Sequence[int | None]) -> tuple[int | None, ...]:
        batch, *sides, channels = shape
        return batch, *(side and side + 2 for side in sides), channels


def _build(
    names: Mapping[str, str],
    network: str,
    convolutions: Mapping[str, tuple[np.ndarray, np.ndarray]],
    pooling: str,
    precision: str,
    padding: str = "zeros",
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
            layer = POOLINGS[pooling](2, name=name, dtype=precision, data_format="channels_last")
        else:
            mode, layers = PADDINGS[padding]
            bordered = name.startswith(layers)
            if bordered:
                x = Border(mode, name=f"{name}_border", dtype=precision)(x)
            layer = keras.layers.Conv2D(
                conv_layers(network)[name][-1],
                3,
                padding="valid" if bordered else "same",
                activation="relu",
                name=name,
                kernel_initializer="zeros",
                dtype=precision,
                data_format="channels_last",
            )
        x = tensors[name] = layer(x)
        if name in convolutions:
            layer.set_weights(convolutions[name])
    outputs = {asked: tensors[name] for asked, name in names.items()}
    model = keras.Model(inputs, {**outputs, "image": inputs}, name=network)
    model.trainable = False
    return model
