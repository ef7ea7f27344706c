"""A loss of features, in two halves: sums over positions, and a value of them."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from keras import ops

from .._shared.checks import layers as checked_layers


@dataclass(frozen=True)
class Loss:
    """loss(features) = value(statistics(features)).

    sums: {layer: a function of its features, and of its map where there is one, that returns sums
    over positions: a number, an array, or a nested dict of them}. value: a function of {layer:
    these sums}. maps: targets that have positions, {layer: 1 x h x w x C}, so that a tile needs its
    part of them. whole: the loss reads features["image"] only, and is evaluated on the whole
    picture at once. strips: so does this one, but it can be had in strips of rows that end with the
    first row of the next one: sums["image"](rows, last).
    """

    sums: dict
    value: Callable
    maps: dict = field(default_factory=dict)
    scope: str = "tiles"

    def __call__(self, features):
        return self.value(self.statistics(features))

    def statistics(self, features):
        """{layer: its sums}."""
        return {
            name: self.layer_sums(name, _layer(features, name), self.maps.get(name))
            for name in self.sums
        }

    def layer_sums(self, name, f, target=None):
        """The sums of one layer's features, and of their part of its map."""
        f = ops.cast(f, "float32")
        return (
            self.sums[name](f)
            if target is None
            else self.sums[name](f, ops.cast(target, "float32"))
        )


def weighted_sum(weighted):
    """One Loss of several, [(weight, Loss)]: the sum of weight times loss; their maps lie side by
    side as channels.
    """
    losses = [loss for _, loss in weighted]
    layers = list(dict.fromkeys(name for loss in losses for name in loss.sums))
    maps = {name: [loss.maps[name] for loss in losses if name in loss.maps] for name in layers}

    def of_layer(name):
        def sums(f, target=None):
            first, found = 0, {}
            for number, loss in enumerate(losses):
                if name in loss.maps:
                    last = first + loss.maps[name].shape[-1]
                    found[str(number)] = loss.sums[name](f, target[..., first:last])
                    first = last
                elif name in loss.sums:
                    found[str(number)] = loss.sums[name](f)
            return found

        return sums

    def value(sums):
        return sum(
            weight * loss.value({name: sums[name][str(number)] for name in loss.sums})
            for number, (weight, loss) in enumerate(weighted)
        )

    return Loss(
        {name: of_layer(name) for name in layers},
        value,
        maps={
            name: arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=-1)
            for name, arrays in maps.items()
            if arrays
        },
    )


def layer_weights(layers):
    """{name: w_l}: as given, or 1 shared evenly among names."""
    layers = checked_layers("layers", layers)
    return layers if isinstance(layers, dict) else {name: 1 / len(layers) for name in layers}


def _layer(features, name):
    if name not in features:
        raise ValueError(f"features must hold layer {name!r}. Received: {sorted(features)}")
    return ops.cast(features[name], "float32")


def check_scale(scale, known):
    """Raise a ValueError for a scale that is not among `known`."""
    if scale not in known:
        raise ValueError(f"scale must be one of {known}. Received: scale={scale!r}")


def _energy(array):
    """Sum of squares of each picture, (B,); of a NumPy array row by row, for it may be large."""
    if isinstance(array, np.ndarray):
        return np.array(
            [sum(np.square(row, dtype="float64").sum() for row in image) for image in array],
            "float32",
        )
    return ops.sum(ops.square(array), axis=(1, 2, 3))


def _positive(energy, name):
    try:
        positive = bool(ops.all(energy > 0))
    except TypeError:  # a training step that is being traced: there are no numbers yet
        positive = True
    if not positive:
        raise ValueError(
            f"layer {name!r} of the target is zero everywhere, so no error is relative to it; use"
            " scale='paper'"
        )
    return energy
