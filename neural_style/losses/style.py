"""How far the style of the generated picture is from that of the style image."""

from keras import ops

from .loss import Loss, _layer, _positive, check_scale, layer_weights
from .statistics import check_statistic, positions

STYLE_SCALES = ("relative", "paper", "mean", "sum")


def style_loss(target, layers, scale="relative", content=None, statistic="gram", mask=None):
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
        scale: one of the above; "relative" is this library's own.
        content: features or statistics of the content image, for "relative" only; see above.
        statistic: one of STATISTICS.
        mask: {name: 1 x h x w x 1}, the region of the generated picture that counts, from
            masks.shrink: guided Gram matrices sum_k m_k F_k F_k^T / sum_k m_k (Gatys et al. 2017,
            equation 2; there the mask, here its square root, multiplies the features).
    """
    weights = layer_weights(layers)
    known = check_statistic(statistic)
    check_scale(scale, STYLE_SCALES if statistic == "gram" else ("relative", "mean"))
    blend = target if isinstance(target, list) else [(target, 1.0)]
    targets = {name: known.describe(_mixture(blend, name, known)) for name in weights}
    compared = (
        {}
        if content is None or scale != "relative"
        else {name: known.describe(_statistics_of(content, name, known)) for name in weights}
    )

    def layer_scale(name):
        described, channels = targets[name], next(iter(targets[name].values())).shape[-1]
        if scale == "relative":
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
        return {"paper": 1 / (4 * channels**2), "sum": 1 / 36, "mean": 1 / channels**4}[scale]

    scales = {name: layer_scale(name) for name in weights}
    measured = style_statistics(weights, statistic, mask)
    sums = dict(measured.sums)
    if scale == "sum":
        sums["image"] = lambda x: {"positions": positions(x)}

    def value(sums):
        statistics = measured.value({name: sums[name] for name in weights})

        def layer(name):
            described = known.describe(statistics[name])
            batch = ops.cast(ops.shape(next(iter(described.values())))[0], "float32")
            distance = known.distance(described, targets[name]) / batch
            if scale == "sum":
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
