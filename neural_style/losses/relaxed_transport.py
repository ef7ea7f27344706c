"""Style as the cost of moving features, content as their likeness to one another.

Kolkin, Salavon and Shakhnarovich 2019, "Style Transfer by Relaxed Optimal Transport and
Self-Similarity" (STROTSS), from the paper.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from keras import ops

from .._shared.types import Tensor
from ..images.color import YCC
from ..vgg.preprocessing import IMAGENET_MEAN_BGR
from .loss import Loss
from .nearest import TINY, cells

#: Standard deviation of ImageNet's pixels in gray levels. Divided by it, pixels and features have
#: the size that they have in a network for pixels of mean 0 and deviation 1.
PIXEL_DEVIATION = 57.4


def cosine_distances(a: Tensor, b: Tensor) -> Tensor:
    """1 - <a_i, b_j> / (|a_i| |b_j|): n x C and m x C -> n x m."""
    return 1 - ops.matmul(_directions(a), ops.transpose(_directions(b)))


def euclidean_distances(a: Tensor, b: Tensor) -> Tensor:
    """|a_i - b_j|: n x C and m x C -> n x m, for a small C."""
    square = ops.sum(ops.square(ops.subtract(a[:, None], b[None])), axis=-1)
    return ops.sqrt(square + TINY)


def relaxed_cost(distances: Tensor) -> Tensor:
    """The relaxed earth mover's distance (equation 3), a lower bound of the true one.

        max(1/n sum_i min_j C_ij, 1/m sum_j min_i C_ij)

    Args:
        distances: C, n x m.
    """
    there, back = (ops.mean(ops.min(distances, axis=axis)) for axis in (1, 0))
    return ops.maximum(there, back)


def moment_distance(a: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """How far mean and covariance of features are from the painting's (equation 6).

        1/d |mu_a - mu|_1 + 1/d^2 |Sigma_a - Sigma|_1

    Args:
        a: n x d.
        mean: d numbers.
        covariance: d x d.
    """
    of_a, of_covariance = moments(a)
    apart = ops.subtract(of_a, mean), ops.subtract(of_covariance, covariance)
    return ops.mean(ops.abs(apart[0])) + ops.mean(ops.abs(apart[1]))


def moments(a: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and covariance of vectors, n x d: (d numbers, d x d)."""
    mean = ops.mean(a, axis=0)
    centered = ops.subtract(a, mean)
    return mean, ops.matmul(ops.transpose(centered), centered) / a.shape[0]


def self_similarity(a: Tensor) -> Tensor:
    """How far each position is from each other one, as shares of its column (equation 7): n x n.

    D_ij / sum_i D_ij,  D_ij = 1 - cos(a_i, a_j)
    """
    distances = cosine_distances(a, a)
    return distances / (ops.sum(distances, axis=0, keepdims=True) + TINY)


def palette(pixels: Tensor) -> Tensor:
    """Luma from 0 to 1, and two differences of colors about 0 (Y' C_B C_R of BT.601).

    Args:
        pixels: ... x 3, BGR minus ImageNet's mean.
    """
    mean, to_ycc = (np.asarray(one, "float32") for one in (IMAGENET_MEAN_BGR, YCC[:, ::-1].T))
    return ops.matmul(ops.add(pixels, mean) / 255, to_ycc)


def columns(features: Mapping[str, Tensor], layers: Sequence[str], grid: tuple[int, int]) -> Tensor:
    """The features of all layers side by side, one row for each position of a grid: n x C.

    Unlike the hypercolumns of losses.nearest, no layer is divided by its number of channels.

    Args:
        features: {layer: 1 x h x w x C}; "image" is the picture.
        layers: Names.
        grid: Height and width.
    """
    parts = [cells(ops.convert_to_tensor(features[name]), grid) for name in layers]
    joined = ops.concatenate(parts, axis=-1) / PIXEL_DEVIATION
    return ops.reshape(joined, (-1, joined.shape[-1]))


def transport_loss(
    content: Mapping[str, np.ndarray], style: np.ndarray, colors: np.ndarray, content_share: float
) -> Loss:
    """The paper's objective (equation 2).

        (alpha l_C + l_m + l_r + l_p / alpha) / (2 + alpha + 1 / alpha)

    l_C: n times the mean of |self-similarity - the content's| (equation 7 times n, so that it does
    not get smaller with more positions). l_m: moment_distance. l_r: relaxed_cost of cosine
    distances of the columns. l_p: that of Euclidean distances of the colors.

    Args:
        content: {layer: 1 x h x w x C} of the content, all on one grid, "image" among them.
        style: Columns of the painting, m x C.
        colors: The painting's palette, m x 3.
        content_share: alpha.
    """
    layers = list(content)
    grid = content[layers[0]].shape[1:3]
    mean, covariance = map(ops.convert_to_numpy, moments(ops.convert_to_tensor(style)))
    wanted = ops.convert_to_numpy(self_similarity(columns(content, layers, grid)))
    alpha = content_share

    def value(found: Mapping[str, Tensor]) -> Tensor:
        a = columns(found, layers, grid)
        of_content = a.shape[0] * ops.mean(ops.abs(ops.subtract(self_similarity(a), wanted)))
        of_moments = moment_distance(a, mean, covariance)
        moved = relaxed_cost(cosine_distances(a, ops.convert_to_tensor(style)))
        pixels = ops.reshape(cells(found["image"], grid), (-1, 3))
        of_colors = relaxed_cost(
            euclidean_distances(palette(pixels), ops.convert_to_tensor(colors))
        )
        total = alpha * of_content + of_moments + moved + of_colors / alpha
        return total / (2 + alpha + 1 / alpha)

    return Loss(dict.fromkeys(layers, lambda f: f), value, scope="whole")


def _directions(rows: Tensor) -> Tensor:
    """The rows, each of length 1."""
    rows = ops.convert_to_tensor(rows)
    return rows / ops.sqrt(ops.sum(ops.square(rows), axis=-1, keepdims=True) + TINY)
