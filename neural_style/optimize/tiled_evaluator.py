"""An Evaluator that needs only one tile's memory."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from .._shared.types import Features, Tensor
from ..losses.loss import Loss
from .autodiff import traced
from .evaluator import Evaluator, Maps, layer_statistics
from .loss_checks import weighted
from .tiling import Tiling

#: Rows of a strip, for the losses whose scope is "strips".
STRIP_ROWS = 256


class Piece(NamedTuple):
    """A part of the picture that is evaluated at once.

    Attributes:
        where: Its pixels: an index of 1 x H x W x 3.
        sums: A compiled function: (pixels, ...) -> {loss: {layer: its sums}}.
        carry: A compiled function that takes a gradient of the sums back to the pixels.
        more: maps -> what both functions take beside the pixels.
    """

    where: tuple[slice, ...]
    sums: Any
    carry: Callable[..., Any]
    more: Callable[[Maps], tuple[Any, ...]]


class TiledEvaluator(Evaluator):
    """An Evaluator that needs only one tile's memory.

    It gives the same loss and gradient, and takes at least 1.5 times as long.

    Args:
        extractor: As for Evaluator.
        losses: {name: a losses.Loss}.
        loss_weights: As for Evaluator.
        shape: As for Evaluator.
        tiling: How to cut the picture.

    Raises:
        TypeError: A loss that is no losses.Loss.
    """

    _held = staticmethod(partial(np.asarray, dtype="float32"))

    def __init__(
        self,
        extractor: Callable[[Tensor], Features],
        losses: Mapping[str, Loss],
        loss_weights: Mapping[str, float],
        shape: Sequence[int],
        tiling: Tiling,
    ) -> None:
        if not all(isinstance(loss, Loss) for loss in losses.values()):
            raise TypeError(
                "in tiles, each loss must be a neural_style.losses.Loss, of statistics and a"
                " value. Received: "
                + ", ".join(f"{name}: {type(loss).__name__}" for name, loss in losses.items())
            )
        self._tiling = tiling
        self._parts = {
            name: _parts(name, loss, loss_weights[name]) for name, loss in losses.items()
        }
        parts = [part for of_loss in self._parts.values() for part in of_loss]
        super().__init__(
            extractor,
            {name: loss for name, loss, _ in parts},
            {name: weight for name, _, weight in parts},
            shape,
        )

    def _compile(
        self, extractor: Any, losses: Mapping[str, Loss], loss_weights: Mapping[str, float]
    ) -> Any:
        by_scope = {
            scope: {name: loss for name, loss in losses.items() if loss.scope == scope}
            for scope in ("tiles", "strips", "image")
        }
        pieces = [*self._tiles(extractor, by_scope["tiles"]), *self._strips(by_scope["strips"])]
        whole = self._whole(by_scope["image"], loss_weights)

        def evaluate(x: np.ndarray, maps: Maps) -> tuple[dict[str, Any], Any, np.ndarray]:
            statistics: dict[str, Any] = {}
            for piece in pieces:
                found = piece.sums(*_tensors(x[piece.where], *piece.more(maps)))
                for name, sums in found.items():
                    sums = tf.nest.map_structure(lambda s: tf.cast(s, tf.float64), sums)
                    if name in statistics:
                        sums = tf.nest.map_structure(tf.add, statistics[name], sums)
                    statistics[name] = sums
            statistics = tf.nest.map_structure(lambda s: tf.cast(s, tf.float32), statistics)
            with tf.GradientTape() as tape:
                tape.watch(statistics)
                terms = {
                    name: weighted(name, loss_weights[name], losses[name].value(sums))
                    for name, sums in statistics.items()
                }
                total = sum(terms.values(), tf.constant(0.0))
            upstream = tape.gradient(total, statistics, unconnected_gradients="zero")
            grad = np.zeros(self.shape, "float32")
            if whole is not None:
                more_terms, more_grad = whole(tf.constant(x))
                terms.update(more_terms)
                grad += more_grad.numpy()
            for piece in pieces:
                gradients = {name: upstream[name] for name in piece.sums.structured_outputs}
                back = piece.carry(*_tensors(gradients, x[piece.where], *piece.more(maps)))
                grad[piece.where] += back.numpy()
            return self._by_loss(terms), sum(terms.values()), grad

        return evaluate

    def _by_loss(self, terms: Mapping[str, Any]) -> dict[str, Any]:
        """The terms of the parts, added up for each loss."""
        return {
            name: sum(terms[part] for part, _, _ in parts) for name, parts in self._parts.items()
        }

    def _tiles(self, extractor: Any, losses: Mapping[str, Loss]) -> list[Piece]:
        """The tiles, for the losses whose scope is "tiles"."""
        if not losses:
            return []
        tiling, (height, width) = self._tiling, self.shape[1:3]

        def sums(crop: Tensor, core: Tensor, maps: Maps) -> Any:
            return layer_statistics(
                extractor, crop, losses, maps, lambda layer, f: tiling.core({layer: f}, core)[layer]
            )

        there, back = _there_and_back(
            sums,
            tf.TensorSpec([1, None, None, 3], tf.float32),
            tf.TensorSpec([4], tf.int32),
            tf.nest.map_structure(
                lambda array: tf.TensorSpec([1, None, None, array.shape[-1]], array.dtype),
                self._maps,
            ),
        )

        def more(crop: Any, core: Any, maps: Maps) -> tuple[Any, ...]:
            parts = {name: tiling.part(layers, crop, core) for name, layers in maps.items()}
            return np.array(core, "int32"), parts

        return [
            Piece((slice(None), *crop), there, back, partial(more, crop, core))
            for crop, core in tiling.tiles(height, width)
        ]

    def _strips(self, losses: Mapping[str, Loss]) -> list[Piece]:
        """Strips of rows, for the losses whose scope is "strips"."""
        if not losses:
            return []
        height = self.shape[1]

        def sums(rows: Tensor, last: bool) -> Any:
            return {
                name: {"image": loss.sums["image"](rows, last)} for name, loss in losses.items()
            }

        pixels = tf.TensorSpec([1, None, None, 3], tf.float32)
        compiled = {
            last: _there_and_back(partial(sums, last=last), pixels) for last in (False, True)
        }
        return [
            Piece(
                (slice(None), slice(top, min(top + STRIP_ROWS + 1, height))),
                *compiled[top + STRIP_ROWS >= height],
                lambda maps: (),
            )
            for top in range(0, height, STRIP_ROWS)
        ]

    def _whole(
        self, losses: Mapping[str, Loss], loss_weights: Mapping[str, float]
    ) -> Callable[[Tensor], Any] | None:
        """x -> ({loss: weighted term}, gradient), for the losses whose scope is "image"."""
        if not losses:
            return None

        def terms_and_gradient(x: Tensor) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(x)
                terms = {
                    name: weighted(name, loss_weights[name], loss({"image": x}))
                    for name, loss in losses.items()
                }
                total = sum(terms.values())
            return terms, tape.gradient(total, x)

        return traced(terms_and_gradient, tf.TensorSpec(self.shape, tf.float32))


def _parts(name: str, loss: Loss, weight: float) -> list[tuple[str, Loss, float]]:
    """[(name, Loss of one scope, its weight)] that add up to a loss."""
    if loss.scope != "parts":
        return [(name, loss, weight)]
    return [
        part
        for number, (share, one) in enumerate(loss.parts)
        for part in _parts(f"{name}/{number}", one, weight * share)
    ]


def _there_and_back(
    sums: Callable[..., Any], *specs: Any
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Compile sums(x, ...), and carry(upstream, x, ...), which takes a gradient of them to x."""

    def carry(upstream: Any, x: Tensor, *more: Any) -> Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            statistics = sums(x, *more)
        return tape.gradient(statistics, x, output_gradients=upstream)

    there: Any = traced(sums, *specs)
    upstream = tf.nest.map_structure(
        lambda s: tf.TensorSpec(s.shape, s.dtype), there.structured_outputs
    )
    return there, traced(carry, upstream, *specs)


def _tensors(*arguments: Any) -> list[Tensor]:
    """What a concrete function takes."""
    return [tf.constant(a) for a in tf.nest.flatten(arguments)]
