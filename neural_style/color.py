"""Colours of one picture moved to those of another."""
import numpy as np


def color_statistics(image):
    """Mean (3,) and covariance (3 x 3) of a picture's RGB pixels, on the scale 0 to 255."""
    pixels = _pixels(image).reshape(-1, 3)
    return pixels.mean(axis=0), np.cov(pixels, rowvar=False, bias=True)


def match_color(image, reference):
    """Give `image` the colour mean and covariance of `reference`; uint8 RGB in and out.

    c' = S_r^(1/2) S_i^(-1/2) (c - mu_i) + mu_r, with symmetric square roots: Gatys, Bethge, Hertzmann and Shechtman 2016,
    "Preserving Color in Neural Artistic Style Transfer", equations 6 to 8 ("image analogies"). A direction in which
    `image` hardly varies is not stretched without limit: variances are floored at one grey level squared.

    Args:
        image: uint8 RGB, H x W x 3.
        reference: another picture, or its (mean, covariance) from color_statistics.
    """
    mean, covariance = color_statistics(image)
    target_mean, target_covariance = reference if isinstance(reference, tuple) else color_statistics(reference)
    transform = _matrix_power(target_covariance, 0.5) @ _matrix_power(covariance, -0.5)
    matched = (_pixels(image) - mean) @ transform.T + target_mean
    return np.clip(np.rint(matched), 0, 255).astype("uint8")


def _pixels(image):
    """H x W x 3, float64, of a uint8 RGB picture."""
    array = np.asarray(image)
    if array.dtype != np.uint8:
        raise TypeError(f"a picture array must be uint8 (0 to 255). Received: {array.dtype}")
    if array.ndim != 3 or array.shape[-1] != 3:
        raise ValueError(f"a picture array must be H x W x 3. Received: shape {array.shape}")
    return array.astype("float64")


def _matrix_power(covariance, power):
    variances, axes = np.linalg.eigh(covariance)
    return (axes * np.maximum(variances, 0.0 if power > 0 else 1.0) ** power) @ axes.T
