"""How far the generated picture's features are from the content image's."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from keras import ops

from .._shared.types import Features, Layers, Tensor
from .loss import Loss, check_scale, layer_of, layer_weights, positive

CONTENT_SCALES = ("relative", "paper", "mean", "sum", "sqrt")


def content_loss(
    target: Features,
    layers: Layers,
    scale: str = "relative",
    weight_maps: Mapping[str, np.ndarray] | None = None,
) -> Loss:
    """How far the generated picture's feature maps F are from the content image's, P.

        "paper":    sum_l w_l 1/2 sum_ij (F_ij - P_ij)^2                equation 1
        "sum":      sum_l w_l sum_ij (F_ij - P_ij)^2
        "mean":     sum_l w_l mean_ij (F_ij - P_ij)^2
        "sqrt":     sum_l w_l sum_ij (F_ij - P_ij)^2 / (2 sqrt(N_l M_l))
        "relative": sum_l w_l sum_ij (F_ij - P_ij)^2 / sum_ij P_ij^2

    N_l is the number of channels, M_l = h w the number of positions. "mean" weighs the same at
    every size. "relative" weighs the same for every size, network and content image: it is 0 for
    the content itself and 1 for features that are all zero. Published programs use each of the
    middle three; see presets. Gatys et al., CVPR 2016, have "paper".

    Args:
        target: Features of the content image. The generated picture must have its size.
        layers: Names, which share the weight 1 evenly, or {name: w_l}.
        scale: One of the above. "relative" is this library's own.
        weight_maps: {name: 1 x h x w x 1}, which multiply the squared errors position by position;
            see images.masks.shrink.

    Raises:
        ValueError: An unknown scale, a missing layer, or a target that is zero everywhere.
    """
    weights = layer_weights(layers)
    targets = {
        name: target[name]
        if isinstance(target.get(name), np.ndarray)
        else ops.stop_gradient(layer_of(target, name))
        for name in weights
    }
    check_scale(scale, CONTENT_SCALES)
    factors = {name: _factor(p, scale, name) for name, p in targets.items()}

    def squared_error(f: Tensor, p: Tensor) -> Tensor:
        return ops.sum(ops.square(f - p), axis=(1, 2, 3))

    def weighted_error(f: Tensor, p: Tensor) -> Tensor:  # p: the target's channels, then weights
        return ops.sum(p[..., -1:] * ops.square(f - p[..., :-1]), axis=(1, 2, 3))

    def value(squared_errors: Mapping[str, Tensor]) -> Tensor:
        return ops.mean(
            sum(
                w * ops.multiply(factors[name], squared_errors[name]) for name, w in weights.items()
            )
        )

    if weight_maps is None:
        return Loss(dict.fromkeys(weights, squared_error), value, maps=targets)
    maps = {
        name: np.concatenate(
            [ops.convert_to_numpy(p).astype("float32"), weight_maps[name]], axis=-1
        )
        for name, p in targets.items()
    }
    return Loss(dict.fromkeys(weights, weighted_error), value, maps=maps)


def _factor(p: Tensor, scale: str, name: str) -> Any:
    """What a layer's sum of squared errors is multiplied by; p: the target, B x h x w x C."""
    if scale == "relative":
        return 1 / positive(_energy(p), name)
    if scale == "mean":
        return 1 / math.prod(p.shape[1:])
    if scale == "sqrt":
        return 1 / (2 * math.sqrt(math.prod(p.shape[1:])))
    return 1 / 2 if scale == "paper" else 1


def _energy(array: Tensor) -> Tensor:
    """Sum of squares of each picture, (B,). A NumPy array may be large: row by row."""
    if isinstance(array, np.ndarray):
        return np.array(
            [sum(np.square(row.astype("float64")).sum() for row in image) for image in array],
            "float32",
        )
    return ops.sum(ops.square(array), axis=(1, 2, 3))
