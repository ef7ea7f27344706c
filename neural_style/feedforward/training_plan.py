"""What a training is to do: its paintings, its networks to start from and its files, checked."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from .._shared import types
from .._shared.checks import file_name
from ..images.load import load_image
from ..losses.loss import layer_weights
from ..vgg.extractor import check_extractor
from ..vgg.layers import check_layers, smallest_side
from .network import TransformNet
from .network_file import check_network_path
from .training_settings import TrainingSettings
from .training_terms import Term, record_of


@dataclass(frozen=True)
class TrainingPlan:
    """All that a training is given but its photos and the weights of the feature network.

    Attributes:
        settings: The checked settings.
        paintings: {name of the style: uint8 RGB, H x W x 3}; one style may have the name None.
        starts: {name of the style: the network to start from, or None for a new one}.
        several: Whether the caller named the styles, so that the result is a dict, too.
        output: The file to write, for several styles the folder, or None.
        license: The license of the paintings, for the records.
        terms: The checked terms of one's own.
    """

    settings: TrainingSettings
    paintings: dict[Any, np.ndarray]
    starts: dict[Any, TransformNet | None]
    several: bool
    output: Path | None
    license: str
    terms: tuple[Term, ...] = ()

    @property
    def is_new(self) -> bool:
        """Whether the networks start from random weights."""
        return all(start is None for start in self.starts.values())

    def record_of_settings(self) -> dict[str, Any]:
        """Return the settings as records and checkpoints have them."""
        terms = [record_of(term) for term in self.terms]
        return {**asdict(self.settings), **({"terms": terms} if terms else {})}

    def result(self, nets: Sequence[TransformNet]) -> Any:
        """Return the networks in the form in which the caller gave the styles."""
        return dict(zip(self.paintings, nets)) if self.several else nets[0]

    def files(self) -> list[Path]:
        """Return the path of each network's file, [] where none is to be written."""
        if self.output is None:
            return []
        if not self.several:
            return [self.output]
        return [Path(self.output, f"{name}.keras") for name in self.paintings]


def make_plan(
    settings: TrainingSettings,
    style: Any,
    start: Any,
    output: types.Path | None,
    name: str | None,
    license: str,
    weights: Any,
    terms: tuple[Term, ...],
) -> TrainingPlan:
    """Check what a training is given, load its paintings and make the folder of its output."""
    _check_texts(name, license, output)
    several = isinstance(style, Mapping)
    named = _named(style, name)
    if several:
        _check_several(style, name, output)
    starts = dict(start) if isinstance(start, Mapping) else dict.fromkeys(named, start)
    check_extractor(settings.network, weights, settings.pooling, settings.precision)
    for layers in (settings.content_layers, settings.style_layers):
        check_layers(layer_weights(layers), settings.network)
    for term in terms:
        if term.layers:
            check_layers(term.layers, settings.network)
    if output is not None and not several:
        check_network_path(output)
    _check_starts(named, starts, settings)
    paintings = {name: load_image(one, settings.style_size) for name, one in named.items()}
    _check_sides(paintings.values(), settings)
    path = None if output is None else Path(output)
    plan = TrainingPlan(settings, paintings, starts, several, path, license, terms)
    if several and path is not None:
        path.mkdir(parents=True, exist_ok=True)
        for file in plan.files():
            check_network_path(file)
    return plan


def check_callbacks(callbacks: Any) -> list[keras.callbacks.Callback]:
    """Return one callback or several as a list."""
    if isinstance(callbacks, keras.callbacks.Callback):
        return [callbacks]
    if not isinstance(callbacks, (list, tuple)) or not all(
        isinstance(one, keras.callbacks.Callback) for one in callbacks
    ):
        raise TypeError(
            "callbacks must be a list of keras.callbacks.Callback. Received:"
            f" callbacks={callbacks!r:.200}"
        )
    return [*callbacks]


def check_strategy(strategy: Any) -> None:
    """Raise a TypeError for what is neither a tf.distribute.Strategy nor None."""
    if strategy is not None and not callable(getattr(strategy, "scope", None)):
        raise TypeError(
            "strategy must be a tf.distribute.Strategy or None. Received:"
            f" strategy={strategy!r:.200}"
        )


def check_checkpoint(checkpoint: types.Path | None) -> None:
    """Raise a ValueError for what cannot be the folder of a checkpoint."""
    if checkpoint is None:
        return
    if not isinstance(checkpoint, (str, os.PathLike)) or (
        Path(checkpoint).exists() and not Path(checkpoint).is_dir()
    ):
        raise ValueError(f"checkpoint must be a folder. Received: checkpoint={str(checkpoint)!r}")


def _check_texts(name: Any, license: Any, output: Any) -> None:
    """Raise a TypeError if a name, a license or a path is not a text."""
    for key, value in (("name", name or ""), ("license", license)):
        if not isinstance(value, str):
            raise TypeError(f"{key} must be a text. Received: {key}={value!r:.200}")
    if output is not None and not isinstance(output, (str, os.PathLike)):
        raise TypeError(f"output must be a path or None. Received: output={output!r:.200}")


def _named(style: Any, name: str | None) -> dict[Any, Any]:
    """Return {name of the style: painting}; without a file or a name, the name is None."""
    if isinstance(style, Mapping):
        return dict(style)
    of_file = Path(style).stem if isinstance(style, (str, os.PathLike)) else None
    return {name or of_file: style}


def _check_several(styles: Mapping[Any, Any], name: str | None, output: types.Path | None) -> None:
    """Raise a ValueError for {name: painting} with a name that cannot be, or a file to write."""
    if name is not None:
        raise ValueError(f"several styles have their names already. Received: name={name!r}")
    if output is not None and (Path(output).suffix == ".keras" or Path(output).is_file()):
        raise ValueError(f"for several styles, output must be a folder. Received: {str(output)!r}")
    if not styles:
        raise ValueError("style must be a painting, or {name: painting}. Received: an empty dict")
    for one in styles:  # each names a file in `output`, and those that ModelCheckpoint writes
        file_name("the name of a style", one)


def _check_starts(
    named: Mapping[Any, Any], starts: Mapping[Any, Any], settings: TrainingSettings
) -> None:
    """Raise a ValueError unless all styles, or none, have a network of the right size."""
    if named.keys() != starts.keys() or len({start is None for start in starts.values()}) > 1:
        raise ValueError(
            f"start must have a network for each style of {[*named]}. Received: {starts}"
        )
    size = settings.width, settings.residual_blocks
    for start in starts.values():
        is_net = isinstance(start, TransformNet)
        if start is not None and (not is_net or (start.width, start.residual_blocks) != size):
            received = (start.width, start.residual_blocks) if is_net else type(start).__name__
            raise ValueError(
                f"start must be a transform network of width {size[0]} and {size[1]} residual"
                f" blocks. Received: {received}"
            )


def _check_sides(paintings: Any, settings: TrainingSettings) -> None:
    """Raise a ValueError if a crop or a painting has no position at some style layer and scale."""
    scales = settings.style_scales
    least = smallest_side(layer_weights(settings.style_layers), settings.network) * 2 ** (
        scales - 1
    )
    if settings.crop < least:
        raise ValueError(
            f"crop must be at least {least} for its style layers at style_scales={scales}."
            f" Received: crop={settings.crop}"
        )
    for painting in paintings:
        if min(painting.shape[:2]) < least:
            raise ValueError(
                f"a painting must be at least {least} pixels high and wide for its style layers at"
                f" style_scales={scales}. Received: {painting.shape[1]} x {painting.shape[0]}"
                f" pixels at style_size={settings.style_size}"
            )
