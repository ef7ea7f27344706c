"""What transfer() does before its first stage: check, load, plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import keras
import numpy as np

from ..images.resize import fitted_size
from ..losses.loss import layer_weights
from ..optimize.autodiff import check_backend
from ..provenance.record import make_record
from ..vgg.feature_network import FeatureNetwork
from ..vgg.weights import Weights
from .inputs import Inputs, load_inputs
from .plan import Plan, plan
from .regions import parts_of
from .schedule import scaled
from .settings import Settings, checked, layer_names
from .stage import Stage
from .terms import terms_of


@dataclass(frozen=True)
class Run:
    """A run that is ready to start.

    Attributes:
        settings: Checked.
        inputs: The pictures, loaded.
        terms: The terms that count at some stage, in their order.
        plans: How each stage is evaluated.
        parameters: The network's weights.
        record: What is needed to make the picture again, as far as it is known by now.
    """

    settings: Settings
    inputs: Inputs
    terms: list[Any]
    plans: list[Plan]
    parameters: Weights
    record: dict[str, Any]

    @cached_property
    def extractor(self) -> keras.Model:
        """The feature network, built when it is first used."""
        return self.settings.feature_network.extractor(layers_of(self.terms), self.parameters)

    @cached_property
    def stages(self) -> list[Stage]:
        """The stages, from coarse to fine."""
        return [
            Stage(self, number, planned, self.inputs.content)
            for number, planned in enumerate(self.plans)
        ]

    @property
    def shapes(self) -> list[tuple[int, int, int]]:
        """H x W x 3 of each stage."""
        return [self.inputs.shape(stage.size) for stage in self.inputs.stages]


def prepare(content: Any, style: Any, settings: Settings) -> Run:
    """Check, load and plan a run.

    Args:
        content: As for transfer().
        style: As for transfer().
        settings: As for transfer(), not yet checked.

    Raises:
        TypeError, ValueError, FileNotFoundError: What was expected and what came.
        MemoryError: More than the memory that is free, even in tiles.
        RuntimeError: Keras is on a backend without gradients; no weights can be had.
    """
    check_backend()
    settings = checked(settings)
    inputs = load_inputs(content, style, settings)
    counting = {name for stage in inputs.stages for name in stage.weights}
    terms = [term for term in terms_of(settings) if term.name in counting]
    plans = _plans(settings, inputs, terms)
    _check_regions(settings, inputs)
    parameters = settings.feature_network.parameters()
    record = make_record(content, style, settings.as_dict(), parameters)
    return Run(settings, inputs, terms, plans, parameters, record)


def layers_of(terms: list[Any]) -> list[str]:
    """The layers that some terms need, each once."""
    return layer_names(*(layer_weights(term.layers) if term.layers else () for term in terms))


def _plans(settings: Settings, inputs: Inputs, terms: list[Any]) -> list[Plan]:
    """How each stage is evaluated."""
    network, layers = settings.feature_network, layers_of(terms)
    whole = [term.name for term in terms if getattr(term, "whole", False)]
    exact = {stage.size: network.exact(layers, inputs.shape(stage.size)) for stage in inputs.stages}
    geometry = network.geometry(layers) if all(exact.values()) else network.no_tiles(layers)
    costs = {term.name: _cost(term, network) for term in terms}
    plans = []
    for stage in inputs.stages:
        tile = settings.tile
        if whole:
            _refuse_tiles(whole[0], tile)
        elif not exact[stage.size]:
            network.refuse_tiles(layers, inputs.shape(stage.size), tile)
            tile = None
        planned = plan(
            *inputs.shape(stage.size)[:2],
            geometry,
            network.bytes_per_pixel(layers),
            tile,
            optimizer=settings.optimizer,
            extra=sum(costs[name] for name in stage.weights),
            cut=not whole,
        )
        plans.append(planned if exact[stage.size] else replace(planned, exact=False))
    return plans


def _refuse_tiles(term: str, tile: Any) -> None:
    """Raise a ValueError if tiles were asked for, for a term that needs the whole picture."""
    if tile not in (None, "auto"):
        raise ValueError(
            f"the term {term!r} needs the whole picture at once, so tile must be 'auto' or None."
            f" Received: tile={tile!r}"
        )


def _cost(term: Any, network: FeatureNetwork) -> float:
    """Bytes that a term takes for a pixel, beside the network's activations."""
    cost = getattr(term, "bytes_per_pixel", 0)
    return cost(network) if callable(cost) else cost


def _check_regions(settings: Settings, inputs: Inputs) -> None:
    """Raise a ValueError if at some stage no region has a position at any of the style layers."""
    network = settings.feature_network
    for stage in inputs.stages if inputs.regions else ():
        if "style" in stage.weights:
            longer = scaled(stage.size, settings.style_scale)
            sized = [(_empty(image, longer), share) for image, share in inputs.styles]
            shape = inputs.shape(stage.size)
            parts_of(shape, sized, inputs.regions, settings.style_layers, network)


def _empty(image: np.ndarray, size: int) -> np.ndarray:
    """A picture of nothing with the shape that `image` has at a longer side."""
    width, height = fitted_size(image.shape[1::-1], size)
    return np.broadcast_to(np.uint8(0), (height, width, 3))
