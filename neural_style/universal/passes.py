"""The passes of a painting, each at one layer: what a picture's moments are, and how they move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, TypeAlias

import numpy as np

from ..images.masks import resized, shrink
from ..images.resize import resize_channels
from .codec import Codec, codec
from .decoder import CHANNELS
from .tiles import LEAST_SIDE, Slices, Tile, over, padded, tiles_of
from .transport import Normal, Sums, mixed_map, sums_of


@dataclass(frozen=True)
class Pass:
    """One transport of features.

    Attributes:
        level: The layer.
        halvings: How often the picture is halved before; strokes become twice as large with each.
        details: No decoder makes all of a picture x from its features f. This share of what is
            lacking is added to what it makes of the mapped features: D(T f) + details (x - D(f)).
            A strength below 1 adds more of it, up to all at strength 0.
    """

    level: str
    halvings: int = 0
    details: float = 0.0

    @property
    def key(self) -> str:
        """Its name."""
        return f"{self.level} of 1/{2**self.halvings}"

    @property
    def channels(self) -> int:
        """Channels of its features."""
        return CHANNELS[self.level]


#: From coarse to fine.
PASSES = (Pass("relu4_1", 1, 1.0), Pass("relu3_1", 0, 0.5), Pass("relu2_1"))

#: {Pass.key: normal distribution of the features} of a painting.
Moments: TypeAlias = Mapping[str, Normal]

#: [(moments, share)]; the shares add up to 1.
Targets: TypeAlias = Sequence[tuple[Moments, float]]


@dataclass(frozen=True)
class Zone:
    """A part of the picture and the moments that its features are to have.

    Attributes:
        mask: H x W, 0 to 1; None: everywhere.
        targets: Those moments, and their shares.
    """

    mask: np.ndarray | None
    targets: Targets


def moments_of(
    x: np.ndarray, mask: np.ndarray | None = None, tile: int | None = None
) -> dict[str, Normal]:
    """The moments of a painting's features for each pass.

    Args:
        x: BGR minus ImageNet's mean, H x W x 3.
        mask: The part of the painting that counts, H x W; None: all of it.
        tile: Side in pixels of the tiles in which a large painting is looked at; None: no tiles.
    """
    found = {}
    for one in PASSES:
        coder, small = codec(one.level), halved(x, one.halvings)
        positions, whole = _at_positions(mask, small, coder.stride), padded(small)
        [sums] = _sums(coder, whole, [positions], tiles_of(whole.shape, tile))
        if sums.count > 0:  # else nothing of the painting is left at this layer
            found[one.key] = sums.normal()
    return found


def repaint(
    x: np.ndarray, zones: Sequence[Zone], strength: float = 1.0, tile: int | None = None
) -> np.ndarray:
    """Give a picture's features the moments of paintings, pass by pass.

    Args:
        x: BGR minus ImageNet's mean, H x W x 3.
        zones: Parts of the picture; what is in no zone keeps its features.
        strength: How far the features go, 0 to 1; see mixed_map. 0 gives x itself.
        tile: Side of the tiles in pixels; None: no tiles. All tiles share one map.

    Returns:
        The painted picture, as x.
    """
    for one in PASSES:
        small = halved(x, one.halvings)
        painted = _pass(one, small, zones, strength, tile)
        if one.halvings:
            painted = x + resize_channels(painted - small, x.shape[1::-1])
        x = painted
    return x


def halved(x: np.ndarray, halvings: int) -> np.ndarray:
    """The picture at 1 / 2^halvings of its size; no side below LEAST_SIDE."""
    if not halvings:
        return x
    height, width = (max(LEAST_SIDE, round(side / 2**halvings)) for side in x.shape[:2])
    return resize_channels(x, (width, height))


def _pass(
    one: Pass, x: np.ndarray, zones: Sequence[Zone], strength: float, tile: int | None
) -> np.ndarray:
    """One pass over a picture of any size."""
    coder, (height, width) = codec(one.level), x.shape[:2]
    masks = [_at_positions(zone.mask, x, coder.stride) for zone in zones]
    x = padded(x)
    tiles = tiles_of(x.shape, tile)
    known = coder.encode(x) if len(tiles) == 1 else None
    maps = []
    for zone, mask, sums in zip(zones, masks, _sums(coder, x, masks, tiles, known)):
        targets = [
            (moments[one.key], share) for moments, share in zone.targets if one.key in moments
        ]
        if sums.count > 0 and targets:  # else the zone is so small that it has no position
            maps.append((mask, *mixed_map(sums.normal(), targets, strength)))
    kept = 1 - strength * (1 - one.details)  # at strength 0, x stays as it is
    painted = np.empty(x.shape, "float32")
    for seen, inside, own in tiles:
        features = coder.encode(x[seen]) if known is None else known
        result = coder.decode(_mapped(features, maps, over(seen, coder.stride)))
        if kept:
            result += kept * (x[seen] - coder.decode(features))
        painted[own] = result[inside]
    return painted[:height, :width]


def _sums(
    coder: Codec,
    x: np.ndarray,
    masks: Sequence[np.ndarray | None],
    tiles: Sequence[Tile],
    known: np.ndarray | None = None,
) -> list[Sums]:
    """The sums of a picture's features, for each mask.

    Args:
        coder: Of the layer.
        x: H x W x 3, padded.
        masks: At the layer's positions, h x w; None: all count.
        tiles: Of the picture.
        known: The features of all of it, where they are known.
    """
    of_tiles = []
    for seen, inside, own in tiles:
        features = coder.encode(x[seen]) if known is None else known
        features, place = features[over(inside, coder.stride)], over(own, coder.stride)
        of_tiles.append([sums_of(features, None if m is None else m[place]) for m in masks])
    return [reduce(add, of_mask) for of_mask in zip(*of_tiles)]


def _mapped(
    features: np.ndarray,
    maps: Sequence[tuple[np.ndarray | None, np.ndarray, np.ndarray]],
    place: Slices,
) -> np.ndarray:
    """Features moved by each zone's map, where zones are.

    Args:
        features: h x w x C.
        maps: [(mask at the positions of the whole picture or None, A, b)].
        place: Where the features lie in the whole.
    """
    moved: Any = 0
    covered: Any = 0
    for mask, matrix, offset in maps:
        of_zone = features @ matrix.T.astype("float32") + offset.astype("float32")
        share: Any = 1.0 if mask is None else mask[place][..., None]  # h x w x 1
        moved, covered = moved + share * of_zone, covered + share
    return (moved + np.maximum(1 - covered, 0) * features) / np.maximum(covered, 1)


def _at_positions(mask: np.ndarray | None, x: np.ndarray, stride: int) -> np.ndarray | None:
    """A mask at the layer's positions of the padded picture."""
    if mask is None:
        return None
    whole = padded(resized(mask, x.shape)[..., None])[..., 0]
    return shrink(whole, stride)[0, :, :, 0]
