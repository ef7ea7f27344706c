"""Exact evaluation in tiles, for pictures whose activations are larger than memory.

A loss is a value of sums over positions, so it can be had tile by tile: a first pass adds up each
loss's statistics; the value of the sums gives the gradient for them; a second pass carries that
back, tile by tile, into the pixels. A tile's crop is wider than its core by a halo as wide as the
network's view and is cut on the grid of the pooling, so that the core's activations are those of
the whole picture, at the picture's own border too.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tiling:
    """How to cut pictures.

    tile: longer side of a crop, its halo included, or None for one tile, the whole picture.
    strides, halo: the network's; see features.tile_geometry.
    """

    tile: int | None
    strides: dict
    halo: int

    def __post_init__(self):
        if self.tile is not None and self.tile < self.smallest:
            raise ValueError(
                f"tile must be at least {self.smallest} pixels for these layers. Received:"
                f" tile={self.tile!r}"
            )

    @property
    def smallest(self):
        """The smallest tile that has a core."""
        return 2 * self._margin + max(self.strides.values())

    @property
    def _margin(self):
        """The halo, rounded up to the grid of the pooling."""
        align = max(self.strides.values())
        return -(-self.halo // align) * align

    def tiles(self, height, width):
        """[(crop, core)]: crop, two slices of the picture; core, (top, left, bottom, right) within
        the crop.
        """
        return [
            ((slice(top, bottom), slice(left, right)), (y0 - top, x0 - left, y1 - top, x1 - left))
            for top, y0, y1, bottom in self._cuts(height)
            for left, x0, x1, right in self._cuts(width)
        ]

    def _cuts(self, length):
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

    def core(self, features, core):
        """The core's part of a crop's features: {name: B x h x w x C}."""
        if self.tile is None:
            return features
        top, left, bottom, right = core[0], core[1], core[2], core[3]
        return {
            name: features[name][:, top // s : bottom // s, left // s : right // s]
            for name, s in {**self.strides, "image": 1}.items()
            if name in features
        }

    def part(self, maps, crop, core):
        """The same part of maps of the whole picture."""
        y, x = crop[0].start, crop[1].start
        return {
            name: array[
                :, (y + core[0]) // s : (y + core[2]) // s, (x + core[1]) // s : (x + core[3]) // s
            ]
            for name, array in maps.items()
            for s in [self.strides[name]]
        }
