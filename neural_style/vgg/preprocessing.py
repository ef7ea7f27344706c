"""A picture as VGG takes it: uint8 RGB to float32 BGR minus ImageNet's mean, and back."""

import numpy as np

#: Mean of the ImageNet training pixels, blue, green, red, on the scale 0 to 255. VGG was trained on
#: pixels minus it.
IMAGENET_MEAN_BGR = np.array([103.939, 116.779, 123.68], "float32")


def preprocess(image):
    """uint8 RGB, H x W x 3 -> float32 BGR minus ImageNet's mean, 1 x H x W x 3: the input of VGG.

    The same arithmetic as keras.applications.vgg16.preprocess_input, on a copy. Floats on the scale
    0 to 255 are taken too, for pictures that are not to be rounded.
    """
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[-1] != 3:
        raise ValueError(f"image must be an RGB array, H x W x 3. Received: shape {image.shape}")
    return image[None, :, :, ::-1].astype("float32") - IMAGENET_MEAN_BGR


def deprocess(x, shape=None):
    """The inverse of preprocess: BGR minus the mean -> uint8 RGB, H x W x 3, rounded and cut to
    0-255.

    Args:
        x: 1 x H x W x 3 or H x W x 3, or a flat vector together with `shape`.
        shape: shape of x, where x is flat.
    """
    return np.rint(pixels_of(x, shape, x_dtype=None)).astype("uint8")


def pixels_of(x, shape=None, x_dtype="float32"):
    """deprocess without the rounding: RGB, H x W x 3, cut to 0-255, float32 unless x_dtype says
    otherwise (None: that of x).
    """
    x = np.asarray(x)
    x = x.reshape(x.shape if shape is None else shape)
    x = x[0] if x.ndim == 4 and x.shape[0] == 1 else x
    if x.ndim != 3 or x.shape[-1] != 3:
        raise ValueError(
            f"x must be 1 x H x W x 3 (or flat, with its shape). Received: shape {x.shape}"
        )
    if not np.isfinite(x).all():
        raise ValueError("x must be finite to become a picture. Received: NaN or infinite values")
    pixels = np.clip(x + IMAGENET_MEAN_BGR, 0, 255)[:, :, ::-1]
    return np.ascontiguousarray(pixels, x_dtype)
