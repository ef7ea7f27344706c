"""The losses of Gatys, Ecker and Bethge, CVPR 2016 ("the paper"), and total variation; keras.ops
only.

A loss takes `features`, {layer name: B x h x w x C, "image": B x H x W x 3}, as feature_extractor
gives them. Each is a value of sums over positions, so it comes in two halves: `sums` takes them
from each layer, to be added up over tiles, regions or devices, and `value` makes a number of them.
Calling the loss is one after the other. For a batch, a loss is the mean of its pictures' losses.

A loss of your own is a function of `features`, or a Loss where it shall work in tiles too:

    quiet = Loss({"conv5_1": lambda f: ops.sum(ops.square(f))}, value=lambda sums: 1e-6 *
    sums["conv5_1"])
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from keras import ops

from .checks import flag, is_finite
from .checks import layers as checked_layers
from .statistics import check_statistic, positions

CONTENT_ERRORS = ("relative", "paper", "mean", "sum", "sqrt")
STYLE_ERRORS = ("relative", "paper", "mean", "sum")


@dataclass(frozen=True)
class Loss:
    """loss(features) = value(statistics(features)).

    sums: {layer: a function of its features, and of its map where there is one, that returns sums
    over positions: a number, an array, or a nested dict of them}. value: a function of {layer:
    these sums}. maps: targets that have positions, {layer: 1 x h x w x C}, so that a tile needs its
    part of them. whole: the loss reads features["image"] only, and is evaluated on the whole
    picture at once. strips: so does this one, but it can be had in strips of rows that end with the
    first row of the next one: sums["image"](rows, last).
    """

    sums: dict
    value: Callable
    maps: dict = field(default_factory=dict)
    whole: bool = False
    strips: bool = False

    def __call__(self, features):
        return self.value(self.statistics(features))

    def statistics(self, features):
        """{layer: its sums}."""
        return {
            name: self.layer_sums(name, _layer(features, name), self.maps.get(name))
            for name in self.sums
        }

    def layer_sums(self, name, f, target=None):
        """The sums of one layer's features, and of their part of its map."""
        f = ops.cast(f, "float32")
        return (
            self.sums[name](f)
            if target is None
            else self.sums[name](f, ops.cast(target, "float32"))
        )


def content_loss(target, layers, error="relative", weight_maps=None):
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
        error: one of the above; "relative" is this library's own.
        weight_maps: {name: 1 x h x w x 1}, which multiply the squared errors position by position;
            see masks.shrink.
    """
    weights = layer_weights(layers)
    targets = {
        name: target[name] if isinstance(target.get(name), np.ndarray) else _layer(target, name)
        for name in weights
    }
    check_error(error, CONTENT_ERRORS)
    scales = {
        name: {
            "paper": lambda: 1 / 2,
            "sum": lambda: 1,
            "mean": lambda: 1 / math.prod(p.shape[1:]),
            "sqrt": lambda: 1 / (2 * math.sqrt(math.prod(p.shape[1:]))),
            "relative": lambda: 1 / _positive(_energy(p), name),
        }[error]()
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


def style_loss(target, layers, error="relative", content=None, statistic="gram", mask=None):
    """How far the style of the generated picture is from that of the style image.

    statistic="gram": how far the Gram matrices of the generated picture, G, are from those of the
    style image, A:

        "paper":    sum_l w_l 1 / (4 N_l^2 M_l^2) sum_ij (G_ij - A_ij)^2    equations 4 and 5
        "sum":      sum_l w_l 1 / (4 3^2 (H W)^2) sum_ij (G_ij - A_ij)^2    H x W of the picture: a slip of the Keras
                    program, whose 3 stands for the picture's channels, that a generation of
                    tutorials tuned weights for
        "mean":     sum_l w_l mean_ij ((G_ij - A_ij) / (N_l M_l))^2
        "relative": sum_l w_l sum_ij (G_ij - A_ij)^2 / S_l                  S_l = sum_ij A_ij^2, the layer's own energy, so
                    one style weight fits every painting, size and network: 1 for a picture with no
                    features. Where the content image is given and its error sum_ij (C_ij - A_ij)^2
                    is larger, S_l is that error: 1 for the content image. Filters that know its
                    subject (an animal's face, an arch) can fire a hundred times more on it than on
                    the painting, and would outweigh everything else until the subject is gone.

    There G = F F^T, not divided by M_l, and content and style have one size. Here G and A are
    divided by their own M_l first, and the factors changed to suit: the same numbers where the
    sizes agree, and defined where they don't.

    Other statistics of the features F of a layer, over its positions, in place of G and A; errors
    "relative", and "mean", which divides by N_l:

        "moments":      sum_i (mu_i - mu'_i)^2 + (sigma_i - sigma'_i)^2, mean and standard deviation of each channel (Li et
                        al. 2017, "Demystifying Neural Style Transfer", section 4, batch
                        normalisation statistics)
        "wasserstein":  |mu - mu'|^2 + tr(C + C' - 2 (C'^1/2 C C'^1/2)^1/2), mean and covariance: the squared Wasserstein-2
                        distance of the normal distributions that have them. It feels small
                        differences more than a squared one does: a weight of a third gives about
                        the same balance of style and content

    Args:
        target: features of the style image, of any size, or its statistics from style_statistics;
            or a list of (one of these, share) for a blend, the mixture of them. A share is a
            number, or {layer: number} for strokes of one image and shapes of another.
        layers: names, which share the weight 1 evenly (w_l = 1/5 in the paper), or {name: w_l}.
        error: one of the above; "relative" is this library's own.
        content: features or statistics of the content image, for "relative" only; see above.
        statistic: one of STATISTICS.
        mask: {name: 1 x h x w x 1}, the region of the generated picture that counts, from
            masks.shrink: guided Gram matrices sum_k m_k F_k F_k^T / sum_k m_k (Gatys et al. 2017,
            equation 2; there the mask, here its square root, multiplies the features).
    """
    weights = layer_weights(layers)
    known = check_statistic(statistic)
    check_error(error, STYLE_ERRORS if statistic == "gram" else ("relative", "mean"))
    blend = target if isinstance(target, list) else [(target, 1.0)]
    targets = {name: known.describe(_mixture(blend, name, known)) for name in weights}
    compared = (
        {}
        if content is None or error != "relative"
        else {name: known.describe(_statistics_of(content, name, known)) for name in weights}
    )

    def scale(name):
        described, channels = targets[name], next(iter(targets[name].values())).shape[-1]
        if error == "relative":
            energy = _positive(
                float(
                    known.distance(
                        {key: ops.zeros_like(a) for key, a in described.items()}, described
                    )
                ),
                name,
            )
            return 1 / (
                max(energy, float(known.distance(compared[name], described)))
                if name in compared
                else energy
            )
        if statistic != "gram":
            return 1 / channels
        return {"paper": 1 / (4 * channels**2), "sum": 1 / 36, "mean": 1 / channels**4}[error]

    scales = {name: scale(name) for name in weights}
    measured = style_statistics(weights, statistic, mask)
    sums = dict(measured.sums)
    if error == "sum":
        sums["image"] = lambda x: {"positions": positions(x)}

    def value(sums):
        statistics = measured.value({name: sums[name] for name in weights})

        def layer(name):
            described = known.describe(statistics[name])
            batch = ops.cast(ops.shape(next(iter(described.values())))[0], "float32")
            distance = known.distance(described, targets[name]) / batch
            if error == "sum":
                distance = distance * ops.square(
                    sums[name]["positions"] / sums["image"]["positions"]
                )
            return weights[name] * scales[name] * distance

        return sum(map(layer, weights))

    return Loss(sums, value, maps=measured.maps)


def style_statistics(layers, statistic="gram", mask=None):
    """What style_loss compares, in the form of a Loss: called on features, {layer: {name: mean over
    positions}}.

    Args:
        layers: names. statistic: one of STATISTICS. mask: {name: 1 x h x w x 1}: a weighted mean.
    """
    known = check_statistic(statistic)

    def over_all(f):
        return {**known.sums(f, None), "positions": positions(f)}

    def over_region(f, m):
        return {**known.sums(f, m), "positions": ops.sum(m)}

    def means(sums):
        return {
            name: {
                key: s / of_layer["positions"] for key, s in of_layer.items() if key != "positions"
            }
            for name, of_layer in sums.items()
        }

    if mask is None:
        return Loss(dict.fromkeys(layers, over_all), means)
    return Loss(
        dict.fromkeys(layers, over_region), means, maps={name: mask[name] for name in layers}
    )


def weighted_sum(weighted):
    """One Loss of several, [(weight, Loss)]: the sum of weight times loss; their maps lie side by
    side as channels.
    """
    losses = [loss for _, loss in weighted]
    layers = list(dict.fromkeys(name for loss in losses for name in loss.sums))
    maps = {name: [loss.maps[name] for loss in losses if name in loss.maps] for name in layers}

    def of_layer(name):
        def sums(f, target=None):
            first, found = 0, {}
            for number, loss in enumerate(losses):
                if name in loss.maps:
                    last = first + loss.maps[name].shape[-1]
                    found[str(number)] = loss.sums[name](f, target[..., first:last])
                    first = last
                elif name in loss.sums:
                    found[str(number)] = loss.sums[name](f)
            return found

        return sums

    def value(sums):
        return sum(
            weight * loss.value({name: sums[name][str(number)] for name in loss.sums})
            for number, (weight, loss) in enumerate(weighted)
        )

    return Loss(
        {name: of_layer(name) for name in layers},
        value,
        maps={
            name: arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=-1)
            for name, arrays in maps.items()
            if arrays
        },
    )


def total_variation_loss(exponent=1.25, reduction="mean", separate=False):
    """Roughness of the picture: sum_ijc (d_i^2 + d_j^2)^exponent over the differences to the pixels
    below and to the right.

    Not in the paper; Mahendran and Vedaldi 2015, equation 5, with exponent = beta / 2. Differences
    are in units of pixels' 0 to 255. The last row and column, which lack a neighbour, are left out.

    Args:
        exponent: at least 1, or at least 0.5 with `separate`; below, the gradient is infinite on a
            flat patch.
        reduction: "mean" over positions and channels (the same weight at every size), or "sum" as
            most published programs have it.
        separate: each direction on its own, with all its differences: sum |d_i|^(2 exponent) + sum
            |d_j|^(2 exponent).
    """
    separate = flag("separate", separate)
    least = 0.5 if separate else 1
    if not is_finite(exponent) or exponent < least:
        raise ValueError(f"exponent must be at least {least}. Received: exponent={exponent!r}")
    exponent = float(exponent)
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction must be 'mean' or 'sum'. Received: reduction={reduction!r}")

    def variation(x, last=True):  # B x H x W x 3
        if separate:
            own = x if last else x[:, :-1]  # the last row is the next strip's
            powers = {
                "rows": ops.power(ops.abs(x[:, 1:] - x[:, :-1]), 2 * exponent),
                "columns": ops.power(ops.abs(own[:, :, 1:] - own[:, :, :-1]), 2 * exponent),
            }
        else:
            corner = x[:, :-1, :-1]
            squared = ops.square(x[:, 1:, :-1] - corner) + ops.square(x[:, :-1, 1:] - corner)
            powers = {"both": ops.power(squared, exponent)}
        return {
            name: {"variation": ops.sum(p), "count": ops.cast(ops.prod(ops.shape(p)), "float32")}
            for name, p in powers.items()
        }

    def value(sums):
        return sum(
            (
                s["variation"] / ops.maximum(s["count"], 1.0)
                if reduction == "mean"
                else s["variation"]
            )  # of one pixel, there are none
            for s in sums["image"].values()
        )

    return Loss({"image": variation}, value, strips=True)


def layer_weights(layers):
    """{name: w_l}: as given, or 1 shared evenly among names."""
    layers = checked_layers("layers", layers)
    return layers if isinstance(layers, dict) else {name: 1 / len(layers) for name in layers}


def _layer(features, name):
    if name not in features:
        raise ValueError(f"features must hold layer {name!r}. Received: {sorted(features)}")
    return ops.cast(features[name], "float32")


def _statistics_of(target, name, known):
    """{key: mean over positions} of a layer, from features or as it is."""
    if isinstance(target.get(name), dict):
        return target[name]
    f = _layer(target, name)
    return {key: s / positions(f) for key, s in known.sums(f, None).items()}


def _mixture(blend, name, known):
    """The weighted mean of a layer's statistics: those of all positions of all images together."""
    shares = [
        (target, share.get(name, 0.0) if isinstance(share, dict) else share)
        for target, share in blend
    ]
    total = sum(share for _, share in shares)
    if not total > 0:
        raise ValueError(f"layer {name!r} has no share of any style image")
    statistics = [
        (_statistics_of(target, name, known), share / total)
        for target, share in shares
        if share > 0
    ]
    return {
        key: sum(share * of_image[key] for of_image, share in statistics)
        for key in statistics[0][0]
    }


def check_error(error, known):
    """Raise for an error that is not among CONTENT_ERRORS or STYLE_ERRORS."""
    if error not in known:
        raise ValueError(f"error must be one of {known}. Received: error={error!r}")


def _energy(array):
    """Sum of squares of each picture, (B,); of a NumPy array row by row, for it may be large."""
    if isinstance(array, np.ndarray):
        return np.array(
            [sum(np.square(row, dtype="float64").sum() for row in image) for image in array],
            "float32",
        )
    return ops.sum(ops.square(array), axis=(1, 2, 3))


def _positive(energy, name):
    try:
        positive = bool(ops.all(energy > 0))
    except TypeError:  # a training step that is being traced: there are no numbers yet
        positive = True
    if not positive:
        raise ValueError(
            f"layer {name!r} of the target is zero everywhere, so no error is relative to it; use"
            " error='paper'"
        )
    return energy
