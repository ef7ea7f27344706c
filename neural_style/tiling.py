"""Exact evaluation in tiles, for pictures whose activations are larger than memory.

A loss is a value of sums over positions, so it can be had tile by tile: a first pass adds up each
loss's statistics; the value of the sums gives the gradient for them; a second pass carries that
back, tile by tile, into the pixels. A tile's crop is wider than its core by a halo as wide as the
network's view and is cut on the grid of the pooling, so that the core's activations are those of
the whole picture, at the picture's own border too.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import tensorflow as tf

from .evaluator import Evaluator, graph_as_written, layer_statistics, memory_error, traced
from .losses import Loss


@dataclass(frozen=True)
class Tiling:
    """How to cut pictures.

    tile: longer side of a crop, its halo included, or None for one tile, the whole picture.
    strides, halo: the network's; see features.tile_geometry.
    """

    tile: int | None
    strides: dict
    halo: int

    def __post_init__(self):
        if self.tile is not None and self.tile < self.smallest:
            raise ValueError(
                f"tile must be at least {self.smallest} pixels for these layers. Received:"
                f" tile={self.tile!r}"
            )

    @property
    def smallest(self):
        """The smallest tile that has a core."""
        return 2 * self._margin + max(self.strides.values())

    @property
    def _margin(self):
        """The halo, rounded up to the grid of the pooling."""
        align = max(self.strides.values())
        return -(-self.halo // align) * align

    def tiles(self, height, width):
        """[(crop, core)]: crop, two slices of the picture; core, (top, left, bottom, right) within
        the crop.
        """
        return [
            ((slice(top, bottom), slice(left, right)), (y0 - top, x0 - left, y1 - top, x1 - left))
            for top, y0, y1, bottom in self._cuts(height)
            for left, x0, x1, right in self._cuts(width)
        ]

    def _cuts(self, length):
        if self.tile is None or length <= self.tile:
            return [(0, 0, length, length)]
        align, margin = max(self.strides.values()), self._margin
        count = -(-length // ((self.tile - 2 * margin) // align * align))
        core = -(-length // (count * align)) * align  # evened out, on the grid
        starts = range(0, length, core)
        return [
            (
                max(0, start - margin),
                start,
                min(start + core, length),
                min(start + core + margin, length),
            )
            for start in starts
        ]

    def core(self, features, core):
        """The core's part of a crop's features: {name: B x h x w x C}."""
        if self.tile is None:
            return features
        top, left, bottom, right = core[0], core[1], core[2], core[3]
        return {
            name: features[name][:, top // s : bottom // s, left // s : right // s]
            for name, s in {**self.strides, "image": 1}.items()
            if name in features
        }

    def part(self, maps, crop, core):
        """The same part of maps of the whole picture."""
        y, x = crop[0].start, crop[1].start
        return {
            name: array[
                :, (y + core[0]) // s : (y + core[2]) // s, (x + core[1]) // s : (x + core[3]) // s
            ]
            for name, array in maps.items()
            for s in [self.strides[name]]
        }


def describe(extractor, x, map_layers, measures, tiling):
    """Targets from a picture, tile by tile: ({layer: its features}, [each measure of the
    features]).

    Args:
        extractor: preprocessed pictures -> features.
        x: 1 x H x W x 3.
        map_layers: names.
        measures: a list of losses.Loss, from style_statistics.
        tiling: a Tiling.
    """
    wanted = {*map_layers, *(name for measure in measures for name in measure.sums)}

    @partial(tf.function, autograph=False)
    def look(crop, core, parts):
        features = extractor(crop)
        features = tiling.core({name: features[name] for name in wanted}, core)
        maps = {name: tf.cast(features[name], "float32") for name in map_layers}
        return maps, [
            {
                name: measure.layer_sums(name, features[name], part.get(name))
                for name in measure.sums
            }
            for measure, part in zip(measures, parts)
        ]

    spec = [
        {
            name: tf.TensorSpec([1, None, None, array.shape[-1]], tf.float32)
            for name, array in measure.maps.items()
        }
        for measure in measures
    ]
    look = look.get_concrete_function(
        tf.TensorSpec([1, None, None, 3], tf.float32), tf.TensorSpec([4], tf.int32), spec
    )
    height, width = x.shape[1:3]
    maps, totals = {}, None
    for crop, core in tiling.tiles(height, width):
        parts = [
            {
                name: tf.constant(part)
                for name, part in tiling.part(measure.maps, crop, core).items()
            }
            for measure in measures
        ]
        with graph_as_written(), memory_error(x.shape):
            tile_maps, sums = look(
                *tf.nest.flatten((tf.constant(x[:, crop[0], crop[1]]), tf.constant(core), parts))
            )
        for name, tile_map in tile_maps.items():
            s = tiling.strides[name]
            if name not in maps:
                maps[name] = np.empty((1, height // s, width // s, tile_map.shape[-1]), "float32")
            tiling.part(maps, crop, core)[name][...] = tile_map
        sums = tf.nest.map_structure(lambda tensor: tensor.numpy().astype("float64"), sums)
        totals = sums if totals is None else tf.nest.map_structure(np.add, totals, sums)
    return maps, [
        tf.nest.map_structure(np.float32, measure.value(total))
        for measure, total in zip(measures, totals or [])
    ]


#: Rows of a strip, for the losses that are had in strips.
STRIP = 256


class TiledEvaluator(Evaluator):
    """An Evaluator whose peak memory is that of a tile: the same loss and gradient, in half as much
    time again and more.

    Args:
        extractor, losses, loss_weights, shape: as for Evaluator; each loss must be a Loss.
        tiling: a Tiling.
    """

    _held = staticmethod(partial(np.asarray, dtype="float32"))

    def __init__(self, extractor, losses, loss_weights, shape, tiling):
        if not all(isinstance(loss, Loss) for loss in losses.values()):
            raise TypeError(
                "in tiles, each loss must be a neural_style.Loss, of statistics and a value."
                " Received: "
                + ", ".join(f"{name}: {type(loss).__name__}" for name, loss in losses.items())
            )
        self._tiling = tiling
        super().__init__(extractor, losses, loss_weights, shape)

    def _compile(self, extractor, losses, loss_weights):
        tiling, (height, width) = self._tiling, self.shape[1:3]
        layered = {name: loss for name, loss in losses.items() if not (loss.whole or loss.strips)}
        striped = {name: loss for name, loss in losses.items() if loss.strips}
        whole = {name: loss for name, loss in losses.items() if loss.whole}

        def tile_sums(crop, core, maps):
            return layer_statistics(
                extractor,
                crop,
                layered,
                maps,
                lambda layer, f: tiling.core({layer: f}, core)[layer],
            )

        def strip_sums(rows, last):
            return {
                name: {"image": loss.sums["image"](rows, last)} for name, loss in striped.items()
            }

        def whole_terms(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                terms = {
                    name: loss_weights[name] * loss({"image": x}) for name, loss in whole.items()
                }
                total = sum(terms.values())
            return terms, tape.gradient(total, x)

        pixels = tf.TensorSpec([1, None, None, 3], tf.float32)
        of_tiles = (
            _there_and_back(
                tile_sums,
                pixels,
                tf.TensorSpec([4], tf.int32),
                tf.nest.map_structure(
                    lambda array: tf.TensorSpec([1, None, None, array.shape[-1]], array.dtype),
                    self._maps,
                ),
            )
            if layered
            else None
        )
        of_strips = (
            {
                last: _there_and_back(partial(strip_sums, last=last), pixels)
                for last in (False, True)
            }
            if striped
            else None
        )
        whole_terms = (
            tf.function(whole_terms, autograph=False).get_concrete_function(
                tf.TensorSpec(self.shape, tf.float32)
            )
            if whole
            else None
        )

        pieces = []  # (where in the picture, the functions there and back, what they take beside the pixels, given the maps)
        for crop, core in tiling.tiles(height, width) if layered else ():
            pieces.append(
                (
                    (slice(None), *crop),
                    of_tiles,
                    lambda maps, crop=crop, core=core: (
                        np.array(core, "int32"),
                        {name: tiling.part(of_loss, crop, core) for name, of_loss in maps.items()},
                    ),
                )
            )
        for top in range(0, height, STRIP) if striped else ():
            rows = slice(top, min(top + STRIP + 1, height))
            pieces.append(((slice(None), rows), of_strips[top + STRIP >= height], lambda maps: ()))

        def evaluate(x, maps):
            statistics = {}
            for where, (sums, _), more in pieces:
                for name, of_loss in sums(*_tensors(x[where], *more(maps))).items():
                    of_loss = tf.nest.map_structure(lambda s: tf.cast(s, tf.float64), of_loss)
                    statistics[name] = (
                        tf.nest.map_structure(tf.add, statistics[name], of_loss)
                        if name in statistics
                        else of_loss
                    )
            statistics = tf.nest.map_structure(lambda s: tf.cast(s, tf.float32), statistics)
            with tf.GradientTape() as tape:
                tape.watch(statistics)
                terms = {
                    name: loss_weights[name] * losses[name].value(sums)
                    for name, sums in statistics.items()
                }
                total = sum(terms.values(), tf.constant(0.0))
            upstream = tape.gradient(total, statistics, unconnected_gradients="zero")
            grad = np.zeros(self.shape, "float32")
            if whole:
                more_terms, more_grad = whole_terms(tf.constant(x))
                terms.update(more_terms)
                grad += more_grad.numpy()
            for where, (sums, carry), more in pieces:
                of_piece = {name: upstream[name] for name in sums.structured_outputs}
                grad[where] += carry(*_tensors(of_piece, x[where], *more(maps))).numpy()
            return {name: terms[name] for name in losses}, sum(terms.values()), grad

        return evaluate


def _there_and_back(sums, *specs):
    """Two compiled functions: sums(x, ...), and carry(upstream, x, ...), which takes a gradient of
    the sums back to x.
    """

    def carry(upstream, x, *more):
        with tf.GradientTape() as tape:
            tape.watch(x)
            statistics = sums(x, *more)
        return tape.gradient(statistics, x, output_gradients=upstream)

    there = traced(sums, *specs)
    upstream = tf.nest.map_structure(
        lambda s: tf.TensorSpec(s.shape, s.dtype), there.structured_outputs
    )
    return there, traced(carry, upstream, *specs)


def _tensors(*arguments):
    """What a concrete function takes."""
    return [tf.constant(a) for a in tf.nest.flatten(arguments)]
