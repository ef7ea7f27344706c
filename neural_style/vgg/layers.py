"""VGG's layers: their names, the pixels that a position sees, and the memory that they need."""

import difflib
import math
import re
from functools import lru_cache

from .._shared.checks import choice
from .._shared.checks import layers as checked_layers
from .._shared.types import Layers
from .architecture import CONVOLUTIONS, PADDINGS, conv_layers

#: Bytes of a number.
ITEM_BYTES = {"float32": 4, "bfloat16": 2}


def check_layers(layers: Layers, network: str) -> dict[str, str]:
    """Check the names of layers.

    Args:
        layers: Keras' names (block4_conv2, block4_pool) or the paper's (conv4_2, relu4_2, pool4);
            or {name: weight}.
        network: "vgg16" or "vgg19".

    Returns:
        {name as given: Keras' name}.

    Raises:
        TypeError: `layers` is not a collection of text.
        ValueError: the network has no such layer; the message lists its layers.
    """
    asked, known = checked_layers("layers", layers), _graph(network)
    names = {name: _keras_layer(name) for name in asked}
    for name, keras_name in names.items():
        if keras_name not in known:
            close = difflib.get_close_matches(
                str(name), [*known, *(_paper_layer(layer) for layer in known)], 1
            )
            raise ValueError(
                f"{network} has no layer {name!r}{f'; did you mean {close[0]!r}?' if close else ''}"
                f" It has {', '.join(known)} (conv4_2 and relu4_2 stand for block4_conv2, pool4 for"
                " block4_pool)"
            )
    return names


def smallest_side(layers: Layers, network: str, padding: str = "zeros") -> int:
    """Find the smallest height and width for which each layer has at least one position.

    Args:
        layers: names of layers, as for check_layers.
        network: "vgg16" or "vgg19".
        padding: as for feature_extractor. A mirror needs two positions.

    Returns:
        The height and width, in pixels.
    """
    graph = _graph(network)
    depth = max(graph.index(name) for name in check_layers(layers, network).values())
    passed = graph[: depth + 1]
    mode, bordered = PADDINGS[padding]
    mirrors = [
        2 * 2 ** (int(name[5]) - 1)
        for name in passed
        if mode == "reflect" and not name.endswith("pool") and name.startswith(bordered)
    ]
    return max(2 ** sum(name.endswith("pool") for name in passed), *mirrors, 1)


def tile_geometry(layers: Layers, network: str) -> tuple[dict[str, int], int]:
    """Find how to cut a picture into tiles so that the middle of each tile is computed exactly.

    Args:
        layers: names of layers, as for check_layers.
        network: "vgg16" or "vgg19".

    Returns:
        {name: stride} and the halo. A stride is the number of pixels between two positions of the
        layer; tiles must be aligned to the largest stride. The halo is the distance from a tile's
        edge, in pixels, beyond which no layer is affected by the edge.
    """
    views = receptive_fields(layers, network)
    return {name: stride for name, (stride, _) in views.items()}, max(
        halo for _, halo in views.values()
    )


def receptive_fields(layers: Layers, network: str) -> dict[str, tuple[int, int]]:
    """Find the pixels that a position of each layer sees.

    A convolution sees one position more on each side, and pooling halves the number of positions.
    On the way, the halo is rounded up to whole positions of each layer.

    Args:
        layers: names of layers, as for check_layers.
        network: "vgg16" or "vgg19".

    Returns:
        {name: (stride, halo)}: a position sees its own stride x stride pixels, and `halo` pixels
        more around them.
    """
    graph, names = _graph(network), check_layers(layers, network)
    views, margin, stride = {}, 0, 1
    for layer in graph[: max(graph.index(name) for name in names.values()) + 1]:
        margin, stride = (
            (math.ceil(margin / 2), 2 * stride) if layer.endswith("pool") else (margin + 1, stride)
        )
        views[layer] = stride, margin * stride
    return {name: views[layer] for name, layer in names.items()}


def activation_bytes(layers: Layers, network: str, precision: str = "float32") -> float:
    """Count the bytes that the network's activations need for a pixel of the picture.

    Args:
        layers: names of layers, as for check_layers. All layers up to the deepest of them count.
        network: "vgg16" or "vgg19".
        precision: "float32" or "bfloat16".
    """
    graph, names = _graph(network), check_layers(layers, network)
    deepest = max(graph.index(name) for name in names.values())
    numbers = _numbers_per_pixel(network)
    total = 3 + sum(numbers[layer] for layer in graph[: deepest + 1])
    return total * ITEM_BYTES[precision]


def feature_bytes(layers: Layers, network: str, precision: str = "float32") -> float:
    """Count the bytes that the features of some layers take for a pixel of the picture.

    Args:
        layers: names of layers, as for check_layers.
        network: "vgg16" or "vgg19".
        precision: "float32" or "bfloat16".
    """
    numbers, names = _numbers_per_pixel(network), check_layers(layers, network)
    return sum(numbers[name] for name in names.values()) * ITEM_BYTES[precision]


def _numbers_per_pixel(network: str) -> dict[str, float]:
    """Count the numbers that each layer gives for a pixel of the picture."""
    channels, stride, numbers = 3, 1, {}
    for layer in _graph(network):
        if layer.endswith("pool"):
            stride *= 2
        else:
            channels = conv_layers(network)[layer][-1]
        numbers[layer] = channels / stride**2
    return numbers


def _graph(network: str) -> list[str]:
    """List Keras' layer names, first to last: block1_conv1, block1_conv2, block1_pool, ..."""
    return _layers_of(choice("network", network, CONVOLUTIONS))


@lru_cache
def _layers_of(network: str) -> list[str]:
    """List Keras' layer names of a network that is known."""
    return [
        f"block{block}_{layer}"
        for block, count in enumerate(CONVOLUTIONS[network], start=1)
        for layer in [*(f"conv{conv}" for conv in range(1, count + 1)), "pool"]
    ]


def _paper_layer(name: str) -> str:
    """Convert a layer's name from Keras' to the paper's: block4_conv2 to conv4_2."""
    block, layer = name.removeprefix("block").split("_")
    return f"pool{block}" if layer == "pool" else f"conv{block}_{layer.removeprefix('conv')}"


def _keras_layer(name: str) -> str:
    """Convert a layer's name from the paper's to Keras'; other names stay as they are."""
    if match := re.fullmatch(r"(?:conv|relu)(\d)_(\d)", str(name)):
        return "block{}_conv{}".format(*match.groups())
    if match := re.fullmatch(r"pool(\d)", str(name)):
        return f"block{match[1]}_pool"
    return name
