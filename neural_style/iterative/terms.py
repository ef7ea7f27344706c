"""The terms of transfer()'s total loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..images.filters import matting_laplacian
from ..losses.content import content_loss
from ..losses.loss import Loss, layer_weights, weighted_sum
from ..losses.photorealism import LAPLACIAN_BYTES, photorealism_loss
from ..losses.regularizers import total_variation_loss
from ..losses.style import style_loss, style_statistics
from ..vgg.feature_network import FeatureNetwork
from .regions import Part, at_layers
from .settings import Settings
from .stage import Stage


@dataclass(frozen=True)
class Content:
    """How far the features are from the content image's; see content_loss.

    Attributes:
        weight: alpha of the paper's equation 7.
        layers: Names, or {name: weight}.
        scale: See content_loss.
    """

    name: ClassVar[str] = "content"
    weight: float
    layers: Any
    scale: str = "relative"

    def bytes_per_pixel(self, network: FeatureNetwork) -> float:
        """What its targets take for a pixel of the picture."""
        return network.map_bytes(layer_weights(self.layers))

    def loss(self, stage: Stage) -> Loss:
        names = list(layer_weights(self.layers))
        weight_maps = (
            None
            if stage.content_map is None
            else at_layers(stage.content_map, stage.shape[1:], names, stage.network)
        )
        return content_loss(stage.content_maps(names), self.layers, self.scale, weight_maps)


@dataclass(frozen=True)
class Style:
    """How far the style is from that of the style images; see style_loss.

    Attributes:
        weight: beta of the paper's equation 7.
        layers: Names, or {name: weight}.
        scale: See style_loss.
        statistic: See style_loss.
    """

    name: ClassVar[str] = "style"
    weight: float
    layers: Any
    scale: str = "relative"
    statistic: Any = "gram"

    def loss(self, stage: Stage) -> Loss:
        parts = stage.parts(self.layers)
        compared: list[Any] = [None] * len(parts)
        if self.scale == "relative" and stage.content is not None:
            measures = [style_statistics(part.weights, self.statistic, part.mask) for part in parts]
            compared = stage.measured(stage.content, measures)
        losses = [
            (part.area, self._part_loss(stage, part, content))
            for part, content in zip(parts, compared)
        ]
        return weighted_sum(losses) if stage.regions else losses[0][1]

    def _part_loss(self, stage: Stage, part: Part, content: Any) -> Loss:
        """The loss of one region."""
        blend = []
        for image, mask, share in part.styles:
            measure = style_statistics(part.weights, self.statistic, mask)
            blend.append((stage.measured(image, [measure])[0], share))
        return style_loss(blend, part.weights, self.scale, content, self.statistic, part.mask)


@dataclass(frozen=True)
class TotalVariation:
    """Roughness of the picture; see total_variation_loss.

    Attributes:
        weight: Of the loss.
        options: Arguments of total_variation_loss, or None.
    """

    name: ClassVar[str] = "tv"
    layers: ClassVar[tuple[str, ...]] = ()
    weight: float
    options: Mapping[str, Any] | None = None

    def loss(self, stage: Stage) -> Loss:
        return total_variation_loss(**(self.options or {}))


@dataclass(frozen=True)
class Photorealism:
    """How far each local patch is from an affine recoloring of the content; see photorealism_loss.

    Attributes:
        weight: Of the loss.
    """

    name: ClassVar[str] = "photorealism"
    layers: ClassVar[tuple[str, ...]] = ()
    bytes_per_pixel: ClassVar[int] = LAPLACIAN_BYTES
    weight: float

    def loss(self, stage: Stage) -> Loss:
        assert stage.content is not None  # as the inputs were checked
        return photorealism_loss(matting_laplacian(stage.content))


def terms_of(settings: Settings) -> list[Any]:
    """transfer()'s terms in their order, those of the caller last."""
    content_scale, style_scale = settings.scales
    return [
        Content(settings.content_weight, settings.content_layers, content_scale),
        Style(settings.style_weight, settings.style_layers, style_scale, settings.statistic),
        TotalVariation(settings.tv_weight, settings.tv_options),
        Photorealism(max(settings.photorealism)),
        *settings.terms,
    ]
