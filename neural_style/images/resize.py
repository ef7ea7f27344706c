"""Resize pictures, float arrays and maps."""

import numpy as np
from PIL import Image


def resize(picture: Image.Image | np.ndarray, width_height: tuple[int, int]) -> Image.Image:
    """Resize a picture to exactly (width, height) by Lanczos' filter.

    Args:
        picture: a PIL.Image or a uint8 array, H x W x 3.
        width_height: the new (width, height), in pixels.

    Returns:
        A PIL.Image.
    """
    picture = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    return (
        picture
        if picture.size == tuple(width_height)
        else picture.resize(width_height, Image.Resampling.LANCZOS)
    )


def resize_pixels(pixels: np.ndarray, width_height: tuple[int, int]) -> np.ndarray:
    """Resize a float picture to exactly (width, height) by Lanczos' filter, without rounding.

    Args:
        pixels: a float array from 0 to 255, H x W x C.
        width_height: the new (width, height), in pixels.

    Returns:
        A float array, height x width x C, clipped to 0-255.
    """
    return (
        pixels
        if pixels.shape[1::-1] == tuple(width_height)
        else np.clip(resize_channels(pixels, width_height), 0, 255)
    )


def resize_channels(pixels: np.ndarray, width_height: tuple[int, int]) -> np.ndarray:
    """Resize each channel of a float array by Lanczos' filter, which may over- and undershoot."""
    return np.stack(
        [
            np.asarray(
                Image.fromarray(np.ascontiguousarray(channel, "float32")).resize(
                    width_height, Image.Resampling.LANCZOS
                )
            )
            for channel in np.moveaxis(pixels, -1, 0)
        ],
        axis=-1,
    )


def resize_map(values: np.ndarray, width_height: tuple[int, int]) -> np.ndarray:
    """Resize a map of numbers to exactly (width, height), by means where the map becomes smaller.

    Args:
        values: a float array, H x W.
        width_height: the new (width, height), in pixels.

    Returns:
        A float array, height x width.
    """
    if values.shape == tuple(width_height)[::-1]:
        return values
    resized = Image.fromarray(np.asarray(values, "float32")).resize(
        width_height, Image.Resampling.BILINEAR
    )
    return np.round(np.asarray(resized), 6)  # a map that is 1 everywhere stays exactly 1


def fitted_size(width_height: tuple[int, int], size: int) -> tuple[int, int]:
    """Scale (width, height) so that the longer side is `size`; no side falls below 1."""
    scale = size / max(width_height)
    width, height = (max(1, round(side * scale)) for side in width_height)
    return width, height
