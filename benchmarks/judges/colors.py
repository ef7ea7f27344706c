"""The distance of two histograms of colors."""

import numpy as np
from PIL import Image

#: Bins of each side of a histogram, and the width of a pixel's share in them.
BINS, SIGMA = 64, 0.02

#: Side in pixels to which larger pictures are squeezed.
SIDE = 256

EPSILON = 1e-6


def colors(photo: np.ndarray, painting: np.ndarray, result: np.ndarray) -> float:
    """The Hellinger distance of the RGB-uv histograms of result and painting, from 0 to 1.

    Afifi, Brubaker and Brown 2021, "HistoGAN", equations 1 to 4. It sees which colors there are and
    how much of each, brighter ones counting for more; not where they are.
    """
    h, g = (histogram(image) for image in (result, painting))
    return float(np.sqrt(np.square(np.sqrt(h) - np.sqrt(g)).sum() / 2))


def histogram(image: np.ndarray) -> np.ndarray:
    """The RGB-uv histogram of a picture, 3 x BINS x BINS, its sum 1.

    For each channel c and the other two, a and b: u = log(I_c / I_a), v = log(I_c / I_b). Each
    pixel adds its brightness |I|, shared among the bins by 1 / (1 + (distance / SIGMA)^2).

    Args:
        image: uint8 RGB, H x W x 3.
    """
    if max(image.shape[:2]) > SIDE:
        resized = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        image = np.asarray(resized)
    pixels = image.reshape(-1, 3) / 255  # N x 3
    brightness = np.sqrt(np.square(pixels).sum(axis=1) + EPSILON)
    logs, centers = np.log(pixels + EPSILON), np.linspace(-3, 3, BINS)
    found = []
    for channel, (a, b) in enumerate(((1, 2), (0, 2), (0, 1))):
        near = [
            1 / (1 + np.square((logs[:, channel, None] - logs[:, other, None] - centers) / SIGMA))
            for other in (a, b)
        ]  # N x BINS each
        found.append((brightness[:, None] * near[0]).T @ near[1])
    return np.array(found) / (np.sum(found) + EPSILON)
