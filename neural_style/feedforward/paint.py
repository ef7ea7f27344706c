"""A network's forward pass over pictures of any size."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import keras
import numpy as np
from keras import ops

from .._shared.memory import free_memory
from ..images.color import transfer_luminance
from ..universal.one_pass import OnePass
from .blending import parts
from .network import LEAST_SIDE, TransformNet

#: Bytes that a pixel takes at the peak for each of the first layer's filters: float32, for the
#: layer and its neighbors.
PEAK_BYTES = 30

#: Side of the tiles in pixels, and the width of the halo around each: more than the layers before
#: and after the trunk see. Both are multiples of 4, the trunk's scale.
TILE, HALO = 768, 16

#: (where a tile with its halo lies in the whole, its own positions in the tile's result, their
#: place in the whole result), each (rows, columns).
Tile: TypeAlias = tuple[tuple[slice, slice], tuple[slice, slice], tuple[slice, slice]]


def paint(
    net: TransformNet | OnePass,
    batch: np.ndarray,
    preserve_color: Literal["luminance"] | None = None,
    tile: int | Literal["auto"] | None = "auto",
    strength: float = 1.0,
) -> np.ndarray:
    """Paint a batch of pictures of one size.

    Args:
        net: The network, or paintings.
        batch: uint8 RGB, B x H x W x 3.
        preserve_color: "luminance": keep the photo's chroma; see stylize.
        tile: Side of the tiles in pixels, "auto" or None; see stylize.
        strength: A network's share of each pixel; the photo has the rest. Paintings have their own.

    Returns:
        uint8 RGB, B x H x W x 3.

    Raises:
        ValueError: The batch is of another type or shape.
    """
    if batch.dtype != np.uint8 or batch.ndim != 4 or batch.shape[-1] != 3 or 0 in batch.shape:
        raise ValueError(
            f"a batch must be uint8, B x H x W x 3. Received: {batch.dtype}, shape {batch.shape}"
        )
    if isinstance(net, OnePass):
        painted = np.stack([net.paint(image, tile) for image in batch])
    else:
        painted = _by_network(net, batch, tile, strength)
    if preserve_color == "luminance":
        painted = np.stack([transfer_luminance(*pair) for pair in zip(painted, batch)])
    return painted


def _by_network(
    net: TransformNet, batch: np.ndarray, tile: int | Literal["auto"] | None, strength: float
) -> np.ndarray:
    """A batch as a network paints it, uint8."""
    _, height, width, _ = batch.shape
    below, right = max(0, LEAST_SIDE - height), max(0, LEAST_SIDE - width)
    padded = (
        np.pad(batch, ((0, 0), (0, below), (0, right), (0, 0)), mode="symmetric")
        if below or right
        else batch
    )
    if tile == "auto":
        tile = TILE if PEAK_BYTES * net.width * padded.size / 3 > free_memory() else None
    if tile is None or max(padded.shape[1:3]) <= tile:
        painted = _forward(net)(padded)
    else:
        painted = np.concatenate([in_tiles(net, image[None], tile) for image in padded])
    painted = painted[:, :height, :width]
    if strength < 1:
        painted = strength * painted + (1 - strength) * batch
    return np.clip(np.rint(painted), 0, 255).astype("uint8")


@lru_cache(maxsize=8)
def _forward(net: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Return a network as a function of arrays.

    On TensorFlow it is one graph for all sizes. Keras' predict compiles a graph for each of the
    first sizes, and in a process with several networks TensorFlow then warns of too many compiles.
    """
    if keras.backend.backend() != "tensorflow":
        return net.predict_on_batch
    import tensorflow as tf

    from ..optimize.autodiff import memory_error

    graph = tf.function(lambda x: net(x, training=False), autograph=False).get_concrete_function(
        tf.TensorSpec((None, None, None, net.input.shape[-1]), tf.float32)
    )

    def forward(x: np.ndarray) -> np.ndarray:
        with memory_error(x.shape):
            return graph(tf.constant(x, tf.float32)).numpy()

    return forward


def in_tiles(net: TransformNet, x: np.ndarray, tile: int) -> np.ndarray:
    """Return net(x) with little more memory than one tile and the trunk take.

    The trunk is a quarter as high and wide as the picture. The layers before and after it run tile
    by tile: once for each instance normalization among them, to add up its mean and variance over
    the whole picture, and once more with all of these known.

    Args:
        net: The network.
        x: 1 x H x W x 3.
        tile: Side of a tile in pixels.

    Returns:
        1 x H x W x 3.
    """
    encoder, trunk, decoder = parts(net)
    tile = tile // 4 * 4
    features = _forward(trunk)(_through(encoder, x, tile, HALO))
    return _through(decoder, features, tile // 4, HALO // 4)[:, : x.shape[1], : x.shape[2]]


def _through(chain: list[Any], x: np.ndarray, tile: int, halo: int) -> np.ndarray:
    """Return a chain of layers of x, 1 x H x W x C, computed in tiles of `tile` positions."""
    norms = [layer for layer in chain if isinstance(layer, keras.layers.GroupNormalization)]
    known: dict[Any, Callable[[Any], Any]] = {}
    for norm in [*norms, None]:
        ahead = chain[: chain.index(norm)] if norm else chain
        scale = _scale(ahead)
        total: Any = 0
        result: Any = 0
        for crop, core, place in _tiles(x.shape[1:3], tile, halo, scale):
            f = x[:, crop[0], crop[1]]
            for layer in ahead:
                f = known[layer](f) if layer in known else layer(f)
            f = ops.convert_to_numpy(ops.cast(f, "float32"))[:, core[0], core[1]]
            if norm:
                f = f.astype("float64")
                total = total + np.stack(
                    [
                        np.full(f.shape[-1], f[..., 0].size),
                        f.sum(axis=(0, 1, 2)),
                        np.square(f).sum(axis=(0, 1, 2)),
                    ]
                )
            else:
                if not place[0].start and not place[1].start:
                    result = np.empty(
                        (1, *(math.ceil(side * scale) for side in x.shape[1:3]), f.shape[-1]),
                        "float32",
                    )
                result[:, place[0], place[1]] = f
        if norm:
            mean = total[1] / total[0]
            known[norm] = _affine(norm, mean, np.maximum(total[2] / total[0] - mean**2, 0))
    return result


def _tiles(shape: Sequence[int], tile: int, halo: int, scale: float) -> list[Tile]:
    """Return the tiles of a whole of this height and width."""
    sides = []
    for side in shape:
        of_side = []
        for first in range(0, side, tile):
            before, own = min(halo, first), math.ceil(min(tile, side - first) * scale)
            core, place = int(before * scale), int(first * scale)
            of_side.append(
                (
                    slice(first - before, first + tile + halo),
                    slice(core, core + own),
                    slice(place, place + own),
                )
            )
        sides.append(of_side)
    whole = [list(zip(rows, columns)) for rows in sides[0] for columns in sides[1]]
    return [(seen, core, place) for seen, core, place in whole]


def _scale(chain: list[Any]) -> float:
    """Return how many positions the result of a chain of layers has for one of its input's side."""
    scale = 1.0
    for layer in chain:
        scale = scale / layer.strides[0] if isinstance(layer, keras.layers.Conv2D) else scale
        scale = scale * layer.size[0] if isinstance(layer, keras.layers.UpSampling2D) else scale
    return scale


def _affine(norm: Any, mean: np.ndarray, variance: np.ndarray) -> Callable[[Any], Any]:
    """Return an instance normalization whose mean and variance are known."""
    factor = ops.convert_to_numpy(norm.gamma) / np.sqrt(variance + norm.epsilon)
    offset = ops.convert_to_numpy(norm.beta) - mean * factor
    return lambda f: ops.cast(
        ops.cast(f, "float32") * factor.astype("float32") + offset.astype("float32"), f.dtype
    )
