"""An Evaluator that needs only one tile's memory."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from keras import KerasTensor, ops, tree

from .._shared.types import Features, Tensor
from ..losses.loss import Loss
from .autodiff import compiled, pullback, specs_of, value_and_grad
from .evaluator import Evaluator
from .layer_statistics import Maps, layer_statistics
from .loss_checks import weighted
from .tiling import Core, Tiling

#: Rows of a strip, for the losses whose scope is "strips".
STRIP_ROWS = 256


class Piece(NamedTuple):
    """A part of the picture that is evaluated at once.

    Attributes:
        where: Its pixels: an index of 1 x H x W x 3.
        losses: Names of the losses that it has sums of.
        sums: A compiled function: (pixels, core, maps) -> {loss: {layer: its sums}}.
        carry: A compiled function that takes a gradient of the sums back to the pixels: (pixels,
            gradient, core, maps).
        more: maps -> (core, its part of the maps).
    """

    where: tuple[slice, ...]
    losses: list[str]
    sums: Callable[..., Any]
    carry: Callable[..., Any]
    more: Callable[[Maps], tuple[Core, Any]]


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
        ValueError: A loss that needs the whole picture at once.
    """

    _held = staticmethod(np.asarray)

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
        whole = [name for name, loss, _ in parts if loss.scope == "whole"]
        if whole:
            raise ValueError(
                f"the loss {whole[0]!r} needs the whole picture at once; it cannot be had in tiles"
            )
        super().__init__(
            extractor,
            {name: loss for name, loss, _ in parts},
            {name: weight for name, _, weight in parts},
            shape,
        )
        self._names = list(self._parts)

    def _compile(
        self, extractor: Any, losses: Mapping[str, Loss], loss_weights: Mapping[str, float]
    ) -> Any:
        by_scope = {
            scope: {name: loss for name, loss in losses.items() if loss.scope == scope}
            for scope in ("tiles", "strips", "image")
        }
        pieces = [*self._tiles(extractor, by_scope["tiles"]), *self._strips(by_scope["strips"])]
        whole = self._whole(by_scope["image"], loss_weights)

        def value(statistics: Mapping[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
            terms = {
                name: weighted(name, loss_weights[name], losses[name].value(sums))
                for name, sums in statistics.items()
            }
            return sum(terms.values(), ops.zeros((), "float32")), terms

        value_of_sums: Any = None

        def evaluate(x: Tensor, maps: Maps) -> Any:
            nonlocal value_of_sums
            pixels = ops.convert_to_numpy(x)
            statistics: dict[str, Any] = {}
            for piece in pieces:
                found = piece.sums(pixels[piece.where], *piece.more(maps))
                for name, sums in tree.map_structure(_float64, found).items():
                    if name in statistics:
                        sums = tree.map_structure(np.add, statistics[name], sums)
                    statistics[name] = sums
            statistics = tree.map_structure(lambda one: one.astype("float32"), statistics)
            if value_of_sums is None:  # the shapes of the sums are known now
                value_of_sums = compiled(value_and_grad(value), specs_of(statistics))
            (total, terms), upstream = value_of_sums(statistics)
            terms = dict(terms)
            grad = np.zeros(self.shape, "float32")
            if whole is not None:
                (more, more_terms), more_grad = whole(x)
                total = total + more
                terms.update(more_terms)
                grad += ops.convert_to_numpy(more_grad)
            for piece in pieces:
                gradients = {name: upstream[name] for name in piece.losses}
                back = piece.carry(pixels[piece.where], gradients, *piece.more(maps))
                grad[piece.where] += ops.convert_to_numpy(back)
            del pixels  # the gradient on the device takes their place
            return (total, self._by_loss(terms)), ops.convert_to_tensor(grad)

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

        def sums(crop: Tensor, core: Core, maps: Maps) -> Any:
            return layer_statistics(
                extractor, crop, losses, maps, lambda layer, f: tiling.core({layer: f}, core)[layer]
            )

        specs = tree.map_structure(
            lambda array: KerasTensor((1, None, None, array.shape[-1]), array.dtype.name),
            self._maps,
        )
        there, back = _there_and_back(sums, specs)

        def more(crop: Any, core: Any, maps: Maps) -> tuple[Core, Any]:
            return core, {name: tiling.part(of_loss, crop, core) for name, of_loss in maps.items()}

        return [
            Piece((slice(None), *crop), list(losses), there, back, partial(more, crop, core))
            for crop, core in tiling.tiles(height, width)
        ]

    def _strips(self, losses: Mapping[str, Loss]) -> list[Piece]:
        """Strips of rows, for the losses whose scope is "strips"."""
        if not losses:
            return []
        height = self.shape[1]

        def sums(rows: Tensor, core: Core, maps: Maps, last: bool) -> Any:
            return {
                name: {"image": loss.sums["image"](rows, last)} for name, loss in losses.items()
            }

        compiled_for = {
            last: _there_and_back(partial(sums, last=last), {}) for last in (False, True)
        }
        return [
            Piece(
                (slice(None), slice(top, min(top + STRIP_ROWS + 1, height))),
                list(losses),
                *compiled_for[top + STRIP_ROWS >= height],
                lambda maps: ((0, 0, 0, 0), {}),
            )
            for top in range(0, height, STRIP_ROWS)
        ]

    def _whole(
        self, losses: Mapping[str, Loss], loss_weights: Mapping[str, float]
    ) -> Callable[[Tensor], Any] | None:
        """x -> ((total, {loss: its term}), gradient), for the losses whose scope is "image"."""
        if not losses:
            return None

        def total(x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
            terms = {
                name: weighted(name, loss_weights[name], loss({"image": x}))
                for name, loss in losses.items()
            }
            return sum(terms.values()), terms

        return compiled(value_and_grad(total), KerasTensor(self.shape, "float32"))


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
    sums: Callable[..., Any], maps: Any
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Compile sums(pixels, core, maps), and carry(pixels, gradient, core, maps) back from them.

    The second one is compiled at its first call, when the shapes of the sums are known.

    Args:
        sums: The function.
        maps: A KerasTensor for each map.
    """
    pixels, core = KerasTensor((1, None, None, 3), "float32"), (0, 0, 0, 0)
    made: list[Any] = []

    def carry(x: Any, upstream: Any, *more: Any) -> Tensor:
        if not made:
            specs = pixels, specs_of(upstream), core, maps
            made.append(compiled(pullback(sums), *specs, static=(2,)))
        return made[0](x, upstream, *more)

    return compiled(sums, pixels, core, maps, static=(1,)), carry


def _float64(tensor: Tensor) -> np.ndarray:
    return ops.convert_to_numpy(tensor).astype("float64")
