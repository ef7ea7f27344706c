"""VGG's layers: their names, what a position of each sees of the picture, and what they take of memory."""

import difflib
import math
import re
from functools import lru_cache

from .._shared.checks import choice
from .._shared.checks import layers as checked_layers
from .architecture import CONVOLUTIONS, conv_layers


def check_layers(layers, network):
    """{name as asked for: Keras' name}, or a ValueError that lists the layers there are."""
    layers, known = checked_layers("layers", layers), _graph(network)
    names = {name: _keras_layer(name) for name in layers}
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


def smallest_side(layers, network):
    """The least height and width, in pixels, for which each of `layers` has at least one position."""
    graph = _graph(network)
    depth = max(graph.index(name) for name in check_layers(layers, network).values())
    return 2 ** sum(name.endswith("pool") for name in graph[: depth + 1])


def tile_geometry(layers, network):
    """How tiles of a picture have to be cut so that the middle of each is exact: ({name: stride},
    halo).

    stride: pixels of the picture for a position of the layer; tiles are aligned to the largest.
    halo: how far, in pixels, a tile's edge is felt, in whichever layer feels it farthest.
    """
    views = receptive_fields(layers, network)
    return {name: stride for name, (stride, _) in views.items()}, max(
        halo for _, halo in views.values()
    )


def receptive_fields(layers, network):
    """What a position of each layer sees: {name: (stride, halo)}, its own stride x stride pixels
    and halo more around them.

    Each convolution sees one position more on each side, and pooling halves the positions; the halo
    is rounded up to whole positions of each layer on the way.
    """
    graph, names = _graph(network), check_layers(layers, network)
    views, margin, stride = {}, 0, 1
    for layer in graph[: max(graph.index(name) for name in names.values()) + 1]:
        margin, stride = (
            (math.ceil(margin / 2), 2 * stride) if layer.endswith("pool") else (margin + 1, stride)
        )
        views[layer] = stride, margin * stride
    return {name: views[layer] for name, layer in names.items()}


def activation_bytes(layers, network, precision="float32"):
    """Bytes of all activations up to the deepest of `layers`, for a pixel of the picture."""
    graph, names = _graph(network), check_layers(layers, network)
    channels, stride, total = 3, 1, 3.0
    for layer in graph[: max(graph.index(name) for name in names.values()) + 1]:
        if layer.endswith("pool"):
            stride *= 2
        else:
            channels = conv_layers(network)[layer][-1]
        total += channels / stride**2
    return total * (2 if precision == "bfloat16" else 4)


def _graph(network):
    """Keras' names of the layers, first to last: block1_conv1, block1_conv2, block1_pool, ..."""
    return _layers_of(choice("network", network, CONVOLUTIONS))


@lru_cache
def _layers_of(network):
    return [
        f"block{block}_{layer}"
        for block, count in enumerate(CONVOLUTIONS[network], start=1)
        for layer in [*(f"conv{conv}" for conv in range(1, count + 1)), "pool"]
    ]


def _paper_layer(name):
    """block4_conv2 -> conv4_2, block4_pool -> pool4."""
    block, layer = name.removeprefix("block").split("_")
    return f"pool{block}" if layer == "pool" else f"conv{block}_{layer.removeprefix('conv')}"


def _keras_layer(name):
    """The paper's conv4_2 or relu4_2 -> block4_conv2, pool4 -> block4_pool; other names unchanged."""
    if match := re.fullmatch(r"(?:conv|relu)(\d)_(\d)", str(name)):
        return "block{}_conv{}".format(*match.groups())
    if match := re.fullmatch(r"pool(\d)", str(name)):
        return f"block{match[1]}_pool"
    return name
