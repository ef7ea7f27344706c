"""Paintings as one style that paints pictures of any size in one pass."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .._shared import types
from .._shared.checks import number, shares
from ..images.load import load_image
from ..images.masks import Region, check_masks, only_in_regions
from ..vgg.preprocessing import deprocess, preprocess
from .moments_file import load_moments
from .passes import Moments, Targets, Zone, moments_of, repaint
from .tiles import automatic_tile

#: Sizes of the painting whose moments are kept; pictures of a folder may have several.
KEPT = 8


class OnePass:
    """Paints pictures in one pass in the style of paintings.

    Features of the picture at several layers of VGG16 are moved by the transport map to the mean
    and the covariance that the painting's features have there, and decoded, from coarse to fine.
    See transport_map.

    Args:
        style: A painting (whatever load_image takes), a file of moments from save_moments, or
            several of these with shares, [(painting, share)] or {painting: share}. In a list, also
            the moments themselves, from passes.moments_of.
        strength: How far the features are moved, from 0 to 1. 0: the picture stays as it is.
        style_scale: Longer side of the painting in sizes of the picture: 0.5 for strokes of half
            the size. A file of moments has its own.
        masks: Regions, each painted after its own painting; see transfer().

    Raises:
        TypeError: An argument is of a wrong type.
        ValueError: An argument cannot be right, or a painting cannot be read.
        FileNotFoundError: There is no such file.
    """

    def __init__(
        self, style: Any, strength: float = 1.0, style_scale: float = 1.0, masks: Any = None
    ) -> None:
        self.strength = number("strength", strength, most=1)
        self.style_scale = number("style_scale", style_scale, above=True)
        self._styles = [(_loaded(one), share) for one, share in with_shares(style)]
        self._masks = masks
        if masks is not None and not all(isinstance(one, np.ndarray) for one, _ in self._styles):
            raise ValueError("masks need paintings. Received: a file of moments")
        if masks is not None and any(share != self._styles[0][1] for _, share in self._styles):
            raise ValueError(
                "with masks, each region takes one painting, so shares say nothing. Received:"
                f" shares={[share for _, share in self._styles]}"
            )
        self._known: dict[int, list[Targets]] = {}  # {longer side: for each region}

    def paint(self, image: np.ndarray, tile: int | Literal["auto"] | None = "auto") -> np.ndarray:
        """Paint a picture.

        Args:
            image: uint8 RGB, H x W x 3.
            tile: Side in pixels of the tiles of a large picture; "auto": tiles of 768 pixels where
                the whole would not fit into the free memory; None: no tiles.

        Returns:
            uint8 RGB, H x W x 3.
        """
        tile = automatic_tile(image.shape) if tile == "auto" else tile
        longest = max(1, round(max(image.shape[:2]) * self.style_scale))
        regions = self._regions(image, longest)
        targets = self._targets(longest, regions, tile)
        masks = [region.content for region in regions] or [None]
        zones = [Zone(mask, of_zone) for mask, of_zone in zip(masks, targets)]
        x = preprocess(image)[0]
        return only_in_regions(deprocess(repaint(x, zones, self.strength, tile)), image, regions)

    def _regions(self, image: np.ndarray, longest: int) -> list[Region]:
        """The regions of a picture, their masks loaded."""
        if self._masks is None:
            return []
        paintings = [load_image(painting, longest) for painting, _ in self._styles]
        return check_masks(self._masks, image, paintings)

    def _targets(self, longest: int, regions: Sequence[Region], tile: int | None) -> list[Targets]:
        """[(moments, share)] for each region, or for all of the picture.

        Those of the last sizes of the painting are kept.
        """
        if longest not in self._known:
            while len(self._known) >= KEPT:
                del self._known[next(iter(self._known))]
            self._known[longest] = [
                [(_moments(self._styles[region.image][0], longest, region.style, tile), 1.0)]
                for region in regions
            ] or [
                [
                    (_moments(one, longest, None, tile), share)
                    for one, share in self._styles
                    if share
                ]
            ]
        return self._known[longest]


def _moments(one: Any, longest: int, part: np.ndarray | None, tile: int | None) -> Moments:
    """The moments of a painting, or of a part of it, at a size; those of a file as they are."""
    if not isinstance(one, np.ndarray):
        return one  # type: ignore[no-any-return]
    return moments_of(preprocess(load_image(one, longest))[0], part, tile)


def with_shares(style: Any) -> list[tuple[Any, float]]:
    """[(painting, share)] of what stands for a style; the shares add up to 1.

    Raises:
        ValueError: The shares cannot be right.
    """
    if isinstance(style, dict):
        style = [*style.items()]
    pairs: Sequence[Any] = style if isinstance(style, (list, tuple)) else [(style, 1.0)]
    pairs = [pair if isinstance(pair, (list, tuple)) else (pair, 1.0) for pair in pairs]
    if not pairs or not all(len(pair) == 2 for pair in pairs):
        raise ValueError("style must be a painting, or several as [(painting, share)]")
    parts = shares([share for _, share in pairs])
    return [(painting, part) for (painting, _), part in zip(pairs, parts)]


def _loaded(one: types.Picture | Moments) -> Any:
    """A painting as an array, or the moments in a file."""
    if isinstance(one, Mapping):
        return one
    if isinstance(one, (str, os.PathLike)) and Path(one).suffix == ".npz":
        return load_moments(one)
    return load_image(one)
