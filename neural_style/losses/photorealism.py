"""The loss that keeps every local patch of a result an affine recoloring of the photo's."""

from typing import Any

import numpy as np
from keras import ops

from .._shared.types import Tensor
from .custom_gradient import custom_gradient
from .loss import Loss

#: Memory that the loss takes for a pixel: 25 entries of the Laplacian, as PyMatting makes them and
#: as diagonals.
LAPLACIAN_BYTES = 800

#: Diagonals that a Laplacian may have: a window of 9 x 9 pixels has 17 x 17.
MOST_DIAGONALS = 17 * 17


def photorealism_loss(laplacian: Any) -> Loss:
    """sum_c V_c^T L V_c; V_c are the channels of the generated picture on the scale 0 to 1.

    Luan et al. 2017, "Deep Photo Style Transfer", equation 2; its gradient is 2 L V_c.

    A sum over the pixels means the same at every size: for a color cast that varies over a part of
    the picture, the error of the fit within a window falls with the square of the side, as the
    number of windows grows.

    Args:
        laplacian: L of the content image, from matting_laplacian: a SciPy sparse matrix. The
            generated picture must have the content image's size.

    Raises:
        ValueError: L has more diagonals than a matting Laplacian.
    """
    pixels = laplacian.shape[0]
    offsets, diagonals = _diagonals(laplacian)
    margin = int(max(abs(offsets)))

    @custom_gradient
    def quadratic(v: Tensor) -> Any:  # N x 3
        padded = ops.pad(v, ((margin, margin), (0, 0)))
        Lv = sum(
            entries * padded[margin + offset : margin + offset + pixels]
            for offset, entries in zip(offsets.tolist(), diagonals)
        )
        return ops.sum(v * Lv), lambda upstream: upstream * 2 * Lv

    def energy(x: Tensor) -> Tensor:  # 1 x H x W x 3
        if x.shape[1] is not None and x.shape[1] * x.shape[2] != pixels:
            raise ValueError(
                f"the picture must have the Laplacian's {pixels} pixels. Received: {x.shape[1]} x"
                f" {x.shape[2]}"
            )
        # L has constants in its null space, so ImageNet's mean, which x lacks, changes nothing;
        # nearer 0, float32 is more exact
        return quadratic(ops.reshape(x, (pixels, 3)) / 255)

    return Loss({"image": energy}, lambda sums: sums["image"], scope="image")


def _diagonals(laplacian: Any) -> tuple[np.ndarray, list[Tensor]]:
    """(offsets, [the entries L_(i, i + offset) of all rows i, N x 1]); 0 where there is none."""
    L = laplacian.tocsr().astype("float32")
    L.sum_duplicates()
    L.eliminate_zeros()
    L = L.tocoo()
    offsets, which = np.unique(L.col.astype("int64") - L.row, return_inverse=True)
    if len(offsets) > MOST_DIAGONALS:
        raise ValueError(
            f"a matting Laplacian has at most {MOST_DIAGONALS} diagonals, of windows of 9 x 9 "
            f"pixels. Received: {len(offsets)}"
        )
    entries = np.zeros((len(offsets), L.shape[0], 1), "float32")
    entries[which, L.row, 0] = L.data
    return offsets, [ops.convert_to_tensor(diagonal) for diagonal in entries]
