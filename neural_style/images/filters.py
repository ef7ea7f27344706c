"""Edge-aware filters of finished pictures, and the matting Laplacian that they rest on."""

import numpy as np
from scipy.ndimage import uniform_filter
from scipy.sparse import identity

from .load import load_image
from .matting import load_pymatting


def matting_laplacian(image, epsilon=1e-7, radius=1):
    """Levin's matting Laplacian L of a picture: a SciPy sparse matrix, N x N, N = H W, symmetric,
    positive semi-definite.

        L_ij = sum_k delta_ij - 1 / |w| (1 + (I_i - mu_k)^T (Sigma_k + epsilon / |w| 1)^-1 (I_j -
        mu_k))

    over the windows w_k, (2 radius + 1)^2 pixels, that hold both i and j; mu_k and Sigma_k are
    their colours' mean and covariance. V^T L V is the least squared error of V as an affine
    function of the colours in each window, 0 for the picture's own channels (but for epsilon).
    PyMatting's (extra `photo`).

    Args:
        image: a path, PIL.Image or uint8 array. Its colours are scaled to [0, 1], which epsilon
            assumes.
        epsilon: regularisation: how much a window's colours must vary to be told from noise.
        radius: of the windows, in pixels.
    """
    image = load_image(image)
    if not isinstance(epsilon, (int, float)) or isinstance(epsilon, bool) or not 0 < epsilon < 1:
        raise ValueError(
            f"epsilon must be a number above 0 and below 1. Received: epsilon={epsilon!r}"
        )
    if isinstance(radius, bool) or not isinstance(radius, (int, np.integer)) or radius < 1:
        raise ValueError(f"radius must be a positive integer. Received: radius={radius!r}")
    if min(image.shape[:2]) < 2 * radius + 1:
        raise ValueError(
            f"the picture must be at least {2 * radius + 1} pixels on each side. Received:"
            f" {image.shape[1]} x {image.shape[0]}"
        )
    return load_pymatting().cf_laplacian(image / 255, epsilon=epsilon, radius=radius)


def locally_affine(picture, photo, fidelity=1e-3):
    """`picture` made a locally affine recolouring of `photo`, with no network: uint8 RGB of their
    one size.

        V_c = argmin V^T L V + fidelity |V - S_c|^2, so (L + fidelity 1) V_c = fidelity S_c

    for each channel S_c of `picture`, colours from 0 to 1. It gives a painted picture the photo's
    edges back, and smooths its colours between them. By conjugate gradients, with PyMatting's
    incomplete Cholesky preconditioner (extra `photo`).

    Args:
        picture, photo: a path, PIL.Image or uint8 array each, of one size.
        fidelity: to `picture`: 1e-4 leaves little but its main colours, 1 changes it little.
    """
    picture, photo = _of_one_size(picture, photo)
    _check_positive("fidelity", fidelity)
    pymatting = load_pymatting()
    A = (matting_laplacian(photo) + fidelity * identity(photo.shape[0] * photo.shape[1])).tocsc()
    preconditioner = pymatting.ichol(A)
    channels = (picture / 255).reshape(-1, 3).T
    V = np.stack(
        [pymatting.cg(A, fidelity * S, x0=S, M=preconditioner, rtol=1e-5) for S in channels],
        axis=-1,
    )
    return _rounded(V.reshape(photo.shape))


def guided_filter(picture, photo, radius=8, epsilon=1e-4):
    """`picture` smoothed along the edges of `photo`, uint8 RGB: for what a transfer leaves of
    posterisation and noise.

    He, Sun and Tang 2013, "Guided Image Filtering", with a guide of three colours: in each window
    w_k the least squares fit p ~ a_k^T I + b_k of a channel p of `picture` to the photo's colours
    I, a_k = (Sigma_k + epsilon 1)^-1 cov_k(I, p), b_k = mean_k(p) - a_k^T mu_k (equations 14 and
    15); at each pixel, the mean of the fits of the windows that hold it (equation 16).

    Args:
        picture, photo: a path, PIL.Image or uint8 array each, of one size; colours are scaled to
            [0, 1].
        radius: of the windows, (2 radius + 1)^2 pixels; at the border they are mirrored.
        epsilon: below which variance a window of the photo counts as flat, so that `picture` is
            averaged there.
    """
    picture, photo = _of_one_size(picture, photo)
    _check_positive("epsilon", epsilon)
    if isinstance(radius, bool) or not isinstance(radius, (int, np.integer)) or radius < 1:
        raise ValueError(f"radius must be a positive integer. Received: radius={radius!r}")

    def mean(a):
        return uniform_filter(a, size=(2 * radius + 1, 2 * radius + 1, *[1] * (a.ndim - 2)))

    I, p = photo / 255, picture / 255
    mu, p_mean = mean(I), mean(p)
    sigma = (
        mean(I[..., :, None] * I[..., None, :]) - mu[..., :, None] * mu[..., None, :]
    )  # H x W x 3 x 3
    covariance = (
        mean(I[..., :, None] * p[..., None, :]) - mu[..., :, None] * p_mean[..., None, :]
    )  # guide's channel, picture's
    a = np.linalg.solve(sigma + epsilon * np.eye(3), covariance)
    b = p_mean - np.einsum("hwgc,hwg->hwc", a, mu)
    return _rounded(np.einsum("hwgc,hwg->hwc", mean(a), I) + mean(b))


def _of_one_size(picture, photo):
    picture, photo = load_image(picture), load_image(photo)
    if picture.shape != photo.shape:
        raise ValueError(
            "picture and photo must have one size. Received: "
            f"{picture.shape[1]} x {picture.shape[0]} and {photo.shape[1]} x {photo.shape[0]}"
        )
    return picture, photo


def _check_positive(name, value):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < np.inf:
        raise ValueError(f"{name} must be a finite number above 0. Received: {name}={value!r}")


def _rounded(colors):
    """Colours from 0 to 1 as uint8."""
    return np.rint(255 * colors).clip(0, 255).astype("uint8")
