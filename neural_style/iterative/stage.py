"""One stage of a run: a size of the picture, with all that its terms need to know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._shared.types import Layers
from ..images.load import load_image
from ..images.masks import Region, only_in_regions
from ..images.resize import resize
from ..losses.loss import Loss
from ..optimize.evaluator import Evaluator
from ..optimize.optimizer import Optimizer, optimizer_of
from ..optimize.targets import targets_of
from ..optimize.tiled_evaluator import TiledEvaluator
from ..vgg.feature_network import FeatureNetwork
from ..vgg.preprocessing import IMAGENET_MEAN_BGR, deprocess, pixels_of, preprocess
from .plan import Plan
from .regions import Part, Styles, parts_of
from .schedule import StageSettings, scaled
from .start import start

if TYPE_CHECKING:
    from .prepare import Run

#: Lower and upper bound of x: the colors 0 and 255.
PIXEL_RANGE = (-IMAGENET_MEAN_BGR, 255 - IMAGENET_MEAN_BGR)

#: Adam's learning rate where it takes over from L-BFGS, in the middle of a run.
TAKEOVER_RATE = 2.0


class Picture(NamedTuple):
    """A picture of a run.

    Attributes:
        image: uint8 RGB, H x W x 3.
        pixels: The same before it was rounded: float32, 0 to 255.
    """

    image: np.ndarray
    pixels: np.ndarray


@dataclass(frozen=True)
class Stage:
    """One stage of a run.

    A term's loss(stage) may read everything here; content, styles, features() and settings are
    what most need.

    Attributes:
        run: The run.
        number: Which stage, from 0.
        plan: How it is evaluated: tiles and memory.
        source: The content image at full size, or None.
        before: The picture that the stage before left, uint8 RGB, at that stage's size; None for
            the first one.
    """

    run: Run
    number: int
    plan: Plan
    source: np.ndarray | None
    before: np.ndarray | None = None

    @property
    def settings(self) -> StageSettings:
        """Its size, steps and weights."""
        return self.run.inputs.stages[self.number]

    @property
    def size(self) -> int:
        """Longer side of the picture in pixels."""
        return self.settings.size

    @property
    def steps(self) -> int:
        """Iterations of the optimizer."""
        return self.settings.steps

    @property
    def weights(self) -> dict[str, float]:
        """{term: its weight at this stage}, of the terms that count."""
        return self.settings.weights

    @property
    def terms(self) -> list[Any]:
        """The terms that count at this stage."""
        return [term for term in self.run.terms if term.name in self.weights]

    @property
    def network(self) -> FeatureNetwork:
        """The feature network, as it was asked for."""
        return self.run.settings.feature_network

    @property
    def regions(self) -> list[Region]:
        """Regions, their masks as arrays of the content's full size."""
        return self.run.inputs.regions

    @property
    def content_map(self) -> np.ndarray | None:
        """Weights of the content's squared errors, H x W at full size, or None."""
        return self.run.inputs.content_map

    @cached_property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of x, 1 x H x W x 3."""
        if self.source is not None:
            return (1, *self.content.shape)  # type: ignore[union-attr, return-value]
        return (1, *self.run.inputs.shape(self.size))

    @cached_property
    def content(self) -> np.ndarray | None:
        """The content image at this size, uint8 RGB, H x W x 3, or None."""
        return None if self.source is None else load_image(self.source, self.size)

    @cached_property
    def styles(self) -> Styles:
        """[(style image of this stage's size, share)], uint8 RGB."""
        longer = scaled(self.size, self.run.settings.style_scale)
        return [(load_image(image, longer), share) for image, share in self.run.inputs.styles]

    @property
    def is_last(self) -> bool:
        """Whether no other stage comes after it."""
        return self.number == len(self.run.inputs.stages) - 1

    @property
    def first(self) -> np.ndarray | None:
        """The result of the stage before at this size, uint8 RGB, H x W x 3; None for the first."""
        if self.before is None:
            return None
        return np.asarray(resize(self.before, (self.shape[2], self.shape[1])))

    def first_x(self) -> np.ndarray:
        """x where this stage starts, 1 x H x W x 3."""
        first = self.first
        if first is not None:
            return preprocess(first)
        inputs, settings = self.run.inputs, self.run.settings
        return start(
            inputs.init,
            self.shape[1:],
            self.content,
            self.styles,
            self.regions,
            settings.noise_std,
            settings.seed,
        )

    def features(self, picture: np.ndarray, layers: Iterable[str]) -> dict[str, np.ndarray]:
        """Features of any picture: {layer: 1 x h x w x C}, float32.

        Args:
            picture: uint8 RGB, H x W x 3.
            layers: Names; a term must have them among its own layers.
        """
        found = self._features(picture, layers)
        return {name: features.astype("float32") for name, features in found.items()}

    def _features(self, picture: np.ndarray, layers: Iterable[str]) -> dict[str, np.ndarray]:
        """The same in the network's precision."""
        x, tiling = preprocess(picture), self.plan.tiling
        return targets_of(self.run.extractor, x, list(layers), [], tiling)[0]

    def content_maps(self, layers: Sequence[str]) -> dict[str, np.ndarray]:
        """The content image's features, in the network's precision, which loses nothing."""
        assert self.content is not None  # the content term counts only where there is one
        return self._features(self.content, layers)

    def measured(self, picture: np.ndarray, measures: Sequence[Loss]) -> list[Any]:
        """Style statistics of a picture.

        A larger style image takes no more memory than the stage's own picture: it is measured in
        tiles of that size.

        Args:
            picture: uint8 RGB, H x W x 3.
            measures: Losses from style_statistics.
        """
        tiling = self.plan.tiling
        if tiling.tile is None and picture is not self.content and self.plan.exact:
            own = self.content if self.content is not None else self.styles[0][0]
            tiling = replace(tiling, tile=max(tiling.smallest, *own.shape[:2]))
        return targets_of(self.run.extractor, preprocess(picture), [], measures, tiling)[1]

    def parts(self, style_layers: Layers) -> list[Part]:
        """The regions at this stage."""
        shape = None if self.content is None else self.content.shape
        return parts_of(shape, self.styles, self.regions, style_layers, self.network)

    def evaluator(self, losses: Mapping[str, Loss]) -> Evaluator:
        """Loss and gradient of the pixels.

        Args:
            losses: {term: its loss}.
        """
        arguments = self.run.extractor, losses, self.weights, self.shape
        if self.plan.tiling.tile is None:
            return Evaluator(*arguments)
        return TiledEvaluator(*arguments, self.plan.tiling)

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray] | None:
        """(lower, upper) of x, or None."""
        return PIXEL_RANGE if self.run.settings.bounds else None

    def optimizer(self, memory: Any = None) -> Optimizer:
        """What minimizes the loss: as asked for, or Adam for lack of memory.

        Args:
            memory: What L-BFGS remembers from a run that was killed, or None.
        """
        settings = self.run.settings
        rate = TAKEOVER_RATE if self.plan.takeover else settings.learning_rate
        return optimizer_of(self.plan.optimizer, rate, self.plan.corrections, memory)

    def picture(self, x: np.ndarray) -> Picture:
        """The picture that x stands for; the content where no region is."""
        return Picture(
            only_in_regions(deprocess(x, self.shape), self.content, self.regions),
            only_in_regions(pixels_of(x, self.shape), self.content, self.regions, rounded=False),
        )
