"""Convert pictures to VGG's input, float32 BGR minus ImageNet's mean, and back."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

#: The mean of the ImageNet training pixels: blue, green and red, on the scale 0 to 255. VGG was
#: trained on pixels minus this mean.
IMAGENET_MEAN_BGR = np.array([103.939, 116.779, 123.68], "float32")

#: Rows of a picture that are converted at once.
ROWS = 256


def preprocess(image: npt.ArrayLike) -> np.ndarray:
    """Convert a picture to the input of VGG.

    The arithmetic is that of keras.applications.vgg16.preprocess_input, on a copy of the picture.

    Args:
        image: RGB from 0 to 255, H x W x 3: uint8, or floats for a picture that must not be
            rounded.

    Returns:
        float32 BGR minus ImageNet's mean, 1 x H x W x 3.

    Raises:
        ValueError: the array is not H x W x 3.
    """
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[-1] != 3:
        raise ValueError(f"image must be an RGB array, H x W x 3. Received: shape {image.shape}")
    return image[None, :, :, ::-1].astype("float32") - IMAGENET_MEAN_BGR


def deprocess(x: npt.ArrayLike, shape: Sequence[int] | None = None) -> np.ndarray:
    """Convert VGG's input back to a picture: the inverse of preprocess.

    Args:
        x: BGR minus ImageNet's mean: 1 x H x W x 3 or H x W x 3, or a flat vector together with
            `shape`.
        shape: the shape of x, if x is flat.

    Returns:
        uint8 RGB, H x W x 3, rounded and clipped to 0-255.

    Raises:
        ValueError: x has another shape, or values that are not finite.
    """
    array = _picture_of(x, shape)
    return _by_rows(array, "uint8", lambda rows: np.rint(_pixels(rows)))


def pixels_of(
    x: npt.ArrayLike, shape: Sequence[int] | None = None, x_dtype: str | None = "float32"
) -> np.ndarray:
    """Convert VGG's input back to a picture, as deprocess does, but without rounding.

    Args:
        x: BGR minus ImageNet's mean: 1 x H x W x 3 or H x W x 3, or a flat vector together with
            `shape`.
        shape: the shape of x, if x is flat.
        x_dtype: the dtype of the result; None keeps the dtype of the computation.

    Returns:
        RGB, H x W x 3, clipped to 0-255.

    Raises:
        ValueError: x has another shape, or values that are not finite.
    """
    array = _picture_of(x, shape)
    dtype = np.result_type(array, IMAGENET_MEAN_BGR) if x_dtype is None else x_dtype
    return _by_rows(array, dtype, _pixels)


def _picture_of(x: npt.ArrayLike, shape: Sequence[int] | None) -> np.ndarray:
    """x as H x W x 3, checked."""
    array: np.ndarray = np.asarray(x)
    array = array.reshape(array.shape if shape is None else shape)
    array = array[0] if array.ndim == 4 and len(array) == 1 else array
    if array.ndim != 3 or array.shape[-1:] != (3,):
        raise ValueError(
            f"x must be 1 x H x W x 3 (or flat, with its shape). Received: shape {array.shape}"
        )
    if not all(np.isfinite(row).all() for row in array):
        raise ValueError("x must be finite to become a picture. Received: NaN or infinite values")
    return array


def _pixels(rows: np.ndarray) -> np.ndarray:
    return np.clip(rows + IMAGENET_MEAN_BGR, 0, 255)[:, :, ::-1]


def _by_rows(array: np.ndarray, dtype: Any, function: Callable[[np.ndarray], Any]) -> np.ndarray:
    """function(rows) for a few rows at a time: it needs no second copy of a large picture."""
    result = np.empty(array.shape, dtype)
    for top in range(0, len(array), ROWS):
        result[top : top + ROWS] = function(array[top : top + ROWS])
    return result
