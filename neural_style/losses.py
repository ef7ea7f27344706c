"""The losses of Gatys, Ecker and Bethge, CVPR 2016 ("the paper"), and total variation; keras.ops only.

A loss takes `features`, {layer name: B x h x w x C, "image": B x H x W x 3}, as feature_extractor gives them. Each is a
value of sums over positions, so it comes in two halves: `sums` takes them from each layer, to be added up over tiles,
regions or devices, and `value` makes a number of them. Calling the loss is one after the other.

A loss of your own is a function of `features`, or a Loss where it shall work in tiles too:

    quiet = Loss({"conv5_1": lambda f: ops.sum(ops.square(f))}, value=lambda sums: 1e-6 * sums["conv5_1"])
"""
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from keras import ops

CONTENT_ERRORS = ("relative", "paper", "mean", "sum", "sqrt")
STYLE_ERRORS = ("relative", "paper", "mean", "sum")


@dataclass(frozen=True)
class Loss:
    """loss(features) = value(statistics(features)).

    sums: {layer: a function of its features, and of its map where there is one, that returns sums over positions: a number,
    an array, or a nested dict of them}. value: a function of {layer: these sums}. maps: targets that have positions,
    {layer: 1 x h x w x C}, so that a tile needs its part of them. whole: the loss reads features["image"] only and
    differences of its pixels, and is evaluated on the whole picture at once.
    """
    sums: dict
    value: Callable
    maps: dict = field(default_factory=dict)
    whole: bool = False

    def __call__(self, features):
        return self.value(self.statistics(features))

    def statistics(self, features):
        """{layer: its sums}."""
        return {name: self.layer_sums(name, _layer(features, name), self.maps.get(name)) for name in self.sums}

    def layer_sums(self, name, f, target=None):
        """The sums of one layer's features, and of their part of its map."""
        f = ops.cast(f, "float32")
        return self.sums[name](f) if target is None else self.sums[name](f, ops.cast(target, "float32"))


def gram_matrix(features, normalize=True):
    """Gram matrices G_ij = sum_k F_ik F_jk of feature maps (paper, equation 3).

    Args:
        features: B x h x w x C.
        normalize: divide by the number of positions M = h w, so that pictures of different sizes compare. The paper does
            not divide here but in equation 4, by M^2, where content and style share one size.

    Returns:
        B x C x C, float32.
    """
    if len(features.shape) != 4:
        raise ValueError(f"features must be B x h x w x C. Received: shape {tuple(features.shape)}")
    batch, height, width, channels = ops.shape(features)
    gram = _gram(ops.reshape(ops.cast(features, "float32"), (batch, height * width, channels)))  # of B x M x C
    return gram / ops.cast(height * width, "float32") if normalize else gram


@ops.custom_gradient
def _gram(f):
    """G = f^T f for f of B x M x C: F of the paper, transposed."""
    def gradient(*args, upstream=None):
        # dL/df = f (dL/dG + (dL/dG)^T). Left to itself, a backend multiplies by each of the two, in twice the time.
        dG = args[0] if upstream is None else upstream  # JAX and TensorFlow pass it by place, Torch by name
        return ops.matmul(f, dG + ops.transpose(dG, (0, 2, 1)))
    return ops.einsum("bmi,bmj->bij", f, f), gradient


def content_loss(target, layers, error="relative"):
    """How far the generated picture's feature maps F are from the content image's, P.

        "paper":    sum_l w_l 1/2 sum_ij (F_ij - P_ij)^2                equation 1
        "sum":      sum_l w_l sum_ij (F_ij - P_ij)^2
        "mean":     sum_l w_l mean_ij (F_ij - P_ij)^2                   the same weight at every size
        "sqrt":     sum_l w_l sum_ij (F_ij - P_ij)^2 / (2 sqrt(N_l M_l))
        "relative": sum_l w_l sum_ij (F_ij - P_ij)^2 / sum_ij P_ij^2    and for every network and content image: 0 for the
                                                                        content itself, 1 for features that are all zero

    N_l is the number of channels, M_l = h w of positions. Published programs use each of the middle three; see presets.

    Args:
        target: features of the content image; the generated picture must have its size.
        layers: names, which share the weight 1 evenly, or {name: w_l}.
        error: one of the above; "relative" is this library's own.
    """
    weights = layer_weights(layers)
    targets = {name: target[name] if isinstance(target.get(name), np.ndarray) else _layer(target, name) for name in weights}
    check_error(error, CONTENT_ERRORS)
    scales = {name: {"paper": lambda: 1 / 2, "sum": lambda: 1, "mean": lambda: 1 / math.prod(p.shape),
                     "sqrt": lambda: 1 / (2 * math.sqrt(math.prod(p.shape))),
                     "relative": lambda: 1 / _positive(_energy(p), name)}[error]()
              for name, p in targets.items()}

    def squared_error(f, p):
        return ops.sum(ops.square(f - p))

    def value(squared_errors):
        return sum(w * scales[name] * squared_errors[name] for name, w in weights.items())

    return Loss(dict.fromkeys(weights, squared_error), value, maps=targets)


def style_loss(target, layers, error="relative", content=None):
    """How far the Gram matrices of the generated picture, G, are from those of the style image, A.

        "paper":    sum_l w_l 1 / (4 N_l^2 M_l^2) sum_ij (G_ij - A_ij)^2    equations 4 and 5
        "sum":      sum_l w_l 1 / (4 3^2 (H W)^2) sum_ij (G_ij - A_ij)^2    H x W of the picture: a slip of the Keras
                    program, whose 3 stands for the picture's channels, that a generation of tutorials tuned weights for
        "mean":     sum_l w_l mean_ij ((G_ij - A_ij) / (N_l M_l))^2
        "relative": sum_l w_l sum_ij (G_ij - A_ij)^2 / S_l                  S_l = sum_ij A_ij^2, the layer's own energy, so
                    one style weight fits every painting, size and network: 1 for a picture with no features. Where the
                    content image is given and its error sum_ij (C_ij - A_ij)^2 is larger, S_l is that error: 1 for the
                    content image. Filters that know its subject (an animal's face, an arch) can fire a hundred times
                    more on it than on the painting, and would outweigh everything else until the subject is gone.

    There G = F F^T, not divided by M_l, and content and style have one size. Here G and A are divided by their own M_l
    first, and the factors changed to suit: the same numbers where the sizes agree, and defined where they don't.

    Args:
        target: features of the style image, of any size, or its Gram matrices, {name: 1 x N x N}; or a list of (one of
            these, share) for a blend, whose Gram matrix is the weighted mean.
        layers: names, which share the weight 1 evenly (w_l = 1/5 in the paper), or {name: w_l}.
        error: one of the above; "relative" is this library's own.
        content: features or Gram matrices of the content image, for "relative" only; see above.
    """
    weights = layer_weights(layers)
    blend = target if isinstance(target, list) else [(target, 1.0)]
    total = sum(share for _, share in blend)
    targets = {name: sum(share / total * _gram_of(features, name) for features, share in blend) for name in weights}
    check_error(error, STYLE_ERRORS)

    def scale(name, a):
        channels = a.shape[-1]
        if error == "relative":
            photo_error = 0 if content is None else _energy(_gram_of(content, name) - a)
            return 1 / max(_positive(_energy(a), name), photo_error)
        return {"paper": 1 / (4 * channels ** 2), "sum": 1 / 36, "mean": 1 / channels ** 4}[error]

    scales = {name: scale(name, a) for name, a in targets.items()}

    sums = dict.fromkeys(weights, lambda f: {"gram": gram_matrix(f, normalize=False), "positions": _positions(f)})
    if error == "sum":
        sums["image"] = lambda x: {"positions": _positions(x)}

    def value(sums):
        def layer(name):
            squared = ops.sum(ops.square(sums[name]["gram"] / sums[name]["positions"] - targets[name]))
            if error == "sum":
                squared = squared * ops.square(sums[name]["positions"] / sums["image"]["positions"])
            return weights[name] * scales[name] * squared
        return sum(map(layer, weights))

    return Loss(sums, value)


def total_variation_loss(exponent=1.25, reduction="mean", separate=False):
    """Roughness of the picture: sum_ijc (d_i^2 + d_j^2)^exponent over the differences to the pixels below and to the right.

    Not in the paper; Mahendran and Vedaldi 2015, equation 5, with exponent = beta / 2. Differences are in units of pixels'
    0 to 255. The last row and column, which lack a neighbour, are left out.

    Args:
        exponent: at least 1, or at least 0.5 with `separate`; below, the gradient is infinite on a flat patch.
        reduction: "mean" over positions and channels (the same weight at every size), or "sum" as most published programs
            have it.
        separate: each direction on its own, with all its differences: sum |d_i|^(2 exponent) + sum |d_j|^(2 exponent).
    """
    least = 0.5 if separate else 1
    if isinstance(exponent, bool) or not isinstance(exponent, (int, float)) or not least <= exponent < math.inf:
        raise ValueError(f"exponent must be at least {least}. Received: exponent={exponent!r}")
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction must be 'mean' or 'sum'. Received: reduction={reduction!r}")

    def variation(x):  # B x H x W x 3
        if separate:
            powers = {"rows": ops.power(ops.abs(x[:, 1:] - x[:, :-1]), 2 * exponent),
                      "columns": ops.power(ops.abs(x[:, :, 1:] - x[:, :, :-1]), 2 * exponent)}
        else:
            corner = x[:, :-1, :-1]
            squared = ops.square(x[:, 1:, :-1] - corner) + ops.square(x[:, :-1, 1:] - corner)
            powers = {"both": ops.power(squared, exponent)}
        return {name: {"variation": ops.sum(p), "count": ops.cast(ops.prod(ops.shape(p)), "float32")}
                for name, p in powers.items()}

    def value(sums):
        return sum(s["variation"] / s["count"] if reduction == "mean" else s["variation"] for s in sums["image"].values())

    return Loss({"image": variation}, value, whole=True)


def layer_weights(layers):
    """{name: w_l}: as given, or 1 shared evenly among names."""
    if isinstance(layers, str):
        layers = [layers]
    weights = dict(layers) if isinstance(layers, dict) else {name: 1 / len(layers) for name in layers}
    for name, w in weights.items():
        if isinstance(w, bool) or not isinstance(w, (int, float)) or not 0 <= w < math.inf:
            raise ValueError(f"the weight of a layer must be a finite number, at least 0. Received: {name}: {w!r}")
    if not weights:
        raise ValueError("layers must name at least one layer. Received: none")
    return weights


def _layer(features, name):
    if name not in features:
        raise ValueError(f"features must hold layer {name!r}. Received: {sorted(features)}")
    return ops.cast(features[name], "float32")


def _gram_of(target, name):
    """The Gram matrix of a layer, from features or as it is."""
    array = _layer(target, name)
    return array if len(array.shape) == 3 else gram_matrix(array)


def check_error(error, known):
    """Raise for an error that is not among CONTENT_ERRORS or STYLE_ERRORS."""
    if error not in known:
        raise ValueError(f"error must be one of {known}. Received: error={error!r}")


def _positions(features):
    """h w of B x h x w x C."""
    return ops.cast(ops.prod(ops.shape(features)[1:3]), "float32")


def _energy(array):
    """Sum of squares; of a NumPy array row by row, for it may be large."""
    if isinstance(array, np.ndarray):
        return float(sum(np.square(row, dtype="float64").sum() for image in array for row in image))
    return float(ops.sum(ops.square(array)))


def _positive(energy, name):
    if not energy > 0:
        raise ValueError(f"layer {name!r} of the target is zero everywhere, so no error is relative to it; use error='paper'")
    return energy
