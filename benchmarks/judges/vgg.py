"""torchvision's VGG16, on its own scale of activations, for judges."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from keras import ops

from neural_style import preprocess
from neural_style.vgg.download import GRAY_LEVELS
from neural_style.vgg.weights import vgg_weights


def features(image: np.ndarray, layers: tuple[str, ...], pool: Callable) -> dict:
    """The layers' activations after the ReLU, {layer: 1 x h x w x C}.

    Args:
        image: uint8 RGB, H x W x 3.
        layers: Keras' names, such as "block1_conv2".
        pool: What halves the size between two blocks.
    """
    x, found, block = ops.convert_to_tensor(preprocess(image)), {}, "1"
    for name, (kernel, bias) in _layers().items():
        if name[5] != block:
            x, block = pool(x), name[5]
        x = ops.conv(x, kernel, padding="same", data_format="channels_last")
        x = ops.relu(x + ops.convert_to_tensor(bias))
        if name in layers:
            found[name] = x / GRAY_LEVELS
        if len(found) == len(layers):
            break
    return found


def max_pool(x):
    """Max pooling, as VGG16 was trained with."""
    return ops.max_pool(x, 2, 2, data_format="channels_last")


@lru_cache(1)
def _layers() -> dict:
    return dict(vgg_weights("vgg16", "torchvision").layers)
