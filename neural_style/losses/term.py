"""Terms of the total loss: the door for regularizers and losses of one's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from .._shared.checks import number
from .loss import Loss


class Term(Protocol):
    """A part of the total loss: weight * loss(stage).

    Content, style, total variation, photorealism and a film's temporal loss are terms. One of your
    own is best a frozen dataclass: the record of a run then has its name and its fields.

        @dataclass(frozen=True)
        class Symmetry:
            weight: float = 1e-4
            name = "symmetry"
            layers = ()

            def loss(self, stage):
                def energy(x):  # 1 x H x W x 3, BGR minus ImageNet's mean; in training, a batch
                    return ops.mean(ops.square(x - ops.flip(x, axis=2)))

                return Loss({"image": energy}, lambda sums: sums["image"], scope="image")

        transfer("photo.jpg", "painting.jpg", terms=[Symmetry()])

    To have gray levels from 0 to 255, add vgg.IMAGENET_MEAN_BGR to the picture.

    It may have a number `coarse`, which its weight is multiplied by at all stages but the last (1
    if it has none), and `bytes_per_pixel`, the memory that its loss takes: a number, or a function
    of the FeatureNetwork (0 if it has none). `whole = True` says that its loss needs the whole
    picture at once, whose scope is "whole": such a run is not cut into tiles. A method
    check(inputs) may raise a ValueError before anything is built; see iterative.inputs.Inputs.

    Attributes:
        name: What the loss is called in the history, the progress bar and the preview.
        weight: Its weight in the total loss, above 0.
        layers: The layers of the feature network that it needs; () for the picture alone.
    """

    name: str
    weight: float
    layers: Sequence[str]

    def loss(self, stage: Any) -> Loss:
        """The loss at one stage.

        Args:
            stage: See iterative.stage.Stage: the pictures at this stage's size, and the features
                of any picture. In training, a feedforward TrainingStage.
        """


def check_terms(terms: Any, taken: Iterable[str]) -> tuple[Any, ...]:
    """The terms as a tuple.

    Args:
        terms: A collection of Terms.
        taken: Names that are given away already.

    Raises:
        TypeError: An object that is no Term.
        ValueError: A name that is taken, or a weight that is no finite number above 0.
    """
    if not isinstance(terms, (list, tuple)):
        raise TypeError(f"terms must be a list of terms. Received: terms={terms!r:.200}")
    for term in terms:
        _check_term(term)
    taken, names = tuple(taken), [term.name for term in terms]
    for name in names:
        if name in taken or names.count(name) > 1:
            raise ValueError(
                f"the name of a term must be its own, and none of {taken}. Received: name={name!r}"
            )
    return tuple(terms)


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


def loss_of(term: Any, stage: Any) -> Loss:
    """term.loss(stage), or a TypeError where that is no Loss."""
    loss = term.loss(stage)
    if not isinstance(loss, Loss):
        raise TypeError(
            f"loss() of the term {term.name!r} must return a neural_style.losses.Loss. Received:"
            f" {type(loss).__name__}"
        )
    return loss
