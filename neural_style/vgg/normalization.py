"""Scale VGG's filters so that each has a mean activation of 1 (Gatys et al. 2016, section 2)."""

import logging
import pathlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import keras
import numpy as np

from .._shared.files import whole_or_not
from .._shared.npz import read_npz
from ..images.load import load_image
from .architecture import conv_layers
from .build import _build
from .cache import cache_folder
from .preprocessing import preprocess
from .weights import Weights

logger = logging.getLogger("neural_style")

#: A filter's mean activation counts as at least this share of its layer's mean. Without this floor,
#: a filter that hardly fires on photos would be magnified so much that it drowns the others on a
#: painting.
ACTIVATION_FLOOR = 0.05


def mean_activations(parameters: Weights, pooling: str) -> dict[str, np.ndarray]:
    """Compute the mean activation of each filter over the calibration photos and all positions.

    The means are computed once for a weights file and a pooling, and kept in Keras' cache folder.

    Args:
        parameters: the network's weights.
        pooling: "avg" or "max".

    Returns:
        {layer name: (C,)}, float32.
    """
    cached = (
        cache_folder() / f"{parameters.network}-{parameters.sha256[:16]}-{pooling}-activations.npz"
    )
    means = _cached_means(cached, parameters.network)
    if means is None:
        means = _measured_means(parameters, pooling)
        try:
            with whole_or_not(cached) as file:
                np.savez(file, **means)  # type: ignore[arg-type]
        except OSError as error:
            logger.warning(
                "the mean activations cannot be kept in %s, so each run computes them anew: %s",
                cached.parent,
                error,
            )
    return means


def _cached_means(cached: pathlib.Path, network: str) -> dict[str, np.ndarray] | None:
    """Read mean activations from the cache; None if there are none, or if the file is damaged."""
    shapes = {name: shape[-1:] for name, shape in conv_layers(network).items()}
    try:
        means = read_npz(cached, shapes)
    except FileNotFoundError:
        return None
    except ValueError as error:
        logger.warning("%s is damaged and is computed anew: %s", cached, error)
        return None
    if all(
        np.isfinite(mean).all() and mean.min() >= 0 and mean.max() > 0 for mean in means.values()
    ):
        return means
    logger.warning(
        "%s is damaged and is computed anew: it holds numbers that are no mean activations", cached
    )
    return None


def _measured_means(parameters: Weights, pooling: str) -> dict[str, np.ndarray]:
    """Run the network on the calibration photos and average its activations."""
    names = list(conv_layers(parameters.network))
    model = _build(
        {name: name for name in names}, parameters.network, parameters.layers, pooling, "float32"
    )
    photos = sorted(pathlib.Path(str(files("neural_style") / "calibration")).glob("*.jpg"))
    total: dict[str, Any] = dict.fromkeys(names, 0.0)
    positions = dict.fromkeys(names, 0)
    for photo in photos:
        features = model(preprocess(load_image(photo)))
        for name in names:
            f = keras.ops.convert_to_numpy(features[name]).astype("float64")  # 1 x h x w x C
            total[name] = total[name] + f.sum(axis=(0, 1, 2))
            positions[name] += f.shape[1] * f.shape[2]
    return {name: (total[name] / positions[name]).astype("float32") for name in names}


def normalized(
    convolutions: Mapping[str, tuple[np.ndarray, np.ndarray]], means: Mapping[str, np.ndarray]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Divide each filter by its mean activation m, and multiply the next layer's input by m."""
    normalized, before = {}, np.ones(3, "float32")
    for name, (kernel, bias) in convolutions.items():  # kernel: 3 x 3 x in x out
        m = np.maximum(means[name], ACTIVATION_FLOOR * means[name].mean())
        normalized[name] = kernel * before[:, None] / m, bias / m
        before = m
    return normalized
