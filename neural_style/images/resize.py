"""Resize pictures, float arrays and maps."""

import numpy as np
from PIL import Image


def resize(picture, width_height):
    """Resize a PIL.Image or uint8 array to exactly (width, height) by Lanczos' filter; returns a
    PIL.Image.
    """
    picture = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    return (
        picture
        if picture.size == tuple(width_height)
        else picture.resize(width_height, Image.LANCZOS)
    )


def resize_pixels(pixels, width_height):
    """resize for a float array, H x W x C, which is not rounded."""
    return (
        pixels
        if pixels.shape[1::-1] == tuple(width_height)
        else np.clip(_by_channels(pixels, width_height), 0, 255)
    )


def _by_channels(pixels, width_height):
    """Each channel of a float array resized by Lanczos' filter, which may go below and above what
    there was.
    """
    return np.stack(
        [
            np.asarray(
                Image.fromarray(np.ascontiguousarray(channel, "float32")).resize(
                    width_height, Image.LANCZOS
                )
            )
            for channel in np.moveaxis(pixels, -1, 0)
        ],
        axis=-1,
    )


def resize_map(values, width_height):
    """Resize a float array, H x W, to exactly (width, height), by means where it becomes smaller."""
    if values.shape == tuple(width_height)[::-1]:
        return values
    resized = Image.fromarray(np.asarray(values, "float32")).resize(width_height, Image.BILINEAR)
    return np.round(np.asarray(resized), 6)  # so that what is 1 everywhere stays 1


def fitted_size(width_height, size):
    """(width, height) with the longer side `size` and the aspect ratio kept; no side below 1."""
    scale = size / max(width_height)
    return tuple(max(1, round(side * scale)) for side in width_height)
