"""The loss that keeps every local patch of a result an affine recoloring of the photo's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from .._shared.types import Tensor
from .loss import Loss

#: Memory that the loss takes for a pixel: 25 entries of the Laplacian, an index of two int64 and a
#: float32 each, and SciPy's copy.
LAPLACIAN_BYTES = 800


def photorealism_loss(laplacian: Any) -> Loss:
    """sum_c V_c^T L V_c; V_c are the channels of the generated picture on the scale 0 to 1.

    Luan et al. 2017, "Deep Photo Style Transfer", equation 2; its gradient is 2 L V_c.

    A sum over the pixels means the same at every size: for a color cast that varies over a part of
    the picture, the error of the fit within a window falls with the square of the side, as the
    number of windows grows.

    Args:
        laplacian: L of the content image, from matting_laplacian: a SciPy sparse matrix. The
            generated picture must have the content image's size.
    """
    L = laplacian.tocsr().astype("float32")
    L.sort_indices()
    rows = np.repeat(np.arange(L.shape[0]), np.diff(L.indptr))
    sparse = tf.sparse.SparseTensor(
        np.stack([rows, L.indices], axis=1).astype("int64"), L.data, L.shape
    )
    pixels = L.shape[0]

    @tf.custom_gradient
    def quadratic(v: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:  # N x 3
        Lv = tf.sparse.sparse_dense_matmul(sparse, v)
        return tf.reduce_sum(v * Lv), lambda upstream: upstream * 2 * Lv

    def energy(x: Tensor) -> Tensor:  # 1 x H x W x 3
        if x.shape[1] is not None and x.shape[1] * x.shape[2] != pixels:
            raise ValueError(
                f"the picture must have the Laplacian's {pixels} pixels. Received: {x.shape[1]} x"
                f" {x.shape[2]}"
            )
        # L has constants in its null space, so ImageNet's mean, which x lacks, changes nothing;
        # nearer 0, float32 is more exact
        return quadratic(tf.reshape(x, (pixels, 3)) / 255)

    return Loss({"image": energy}, lambda sums: sums["image"], scope="image")
