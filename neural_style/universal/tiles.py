"""Pictures in tiles that overlap, for encoders and decoders of any stride."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from .._shared.memory import free_memory
from ..optimize.tiling import Tiling

#: Pixels around a tile that encoder and decoder see beyond it, and more.
HALO = 64

#: Sides of pictures and tiles are multiples of this, relu4_1's stride.
MULTIPLE = 8

#: The least side of a picture in pixels: the decoders' reflections need two positions.
LEAST_SIDE = 16

#: Bytes for a pixel at the peak: the features of relu2_1's pass, and the pictures around it.
PEAK_BYTES = 1200

#: Side in pixels of what a tile paints, where a picture does not fit into the memory.
TILE = 768

#: (rows, columns).
Slices: TypeAlias = tuple[slice, slice]


class Tile(NamedTuple):
    """A tile, in pixels.

    Attributes:
        seen: What it sees of the picture.
        inside: What it paints, within what it sees.
        own: What it paints, within the picture.
    """

    seen: Slices
    inside: Slices
    own: Slices


def padded(x: np.ndarray) -> np.ndarray:
    """A picture with mirrored rows and columns below and right: sides are multiples of MULTIPLE."""
    below, right = (max(LEAST_SIDE, -(-side // MULTIPLE) * MULTIPLE) - side for side in x.shape[:2])
    return np.pad(x, ((0, below), (0, right), (0, 0)), mode="symmetric") if below or right else x


def automatic_tile(shape: Sequence[int]) -> int | None:
    """The tile for a picture: None where the whole fits into the free memory, else TILE.

    Args:
        shape: H x W x 3.
    """
    return TILE if PEAK_BYTES * shape[0] * shape[1] > free_memory() else None


def tiles_of(shape: Sequence[int], tile: int | None) -> list[Tile]:
    """The tiles of a padded picture, cut as transfer() cuts them.

    Args:
        shape: H x W x 3.
        tile: Longer side of what a tile paints, in pixels; None: one tile.
    """
    crop = None if tile is None else max(MULTIPLE, tile) + 2 * HALO
    tiles = []
    for (rows, columns), (top, left, bottom, right) in Tiling(
        crop, {"coarsest": MULTIPLE}, HALO
    ).tiles(*shape[:2]):
        inside = slice(top, bottom), slice(left, right)
        own = (
            slice(rows.start + top, rows.start + bottom),
            slice(columns.start + left, columns.start + right),
        )
        tiles.append(Tile((rows, columns), inside, own))
    return tiles


def over(place: Slices, stride: int) -> Slices:
    """A place in pixels as one in positions."""
    rows, columns = place
    return (
        slice(rows.start // stride, rows.stop // stride),
        slice(columns.start // stride, columns.stop // stride),
    )
