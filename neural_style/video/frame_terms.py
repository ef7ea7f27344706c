"""The terms of a frame's loss: its content, what it shares with all frames, an earlier result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..iterative.stage import Stage
from ..losses.content import content_loss
from ..losses.loss import Loss
from ..losses.regularizers import temporal_loss


@dataclass(frozen=True)
class FrameContent:
    """The content term of a frame.

    The relative scale's energies are in its maps, where the next frame's can take their place.

    Attributes:
        weight: Of the loss.
        layers: Names, or {name: weight}.
        scale: See content_loss.
        features: A picture -> its features at the layers.
    """

    name: ClassVar[str] = "content"
    weight: float
    layers: Any
    scale: str
    features: Callable[[np.ndarray], dict[str, np.ndarray]]

    def loss(self, stage: Stage) -> Loss:
        assert stage.content is not None  # a frame has one
        features = self.features(stage.content)
        if self.scale != "relative":
            return content_loss(features, self.layers, self.scale)
        shares = {
            name: np.full((*f.shape[:3], 1), 1 / np.square(f, dtype="float64").sum(), "float32")
            for name, f in features.items()
        }
        return content_loss(features, self.layers, "sum", shares)


@dataclass(frozen=True)
class Fixed:
    """A term whose loss is the same for each frame.

    Attributes:
        name: Of the term.
        weight: Of the loss.
        fixed: The loss.
    """

    name: str
    weight: float
    fixed: Loss
    layers: ClassVar[tuple[str, ...]] = ()

    def loss(self, stage: Stage) -> Loss:
        return self.fixed


@dataclass(frozen=True)
class Temporal:
    """Holds a frame to an earlier result; see temporal_loss.

    Attributes:
        name: Of the term.
        weight: Of the loss.
        warped: The earlier result moved to this frame, uint8 RGB, H x W x 3.
        holds: Where it can be relied on: float, H x W, 0 or 1.
    """

    name: str
    weight: float
    warped: np.ndarray
    holds: np.ndarray
    layers: ClassVar[tuple[str, ...]] = ()

    def loss(self, stage: Stage) -> Loss:
        return temporal_loss(self.warped, self.holds)
