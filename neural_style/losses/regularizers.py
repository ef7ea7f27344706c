"""Losses of the picture alone: total variation, the grid of upsampling, an earlier frame."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from keras import ops

from .._shared.checks import flag, is_finite
from .._shared.types import Tensor
from ..vgg.preprocessing import preprocess
from .content import content_loss
from .loss import Loss


def total_variation_loss(
    exponent: float = 1.25, reduction: Literal["mean", "sum"] = "mean", separate: bool = False
) -> Loss:
    """Roughness of the picture: sum_ijc (d_i^2 + d_j^2)^exponent.

    d_i and d_j are the differences to the pixels below and to the right, on the scale 0 to 255. The
    last row and column, which lack a neighbor, are left out. Not in the paper; Mahendran and
    Vedaldi 2015, equation 5, with exponent = beta / 2.

    Args:
        exponent: At least 1, or at least 0.5 with `separate`. Below, the gradient is infinite on a
            flat patch.
        reduction: "mean" over positions and channels (the same weight at every size), or "sum", as
            most published programs have it.
        separate: Take each direction on its own, with all its differences:
            sum |d_i|^(2 exponent) + sum |d_j|^(2 exponent).

    Raises:
        ValueError: An exponent below its limit, or an unknown reduction.
    """
    separate = flag("separate", separate)
    least = 0.5 if separate else 1
    if not is_finite(exponent) or exponent < least:
        raise ValueError(f"exponent must be at least {least}. Received: exponent={exponent!r}")
    exponent = float(exponent)
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction must be 'mean' or 'sum'. Received: reduction={reduction!r}")

    def variation(x: Tensor, last: bool = True) -> dict[str, Any]:  # B x H x W x 3
        if separate:
            own = x if last else x[:, :-1]  # the last row is the next strip's
            powers = {
                "rows": ops.power(ops.abs(x[:, 1:] - x[:, :-1]), 2 * exponent),
                "columns": ops.power(ops.abs(own[:, :, 1:] - own[:, :, :-1]), 2 * exponent),
            }
        else:
            corner = x[:, :-1, :-1]
            squared = ops.square(x[:, 1:, :-1] - corner) + ops.square(x[:, :-1, 1:] - corner)
            powers = {"both": ops.power(squared, exponent)}
        return {
            name: {"variation": ops.sum(p), "count": ops.cast(ops.prod(ops.shape(p)), "float32")}
            for name, p in powers.items()
        }

    def value(sums: Mapping[str, Any]) -> Tensor:
        return sum(
            (
                s["variation"] / ops.maximum(s["count"], 1.0)  # one pixel has no differences
                if reduction == "mean"
                else s["variation"]
            )
            for s in sums["image"].values()
        )

    return Loss({"image": variation}, value, scope="strips")


def grid_loss(y: Tensor) -> Tensor:
    """Mean square of the pattern of 4 x 4 pixels that repeats all over a picture.

        p_ij = mean of y_(4m+i, 4n+j) over m and n,   grid = mean_ij (p_ij - mean p)^2

    Two upsamplings to nearest neighbors treat the 16 places of such a square differently, so a
    network can leave a pattern there: a cheap source of the painting's fine grain. The style loss
    is blind to that pattern, for a Gram matrix does not know where anything is.

    Args:
        y: Pictures, B x H x W x C, 0 to 255. Each channel counts by itself.

    Returns:
        The mean over the pictures, in squared gray levels.
    """
    height, width = (side // 4 * 4 for side in ops.shape(y)[1:3])
    pattern = ops.mean(
        ops.reshape(y[:, :height, :width], (-1, height // 4, 4, width // 4, 4, y.shape[-1])),
        axis=(1, 3),
    )  # B x 4 x 4 x C
    return ops.mean((pattern - ops.mean(pattern, axis=(1, 2), keepdims=True)) ** 2)


def temporal_loss(warped: np.ndarray, holds: np.ndarray) -> Loss:
    """How far a frame is from an earlier result: mean_ijc c_ij (x_ijc - w_ijc)^2.

    Ruder, Dosovitskiy and Brox 2016, equation 7; in squared gray levels.

    Args:
        warped: w, the earlier result moved to this frame, uint8 RGB, H x W x 3.
        holds: c, where w can be relied on: float, H x W, 0 or 1.
    """
    return content_loss(
        {"image": preprocess(warped)}, ["image"], "mean", {"image": holds[None, ..., None]}
    )
