"""Losses of one's own in a training: what a term must have, and what it learns of the training."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Protocol

import keras
import numpy as np

from .._shared.checks import number
from ..losses.loss import Loss
from ..provenance.identity import digest

#: Names that a term cannot have: of the four losses of every training, and of columns of its log.
TAKEN_NAMES = ("content", "style", "tv", "grid", "loss", "epoch")


@dataclass(frozen=True)
class TrainingStage:
    """What a term learns of the training in which it takes part.

    Attributes:
        shape: Of the batches: (batch, crop, crop, 3), the batch of all devices together. None
            stands for what is not known.
        content: None: each batch has photos of its own.
        styles: [(painting, share)]: uint8 RGB, H x W x 3, and 1.0.
        network: The feature network, preprocessed pictures (B x H x W x 3, BGR minus ImageNet's
            mean) -> {layer: B x h x w x C, "image": these pictures}.
    """

    shape: tuple[int | None, ...]
    content: None
    styles: Sequence[tuple[np.ndarray, float]]
    network: keras.Model


class TrainingTerm(Protocol):
    """A loss of one's own, whose weighted value is added to those of a training.

    Attributes:
        name: Its name in the log and in the records.
        weight: Its weight, above 0.
        layers: Names of the feature layers that it needs, () for none.
    """

    @property
    def name(self) -> str:
        """Return the name in the log and in the records."""

    @property
    def weight(self) -> float:
        """Return the weight, above 0."""

    @property
    def layers(self) -> Sequence[str]:
        """Return the names of the feature layers."""

    def loss(self, stage: TrainingStage) -> Loss:
        """Return a Loss that makes one number of the features of a batch.

        Args:
            stage: The training.

        Returns:
            A function of {layer: B x h x w x C, "image": painted pictures, B x H x W x 3, BGR minus
            ImageNet's mean}. It takes the mean over the batch itself.
        """


def check_terms(terms: Any) -> tuple[TrainingTerm, ...]:
    """Return the terms as a tuple, or raise an error that says what a term lacks."""
    if not isinstance(terms, (list, tuple)):
        raise TypeError(f"terms must be a list of terms. Received: terms={terms!r:.200}")
    for term in terms:
        _check_term(term)
    names = [term.name for term in terms]
    for name in names:
        if name in TAKEN_NAMES or names.count(name) > 1:
            raise ValueError(
                f"the name of a term must be its own, and none of {TAKEN_NAMES}. Received:"
                f" name={name!r}"
            )
    return tuple(terms)


def losses_of(
    terms: Iterable[TrainingTerm], stage: TrainingStage, known: Mapping[str, Any]
) -> dict[str, Loss]:
    """Return {name: Loss} of the terms, whose layers must be among the `known` features."""
    losses = {}
    for term in terms:
        missing = [layer for layer in term.layers if layer not in known]
        if missing:
            raise ValueError(
                f"the extractor must have the layers of the term {term.name!r}. Received: one"
                f" without {', '.join(missing)}"
            )
        losses[term.name] = term.loss(stage)
        if not isinstance(losses[term.name], Loss):
            raise TypeError(
                f"loss() of the term {term.name!r} must return a neural_style.losses.Loss."
                f" Received: {type(losses[term.name]).__name__}"
            )
    return losses


def record_of(term: TrainingTerm) -> dict[str, Any]:
    """Return what tells a term from others, ready for JSON."""
    kind = type(term)
    return {
        "class": f"{kind.__module__}.{kind.__qualname__}",
        "arguments": _plain(term) if is_dataclass(term) else {},
        "name": str(term.name),
        "weight": float(term.weight),
    }


def _check_term(term: Any) -> None:
    """Raise an error if an object is not a term."""
    parts = ("name", "weight", "layers", "loss")
    missing = [part for part in parts if not hasattr(term, part)]
    if isinstance(term, type) or missing or not callable(term.loss):
        lack = f" without {', '.join(missing)}" if missing else ""
        kind = f"the class {term.__name__}" if isinstance(term, type) else type(term).__name__
        raise TypeError(
            "a term must be an object with a name, a weight, layers and a method loss(stage)."
            f" Received: {kind}{lack}"
        )
    if not isinstance(term.name, str) or not term.name:
        raise TypeError(f"the name of a term must be a text. Received: name={term.name!r:.200}")
    number(f"the weight of the term {term.name!r}", term.weight, above=True)
    if not isinstance(term.layers, (list, tuple)) or not all(
        isinstance(layer, str) for layer in term.layers
    ):
        raise TypeError(
            f"the layers of the term {term.name!r} must be a tuple of names. Received:"
            f" layers={term.layers!r:.200}"
        )


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; pictures, arrays and networks as their SHA-256."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, (str, bool, int, float, type(None))) else digest(value)
