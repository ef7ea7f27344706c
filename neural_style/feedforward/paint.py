"""A network's forward pass over pictures of any size."""

import math
from functools import lru_cache

import keras
import numpy as np
from keras import ops

from .._shared.memory import free_memory
from ..images.color import transfer_luminance
from .blending import parts
from .network import LEAST_SIDE

#: Bytes that a pixel takes at the peak for each of the first layer's filters: float32, of the layer
#: and its neighbours.
PEAK = 30


#: Side of the tiles in pixels, and what lies around each: more than the ways in and out of the
#: trunk see. Multiples of 4, the trunk's scale.
TILE, HALO = 768, 16


def paint(net, batch, preserve_color=None, tile="auto"):
    """uint8 RGB, B x H x W x 3, to the same, painted; for the rest see stylize."""
    if batch.dtype != np.uint8 or batch.ndim != 4 or batch.shape[-1] != 3 or 0 in batch.shape:
        raise ValueError(
            f"a batch must be uint8, B x H x W x 3. Received: {batch.dtype}, shape {batch.shape}"
        )
    _, height, width, _ = batch.shape
    below, right = max(0, LEAST_SIDE - height), max(0, LEAST_SIDE - width)
    padded = (
        np.pad(batch, ((0, 0), (0, below), (0, right), (0, 0)), mode="symmetric")
        if below or right
        else batch
    )
    if tile == "auto":
        tile = TILE if PEAK * net.width * padded.size / 3 > free_memory() else None
    if tile is None or max(padded.shape[1:3]) <= tile:
        painted = _forward(net)(padded)
    else:
        painted = np.concatenate([in_tiles(net, image[None], tile) for image in padded])
    painted = np.clip(np.rint(painted[:, :height, :width]), 0, 255).astype("uint8")
    if preserve_color == "luminance":
        painted = np.stack([transfer_luminance(*pair) for pair in zip(painted, batch)])
    return painted


@lru_cache(maxsize=8)
def _forward(net):
    """The network as a function of arrays. On TensorFlow one graph for all sizes: Keras' predict
    compiles one for each of the first sizes, and of a process with several networks TensorFlow then
    says that it compiles too often."""
    if keras.backend.backend() != "tensorflow":
        return net.predict_on_batch
    import tensorflow as tf

    from ..optimize.autodiff import memory_error

    graph = tf.function(lambda x: net(x, training=False), autograph=False).get_concrete_function(
        tf.TensorSpec((None, None, None, net.input.shape[-1]), tf.float32)
    )

    def forward(x):
        with memory_error(x.shape):
            return graph(tf.constant(x, tf.float32)).numpy()

    return forward


def in_tiles(net, x, tile):
    """net(x) for x of 1 x H x W x 3, with little more memory than a tile's and the trunk's, a
    quarter as high and wide as the picture.

    The layers before the trunk and those after it run tile by tile: once for each instance
    normalisation among them, whose mean and variance over the whole picture they add up, and once
    more with all of these known.
    """
    encoder, trunk, decoder = parts(net)
    tile = tile // 4 * 4
    features = _forward(trunk)(_through(encoder, x, tile, HALO))
    return _through(decoder, features, tile // 4, HALO // 4)[:, : x.shape[1], : x.shape[2]]


def _through(chain, x, tile, halo):
    """The result of a chain of layers on x, 1 x H x W x C, in tiles of so many positions of x."""
    norms, known = (
        [layer for layer in chain if isinstance(layer, keras.layers.GroupNormalization)],
        {},
    )
    for norm in [*norms, None]:
        ahead = chain[: chain.index(norm)] if norm else chain
        scale = _scale(ahead)
        total = result = 0
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


def _tiles(shape, tile, halo, scale):
    """[(where a tile with its halo lies in the whole, its own positions in what comes of it, their
    place in the whole result)].
    """
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
    return [tuple(zip(rows, columns)) for rows in sides[0] for columns in sides[1]]


def _scale(chain):
    """Positions of the result of a chain of layers to one of its input, along a side."""
    scale = 1
    for layer in chain:
        scale = scale / layer.strides[0] if isinstance(layer, keras.layers.Conv2D) else scale
        scale = scale * layer.size[0] if isinstance(layer, keras.layers.UpSampling2D) else scale
    return scale


def _affine(norm, mean, variance):
    """An instance normalisation whose mean and variance are known."""
    factor = ops.convert_to_numpy(norm.gamma) / np.sqrt(variance + norm.epsilon)
    offset = ops.convert_to_numpy(norm.beta) - mean * factor
    return lambda f: ops.cast(
        ops.cast(f, "float32") * factor.astype("float32") + offset.astype("float32"), f.dtype
    )
