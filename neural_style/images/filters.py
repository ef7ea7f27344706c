"""Edge-aware filters for finished pictures, and the matting Laplacian that they need."""

import numpy as np
from scipy.ndimage import uniform_filter
from scipy.sparse import identity, spmatrix

from .._shared.checks import count, is_finite, number
from .._shared.types import Picture
from .load import load_image
from .matting import load_pymatting
from .pixels import _rounded_colors


def matting_laplacian(image: Picture, epsilon: float = 1e-7, radius: int = 1) -> spmatrix:
    """Compute Levin's matting Laplacian L of a picture.

        L_ij = sum_k delta_ij
                     - 1 / |w| (1 + (I_i - mu_k)^T (Sigma_k + epsilon / |w| 1)^-1 (I_j - mu_k))

    The sum goes over the windows w_k, of (2 radius + 1)^2 pixels, that hold both i and j. mu_k and
    Sigma_k are the mean and the covariance of the window's colors. V^T L V is the least squared
    error of V as an affine function of the colors in each window. Up to epsilon, it is 0 for the
    picture's own channels. PyMatting computes L (extra `photo`).

    Args:
        image: a path, PIL.Image or uint8 array. Its colors are scaled to [0, 1].
        epsilon: the regularization, for colors from 0 to 1: how much the colors of a window must
            vary to count as more than noise.
        radius: the radius of the windows, in pixels.

    Returns:
        A SciPy sparse matrix, N x N with N = H W, symmetric and positive semi-definite.

    Raises:
        ValueError: epsilon or radius is out of range, or the picture is smaller than a window.
        ImportError: PyMatting is missing; the message names the command that installs it.
    """
    image = load_image(image)
    if not is_finite(epsilon) or not 0 < epsilon < 1:
        raise ValueError(
            f"epsilon must be a number above 0 and below 1. Received: epsilon={epsilon!r}"
        )
    radius = count("radius", radius)
    if min(image.shape[:2]) < 2 * radius + 1:
        raise ValueError(
            f"the picture must be at least {2 * radius + 1} pixels on each side. Received:"
            f" {image.shape[1]} x {image.shape[0]}"
        )
    return load_pymatting().cf_laplacian(image / 255, epsilon=epsilon, radius=radius)


def locally_affine(picture: Picture, photo: Picture, fidelity: float = 1e-3) -> np.ndarray:
    """Turn a picture into a locally affine recoloring of a photo, without a network.

        V_c = argmin V^T L V + fidelity |V - S_c|^2, so (L + fidelity 1) V_c = fidelity S_c

    S_c is a channel of `picture`, on the scale 0 to 1, and L is the photo's matting_laplacian. A
    painted picture gets the photo's edges back, and its colors become smooth between the edges.
    The system is solved by conjugate gradients, with PyMatting's incomplete Cholesky
    preconditioner (extra `photo`).

    Args:
        picture: the painted picture: a path, PIL.Image or uint8 array.
        photo: the photo, of the same size: a path, PIL.Image or uint8 array.
        fidelity: how close the result stays to `picture`: 1e-4 keeps little but its main colors, 1
            changes it little.

    Returns:
        uint8 RGB, H x W x 3.

    Raises:
        ValueError: the pictures' sizes differ, or fidelity is not above 0.
        ImportError: PyMatting is missing; the message names the command that installs it.
    """
    picture, photo = _of_one_size(picture, photo)
    fidelity = number("fidelity", fidelity, above=True)
    pymatting = load_pymatting()
    A = (matting_laplacian(photo) + fidelity * identity(photo.shape[0] * photo.shape[1])).tocsc()
    preconditioner = pymatting.ichol(A)
    channels = (picture / 255).reshape(-1, 3).T
    V = np.stack(
        [pymatting.cg(A, fidelity * S, x0=S, M=preconditioner, rtol=1e-5) for S in channels],
        axis=-1,
    )
    return _rounded_colors(V.reshape(photo.shape))


def guided_filter(
    picture: Picture, photo: Picture, radius: int = 8, epsilon: float = 1e-4
) -> np.ndarray:
    """Smooth a picture along the edges of a photo, to remove posterization and noise.

    This is the filter of He, Sun and Tang 2013, "Guided Image Filtering", with a guide of three
    colors. In each window w_k, a channel p of `picture` is fitted to the photo's colors I by least
    squares, p ~ a_k^T I + b_k, with a_k = (Sigma_k + epsilon 1)^-1 cov_k(I, p) and
    b_k = mean_k(p) - a_k^T mu_k (equations 14 and 15). Each pixel of the result is the mean of the
    fits of all windows that hold the pixel (equation 16).

    Args:
        picture: the picture to smooth: a path, PIL.Image or uint8 array.
        photo: the photo, of the same size: a path, PIL.Image or uint8 array. Colors are scaled to
            [0, 1].
        radius: the radius of the windows, which have (2 radius + 1)^2 pixels; the picture is
            mirrored at its border.
        epsilon: a window of the photo with less variance than this counts as flat, and `picture` is
            averaged there.

    Returns:
        uint8 RGB, H x W x 3.

    Raises:
        ValueError: the pictures' sizes differ, or radius or epsilon is not above 0.
    """
    picture, photo = _of_one_size(picture, photo)
    epsilon, radius = number("epsilon", epsilon, above=True), count("radius", radius)

    def mean(a: np.ndarray) -> np.ndarray:
        return uniform_filter(a, size=(2 * radius + 1, 2 * radius + 1, *[1] * (a.ndim - 2)))

    I, p = photo / 255, picture / 255
    mu, p_mean = mean(I), mean(p)
    # H x W x 3 x 3
    sigma = mean(I[..., :, None] * I[..., None, :]) - mu[..., :, None] * mu[..., None, :]
    # H x W x the guide's channels x the picture's channels
    covariance = mean(I[..., :, None] * p[..., None, :]) - mu[..., :, None] * p_mean[..., None, :]
    a = np.linalg.solve(sigma + epsilon * np.eye(3), covariance)
    b = p_mean - np.einsum("hwgc,hwg->hwc", a, mu)
    return _rounded_colors(np.einsum("hwgc,hwg->hwc", mean(a), I) + mean(b))


def _of_one_size(picture: Picture, photo: Picture) -> tuple[np.ndarray, np.ndarray]:
    """Load both pictures, and check that their sizes agree."""
    picture, photo = load_image(picture), load_image(photo)
    if picture.shape != photo.shape:
        raise ValueError(
            "picture and photo must have one size. Received: "
            f"{picture.shape[1]} x {picture.shape[0]} and {photo.shape[1]} x {photo.shape[0]}"
        )
    return picture, photo
