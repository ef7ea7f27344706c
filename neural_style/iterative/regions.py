"""Regions at one stage: their masks at each layer, and the styles that they take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._shared.types import Layers
from ..images.masks import Region, resized, shrink
from ..losses.loss import layer_weights
from ..losses.style import Share
from ..vgg.feature_network import FeatureNetwork

Styles = Sequence[tuple[np.ndarray, Share]]


@dataclass(frozen=True)
class Part:
    """A region at one stage.

    Attributes:
        area: Its share of the picture.
        weights: {layer: weight} of the layers at which it has positions.
        mask: Its mask at each of these layers; None: everywhere.
        styles: The style images: [(picture, mask at each layer or None, share)].
    """

    area: float
    weights: dict[str, float]
    mask: dict[str, np.ndarray] | None
    styles: list[tuple[np.ndarray, dict[str, np.ndarray] | None, Share]]


def parts_of(
    content_shape: tuple[int, ...] | None,
    styles: Styles,
    regions: Sequence[Region],
    style_layers: Layers,
    network: FeatureNetwork,
) -> list[Part]:
    """The regions at one stage; one Part for all of the picture where there are none.

    Args:
        content_shape: The content image's at this stage, H x W x 3; None without regions.
        styles: [(style image of this stage's size, share)].
        regions: Regions, their masks as arrays.
        style_layers: As for transfer().
        network: The feature network.

    Raises:
        ValueError: No region has a position at any of the style layers.
    """
    weights = layer_weights(style_layers)
    if not regions:
        return [Part(1.0, weights, None, [(image, None, share) for image, share in styles])]
    assert content_shape is not None  # masks need a content image
    region: Any  # its masks are arrays by now
    parts = []
    for region in regions:
        own, mask = styles_of(region, styles), resized(region.content, content_shape)
        masks = at_layers(mask, content_shape, weights, network, region.inside)
        style_masks = (
            None
            if region.style is None
            else at_layers(region.style, own[0][0].shape, weights, network, region.inside)
        )
        there = {
            name: w
            for name, w in weights.items()
            if masks[name].any() and (style_masks is None or style_masks[name].any())
        }
        if there:  # a small region may be gone at a coarse stage
            sources = [(image, style_masks, share) for image, share in own]
            parts.append(Part(float(mask.mean()), there, masks, sources))
    if not parts:
        raise ValueError(
            "no region has a position at any of the style layers; give larger ones, or inside=False"
        )
    return parts


def styles_of(region: Region, styles: Styles) -> Styles:
    """[(picture, share)] of a region: its own style image.

    The region where a photo that keeps its alpha can be seen takes all of them.
    """
    return styles if region.image is None else [(styles[region.image][0], 1.0)]


def at_layers(
    mask: np.ndarray,
    shape: tuple[int, ...],
    names: Iterable[str] | Mapping[str, float],
    network: FeatureNetwork,
    inside: bool = False,
) -> dict[str, np.ndarray]:
    """{layer: the mask at its size, 1 x h x w x 1}, for a picture of `shape`."""
    mask = resized(mask, shape)
    return {
        name: shrink(mask, stride, halo if inside else 0)
        for name, (stride, halo) in network.receptive_fields(names).items()
    }
