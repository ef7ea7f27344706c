"""Exact evaluation in tiles, for pictures whose activations are larger than memory.

A loss is a value of sums over positions, so it can be had tile by tile: a first pass adds up each
loss's statistics; the value of the sums gives the gradient for them; a second pass carries that
back, tile by tile, into the pixels. A tile's crop is wider than its core by a halo as wide as the
network's view and is cut on the grid of the pooling, so that the core's activations are those of
the whole picture, at the picture's own border too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

#: Rows and columns of the picture.
Crop: TypeAlias = tuple[slice, slice]

#: (top, left, bottom, right) within a crop.
Core: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True)
class Tiling:
    """How to cut pictures.

    Attributes:
        tile: Longer side of a crop in pixels, its halo included. None: one tile, the whole picture.
        strides: {layer: pixels of the picture for one of its positions}.
        halo: How far, in pixels, the edge of a tile is felt; see vgg.layers.tile_geometry.
    """

    tile: int | None
    strides: Mapping[str, int]
    halo: int

    def __post_init__(self) -> None:
        if self.tile is not None and self.tile < self.smallest:
            raise ValueError(
                f"tile must be at least {self.smallest} pixels for these layers. Received:"
                f" tile={self.tile!r}"
            )

    @property
    def smallest(self) -> int:
        """The smallest tile that has a core."""
        return 2 * self._margin + max(self.strides.values())

    @property
    def _margin(self) -> int:
        """The halo, rounded up to the grid of the pooling."""
        align = max(self.strides.values())
        return -(-self.halo // align) * align

    def tiles(self, height: int, width: int) -> list[tuple[Crop, Core]]:
        """The tiles of a picture: [(crop, core)].

        Args:
            height: Of the picture, in pixels.
            width: Of the picture, in pixels.
        """
        return [
            ((slice(top, bottom), slice(left, right)), (y0 - top, x0 - left, y1 - top, x1 - left))
            for top, y0, y1, bottom in self._cuts(height)
            for left, x0, x1, right in self._cuts(width)
        ]

    def _cuts(self, length: int) -> list[tuple[int, int, int, int]]:
        """(crop's start, core's start, core's end, crop's end) of each tile along one side."""
        if self.tile is None or length <= self.tile:
            return [(0, 0, length, length)]
        align, margin = max(self.strides.values()), self._margin
        count = -(-length // ((self.tile - 2 * margin) // align * align))
        core = -(-length // (count * align)) * align  # evened out, on the grid
        starts = range(0, length, core)
        return [
            (
                max(0, start - margin),
                start,
                min(start + core, length),
                min(start + core + margin, length),
            )
            for start in starts
        ]

    def core(self, features: Mapping[str, Any], core: Any) -> Mapping[str, Any]:
        """The core's part of a crop's features, {name: B x h x w x C}."""
        if self.tile is None:
            return features
        top, left, bottom, right = core[0], core[1], core[2], core[3]
        return {
            name: features[name][:, top // s : bottom // s, left // s : right // s]
            for name, s in {**self.strides, "image": 1}.items()
            if name in features
        }

    def part(self, maps: Mapping[str, Any], crop: Crop, core: Core) -> dict[str, Any]:
        """The same part of maps of the whole picture."""
        y, x = crop[0].start, crop[1].start
        return {
            name: array[
                :, (y + core[0]) // s : (y + core[2]) // s, (x + core[1]) // s : (x + core[3]) // s
            ]
            for name, array in maps.items()
            for s in [self.strides[name]]
        }
