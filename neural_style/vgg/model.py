"""A Keras model of one's own as the feature network: its outputs, and what they see."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

#: Layers that work on each position by itself.
POINTWISE = (
    "Activation",
    "BatchNormalization",
    "Dropout",
    "ELU",
    "GELU",
    "Identity",
    "LeakyReLU",
    "Normalization",
    "PReLU",
    "ReLU",
    "Rescaling",
    "SpatialDropout2D",
)
#: Layers that put several tensors of one size together.
MERGING = ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract")
CONVOLUTIONS = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D")
POOLINGS = ("AveragePooling2D", "MaxPooling2D")


class View(NamedTuple):
    """What a position of a tensor sees of the picture.

    Attributes:
        stride: Pixels of the picture for one position.
        margin: Positions beyond its own that the edge of a tile is felt.
        free: Whether any size of picture may be cut; else its sides must be multiples of the
            stride.
    """

    stride: int
    margin: int
    free: bool


def check_model(model: Any) -> None:
    """Raise a TypeError unless `model` can be a feature network."""
    if not isinstance(model, keras.Model) or not isinstance(getattr(model, "output", None), dict):
        raise TypeError(
            "network must be 'vgg16', 'vgg19', or a keras.Model with named outputs, such as"
            " keras.Model(inputs, {'conv1': tensor, ...}). Received:"
            f" network={'a keras.Model' if isinstance(model, keras.Model) else repr(model):.200}"
        )
    shape: Any = getattr(model.input, "shape", ())
    if len(shape) != 4 or shape[-1] != 3 or any(side is not None for side in shape[1:3]):
        raise TypeError(
            "a network's input must be pictures of any size, keras.Input((None, None, 3))."
            f" Received: an input of shape {shape}"
        )


def check_outputs(layers: Iterable[str], model: Any) -> None:
    """Raise a ValueError for a layer that is not among the model's outputs of positions."""
    outputs = {name: out for name, out in model.output.items() if len(out.shape) == 4}
    missing = [name for name in layers if name not in outputs]
    if missing:
        raise ValueError(
            f"the network {model.name!r} has no output {', '.join(map(repr, missing))} of shape"
            f" B x h x w x C. It has {', '.join(outputs)}"
        )


def model_extractor(layers: Sequence[str], model: Any) -> keras.Model:
    """The part of the model that ends in `layers`, with the picture itself as "image"."""
    outputs = {name: model.output[name] for name in layers}
    extractor = keras.Model(model.input, {**outputs, "image": model.input}, name=model.name)
    extractor.trainable = False
    return extractor


def model_digest(model: Any) -> str:
    """SHA-256 of a model's configuration and weights."""
    found = hashlib.sha256(json.dumps(model.get_config(), default=str, sort_keys=True).encode())
    for weight in model.get_weights():
        found.update(np.ascontiguousarray(weight).tobytes())
    return found.hexdigest()


def model_bytes(layers: Iterable[str], model: Any) -> float:
    """Bytes of all activations that lead to `layers`, for a pixel; float32.

    Where a layer's view is not known, its positions count as many as the picture's pixels.
    """
    total, seen, ahead = 0.0, set(), [model.output[name] for name in layers]
    while ahead:
        tensor = ahead.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        try:
            stride = _view(tensor, {}).stride
        except ValueError:
            stride = 1
        total += 4 * (tensor.shape[-1] or 1) / stride**2
        ahead += _inputs(tensor)
    return total


def model_fields(layers: Iterable[str], model: Any) -> dict[str, tuple[int, int]]:
    """What a position of each layer sees: {name: (stride, halo)}, both in pixels.

    Raises:
        ValueError: A layer on the way whose view of the picture is not known.
    """
    known: dict[int, View] = {}
    views = {name: _view(model.output[name], known) for name in layers}
    return {name: (view.stride, view.margin * view.stride) for name, view in views.items()}


def sides_must_divide(layers: Iterable[str], model: Any) -> bool:
    """Whether tiles are exact only for pictures whose sides are multiples of the stride."""
    known: dict[int, View] = {}
    return not all(_view(model.output[name], known).free for name in layers)


def _inputs(tensor: Any) -> list[Any]:
    """The tensors that a tensor of a Keras graph is made from."""
    operation, node, _ = tensor._keras_history
    return list(operation._inbound_nodes[node].input_tensors)


def _view(tensor: Any, known: dict[int, View]) -> View:
    if id(tensor) not in known:
        known[id(tensor)] = _view_of(tensor._keras_history[0], _inputs(tensor), known)
    return known[id(tensor)]


def _view_of(layer: Any, inputs: Sequence[Any], known: dict[int, View]) -> View:
    """The view of a layer's output."""
    kind = type(layer).__name__
    if kind == "InputLayer":
        return View(1, 0, True)
    views = [_view(one, known) for one in inputs]
    if kind in MERGING and len({view.stride for view in views}) == 1:
        margin = max(view.margin for view in views)
        return View(views[0].stride, margin, all(view.free for view in views))
    if len(views) == 1 and kind in POINTWISE:
        return views[0]
    if len(views) == 1 and kind in (*CONVOLUTIONS, *POOLINGS):
        return _windowed(layer, kind, views[0])
    raise ValueError(
        f"tiles and masks need to know what a position of the layer {layer.name!r} ({kind}) sees"
        " of the picture, and that is not known; leave tile=None, and masks and content_map out"
    )


def _windowed(layer: Any, kind: str, view: View) -> View:
    """The view after a convolution or a pooling."""
    config: Mapping[str, Any] = layer.get_config()
    window = _one(config["kernel_size" if kind in CONVOLUTIONS else "pool_size"], layer)
    stride = _one(config["strides"] or window, layer)
    dilation = _one(config.get("dilation_rate", 1), layer)
    if config["data_format"] != "channels_last":
        raise ValueError(f"the layer {layer.name!r} must have data_format='channels_last'")
    if kind in POOLINGS and window == stride and config["padding"] == "valid":
        return View(view.stride * stride, math.ceil(view.margin / stride), view.free)
    if config["padding"] != "same":
        raise ValueError(
            f"tiles and masks need layers that keep the picture's border: {layer.name!r} must have"
            f" padding='same'. Received: padding={config['padding']!r}"
        )
    margin = view.margin + math.ceil(dilation * (window - 1) / 2)
    return View(view.stride * stride, math.ceil(margin / stride), view.free and stride == 1)


def _one(value: Any, layer: Any) -> int:
    """The number of a pair that must be equal."""
    values = {value} if isinstance(value, int) else set(value)
    if len(values) != 1:
        raise ValueError(
            f"tiles and masks need square windows in the layer {layer.name!r}. Received: {value}"
        )
    return int(values.pop())
