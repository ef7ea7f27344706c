"""Give a picture the color histograms of another picture."""

import numpy as np

from .lab import lab_to_rgb, rgb_to_lab
from .pixels import _pixels, _rounded


def match_histogram(image: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Give each channel of a picture in CIE L*a*b* the histogram of another picture's channel.

    For all p, the p-th quantile of the image's channel becomes the p-th quantile of the
    reference's. L*a*b* is that of CIE 15:2004, section 8.2.1, computed from sRGB, IEC 61966-2-1.
    Colors that sRGB does not have are clipped in each channel.

    Args:
        image: the picture to recolor, uint8 RGB, H x W x 3.
        reference: the other picture, uint8 RGB, of any size.

    Returns:
        uint8 RGB, H x W x 3.

    Raises:
        TypeError: an array that is not uint8.
        ValueError: an array that is not H x W x 3.
    """
    lab, target = rgb_to_lab(_pixels(image)), rgb_to_lab(_pixels(reference))
    matched = [_match_channel(lab[..., channel], target[..., channel]) for channel in range(3)]
    return _rounded(lab_to_rgb(np.stack(matched, axis=-1)))


def _match_channel(values: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Give the values of a channel, H x W, the quantiles of another channel."""
    flat = values.ravel()
    order = np.argsort(flat, kind="stable")
    ranks = np.empty(flat.size)
    ranks[order] = (np.arange(flat.size) + 0.5) / flat.size
    target = np.sort(target.ravel())
    quantiles = np.interp(ranks, (np.arange(target.size) + 0.5) / target.size, target)
    _, inverse, counts = np.unique(flat, return_inverse=True, return_counts=True)
    means = np.bincount(inverse, quantiles) / counts  # equal values stay equal: no new grain
    return means[inverse].reshape(values.shape)
