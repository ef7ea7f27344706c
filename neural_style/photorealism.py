"""Photorealism: the matting Laplacian keeps every local patch of a result an affine recolouring of the photo's.

Luan, Paris, Shechtman and Bala 2017, "Deep Photo Style Transfer", equation 2, on Levin, Lischinski and Weiss 2008, "A Closed-Form
Solution to Natural Image Matting", equation 12.
"""
import numpy as np
import tensorflow as tf

from .images import load_image
from .losses import Loss
from .matting import load_pymatting

#: Memory that the loss takes for a pixel: 25 entries of the Laplacian, an index of two int64 and a float32 each, and SciPy's copy.
LAPLACIAN_BYTES = 800


def matting_laplacian(image, epsilon=1e-7, radius=1):
    """Levin's matting Laplacian L of a picture: a SciPy sparse matrix, N x N, N = H W, symmetric, positive semi-definite.

        L_ij = sum_k delta_ij - 1 / |w| (1 + (I_i - mu_k)^T (Sigma_k + epsilon / |w| 1)^-1 (I_j - mu_k))

    over the windows w_k, (2 radius + 1)^2 pixels, that hold both i and j; mu_k and Sigma_k are their colours' mean and covariance.
    V^T L V is the least squared error of V as an affine function of the colours in each window, 0 for the picture's own channels
    (but for epsilon). PyMatting's (extra `photo`).

    Args:
        image: a path, PIL.Image or uint8 array. Its colours are scaled to [0, 1], which epsilon assumes.
        epsilon: regularisation: how much a window's colours must vary to be told from noise.
        radius: of the windows, in pixels.
    """
    image = load_image(image)
    if not isinstance(epsilon, (int, float)) or isinstance(epsilon, bool) or not 0 < epsilon < 1:
        raise ValueError(f"epsilon must be a number above 0 and below 1. Received: epsilon={epsilon!r}")
    if isinstance(radius, bool) or not isinstance(radius, (int, np.integer)) or radius < 1:
        raise ValueError(f"radius must be a positive integer. Received: radius={radius!r}")
    if min(image.shape[:2]) < 2 * radius + 1:
        raise ValueError(f"the picture must be at least {2 * radius + 1} pixels on each side. Received: {image.shape[1]} x {image.shape[0]}")
    return load_pymatting().cf_laplacian(image / 255, epsilon=epsilon, radius=radius)


def photorealism_loss(laplacian):
    """1 / N sum_c V_c^T L V_c, V_c the channels of the generated picture on the scale 0 to 1; its gradient is 2 L V_c / N.

    Luan et al. have the sum; divided by the number N of pixels, a weight means the same at every size.

    Args:
        laplacian: of the content image, from matting_laplacian; the generated picture must have its size.
    """
    L = laplacian.tocsr().astype("float32")
    L.sort_indices()
    rows = np.repeat(np.arange(L.shape[0]), np.diff(L.indptr))
    sparse = tf.sparse.SparseTensor(np.stack([rows, L.indices], axis=1).astype("int64"), L.data, L.shape)
    pixels = L.shape[0]

    @tf.custom_gradient
    def quadratic(v):  # N x 3
        Lv = tf.sparse.sparse_dense_matmul(sparse, v)
        return tf.reduce_sum(v * Lv), lambda upstream: upstream * 2 * Lv

    def energy(x):  # 1 x H x W x 3
        if x.shape[1] is not None and x.shape[1] * x.shape[2] != pixels:
            raise ValueError(f"the picture must have the Laplacian's {pixels} pixels. Received: {x.shape[1]} x {x.shape[2]}")
        # L has constants in its null space, so ImageNet's mean, which x lacks, changes nothing; nearer 0, float32 is more exact
        return quadratic(tf.reshape(x, (pixels, 3)) / 255) / pixels

    return Loss({"image": energy}, lambda sums: sums["image"], whole=True)
