"""VGG16 and VGG19 as feature graphs: cut after the deepest layer asked for, max or average pooling,
normalised or not.
"""

import logging
import re
from pathlib import Path

import keras

from .._shared.checks import choice, flag
from .build import POOLINGS, PRECISIONS, _build
from .layers import check_layers
from .normalization import _normalize, mean_activations
from .weights import check_weights, vgg_weights

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
        weights: see weights.vgg_weights.
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
    parameters = vgg_weights(network, weights)
    convolutions = parameters.layers
    if normalize:
        convolutions = _normalize(convolutions, mean_activations(parameters, pooling))
    return _build(layers, network, convolutions, pooling, precision)


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
