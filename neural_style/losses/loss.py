"""A loss of features, in two halves: sums over positions, and a value of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from keras import ops

from .._shared.checks import is_finite
from .._shared.checks import layers as checked_layers
from .._shared.types import Features, Layers, Tensor

Scope = Literal["tiles", "strips", "image", "whole", "parts"]


@dataclass(frozen=True)
class Loss:
    """A loss of features: loss(features) = value(statistics(features)).

    Features are {layer: B x h x w x C, "image": B x H x W x 3}, as feature_extractor gives them.
    A loss is a value of sums over positions. The sums can be added up over tiles, regions or
    devices before their value is taken, so the loss of a large picture needs little memory.

    Losses can be weighted and added: `0.3 * a + b`.

        quiet = Loss(
            {"conv5_1": lambda f: ops.sum(ops.square(f))},
            value=lambda sums: 1e-6 * sums["conv5_1"],
        )

    Attributes:
        sums: {layer: function}. The function takes the layer's features, and their part of the
            layer's map where there is one. It returns sums over positions: a number, an array, or a
            nested dict of them. The layer "image" is the picture: BGR minus ImageNet's mean.
        value: A function of {layer: its sums} that returns a number.
        maps: Targets that have positions: {layer: 1 x h x w x C}. A tile gets its part of them.
        scope: Where the sums can be taken. "tiles": in any part of the picture; they must be sums
            (with a count for a mean), as they are added up over tiles. "image": only of the whole
            picture at once, and of features["image"] alone, so they may be means. "strips": of
            features["image"] alone, in strips of rows; a strip ends with the first row of the next
            one, and `sums["image"](rows, last)` says whether it is the last. "whole": only of the
            whole picture at once; the sums need not be sums, as there are no tiles. "parts": made
            by adding losses of several scopes.
        parts: What the loss was added up from: ((weight, Loss), ...); empty for any other loss.
        float32: Whether features come as float32. False: as the network has them, perhaps bfloat16.
    """

    sums: Mapping[str, Callable[..., Any]]
    value: Callable[[Mapping[str, Any]], Tensor]
    maps: Mapping[str, np.ndarray] = field(default_factory=dict)
    scope: Scope = "tiles"
    parts: tuple[tuple[float, Loss], ...] = ()
    float32: bool = True

    def __post_init__(self) -> None:
        if self.scope not in get_args(Scope):
            raise ValueError(
                f"scope must be one of {get_args(Scope)}. Received: scope={self.scope!r}"
            )

    def __call__(self, features: Features) -> Tensor:
        return self.value(self.statistics(features))

    def __mul__(self, weight: float) -> Loss:
        if not is_finite(weight):
            return NotImplemented
        return weighted_sum([(float(weight) * w, loss) for w, loss in self._parts()])

    __rmul__ = __mul__

    def __add__(self, other: Loss | int) -> Loss:
        if isinstance(other, int) and other == 0:  # sum() starts with it
            return self
        if not isinstance(other, Loss):
            return NotImplemented
        return weighted_sum([*self._parts(), *other._parts()])

    __radd__ = __add__

    def _parts(self) -> Sequence[tuple[float, Loss]]:
        return self.parts or ((1.0, self),)

    def statistics(self, features: Features) -> dict[str, Any]:
        """{layer: its sums}."""
        return {
            name: self.layer_sums(name, layer_of(features, name), self.maps.get(name))
            for name in self.sums
        }

    def layer_sums(self, name: str, f: Tensor, target: Tensor | None = None) -> Any:
        """The sums of one layer's features.

        Args:
            name: The layer.
            f: Its features, B x h x w x C.
            target: Their part of the layer's map, or None.
        """
        if target is None:
            return self.sums[name](self._seen(f))
        return self.sums[name](self._seen(f), ops.cast(target, "float32"))

    def _seen(self, f: Tensor) -> Tensor:
        """Features as the sums take them."""
        return ops.cast(f, "float32") if self.float32 else f


def weighted_sum(weighted: Iterable[tuple[float, Loss]]) -> Loss:
    """Add several losses up: the sum of weight times loss.

    Their maps lie side by side as channels.

    Args:
        weighted: (weight, Loss) pairs.
    """
    parts = tuple(weighted)
    losses = [loss for _, loss in parts]
    layers = list(dict.fromkeys(name for loss in losses for name in loss.sums))
    maps = {name: [loss.maps[name] for loss in losses if name in loss.maps] for name in layers}
    scopes = {loss.scope for loss in losses}

    def layer_sums(name: str) -> Callable[..., Any]:
        def sums(
            f: Tensor, *more: Any
        ) -> dict[str, Any]:  # more: the map, or whether rows are last
            first, found = 0, {}
            for number, loss in enumerate(losses):
                if name in loss.maps:
                    last = first + loss.maps[name].shape[-1]
                    found[str(number)] = loss.sums[name](loss._seen(f), more[0][..., first:last])
                    first = last
                elif name in loss.sums:
                    extra = more if loss.scope == "strips" and scopes == {"strips"} else ()
                    found[str(number)] = loss.sums[name](loss._seen(f), *extra)
            return found

        return sums

    def value(sums: Mapping[str, Any]) -> Tensor:
        return sum(
            weight * loss.value({name: sums[name][str(number)] for name in loss.sums})
            for number, (weight, loss) in enumerate(parts)
        )

    return Loss(
        {name: layer_sums(name) for name in layers},
        value,
        maps={
            name: arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=-1)
            for name, arrays in maps.items()
            if arrays
        },
        scope=scopes.pop() if len(scopes) == 1 else "parts",
        parts=parts,
        float32=False,
    )


def layer_weights(layers: Layers) -> dict[str, float]:
    """{name: weight}: as given, or 1 shared evenly among names."""
    checked = checked_layers("layers", layers)
    if isinstance(checked, dict):
        return checked
    return {name: 1 / len(checked) for name in checked}


def layer_of(features: Features, name: str) -> Tensor:
    """The features of one layer, float32; a ValueError where they are missing."""
    if name not in features:
        raise ValueError(f"features must hold layer {name!r}. Received: {sorted(features)}")
    return ops.cast(features[name], "float32")


def check_scale(scale: object, known: Sequence[str]) -> None:
    """Raise a ValueError for a scale that is not among `known`."""
    if scale not in known:
        raise ValueError(f"scale must be one of {known}. Received: scale={scale!r}")


def positive(energy: Tensor, name: str) -> Tensor:
    """`energy`, which errors are divided by; a ValueError where it is 0."""
    try:
        above_zero = bool(ops.all(energy > 0))
    except TypeError:  # a training step that is being traced: there are no numbers yet
        above_zero = True
    if not above_zero:
        raise ValueError(
            f"layer {name!r} of the target is zero everywhere, so no error is relative to it; use"
            " scale='paper'"
        )
    return energy
