"""Losses of one's own in a training: what a term must have, and what it learns of the training."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from ..losses.loss import Loss
from ..losses.term import Term, check_terms, loss_of
from ..provenance.objects import described

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


def check_training_terms(terms: Any) -> tuple[Term, ...]:
    """Return the terms as a tuple, or raise an error that says what a term lacks."""
    return check_terms(terms, TAKEN_NAMES)


def losses_of(
    terms: Iterable[Term], stage: TrainingStage, known: Mapping[str, Any]
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
        losses[term.name] = loss_of(term, stage)
    return losses


def record_of(term: Term) -> dict[str, Any]:
    """Return what tells a term from others, ready for JSON."""
    return {**described(term), "name": str(term.name), "weight": float(term.weight)}
