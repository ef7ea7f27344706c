"""Parts of the losses that train a transform network: defaults, inputs of VGG, targets."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from .._shared import types
from ..losses.loss import Loss
from ..losses.style import style_loss
from ..vgg.preprocessing import IMAGENET_MEAN_BGR

#: The weights of the four losses of train_transform_net, unless others are given.
LOSS_WEIGHTS = {"content": 1.0, "style": 6.0, "tv": 1e-5, "grid": 0.1}


#: Johnson et al. 2016, section 4.1. Their style layers count alike. But the relative error of a
#: network's Gram matrices is ten times as large at the last layer as at the first, and more. So
#: with equal shares the network would hardly learn the paint itself, its colors and strokes.
CONTENT_LAYERS = ("relu3_3",)
STYLE_LAYERS = {"relu1_2": 1.0, "relu2_2": 1.0, "relu3_3": 0.3, "relu4_3": 0.1}

#: The style loss of a new network counts this share of its weight at first, and all of its weight
#: from this part of the steps on. Otherwise a network that knows no photos yet would learn to paint
#: a texture, and stay there.
FIRST_SHARE, RAMP = 0.05, 0.5


class LossAsGiven(keras.losses.Loss):
    """Pass a loss on as it is.

    Where several devices add up their gradients, Keras divides the loss by their number.
    """

    def call(self, y_true: types.Tensor, y_pred: types.Tensor) -> types.Tensor:
        """Return `y_pred` with an axis; Keras would not divide a loss without one.

        Args:
            y_true: Not used.
            y_pred: The loss.
        """
        return ops.reshape(y_pred, (1,))


def smaller(x: types.Tensor, halvings: int) -> types.Tensor:
    """Halve the size of pictures `halvings` times, by means of 2 x 2 pixels."""
    x = ops.cast(x, "float32")
    for _ in range(halvings):
        x = ops.average_pool(x, 2, data_format="channels_last")
    return x


def vgg_input(x: types.Tensor) -> types.Tensor:
    """Make RGB 0-255 to BGR minus ImageNet's mean: vgg.preprocess for tensors."""
    return ops.subtract(ops.flip(ops.cast(x, "float32"), -1), IMAGENET_MEAN_BGR)


def style_target(
    painting: np.ndarray, extractor: Any, layers: types.Layers, scale: str, halvings: int
) -> Loss:
    """Return the style loss of a painting whose size was halved `halvings` times."""
    features = extractor(vgg_input(smaller(painting[None], halvings)))
    arrays = {name: ops.convert_to_numpy(value) for name, value in features.items()}
    return style_loss(arrays, layers, scale)


def styles_over_sizes(
    targets: Sequence[Sequence[Loss]],
    extractor: Any,
    painted: types.Tensor,
    features: types.Features,
) -> types.Tensor:
    """Return the style loss of each painting, the mean over the sizes.

    The targets are those of each painting at each size, and `features` those of the full size.
    """
    styles, scales = 0.0, len(targets[0])
    for halvings in range(scales):
        seen = extractor(vgg_input(smaller(painted, halvings))) if halvings else features
        statistics = targets[0][halvings].statistics(seen)
        styles += ops.stack([losses[halvings].value(statistics) for losses in targets]) / scales
    return styles


def one_number(name: str, value: types.Tensor) -> types.Tensor:
    """Return the value of a term as a float32 scalar, or raise a ValueError that names the term."""
    value = ops.cast(value, "float32")
    if tuple(value.shape) != ():
        raise ValueError(
            f"the loss of the term {name!r} must be one number for a batch. Received: shape"
            f" {tuple(value.shape)}"
        )
    return value


def grown_share(batches: types.Tensor, ramp: float) -> types.Tensor:
    """Return the fraction of its weight that the style loss has after `batches` batches."""
    if not ramp:
        return 1.0
    grown = (1 - FIRST_SHARE) / ramp * ops.cast(batches, "float32")
    return ops.minimum(1.0, FIRST_SHARE + grown)


def checked_weights(loss_weights: Mapping[str, float]) -> dict[str, float]:
    """The weights as floats; a ValueError for a loss that there is not."""
    strange = set(loss_weights) - set(LOSS_WEIGHTS)
    if strange:
        raise ValueError(
            f"loss_weights must name some of {', '.join(LOSS_WEIGHTS)}. Received:"
            f" {', '.join(sorted(strange))}"
        )
    return {name: float(weight) for name, weight in loss_weights.items()}
