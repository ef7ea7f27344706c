"""How far the style of the generated picture is from that of the style image."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from keras import ops

from .._shared.types import Features, Layers, Tensor
from .loss import Loss, check_scale, layer_of, layer_weights, positive
from .statistics import STATISTICS, StyleStatistic, check_statistic, positions

STYLE_SCALES = ("relative", "paper", "mean", "sum")

#: The share of a style image in a blend: a number, or {layer: number}.
Share: TypeAlias = float | Mapping[str, float]


def style_loss(
    target: Features | Sequence[tuple[Features, Share]],
    layers: Layers,
    scale: str = "relative",
    content: Features | None = None,
    statistic: str | StyleStatistic = "gram",
    mask: Mapping[str, np.ndarray] | None = None,
) -> Loss:
    """How far the style of the generated picture is from that of the style image.

    With statistic="gram", how far the Gram matrices G of the generated picture are from A, those of
    the style image (Gatys et al., CVPR 2016):

        "paper":    sum_l w_l 1 / (4 N_l^2 M_l^2) sum_ij (G_ij - A_ij)^2    equations 4 and 5
        "sum":      sum_l w_l 1 / (4 3^2 (H W)^2) sum_ij (G_ij - A_ij)^2
        "mean":     sum_l w_l mean_ij ((G_ij - A_ij) / (N_l M_l))^2
        "relative": sum_l w_l sum_ij (G_ij - A_ij)^2 / S_l

    "sum" is a slip of the Keras program that a generation of tutorials tuned weights for: H x W is
    the picture's size, and 3 stands for its channels.

    In "relative", S_l = sum_ij A_ij^2 is the layer's own energy, so one style weight fits every
    painting, size and network: the loss is 1 for a picture with no features. Where the content
    image is given and its error sum_ij (C_ij - A_ij)^2 is larger, S_l is that error, and the loss
    is 1 for the content image. Filters that know its subject (an animal's face, an arch) can fire a
    hundred times more on it than on the painting, and would outweigh everything else until the
    subject is gone.

    In the paper G = F F^T, not divided by M_l, and content and style have one size. Here G and A
    are divided by their own M_l first, and the factors changed to suit: the same numbers where the
    sizes agree, and defined where they don't.

    Other statistics of a layer's features, in place of G and A, with scale "relative" or "mean",
    which divides by N_l:

        "moments":      sum_i (mu_i - mu'_i)^2 + (sigma_i - sigma'_i)^2
        "wasserstein":  |mu - mu'|^2 + tr(C + C' - 2 (C'^1/2 C C'^1/2)^1/2)

    "moments" compares mean and standard deviation of each channel (Li et al. 2017, "Demystifying
    Neural Style Transfer", section 4, batch normalization statistics). "wasserstein" compares mean
    and covariance: it is the squared Wasserstein-2 distance of the normal distributions that have
    them. It feels small differences more than a squared one does: a third of the weight gives about
    the same balance of style and content.

    Args:
        target: Features of the style image, of any size, or its statistics from style_statistics.
            Or a list of (one of these, share) for a blend, the mixture of them. A share is a
            number, or {layer: number} for strokes of one image and shapes of another.
        layers: Names, which share the weight 1 evenly (w_l = 1/5 in the paper), or {name: w_l}.
        scale: One of the above. "relative" is this library's own.
        content: Features or statistics of the content image, for "relative" only; see above.
        statistic: "gram", "moments", "wasserstein", or a StyleStatistic of your own.
        mask: {name: 1 x h x w x 1}, the region of the generated picture that counts, from
            images.masks.shrink. The Gram matrices are then sum_k m_k F_k F_k^T / sum_k m_k (Gatys
            et al. 2017, equation 2; there the mask, here its square root, multiplies the features).

    Raises:
        ValueError: An unknown scale or statistic, a missing layer, or a target that is zero
            everywhere.
    """
    weights = layer_weights(layers)
    known = check_statistic(statistic)
    of_gram = known is STATISTICS["gram"]
    check_scale(scale, STYLE_SCALES if of_gram else ("relative", "mean"))
    blend: Any = target if isinstance(target, list) else [(target, 1.0)]
    targets = {name: known.describe(_mixture(blend, name, known)) for name in weights}
    compared = (
        {}
        if content is None or scale != "relative"
        else {name: known.describe(_means(content, name, known)) for name in weights}
    )

    def factor(name: str) -> Any:
        described = targets[name]
        channels = next(iter(described.values())).shape[-1]
        if scale == "relative":
            nothing = {key: ops.zeros_like(a) for key, a in described.items()}
            energy = positive(float(known.distance(nothing, described)), name)
            if name in compared:
                energy = max(energy, float(known.distance(compared[name], described)))
            return 1 / energy
        if not of_gram:
            return 1 / channels
        return {"paper": 1 / (4 * channels**2), "sum": 1 / 36, "mean": 1 / channels**4}[scale]

    # an array, so that a compiled loss takes it as it takes the targets
    factors = ops.convert_to_tensor([w * factor(name) for name, w in weights.items()], "float32")
    measured = style_statistics(weights, known, mask)
    sums = dict(measured.sums)
    if scale == "sum":
        sums["image"] = lambda x: {"positions": positions(x)}

    def value(sums: Mapping[str, Any]) -> Tensor:
        statistics = measured.value({name: sums[name] for name in weights})

        def layer(name: str) -> Tensor:
            described = known.describe(statistics[name])
            batch = ops.cast(ops.shape(next(iter(described.values())))[0], "float32")
            distance = known.distance(described, targets[name]) / batch
            if scale == "sum":
                share = sums[name]["positions"] / sums["image"]["positions"]
                distance = distance * ops.square(share)
            return distance

        return ops.sum(factors * ops.stack([layer(name) for name in weights]))

    return Loss(sums, value, maps=measured.maps, float32=measured.float32)


def style_statistics(
    layers: Iterable[str],
    statistic: str | StyleStatistic = "gram",
    mask: Mapping[str, np.ndarray] | None = None,
) -> Loss:
    """What style_loss compares, in the form of a Loss.

    Called on features, it gives {layer: {name: mean over positions}}.

    Args:
        layers: Names.
        statistic: "gram", "moments", "wasserstein", or a StyleStatistic of your own.
        mask: {name: 1 x h x w x 1} for a weighted mean, or None.
    """
    known = check_statistic(statistic)

    def over_all(f: Tensor) -> dict[str, Any]:
        return {**known.sums(f, None), "positions": positions(f)}

    def over_region(f: Tensor, m: Tensor) -> dict[str, Any]:
        return {**known.sums(f, m), "positions": ops.sum(m)}

    float32 = known is not STATISTICS["gram"]  # a Gram matrix goes back in the network's precision

    def means(sums: Mapping[str, Any]) -> Any:
        return {
            name: {key: s / layer["positions"] for key, s in layer.items() if key != "positions"}
            for name, layer in sums.items()
        }

    if mask is None:
        return Loss(dict.fromkeys(layers, over_all), means, float32=float32)
    names = list(layers)
    maps = {name: mask[name] for name in names}
    return Loss(dict.fromkeys(names, over_region), means, maps=maps, float32=float32)


def _means(target: Features, name: str, known: StyleStatistic) -> Mapping[str, Any]:
    """{key: mean over positions} of a layer, from its features, or as given."""
    if isinstance(target.get(name), dict):
        means = target[name].items()
        return {key: ops.stop_gradient(ops.convert_to_tensor(mean)) for key, mean in means}
    f = ops.stop_gradient(layer_of(target, name))
    return {key: s / positions(f) for key, s in known.sums(f, None).items()}


def _mixture(
    blend: Iterable[tuple[Features, Share]], name: str, known: StyleStatistic
) -> Mapping[str, Any]:
    """The weighted mean of a layer's statistics: of all positions of all images together."""
    shares = [
        (target, share.get(name, 0.0) if isinstance(share, Mapping) else share)
        for target, share in blend
    ]
    total = sum(share for _, share in shares)
    if not total > 0:
        raise ValueError(f"layer {name!r} has no share of any style image")
    means = [(_means(target, name, known), share / total) for target, share in shares if share > 0]
    return {key: sum(share * image[key] for image, share in means) for key in means[0][0]}
