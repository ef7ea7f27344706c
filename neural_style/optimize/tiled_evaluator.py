"""An Evaluator that needs only one tile's memory."""

from functools import partial

import numpy as np
import tensorflow as tf

from ..losses.loss import Loss
from .autodiff import traced
from .evaluator import Evaluator, layer_statistics

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
        layered = {name: loss for name, loss in losses.items() if loss.scope == "tiles"}
        striped = {name: loss for name, loss in losses.items() if loss.scope == "strips"}
        whole = {name: loss for name, loss in losses.items() if loss.scope == "image"}

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
