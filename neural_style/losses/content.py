"""How far the generated picture's features are from the content image's."""

import math

import numpy as np
from keras import ops

from .loss import Loss, _energy, _layer, _positive, check_scale, layer_weights

CONTENT_SCALES = ("relative", "paper", "mean", "sum", "sqrt")


def content_loss(target, layers, scale="relative", weight_maps=None):
    """How far the generated picture's feature maps F are from the content image's, P.

        "paper":    sum_l w_l 1/2 sum_ij (F_ij - P_ij)^2                equation 1
        "sum":      sum_l w_l sum_ij (F_ij - P_ij)^2
        "mean":     sum_l w_l mean_ij (F_ij - P_ij)^2                   the same weight at every size
        "sqrt":     sum_l w_l sum_ij (F_ij - P_ij)^2 / (2 sqrt(N_l M_l))
        "relative": sum_l w_l sum_ij (F_ij - P_ij)^2 / sum_ij P_ij^2    and for every network and content image: 0 for the
                                                                        content itself, 1 for
                                                                        features that are all zero

    N_l is the number of channels, M_l = h w of positions. Published programs use each of the middle
    three; see presets.

    Args:
        target: features of the content image; the generated picture must have its size.
        layers: names, which share the weight 1 evenly, or {name: w_l}.
        scale: one of the above; "relative" is this library's own.
        weight_maps: {name: 1 x h x w x 1}, which multiply the squared errors position by position;
            see masks.shrink.
    """
    weights = layer_weights(layers)
    targets = {
        name: target[name] if isinstance(target.get(name), np.ndarray) else _layer(target, name)
        for name in weights
    }
    check_scale(scale, CONTENT_SCALES)
    scales = {
        name: {
            "paper": lambda: 1 / 2,
            "sum": lambda: 1,
            "mean": lambda: 1 / math.prod(p.shape[1:]),
            "sqrt": lambda: 1 / (2 * math.sqrt(math.prod(p.shape[1:]))),
            "relative": lambda: 1 / _positive(_energy(p), name),
        }[scale]()
        for name, p in targets.items()
    }

    def squared_error(f, p):
        return ops.sum(ops.square(f - p), axis=(1, 2, 3))

    def weighted_error(f, p):  # p: the target's channels, then the weights
        return ops.sum(p[..., -1:] * ops.square(f - p[..., :-1]), axis=(1, 2, 3))

    def value(squared_errors):
        return ops.mean(sum(w * scales[name] * squared_errors[name] for name, w in weights.items()))

    if weight_maps is None:
        return Loss(dict.fromkeys(weights, squared_error), value, maps=targets)
    maps = {
        name: np.concatenate([ops.convert_to_numpy(p), weight_maps[name]], axis=-1)
        for name, p in targets.items()
    }
    return Loss(dict.fromkeys(weights, weighted_error), value, maps=maps)
