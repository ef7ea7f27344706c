"""The optimal transport map between two normal distributions, and what it costs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..losses.statistics import symmetric_root

#: An eigenvalue of the covariance that is mapped counts as at least this share of the largest one.
#: The photo's features hardly vary along such a direction, and what they vary by is noise.
FLOOR = 1e-4


@dataclass(frozen=True)
class Normal:
    """A normal distribution of features, by its moments.

    Attributes:
        mean: C numbers, float64.
        covariance: C x C, float64.
    """

    mean: np.ndarray
    covariance: np.ndarray


@dataclass(frozen=True)
class Sums:
    """Sums over positions, from which the moments follow. They add up over tiles.

    Attributes:
        count: The number of positions; with a mask, the sum of its values.
        total: The sum of the features, C numbers.
        products: The sum of the features' products, C x C.
    """

    count: float
    total: np.ndarray
    products: np.ndarray

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.count + other.count, self.total + other.total, self.products + other.products
        )

    def normal(self) -> Normal:
        """The normal distribution with these moments."""
        mean = self.total / self.count
        return Normal(mean, self.products / self.count - np.outer(mean, mean))


def sums_of(features: np.ndarray, mask: np.ndarray | None = None) -> Sums:
    """The sums of features.

    Args:
        features: h x w x C.
        mask: h x w, how much each position counts; None: all count alike.
    """
    f = features.reshape(-1, features.shape[-1]).astype("float32")  # (h w) x C
    if mask is None:
        return Sums(len(f), f.sum(axis=0, dtype="float64"), (f.T @ f).astype("float64"))
    m = mask.reshape(-1, 1).astype("float32")  # (h w) x 1
    mf = m * f
    return Sums(
        float(m.sum(dtype="float64")), mf.sum(axis=0, dtype="float64"), (mf.T @ f).astype("float64")
    )


def transport_map(
    source: Normal, target: Normal, floor: float = FLOOR
) -> tuple[np.ndarray, np.ndarray]:
    """The map A f + b that moves a normal distribution to another over the least squared distance.

        A = C^(-1/2) (C^(1/2) S C^(1/2))^(1/2) C^(-1/2),    b = mean_S - A mean_C

    C is the source's covariance, S the target's (Olkin and Pukelsheim 1982; for style transfer Lu
    et al. 2019, "A Closed-Form Solution to Universal Style Transfer"). A is symmetric, so no
    direction is turned around or exchanged for another.

    Departure: eigenvalues of C are raised to a floor, or noise would be stretched to strokes. Along
    such a direction, the mapped features vary less than the target's.

    Args:
        source: What is mapped.
        target: What the mapped features are to be.
        floor: The least eigenvalue of C, as a share of its largest one.

    Returns:
        A, C x C, and b, C numbers; float64.
    """
    both = (np.asarray(one.covariance, "float64").tobytes() for one in (source, target))
    matrix = _matrix(*both, floor).copy()
    return matrix, target.mean - matrix @ source.mean


def mixed_map(
    source: Normal,
    targets: Sequence[tuple[Normal, float]],
    strength: float = 1.0,
    floor: float = FLOOR,
) -> tuple[np.ndarray, np.ndarray]:
    """The mean of the maps to several targets, and so far from where the features were.

    Args:
        source: What is mapped.
        targets: [(normal distribution, share)]; the shares add up to 1.
        strength: 0: the features stay; 1: they go all the way. This is the displacement
            interpolation of McCann 1997.
        floor: See transport_map.

    Returns:
        A, C x C, and b, C numbers; float64.
    """
    matrix, offset = (1 - strength) * np.eye(len(source.mean)), np.zeros(len(source.mean))
    for target, share in targets:
        of_target, moved = transport_map(source, target, floor)
        matrix += strength * share * of_target
        offset += strength * share * moved
    return matrix, offset


def transport_cost(source: Normal, target: Normal) -> float:
    """The squared 2-Wasserstein distance of two normal distributions, which the map pays.

    |mean_C - mean_S|^2 + tr(C + S - 2 (C^(1/2) S C^(1/2))^(1/2))

    Args:
        source: Mean and covariance C.
        target: Mean and covariance S.
    """
    root = symmetric_root(source.covariance)
    cross = np.trace(symmetric_root(root @ target.covariance @ root))
    apart = source.mean - target.mean
    return float(
        apart @ apart + np.trace(source.covariance) + np.trace(target.covariance) - 2 * cross
    )


#: The last matrices are kept: where a slider moves, the first pass has the same again and again.
@lru_cache(maxsize=12)
def _matrix(source: bytes, target: bytes, floor: float) -> np.ndarray:
    """A of transport_map, from the bytes of both covariances."""
    root, inverse = _roots(source, floor)
    return inverse @ symmetric_root(root @ _covariance(target) @ root) @ inverse


@lru_cache(maxsize=3)
def _roots(source: bytes, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """C^(1/2) and C^(-1/2) of a covariance, its eigenvalues raised to a floor."""
    values, vectors = np.linalg.eigh(_covariance(source))
    values = np.maximum(values, max(floor * values[-1], 1e-12))
    return (vectors * np.sqrt(values)) @ vectors.T, (vectors / np.sqrt(values)) @ vectors.T


def _covariance(data: bytes) -> np.ndarray:
    """C x C, from its bytes."""
    flat = np.frombuffer(data, "float64")
    side = math.isqrt(flat.size)
    return flat.reshape(side, side)
