"""What of a layer's features F is its style: statistics over positions, and a distance between
them; keras.ops only.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from keras import ops


def gram_matrix(features, normalize=True):
    """Gram matrices G_ij = sum_k F_ik F_jk of feature maps (paper, equation 3).

    Args:
        features: B x h x w x C.
        normalize: divide by the number of positions M = h w, so that pictures of different sizes
            compare. The paper does not divide here but in equation 4, by M^2, where content and
            style share one size.

    Returns:
        B x C x C, float32.
    """
    if len(features.shape) != 4:
        raise ValueError(f"features must be B x h x w x C. Received: shape {tuple(features.shape)}")
    gram = _gram(_flat(ops.cast(features, "float32")))
    return gram / positions(features) if normalize else gram


def _flat(features):
    """B x h x w x C -> B x M x C: F of the paper, transposed."""
    batch, height, width, channels = ops.shape(features)
    return ops.reshape(features, (batch, height * width, channels))


@ops.custom_gradient
def _gram(f):
    """G = f^T f for f of B x M x C."""

    def gradient(*args, upstream=None):
        # dL/df = f (dL/dG + (dL/dG)^T). Left to itself, a backend multiplies by each of the two, in
        # twice the time.
        dG = (
            args[0] if upstream is None else upstream
        )  # JAX and TensorFlow pass it by place, Torch by name
        return ops.matmul(f, dG + ops.transpose(dG, (0, 2, 1)))

    return ops.einsum("bmi,bmj->bij", f, f), gradient


@ops.custom_gradient
def _region_gram(f, m):
    """G = f^T (m f) for f of B x M x C and the positions' weights m, B x M x 1, which are
    constants.
    """

    def gradient(*args, upstream=None):
        dG = args[0] if upstream is None else upstream
        return m * ops.matmul(f, dG + ops.transpose(dG, (0, 2, 1))), ops.zeros_like(m)

    return ops.einsum("bmi,bmj->bij", f, m * f), gradient


@dataclass(frozen=True)
class Statistic:
    """What of a layer's features is its style.

    sums: (f, B x h x w x C; m, the positions' weights, B x h x w x 1, or None) -> {name: sum over
    positions}. describe: of these sums, divided by the positions, a description, {name: array}, the
    last axis C. distance: of two descriptions, the second the target's.
    """

    sums: Callable
    describe: Callable
    distance: Callable


def _squared_distance(a, b):
    return sum(ops.sum(ops.square(a[key] - b[key])) for key in b)


def _moments(means):
    variance = means["squares"] - ops.square(means["sum"])
    return {"mean": means["sum"], "deviation": ops.sqrt(ops.maximum(variance, 1e-12))}


def _normal(means):
    mean = means["sum"]
    return {"mean": mean, "covariance": means["gram"] - mean[:, :, None] * mean[:, None, :]}


def _wasserstein(a, b):
    root = _root(ops.convert_to_numpy(b["covariance"])[0].astype("float64")).astype("float32")
    between = ops.matmul(root, ops.matmul(a["covariance"][0], root))
    return (
        ops.sum(ops.square(a["mean"] - b["mean"]))
        + ops.trace(a["covariance"][0])
        + ops.trace(b["covariance"][0])
        - 2 * _trace_of_root((between + ops.transpose(between)) / 2)
    )


def _root(matrix):
    """The symmetric square root of a positive semi-definite matrix; NumPy."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


@ops.custom_gradient
def _trace_of_root(a):
    """tr a^(1/2) for a symmetric positive semi-definite a, C x C; its gradient is 1/2 a^(-1/2)."""
    values, vectors = ops.eigh(a)
    roots = ops.sqrt(ops.maximum(values, 0.0))

    def gradient(*args, upstream=None):
        upstream = args[0] if upstream is None else upstream
        floor = 1e-3 * ops.max(roots) + 1e-30  # float32 knows smaller eigenvalues as noise
        return upstream * ops.matmul(
            vectors / (2 * ops.maximum(roots, floor)), ops.transpose(vectors)
        )

    return ops.sum(roots), gradient


def _gram_sums(f, m):
    return {"gram": _gram(_flat(f)) if m is None else _region_gram(_flat(f), _flat(m))}


def _moment_sums(f, m):
    mf = f if m is None else m * f
    return {"sum": ops.sum(mf, axis=(1, 2)), "squares": ops.sum(mf * f, axis=(1, 2))}


def _normal_sums(f, m):
    return {"sum": ops.sum(f if m is None else m * f, axis=(1, 2)), **_gram_sums(f, m)}


STATISTICS = {
    "gram": Statistic(_gram_sums, lambda means: means, _squared_distance),
    "moments": Statistic(_moment_sums, _moments, _squared_distance),
    "wasserstein": Statistic(_normal_sums, _normal, _wasserstein),
}


def check_statistic(statistic):
    """The Statistic of a name, or a ValueError."""
    if not isinstance(statistic, str) or statistic not in STATISTICS:
        raise ValueError(
            f"statistic must be one of {tuple(STATISTICS)}. Received: statistic={statistic!r}"
        )
    return STATISTICS[statistic]


def positions(features):
    """h w of B x h x w x C."""
    return ops.cast(ops.prod(ops.shape(features)[1:3]), "float32")
