"""VGG16 and VGG19 as feature graphs: cut after the deepest layer asked for, max or average pooling,
normalised or not.
"""

import difflib
import logging
import math
import re
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import keras
import numpy as np

from .checks import choice, flag
from .checks import layers as checked_layers
from .files import whole_or_not
from .images import load_image, preprocess
from .npz import read_npz
from .weights import CONVOLUTIONS, cache_folder, check_weights, conv_layers, load_weights

PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
POOLINGS = {"avg": keras.layers.AveragePooling2D, "max": keras.layers.MaxPooling2D}

#: A filter whose mean activation is below this share of its layer's mean is scaled as if it were at
#: it. Without a floor, a filter that hardly fires on photos would be magnified until it drowned the
#: others on a painting.
ACTIVATION_FLOOR = 0.05

logger = logging.getLogger("neural_style")


def feature_extractor(
    layers,
    *,
    network="vgg16",
    weights="imagenet",
    pooling="avg",
    normalize=True,
    precision="float32",
):
    """A Keras model from preprocessed pictures to the activations of some VGG layers.

    Args:
        layers: names: Keras' (block4_conv2, block4_pool) or the paper's (conv4_2, relu4_2, pool4).
            Activations are those after the ReLU.
        network: "vgg16" or "vgg19".
        weights: see weights.load_weights.
        pooling: "avg" or "max". Gatys et al. 2016, section 2: average pooling gives slightly more
            appealing pictures.
        normalize: scale each filter so that its mean activation over pictures and positions is 1
            (Gatys et al. 2016, section 2). ReLU and pooling let positive factors through, so
            dividing a filter by its mean m and multiplying the next layer's weights for that
            channel by m changes no activation but by its own factor.
        precision: "float32", or "bfloat16" for convolutions in bfloat16: up to twice as fast and in
            less memory where the processor has AVX512-BF16 or AMX, or there is a GPU; several times
            slower elsewhere, which a warning says. The model's input stays float32, its outputs are
            bfloat16.

    Returns:
        A keras.Model, B x H x W x 3 (BGR minus ImageNet's mean) -> {name as asked for: B x h x w x
        C, "image": the input}.

    Raises:
        ValueError, TypeError: an unknown layer, network, pooling or precision; weights that cannot
            be read.
    """
    layers, normalize = check_layers(layers, network), flag("normalize", normalize)
    check_extractor(network, weights, pooling, precision)
    if precision == "bfloat16" and not fast_bfloat16():
        logger.warning(
            "this processor has neither AVX512-BF16 nor AMX: bfloat16 is slower here than float32"
        )
    parameters = load_weights(network, weights)
    convolutions = parameters.layers
    if normalize:
        convolutions = _normalize(convolutions, mean_activations(parameters, pooling))
    return _build(layers, network, convolutions, pooling, precision)


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


def check_extractor(network, weights, pooling, precision):
    """Raise for options that feature_extractor would refuse, without loading or building anything."""
    check_weights(network, weights)
    if not isinstance(pooling, str) or pooling not in POOLINGS:
        raise ValueError(f"pooling must be 'avg' or 'max'. Received: pooling={pooling!r}")
    choice("precision", precision, PRECISIONS)


def fast_bfloat16():
    """Whether this machine multiplies bfloat16 natively, as far as it can be told: on Linux, by the
    processor's flags.
    """
    if keras.distribution.list_devices("gpu"):
        return True
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return True
    return (
        re.search(r"^flags.*\b(avx512_bf16|amx_bf16)\b|^Features.*\bbf16\b", flags, re.MULTILINE)
        is not None
    )


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


def mean_activations(parameters, pooling):
    """Mean activation of each filter over the calibration photos and all positions: {layer name:
    (C,)}.

    Computed once for a weights file and a pooling, and kept in Keras' cache folder.
    """
    cached = (
        cache_folder() / f"{parameters.network}-{parameters.sha256[:16]}-{pooling}-activations.npz"
    )
    shapes = {name: shape[-1:] for name, shape in conv_layers(parameters.network).items()}
    names = list(shapes)
    try:
        means = read_npz(cached, shapes)
        if all(
            np.isfinite(mean).all() and mean.min() >= 0 and mean.max() > 0
            for mean in means.values()
        ):
            return means
        logger.warning(
            "%s is damaged and is computed anew: it holds numbers that are no mean activations",
            cached,
        )
    except FileNotFoundError:
        pass
    except ValueError as error:
        logger.warning("%s is damaged and is computed anew: %s", cached, error)
    model = _build(
        {name: name for name in names}, parameters.network, parameters.layers, pooling, "float32"
    )
    photos = sorted(Path(files("neural_style") / "calibration").glob("*.jpg"))
    total, positions = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0)
    for photo in photos:
        features = model(preprocess(load_image(photo)))
        for name in names:
            f = keras.ops.convert_to_numpy(features[name]).astype("float64")  # 1 x h x w x C
            total[name] = total[name] + f.sum(axis=(0, 1, 2))
            positions[name] += f.shape[1] * f.shape[2]
    means = {name: (total[name] / positions[name]).astype("float32") for name in names}
    try:
        with whole_or_not(cached) as file:
            np.savez(file, **means)
    except OSError as error:
        logger.warning(
            "the mean activations cannot be kept in %s, so each run computes them anew: %s",
            cached.parent,
            error,
        )
    return means


def _normalize(convolutions, means):
    """Divide each filter by its mean activation m, with a floor, and take the factor back in the
    next layer's input.
    """
    normalized, before = {}, np.ones(3, "float32")
    for name, (kernel, bias) in convolutions.items():  # kernel: 3 x 3 x in x out
        m = np.maximum(means[name], ACTIVATION_FLOOR * means[name].mean())
        normalized[name] = kernel * before[:, None] / m, bias / m
        before = m
    return normalized


def _build(names, network, convolutions, pooling, precision):
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
