"""The term that gives each position of the content its own place in the painting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, get_args

import numpy as np

from .._shared.checks import choice, count, number
from ..images.masks import resized
from ..images.resize import resize
from ..losses.loss import Loss
from ..losses.nearest import Sampling, hypercolumns, nearest_loss, neighbors_of
from ..vgg.feature_network import FeatureNetwork
from .inputs import Inputs
from .regions import styles_of
from .stage import Stage

#: Pixels from one position of the grid to the next.
STRIDE = 4

#: Keras' names of conv1_1 to conv4_3.
LAYERS = tuple(
    f"block{block}_conv{conv}"
    for block, count in enumerate((2, 2, 3, 3), start=1)
    for conv in range(1, count + 1)
)


@dataclass(frozen=True)
class Neighbors:
    """Each position is to look like its nearest neighbor in the painting (Kolkin et al. 2022).

        alone = dict(content_weight=0, style_weight=0, terms=[Neighbors()])
        transfer("photo.jpg", "painting.jpg", **alone)

    A Gram matrix says how much there is of what, and not where. Here, each position of the content
    looks for the place in the painting that is most like it: sky for sky, leaves for leaves. Its
    features are then drawn to that place's. So the content needs no loss of its own. The targets
    are found anew at the beginning of each stage; see losses.nearest.

    Several paintings: each position takes its nearest of all of them. With masks, a region looks
    only in its own part of its own painting. Such a run is not cut into tiles.

    Attributes:
        weight: Of the loss, which lies between 0 and 1.
        layers: The layers whose features lie side by side in a hypercolumn.
        own: The picture that looks for its neighbors, from 0 to 1. 0: the content. 1: the result of
            the stage before, with the content's finest details. Between, a mixture of the two.
        rotations: Whether the painting is also looked at turned by 90, 180 and 270 degrees. That
            takes four times the time and memory for the search.
        split: Whether at the last stage each layer looks for its own neighbors, those of the result
            of the stage before: finer strokes.
        sampling: See losses.nearest.on_grid.
        border: So many positions of the grid at each edge do not count. There the network sees less
            than in the middle of the painting, and to look like it the picture would need wrong
            colors.
    """

    name: ClassVar[str] = "neighbors"
    whole: ClassVar[bool] = True
    weight: float = 1.0
    layers: Any = LAYERS
    own: float = 0.0
    rotations: bool = False
    split: bool = False
    sampling: Sampling = "mean"
    border: int = 1

    def bytes_per_pixel(self, network: FeatureNetwork) -> float:
        """What the hypercolumns take for a pixel: query, targets, and the painting's, twice."""
        strides = network.receptive_fields(self.layers)
        numbers = sum(
            network.map_bytes([name]) * strides[name][0] ** 2 for name in self.layers
        )  # of one position
        return numbers / STRIDE**2 * (2 + 2 * (4 if self.rotations else 1))

    def check(self, inputs: Inputs) -> None:
        """Raise a ValueError where a run's pictures are not what this term needs."""
        if inputs.content is None or not inputs.styles:
            raise ValueError("the term 'neighbors' needs a content and a style image")
        number("own", self.own, most=1)
        choice("sampling", self.sampling, get_args(Sampling))
        count("border", self.border, 0)
        shares = [share for _, share in inputs.styles]
        if any(share != shares[0] for share in shares):
            raise ValueError(
                "with the term 'neighbors', each position takes its nearest of all paintings, so"
                f" shares say nothing; give the pictures alone. Received: shares={shares}"
            )

    def loss(self, stage: Stage) -> Loss:
        assert stage.content is not None  # as check() has seen to
        grid = _grid(stage.content)
        together = not (self.split and stage.is_last and stage.first is not None)
        query = self._query(stage, together)
        channels = self._channels(stage)
        masks = [resized(region.content, grid) for region in stage.regions] or [np.ones(grid)]
        owner, weights = np.argmax(masks, axis=0), np.max(masks, axis=0)  # h x w
        target = np.empty_like(query)
        for which in np.unique(owner[weights > 0]):
            here = (owner == which) & (weights > 0)
            source = self._source(stage, int(which))
            if not len(source):  # so small that it is gone at this stage
                weights[here] = 0
                continue
            target[here] = neighbors_of(query[here], source, channels, together)
        target[weights == 0] = query[weights == 0]
        inside = weights * _inside(grid, self.border)
        weights = inside if inside.any() else weights
        parts = np.split(target[None], np.cumsum(channels)[:-1], axis=-1)
        return nearest_loss(dict(zip(self.layers, parts)), together, weights, self.sampling)

    def _columns(self, stage: Stage, picture: np.ndarray) -> np.ndarray:
        """A picture's hypercolumns, h x w x (channels of all layers)."""
        features = stage.features(picture, self.layers)
        return hypercolumns(features, self.layers, _grid(picture), self.sampling)

    def _channels(self, stage: Stage) -> list[int]:
        """The channels of each layer."""
        outputs = stage.run.extractor.output
        return [outputs[name].shape[-1] for name in self.layers]

    def _query(self, stage: Stage, together: bool) -> np.ndarray:
        """What looks for its neighbors."""
        content, first = stage.content, stage.first
        assert content is not None
        if not together:
            assert first is not None
            return self._columns(stage, first)
        if not self.own or first is None:
            return self._columns(stage, content)
        mixed = self.own * (first + _finest(content)) + (1 - self.own) * content
        return self._columns(stage, np.clip(np.rint(mixed), 0, 255).astype("uint8"))

    def _source(self, stage: Stage, which: int) -> np.ndarray:
        """Where a region may look: hypercolumns of its paintings, m x (channels of all layers)."""
        region = stage.regions[which] if stage.regions else None
        styles = stage.styles if region is None else styles_of(region, stage.styles)
        found = []
        for painting, _ in styles:
            for turns in range(4 if self.rotations else 1):
                turned = np.ascontiguousarray(np.rot90(painting, turns))
                columns = self._columns(stage, turned)
                inside = np.ones(columns.shape[:2], bool)
                if region is not None and region.style is not None:
                    inside = resized(np.rot90(region.style, turns), columns.shape) > 0.5
                found.append(columns[inside])
        return np.concatenate(found)


def _grid(picture: np.ndarray) -> tuple[int, int]:
    """Height and width of the grid of hypercolumns of a picture."""
    height, width = (max(1, side // STRIDE) for side in picture.shape[:2])
    return height, width


def _inside(grid: tuple[int, int], border: int) -> np.ndarray:
    """1 where a position is not within `border` positions of the edge, h x w; else 0."""
    inside = np.zeros(grid, "float32")
    inside[border : max(border, grid[0] - border), border : max(border, grid[1] - border)] = 1
    return inside


def _finest(picture: np.ndarray) -> np.ndarray:
    """The finest level of the picture's Laplacian pyramid, H x W x 3."""
    height, width = picture.shape[:2]
    small = resize(picture, (max(1, width // 2), max(1, height // 2)))
    return picture.astype("float32") - np.asarray(resize(small, (width, height)), "float32")
