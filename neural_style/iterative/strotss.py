"""The term that moves the painting's features to the picture at the least cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from keras import ops

from .._shared.checks import count, number
from ..losses.loss import Loss
from ..losses.nearest import cells
from ..losses.relaxed_transport import columns, palette, transport_loss
from ..vgg.preprocessing import preprocess
from .inputs import Inputs
from .stage import Stage

#: Keras' names of the nine layers of the paper.
LAYERS = (
    "block1_conv1",
    "block1_conv2",
    "block2_conv1",
    "block2_conv2",
    "block3_conv1",
    "block3_conv2",
    "block3_conv3",
    "block4_conv3",
    "block5_conv3",
)


@dataclass(frozen=True)
class RelaxedTransport:
    """Style by relaxed optimal transport, content by self-similarity (Kolkin et al. 2019).

        alone = dict(content_weight=0, style_weight=0, terms=[RelaxedTransport()])
        transfer("photo.jpg", "painting.jpg", **alone)

    Each feature of the painting has to go somewhere in the picture, and each of the picture to come
    from the painting. The content is kept by how alike its places are to one another, not by its
    features themselves. See losses.relaxed_transport. It takes one painting, no masks and no
    alpha="keep". Such a run is not cut into tiles.

    Attributes:
        weight: Of the loss.
        layers: The layers whose features lie side by side, beside the pixels.
        content: alpha of the paper at the last size. It doubles for each halving of the size.
        positions: The grid has at most this many of them. A position stands for its whole cell.
    """

    name: ClassVar[str] = "transport"
    whole: ClassVar[bool] = True
    weight: float = 1.0
    layers: Any = LAYERS
    content: float = 2.0
    positions: int = 1024

    def check(self, inputs: Inputs) -> None:
        """Raise a ValueError where a run's pictures are not what this term needs."""
        number("content", self.content, above=True)
        count("positions", self.positions)
        if inputs.content is None or len(inputs.styles) != 1 or inputs.regions:
            raise ValueError(
                "the term 'transport' needs a content image, one painting, and no masks. Received:"
                f" {'a' if inputs.content is not None else 'no'} content image,"
                f" {len(inputs.styles)} paintings, {len(inputs.regions)} masks"
            )

    def loss(self, stage: Stage) -> Loss:
        assert stage.content is not None  # as check() has seen to
        [(painting, _)] = stage.styles
        grid, there = _grid(stage.content, self.positions), _grid(painting, self.positions)
        content, style = (self._features(stage, one) for one in (stage.content, painting))
        kept = {name: ops.convert_to_numpy(cells(f, grid)) for name, f in content.items()}
        colors = palette(ops.reshape(cells(style["image"], there), (-1, 3)))
        return transport_loss(
            kept,
            ops.convert_to_numpy(columns(style, list(style), there)),
            ops.convert_to_numpy(colors),
            self.content * stage.run.inputs.stages[-1].size / stage.size,
        )

    def _features(self, stage: Stage, picture: np.ndarray) -> dict[str, Any]:
        """{layer: its features} and "image", the picture itself."""
        return {**stage.features(picture, self.layers), "image": preprocess(picture)}


def _grid(picture: np.ndarray, positions: int) -> tuple[int, int]:
    """Height and width of the finest grid of at most so many positions.

    Its cells have sides of 4, 8, 16 ... pixels.
    """
    height, width = picture.shape[:2]
    cell = 4
    while (height // cell) * (width // cell) > positions:
        cell *= 2
    return max(1, height // cell), max(1, width // cell)
