"""VGG16 and VGG19 as feature extractors.

The network is cut after the deepest layer that is asked for. It has max or average pooling, and its
filters are normalized or not.
"""

import logging
from typing import Literal

import keras

from .._shared.checks import choice, flag
from .._shared.types import Layers, Path
from .architecture import PADDINGS
from .build import POOLINGS, PRECISIONS, _build
from .layers import check_layers
from .normalization import mean_activations, normalized
from .precision import fast_bfloat16
from .weights import Weights, check_weights, vgg_weights

logger = logging.getLogger("neural_style")


def feature_extractor(
    layers: Layers,
    *,
    network: Literal["vgg16", "vgg19"] = "vgg16",
    weights: Path | Weights | None = "imagenet",
    pooling: Literal["avg", "max"] = "avg",
    normalize: bool = True,
    precision: Literal["float32", "bfloat16"] = "float32",
    padding: Literal["zeros", "reflect", "replicate"] = "zeros",
) -> keras.Model:
    """Build a Keras model that maps preprocessed pictures to activations of VGG's layers.

    Args:
        layers: the layers' names: Keras' (block4_conv2, block4_pool) or the paper's (conv4_2,
            relu4_2, pool4). Activations are taken after the ReLU.
        network: "vgg16" or "vgg19".
        weights: "imagenet", "torchvision", a file, None or Weights; see vgg_weights.
        pooling: "avg" or "max". Gatys et al. 2016, section 2: average pooling gives slightly more
            appealing pictures.
        normalize: scale each filter so that its mean activation over pictures and positions is 1
            (Gatys et al. 2016, section 2). ReLU and pooling let positive factors through. So each
            filter is divided by its mean m, and the next layer's weights for that channel are
            multiplied by m: each activation changes only by its own filter's factor.
        precision: "float32", or "bfloat16" for convolutions in bfloat16. bfloat16 is up to twice as
            fast and needs less memory on a GPU, on processors with AMX, and on most with
            AVX512-BF16. Elsewhere it is slower, and then a warning says so. The model's input stays
            float32; its outputs are bfloat16.
        padding: "zeros" around each convolution's input, as VGG was trained; or "reflect", the
            mirrored picture around those of the first two blocks, without which pictures that are
            optimized have two rows of wrong colors at their edges. It needs 4 x 4 pixels.
            "replicate": the first convolution sees the outermost pixels once more.

    Returns:
        A keras.Model that maps B x H x W x 3 (BGR minus ImageNet's mean) to {name as given: B x h x
        w x C, "image": the input}.

    Raises:
        ValueError: the layer, network, pooling, precision or padding is unknown, or the weights
            cannot be read.
        TypeError: the layers or the weights are of another type.
        FileNotFoundError: there is no weights file at the path.
        RuntimeError: the weights cannot be downloaded.
    """
    names, normalize = check_layers(layers, network), flag("normalize", normalize)
    check_extractor(network, weights, pooling, precision, padding)
    if precision == "bfloat16" and not fast_bfloat16():
        logger.warning(
            "this processor multiplies bfloat16 more slowly than float32: precision='float32' is"
            " faster here"
        )
    parameters = vgg_weights(network, weights)
    convolutions = parameters.layers
    if normalize:
        convolutions = normalized(convolutions, mean_activations(parameters, pooling))
    return _build(names, network, convolutions, pooling, precision, padding)


def check_extractor(
    network: str,
    weights: Path | Weights | None,
    pooling: str,
    precision: str,
    padding: str = "zeros",
) -> None:
    """Raise an error for options that feature_extractor would refuse, without loading anything.

    Args:
        network: as for feature_extractor.
        weights: as for feature_extractor.
        pooling: as for feature_extractor.
        precision: as for feature_extractor.
        padding: as for feature_extractor.
    """
    check_weights(network, weights)
    if not isinstance(pooling, str) or pooling not in POOLINGS:
        raise ValueError(f"pooling must be 'avg' or 'max'. Received: pooling={pooling!r}")
    choice("precision", precision, PRECISIONS)
    choice("padding", padding, PADDINGS)
