"""Losses of the picture alone: total variation, the grid of upsampling, an earlier frame."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from keras import ops

from .._shared.checks import flag, is_finite
from .._shared.types import Tensor
from ..vgg.preprocessing import preprocess
from .content import content_loss
from .custom_gradient import custom_gradient
from .loss import Loss

#: What each direction's differences count for where diagonals are taken.
_NINE_POINTS = {"rows": 2 / 3, "columns": 2 / 3, "falling": 1 / 6, "rising": 1 / 6}


def total_variation_loss(
    exponent: float = 1.25,
    reduction: Literal["mean", "sum"] = "mean",
    separate: bool = False,
    diagonals: bool = False,
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
        diagonals: With `separate`, take the differences to both pixels diagonally below, too: 2/3
            of the sums above and 1/6 of the diagonals'. With exponent=1 all directions then count
            alike (the nine-point stencil).

    Raises:
        ValueError: An exponent below its limit, an unknown reduction, or diagonals that are not
            separate.
    """
    separate = flag("separate", separate)
    least = 0.5 if separate else 1
    if not is_finite(exponent) or exponent < least:
        raise ValueError(f"exponent must be at least {least}. Received: exponent={exponent!r}")
    if flag("diagonals", diagonals) and not separate:
        raise ValueError("diagonals=True needs separate=True")
    exponent = float(exponent)
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction must be 'mean' or 'sum'. Received: reduction={reduction!r}")

    def variation(x: Tensor, last: bool = True) -> dict[str, Any]:  # B x H x W x 3
        if separate:
            own = x if last else x[:, :-1]  # the last row is the next strip's
            differences = {"rows": x[:, 1:] - x[:, :-1], "columns": own[:, :, 1:] - own[:, :, :-1]}
            if diagonals:
                differences["falling"] = x[:, 1:, 1:] - x[:, :-1, :-1]
                differences["rising"] = x[:, 1:, :-1] - x[:, :-1, 1:]
            powers = {name: ops.power(ops.abs(d), 2 * exponent) for name, d in differences.items()}
            return {name: _counted(ops.sum(p), p) for name, p in powers.items()}
        squared = _squared_differences(x)
        return {"both": _counted(_sum_of_powers(squared, exponent), squared)}

    def value(sums: Mapping[str, Any]) -> Tensor:
        return sum(
            (
                s["variation"] / ops.maximum(s["count"], 1.0)  # one pixel has no differences
                if reduction == "mean"
                else s["variation"]
            )
            * (_NINE_POINTS[name] if diagonals else 1.0)
            for name, s in sums["image"].items()
        )

    return Loss({"image": variation}, value, scope="strips")


def _counted(variation: Tensor, of: Tensor) -> dict[str, Tensor]:
    return {"variation": variation, "count": ops.cast(ops.prod(ops.shape(of)), "float32")}


def _squared_differences(x: Tensor) -> Tensor:
    """d_i^2 + d_j^2 of x, B x H x W x C -> B x (H - 1) x (W - 1) C.

    A row's channels lie side by side, so that slices are whole rows, which TensorFlow pads in a
    third of the time on the way back.
    """
    batch, height, width, channels = ops.shape(x)
    rows = ops.reshape(x, (batch, height, width * channels))

    def part(top: int, left: int) -> Tensor:
        shape = batch, height - 1, (width - 1) * channels
        return ops.slice(rows, (0, top, left * channels), shape)

    corner = part(0, 0)
    return ops.square(part(1, 0) - corner) + ops.square(part(0, 1) - corner)


def _sum_of_powers(s: Tensor, exponent: float) -> Tensor:
    """sum s^e of numbers of 0 or more, for an e of 1 or more, with one power for both ways."""

    @custom_gradient
    def total(s: Tensor) -> Any:
        slope = ops.power(s, exponent - 1)
        return ops.sum(s * slope), lambda upstream: upstream * exponent * slope

    return total(s)


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
