"""Arithmetic with vectors as long as a picture, in blocks.

Matrix products add up in float32, number after number: over 50 million of them they are off by
0.4 %, over a block by 0.0002 %. And what is made on the way is no larger than a block.
"""

from collections.abc import Sequence
from typing import Any

from keras import ops

from .._shared.types import Tensor

#: Numbers of a block. A picture of 512 pixels is one.
BLOCK = 1 << 20


def blocks(count: int) -> list[slice]:
    """The blocks of a vector of `count` numbers."""
    return [slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK)]


def part(vector: Tensor, block: slice) -> Tensor:
    """A block of a vector; the vector itself where it is one block."""
    return vector if block == slice(0, vector.shape[0]) else vector[block]


def joined(parts: Sequence[Any]) -> Tensor:
    """The vector of its blocks."""
    return parts[0] if len(parts) == 1 else ops.concatenate(parts)


def moved(z: Tensor, direction: Tensor, step: Tensor, *bounds: Tensor) -> tuple[Tensor, Tensor]:
    """(free vector, its pixels) so far along a direction."""
    z = z + step * direction
    return z, (clipped(z, *bounds) if bounds else z)


def clipped(z: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    """z with each number moved into its bounds, which repeat: N numbers, in rows of K."""
    rows = ops.reshape(z, (-1, lower.shape[0]))
    return ops.reshape(ops.clip(rows, lower, upper), (-1,))


def measured(
    z: Tensor,
    x: Tensor,
    grad: Tensor,
    direction: Tensor,
    before: Tensor,
    stiffness: Tensor,
    values: list[Tensor],
) -> tuple[Tensor, Tensor]:
    """(the gradient of loss and penalty, sums for a Point and the values), of a block."""
    outside = z - x
    grad = ops.where(outside == 0, grad, stiffness * outside)
    sums = (outside, outside), (grad, grad), (grad, direction), (before, direction)
    numbers = [*(dot(a, b) for a, b in sums), *values]
    return grad, ops.stack([ops.cast(one, grad.dtype) for one in numbers])


def dot(a: Tensor, b: Tensor) -> Tensor:
    """a times b. The backends add up a sum in pairs, but a matrix product one after the other."""
    return ops.sum(a * b)
