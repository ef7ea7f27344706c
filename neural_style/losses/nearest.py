"""Each position of the picture is to look like its nearest neighbor in the painting.

Kolkin, Kucera, Paris, Sykora, Shechtman and Shakhnarovich 2022, "Neural Neighbor Style Transfer".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
from keras import ops

from .._shared.types import Features, Tensor
from .loss import Loss

#: Vectors of the one and the other set whose similarities are held at once.
QUERY_BLOCK, SOURCE_BLOCK = 4096, 8192

#: Added to squared norms: features that are all 0 have no direction.
TINY = 1e-12

#: How a layer comes to a coarser grid; see on_grid.
Sampling = Literal["mean", "bilinear"]


def cells(f: Tensor, grid: tuple[int, int], sampling: Sampling = "mean") -> Tensor:
    """A layer's features on a grid.

    Args:
        f: B x h x w x C.
        grid: Height and width of the result.
        sampling: "mean": where the grid is coarser, the mean of the features of its cells.
            "bilinear": bilinear interpolation, as Kolkin et al. have it. At a quarter of the size,
            it sees 2 x 2 of a cell's 4 x 4 features, and leaves a pattern of dots in the picture.
            Where the grid is finer, both are bilinear.

    Returns:
        B x (grid) x C.
    """
    cell = min(f.shape[1] // grid[0], f.shape[2] // grid[1])
    if sampling == "mean" and cell > 1:
        f = ops.average_pool(f, cell, cell, data_format="channels_last")
    if tuple(f.shape[1:3]) != tuple(grid):
        f = ops.image.resize(f, grid, interpolation="bilinear", data_format="channels_last")
    return f


def on_grid(f: Tensor, grid: tuple[int, int], sampling: Sampling = "mean") -> Tensor:
    """A layer's part of a hypercolumn: cells() divided by the number of channels C.

    So no layer counts for more because it has more channels.

    Args:
        f: B x h x w x C.
        grid: Height and width of the result.
        sampling: See cells.

    Returns:
        B x (grid) x C.
    """
    return cells(f, grid, sampling) / f.shape[-1]


def hypercolumns(
    features: Features, layers: Sequence[str], grid: tuple[int, int], sampling: Sampling = "mean"
) -> np.ndarray:
    """The features of all layers, side by side at each position of one grid.

    Args:
        features: {layer: 1 x h x w x C}.
        layers: Names.
        grid: Height and width of the result.
        sampling: See on_grid.

    Returns:
        float32, height x width x (channels of all layers).
    """
    parts = [ops.convert_to_numpy(on_grid(features[name], grid, sampling)) for name in layers]
    return np.concatenate([part[0].astype("float32") for part in parts], axis=-1)


def nearest(query: np.ndarray, source: np.ndarray) -> np.ndarray:
    """For each vector of one set, the number of its nearest in another, by centered cosine.

        argmax_j  <q_i - q, s_j - s> / (|q_i - q| |s_j - s|)

    q and s are the means of the sets (Kolkin et al., section 4.1). It is computed in blocks, so
    that the n x m similarities are never held at once.

    Args:
        query: n x C.
        source: m x C.

    Returns:
        n numbers below m.
    """
    means = [some.mean(axis=0, dtype="float64").astype("float32") for some in (query, source)]
    best, found = np.full(len(query), -np.inf, "float32"), np.zeros(len(query), "int64")
    for j in range(0, len(source), SOURCE_BLOCK):
        s = ops.transpose(_directions(source[j : j + SOURCE_BLOCK] - means[1]))  # C x block
        for i in range(0, len(query), QUERY_BLOCK):
            here = slice(i, i + QUERY_BLOCK)
            alike = ops.matmul(_directions(query[here] - means[0]), s)  # block x block
            most, which = (
                ops.convert_to_numpy(reduce(alike, axis=1)) for reduce in (ops.max, ops.argmax)
            )
            better = most > best[here]
            best[here] = np.where(better, most, best[here])
            found[here] = np.where(better, j + which, found[here])
    return found


def neighbors_of(
    query: np.ndarray, source: np.ndarray, channels: Sequence[int], together: bool = True
) -> np.ndarray:
    """The nearest neighbor of each vector; or put together from each layer's nearest.

    Args:
        query: n x (channels of all layers).
        source: m x (channels of all layers).
        channels: Of each layer.
        together: Whether the layers look for one neighbor together.

    Returns:
        n x (channels of all layers), vectors of `source`.
    """
    if together:
        return source[nearest(query, source)]
    edges = np.cumsum([0, *channels])
    parts = [slice(first, last) for first, last in pairwise(edges)]
    return np.concatenate(
        [source[nearest(query[:, part], source[:, part]), part] for part in parts], axis=1
    )


def nearest_loss(
    targets: Mapping[str, np.ndarray],
    together: bool = True,
    weights: np.ndarray | None = None,
    sampling: Sampling = "mean",
) -> Loss:
    """How far each position is from its target, by cosine.

        together:       sum_i w_i (1 - cos(h_i, t_i)) / sum_i w_i
        layer by layer: the mean over layers of sum_i w_i (1 - cos(h^l_i, t^l_i)) / sum_i w_i

    h_i is the hypercolumn of the picture at position i, h^l_i its part of layer l. The targets stay
    as they are, so this can be minimized by L-BFGS.

    Args:
        targets: {layer: 1 x h x w x C}, all on one grid: hypercolumns of the painting, one for each
            position of the picture.
        together: Whether the layers are compared together.
        weights: w, h x w; None: all positions count alike.
        sampling: See on_grid.
    """
    names = list(targets)
    grid = targets[names[0]].shape[1:3]
    share = np.ones((1, *grid), "float32") if weights is None else weights[None].astype("float32")
    share = share / share.sum()
    squares = {name: np.square(t.astype("float32")).sum(axis=-1) for name, t in targets.items()}

    def sums(f: Tensor, t: Tensor) -> dict[str, Tensor]:  # of each position, over channels
        f = on_grid(f, grid, sampling)
        return {"dot": ops.sum(f * t, axis=-1), "square": ops.sum(ops.square(f), axis=-1)}

    def distance(dot: Tensor, square: Tensor, target: np.ndarray) -> Tensor:
        lengths = ops.sqrt(ops.multiply(square, target) + TINY)
        return ops.sum(ops.multiply(share, 1 - dot / lengths))

    def value(found: Mapping[str, Mapping[str, Tensor]]) -> Tensor:
        parts = [(found[name]["dot"], found[name]["square"], squares[name]) for name in names]
        if together:
            return distance(*(sum(column) for column in zip(*parts)))
        return sum(distance(*part) for part in parts) / len(parts)

    return Loss(dict.fromkeys(names, sums), value, maps=dict(targets), scope="whole")


def _directions(rows: np.ndarray) -> Tensor:
    """The rows, each of length 1, on the device."""
    return ops.convert_to_tensor(rows / np.sqrt(np.square(rows).sum(axis=1, keepdims=True) + TINY))
