"""Style statistics: sums over a layer's positions, and a distance between two sets of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import keras
import numpy as np
from keras import ops

from .._shared.types import Tensor
from ..vgg.precision import fast_bfloat16
from .custom_gradient import custom_gradient

#: A Gram matrix of bfloat16 features is the sum of so many products.
PARTS = 8


def gram_matrix(features: Tensor, normalize: bool = True) -> Tensor:
    """Gram matrices G_ij = sum_k F_ik F_jk of feature maps (CVPR 2016, equation 3).

    Args:
        features: B x h x w x C.
        normalize: Divide by the number of positions M = h w, so that pictures of different sizes
            compare. The paper does not divide here but in equation 4, by M^2, where content and
            style share one size.

    Returns:
        B x C x C, float32.
    """
    if len(features.shape) != 4:
        raise ValueError(f"features must be B x h x w x C. Received: shape {tuple(features.shape)}")
    gram = _gram(_flat(features))
    return gram / positions(features) if normalize else gram


def _flat(features: Tensor) -> Tensor:
    """B x h x w x C -> B x M x C: F of the paper, transposed."""
    batch, height, width, channels = ops.shape(features)
    return ops.reshape(features, (batch, height * width, channels))


@custom_gradient
def _gram(f: Tensor) -> Any:
    """G = f^T f, float32, for f of B x M x C."""

    return _product(f, f), lambda dG: _times_both(f, dG)


@custom_gradient
def _region_gram(f: Tensor, m: Tensor) -> Any:
    """G = f^T (m f), float32, for f of B x M x C and the positions' weights m, float32, B x M x 1,
    which are constants.
    """

    def gradient(dG: Tensor) -> Any:
        df = _times_both(f, dG)
        return ops.cast(m, df.dtype) * df, ops.zeros_like(m)

    return _product(f, m * ops.cast(f, "float32")), gradient


def _product(f: Tensor, g: Tensor) -> Tensor:
    """f^T g, float32, for f and g of B x M x C, in the precision of f.

    bfloat16 is multiplied as it is, in half the time: PARTS products of a part of the positions
    each, which are added in float32. Their entries are rounded to bfloat16, so that those of the
    sum are off by 0.05 %, at random. Where positions are few, nothing would be gained; and a
    processor that has no bfloat16 adds in it, too, and is then off by 1 %.
    """
    batch, count, channels = ops.shape(f)
    few = isinstance(count, int) and count < PARTS * channels
    if keras.backend.standardize_dtype(f.dtype) != "bfloat16" or few or not fast_bfloat16():
        return ops.einsum("bmi,bmj->bij", ops.cast(f, "float32"), ops.cast(g, "float32"))
    each = count // PARTS

    def parts(f: Tensor) -> Tensor:
        f = ops.cast(f[:, : PARTS * each], "bfloat16")
        return ops.reshape(f, (batch * PARTS, each, channels))

    found = ops.cast(ops.einsum("bmi,bmj->bij", parts(f), parts(g)), "float32")
    found = ops.sum(ops.reshape(found, (batch, PARTS, channels, channels)), axis=1)
    f, g = (ops.cast(one[:, PARTS * each :], "float32") for one in (f, g))
    return found + ops.einsum("bmi,bmj->bij", f, g)


def _times_both(f: Tensor, dG: Tensor) -> Tensor:
    """dL/df = f (dL/dG + (dL/dG)^T), of the type of f.

    Left to itself, a backend multiplies by each of the two, in twice the time, and in float32 where
    f is bfloat16.
    """
    return ops.matmul(f, ops.cast(dG + ops.transpose(dG, (0, 2, 1)), f.dtype))


@runtime_checkable
class StyleStatistic(Protocol):
    """What of a layer's features is its style. A class of your own needs these three methods.

    style_loss takes one of your own with the scales "relative" and "mean".

    A frozen dataclass is best: the record of a run then has its name and its fields.
    """

    def sums(self, f: Tensor, m: Tensor | None) -> dict[str, Tensor]:
        """{name: sum over positions, B x ... x C} of the features f.

        Args:
            f: B x h x w x C.
            m: The positions' weights, B x h x w x 1, or None for 1 everywhere.
        """

    def describe(self, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """A description of the style, {name: array, its last axis C}.

        Args:
            means: The sums, divided by the number of positions or by the sum of their weights.
        """

    def distance(self, a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> Tensor:
        """How far two descriptions are from each other, a number.

        Args:
            a: Of the generated picture.
            b: Of the target.
        """


@dataclass(frozen=True)
class Statistic:
    """A StyleStatistic made of three functions.

    Attributes:
        sums: See StyleStatistic.sums.
        describe: See StyleStatistic.describe.
        distance: See StyleStatistic.distance.
    """

    sums: Callable[[Tensor, Tensor | None], dict[str, Tensor]]
    describe: Callable[[Mapping[str, Tensor]], dict[str, Tensor]]
    distance: Callable[[Mapping[str, Tensor], Mapping[str, Tensor]], Tensor]


def _squared_distance(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> Tensor:
    return sum(ops.sum(ops.square(a[key] - b[key])) for key in b)


def _moments(means: Mapping[str, Tensor]) -> dict[str, Tensor]:
    variance = means["squares"] - ops.square(means["sum"])
    return {"mean": means["sum"], "deviation": ops.sqrt(ops.maximum(variance, 1e-12))}


def _normal(means: Mapping[str, Tensor]) -> dict[str, Tensor]:
    mean = means["sum"]
    return {"mean": mean, "covariance": means["gram"] - mean[:, :, None] * mean[:, None, :]}


def _wasserstein(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> Tensor:
    root = symmetric_root(ops.convert_to_numpy(b["covariance"])[0].astype("float64")).astype(
        "float32"
    )
    between = ops.matmul(root, ops.matmul(a["covariance"][0], root))
    return (
        ops.sum(ops.square(a["mean"] - b["mean"]))
        + ops.trace(a["covariance"][0])
        + ops.trace(b["covariance"][0])
        - 2 * _trace_of_root((between + ops.transpose(between)) / 2)
    )


def symmetric_root(matrix: np.ndarray) -> np.ndarray:
    """The symmetric square root of a positive semi-definite matrix; NumPy."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


@custom_gradient
def _trace_of_root(a: Tensor) -> Any:
    """tr a^(1/2) for a symmetric positive semi-definite a, C x C; its gradient is 1/2 a^(-1/2)."""
    values, vectors = ops.eigh(a)
    roots = ops.sqrt(ops.maximum(values, 0.0))

    def gradient(upstream: Tensor) -> Any:
        floor = 1e-3 * ops.max(roots) + 1e-30  # float32 knows smaller eigenvalues as noise
        return upstream * ops.matmul(
            vectors / (2 * ops.maximum(roots, floor)), ops.transpose(vectors)
        )

    return ops.sum(roots), gradient


def _gram_sums(f: Tensor, m: Tensor | None) -> dict[str, Tensor]:
    return {"gram": _gram(_flat(f)) if m is None else _region_gram(_flat(f), _flat(m))}


def _moment_sums(f: Tensor, m: Tensor | None) -> dict[str, Tensor]:
    mf = f if m is None else m * f
    return {"sum": ops.sum(mf, axis=(1, 2)), "squares": ops.sum(mf * f, axis=(1, 2))}


def _normal_sums(f: Tensor, m: Tensor | None) -> dict[str, Tensor]:
    return {"sum": ops.sum(f if m is None else m * f, axis=(1, 2)), **_gram_sums(f, m)}


STATISTICS: dict[str, StyleStatistic] = {
    "gram": Statistic(_gram_sums, dict, _squared_distance),
    "moments": Statistic(_moment_sums, _moments, _squared_distance),
    "wasserstein": Statistic(_normal_sums, _normal, _wasserstein),
}


def check_statistic(statistic: str | StyleStatistic) -> StyleStatistic:
    """The StyleStatistic of a name, or the one that is given.

    Raises:
        ValueError: An unknown name.
        TypeError: An object without the three methods.
    """
    if isinstance(statistic, str):
        if statistic not in STATISTICS:
            raise ValueError(
                f"statistic must be one of {tuple(STATISTICS)}. Received: statistic={statistic!r}"
            )
        return STATISTICS[statistic]
    methods = ("sums", "describe", "distance")
    lacking = [name for name in methods if not callable(getattr(statistic, name, None))]
    if lacking or isinstance(statistic, type):
        raise TypeError(
            f"statistic must be one of {tuple(STATISTICS)}, or an object with the methods"
            f" {', '.join(methods)}. Received: statistic={statistic!r:.200}"
        )
    return statistic


def positions(features: Tensor) -> Tensor:
    """The number of positions, h w, of B x h x w x C."""
    return ops.cast(ops.prod(ops.shape(features)[1:3]), "float32")
