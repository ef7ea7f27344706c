"""Terms of the total loss: the door for regularizers and losses of one's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from .._shared.checks import is_finite
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
                def energy(x):  # 1 x H x W x 3
                    return ops.mean(ops.square(x - ops.flip(x, axis=2)))

                return Loss({"image": energy}, lambda sums: sums["image"], scope="image")

        transfer("photo.jpg", "painting.jpg", terms=[Symmetry()])

    It may have a number `coarse`, which its weight is multiplied by at all stages but the last (1
    if it has none), and `bytes_per_pixel`, the memory that its loss takes (0 if it has none).

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
    names = set(taken)
    for term in terms:
        name, layers = getattr(term, "name", None), getattr(term, "layers", None)
        if isinstance(term, type) or not callable(getattr(term, "loss", None)):
            raise TypeError(
                f"a term must be an object with name, weight, layers and loss(stage). Received:"
                f" {term!r:.200}"
            )
        if not isinstance(name, str) or not name:
            raise TypeError(f"a term's name must be a text. Received: name={name!r:.200}")
        if isinstance(layers, str) or not isinstance(layers, Iterable):
            raise TypeError(
                f"the layers of the term {name!r} must be a list of names. Received:"
                f" layers={layers!r:.200}"
            )
        if name in names:
            raise ValueError(f"each term needs a name of its own. Received: {name!r} twice")
        weight = getattr(term, "weight", None)
        if not is_finite(weight) or not weight > 0:  # type: ignore[operator]
            raise ValueError(
                f"the weight of the term {name!r} must be a finite number above 0. Received:"
                f" weight={weight!r:.200}"
            )
        names.add(name)
    return tuple(terms)


def loss_of(term: Any, stage: Any) -> Loss:
    """term.loss(stage), or a TypeError where that is no Loss."""
    loss = term.loss(stage)
    if not isinstance(loss, Loss):
        raise TypeError(
            f"the term {term.name!r} must return a neural_style.losses.Loss. Received:"
            f" {type(loss).__name__}"
        )
    return loss
