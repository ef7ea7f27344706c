"""The sums of several losses, taken layer by layer on the way through the network."""

import itertools
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import keras

from .._shared.types import Tensor
from ..losses.loss import Loss
from .autodiff import upper_gradient_first

#: Targets with positions: {loss: {layer: 1 x h x w x C}}.
Maps: TypeAlias = Mapping[str, Mapping[str, Any]]


def layer_statistics(
    extractor: Any,
    x: Tensor,
    losses: Mapping[str, Loss],
    maps: Maps,
    core: Callable[[str, Tensor], Tensor] = lambda layer, f: f,
) -> dict[str, dict[str, Any]]:
    """{loss: {layer: its sums}}, taken along the way through the network.

    Backwards, a layer's gradient from its own sums is as large as its features, and depends on
    nothing but the losses' values. TensorFlow would make those of all layers at once, and hold them
    until the way back has come to each. Here each waits for the gradient from the layers above,
    which takes a third off the peak memory.

    Args:
        extractor: A keras.Model from feature_extractor. Any other function of x will do, without
            that saving.
        x: Preprocessed pictures, B x H x W x 3.
        losses: {name: a Loss}.
        maps: {loss: {layer: its part of the loss's map}}, of the losses that have any.
        core: (layer, features) -> the features to count.
    """
    found: dict[str, dict[str, Any]] = {name: {} for name in losses}

    def take(layers: list[str], f: Tensor) -> Tensor:
        """Put the sums of f, known as `layers`, into found; return f."""
        sums = {
            (name, layer): loss.layer_sums(layer, core(layer, f), maps.get(name, {}).get(layer))
            for layer in layers
            for name, loss in losses.items()
            if layer in loss.sums
        }
        f, sums = upper_gradient_first(f, sums) if sums else (f, sums)
        for (name, layer), of_layer in sums.items():
            found[name][layer] = of_layer
        return f

    chain = _chain(extractor)
    if chain is None:
        for layer, f in extractor(x).items():
            take([layer], f)
    for operation, layers in chain or ():
        x = take(layers, x if isinstance(operation, keras.layers.InputLayer) else operation(x))
    return found


def _chain(extractor: Any) -> list[tuple[Any, list[str]]] | None:
    """[(layer, its names among the outputs)] of a keras.Model in which one layer follows another.

    None for any other model or function.
    """
    layers = getattr(extractor, "layers", [])
    if (
        not layers
        or not isinstance(extractor.output, dict)
        or any(
            not isinstance(b.input, keras.KerasTensor) or b.input is not a.output
            for a, b in itertools.pairwise(layers)
        )
    ):
        return None
    return [
        (layer, [name for name, output in extractor.output.items() if output is layer.output])
        for layer in layers
    ]
