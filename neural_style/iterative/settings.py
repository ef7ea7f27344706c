"""transfer()'s settings, and what is asked of each: all is checked before any network is built."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

from .._shared.checks import choice, count, flag, is_count, is_finite, number
from .._shared.checks import layers as checked_layers
from ..images.color_modes import color_mode
from ..images.formats import ALPHAS
from ..losses.content import CONTENT_SCALES
from ..losses.loss import check_scale, layer_weights
from ..losses.regularizers import total_variation_loss
from ..losses.statistics import STATISTICS, check_statistic
from ..losses.style import STYLE_SCALES
from ..losses.term import check_terms
from ..optimize.optimizer import check_optimizer
from ..vgg.feature_network import FeatureNetwork
from ..vgg.precision import best_precision

#: More iterations than any run makes, and as many as the optimizers can count.
MOST_STEPS = 10**9

#: Names of the terms that transfer() has itself.
OWN_TERMS = ("total", "content", "style", "tv", "photorealism")


@dataclass(frozen=True)
class Settings:
    """transfer()'s keyword arguments that decide what is painted; see there for each.

    The record of a run, its checkpoint, films and the result hold these.
    """

    network: Any
    weights: Any
    pooling: str
    normalize: bool
    padding: str
    content_layers: Any
    style_layers: Any
    content_weight: float
    style_weight: float
    tv_weight: float
    photorealism_weight: Any
    scale: Any
    tv_options: Mapping[str, Any] | None
    style_scale: float
    init: Any
    noise_std: float | None
    size: int
    start_size: int | None
    steps: Any
    coarse_weight: float
    optimizer: Any
    learning_rate: float | None
    bounds: bool
    precision: str
    tile: Any
    preserve_color: Any
    masks: Any
    content_map: Any
    statistic: Any
    seed: int
    alpha: str
    terms: Sequence[Any] = ()

    @property
    def feature_network(self) -> FeatureNetwork:
        """The feature network that these settings describe."""
        return FeatureNetwork(
            self.network, self.weights, self.pooling, self.normalize, self.precision, self.padding
        )

    @property
    def scales(self) -> tuple[str, str]:
        """(content's, style's) scale."""
        if isinstance(self.scale, Mapping):
            return self.scale["content"], self.scale["style"]
        return self.scale, self.scale

    @property
    def photorealism(self) -> list[float]:
        """The weight of photorealism at each of the stages at `size`."""
        weight = self.photorealism_weight
        return list(weight) if isinstance(weight, (list, tuple)) else [weight]

    def as_dict(self) -> dict[str, Any]:
        """{name: value}, without `terms` where there are none."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        if not self.terms:
            del values["terms"]
        return values


def checked(given: Settings) -> Settings:
    """The settings with Python's own types.

    Raises:
        TypeError: An argument of a wrong type.
        ValueError: An argument that cannot be right. Both say what was expected and what came.
    """
    given = replace(given, precision=_precision(given))
    given.feature_network.check()
    layers: dict[str, Any] = {
        name: checked_layers(name, getattr(given, name))
        for name in ("content_layers", "style_layers")
    }
    for value in layers.values():
        given.feature_network.check_layers(layer_weights(value))
    settings = replace(
        given,
        normalize=flag("normalize", given.normalize),
        bounds=flag("bounds", given.bounds),
        alpha=choice("alpha", given.alpha, ALPHAS),
        **layers,
        **_numbers(given),
        photorealism_weight=_checked_photorealism(given.photorealism_weight),
        tile=_checked_tile(given.tile),
        terms=check_terms(given.terms, OWN_TERMS),
    )
    if not math.isfinite(settings.size * settings.style_scale):
        raise ValueError(
            "style_scale must be a finite number, also times size. Received:"
            f" style_scale={settings.style_scale:g}, size={settings.size}"
        )
    check_optimizer(settings.optimizer, settings.learning_rate)
    _check_losses(settings)
    color_mode(settings.preserve_color)
    for term in settings.terms:
        if term.layers:
            settings.feature_network.check_layers(term.layers)
    return settings


def _precision(given: Settings) -> Any:
    """The precision; for "auto", the faster one for VGG here, and float32 for any other network."""
    if not isinstance(given.precision, str) or given.precision != "auto":
        return given.precision
    return "float32" if given.feature_network.own else best_precision()


def _numbers(given: Settings) -> dict[str, Any]:
    """The settings that are numbers, as Python's own types."""
    size = count("size", given.size)
    return {
        **{
            name: number(name, getattr(given, name))
            for name in ("content_weight", "style_weight", "tv_weight")
        },
        **{
            name: number(name, getattr(given, name), above=True)
            for name in ("style_scale", "coarse_weight")
        },
        **{
            name: None if value is None else number(name, value, above=True)
            for name, value in (
                ("noise_std", given.noise_std),
                ("learning_rate", given.learning_rate),
            )
        },
        "size": size,
        "start_size": None if given.start_size is None else count("start_size", given.start_size),
        "steps": _checked_steps(given.steps, size),
        "seed": count("seed", given.seed, 0),
    }


def _checked_photorealism(value: Any) -> float | list[float]:
    weights = value if isinstance(value, (list, tuple)) else [value]
    if not weights or not all(is_finite(weight) and weight >= 0 for weight in weights):
        raise ValueError(
            "photorealism_weight must be a finite number, at least 0, or a list of them, one for"
            f" each of the stages at `size`. Received: photorealism_weight={value!r}"
        )
    numbers = [float(weight) for weight in weights]
    return numbers if isinstance(value, (list, tuple)) else numbers[0]


def _checked_tile(tile: Any) -> Any:
    if not (tile is None or (isinstance(tile, str) and tile == "auto") or is_count(tile)):
        raise ValueError(
            f"tile must be 'auto', None or a positive integer. Received: tile={tile!r}"
        )
    return tile if tile is None or isinstance(tile, str) else int(tile)


def _checked_steps(steps: Any, size: int) -> int | dict[int, int] | list[tuple[int, int]] | None:
    """None, an int, or a schedule of ints; a list where it has a side twice."""
    if not isinstance(steps, (dict, list, tuple)):
        return None if steps is None else count("steps", steps, most=MOST_STEPS)
    stages = list(steps.items()) if isinstance(steps, dict) else list(steps)
    if not (
        stages
        and all(isinstance(stage, (list, tuple)) and len(stage) == 2 for stage in stages)
        and all(is_count(one) and one <= MOST_STEPS for stage in stages for one in stage)
        and all(stage[0] <= after[0] for stage, after in pairwise(stages))
        and stages[-1][0] == size
    ):
        raise ValueError(
            "a schedule of steps must be {longer side: steps} or [(longer side, steps)], positive"
            f" integers, from coarse to fine, the last side that of size={size}. Received:"
            f" steps={steps!r:.200}"
        )
    found = [(int(side), int(number)) for side, number in stages]
    return dict(found) if len(dict(found)) == len(found) else found


def _check_losses(settings: Settings) -> None:
    """Raise for a scale, a statistic or options of total variation that cannot be right."""
    scale = settings.scale
    if isinstance(scale, dict) and set(scale) != {"content", "style"}:
        raise ValueError(
            "scale must be a name or have the keys 'content' and 'style'. Received:"
            f" scale={scale!r}"
        )
    for value, known in zip(settings.scales, (CONTENT_SCALES, STYLE_SCALES)):
        check_scale(value, known)
    check_tv_options(settings.tv_options)
    if check_statistic(settings.statistic) is not STATISTICS["gram"] and settings.scales[1] not in (
        "relative",
        "mean",
    ):
        raise ValueError(
            f"statistic={settings.statistic!r:.100} supports only scale='relative' or 'mean'."
            f" Received: scale={scale!r}"
        )


def check_tv_options(options: Mapping[str, Any] | None) -> None:
    """Raise unless `options` are arguments of total_variation_loss."""
    known = inspect.signature(total_variation_loss).parameters
    if options is not None and not (isinstance(options, dict) and set(options) <= {*known}):
        raise TypeError(
            f"tv_options must be a dict of total_variation_loss's arguments, {', '.join(known)}."
            f" Received: tv_options={options!r}"
        )
    total_variation_loss(**(options or {}))


def layer_names(*layers: Iterable[str]) -> list[str]:
    """The names of several collections of layers, each once."""
    return list(dict.fromkeys(name for names in layers for name in names))
