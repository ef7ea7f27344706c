"""Scale VGG's filters so that each has a mean activation of 1 (Gatys et al. 2016, section 2)."""

import logging
from importlib.resources import files
from pathlib import Path

import keras
import numpy as np

from .._shared.files import whole_or_not
from .._shared.npz import read_npz
from ..images.load import load_image
from .architecture import conv_layers
from .build import _build
from .cache import cache_folder
from .preprocessing import preprocess

logger = logging.getLogger("neural_style")

#: A filter whose mean activation is below this share of its layer's mean is scaled as if it were at
#: it. Without a floor, a filter that hardly fires on photos would be magnified until it drowned the
#: others on a painting.
ACTIVATION_FLOOR = 0.05


def mean_activations(parameters, pooling):
    """Mean activation of each filter over the calibration photos and all positions: {layer name:
    (C,)}.

    Computed once for a weights file and a pooling, and kept in Keras' cache folder.
    """
    cached = (
        cache_folder() / f"{parameters.network}-{parameters.sha256[:16]}-{pooling}-activations.npz"
    )
    shapes = {name: shape[-1:] for name, shape in conv_layers(parameters.network).items()}
    names = list(shapes)
    try:
        means = read_npz(cached, shapes)
        if all(
            np.isfinite(mean).all() and mean.min() >= 0 and mean.max() > 0
            for mean in means.values()
        ):
            return means
        logger.warning(
            "%s is damaged and is computed anew: it holds numbers that are no mean activations",
            cached,
        )
    except FileNotFoundError:
        pass
    except ValueError as error:
        logger.warning("%s is damaged and is computed anew: %s", cached, error)
    model = _build(
        {name: name for name in names}, parameters.network, parameters.layers, pooling, "float32"
    )
    photos = sorted(Path(files("neural_style") / "calibration").glob("*.jpg"))
    total, positions = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0)
    for photo in photos:
        features = model(preprocess(load_image(photo)))
        for name in names:
            f = keras.ops.convert_to_numpy(features[name]).astype("float64")  # 1 x h x w x C
            total[name] = total[name] + f.sum(axis=(0, 1, 2))
            positions[name] += f.shape[1] * f.shape[2]
    means = {name: (total[name] / positions[name]).astype("float32") for name in names}
    try:
        with whole_or_not(cached) as file:
            np.savez(file, **means)
    except OSError as error:
        logger.warning(
            "the mean activations cannot be kept in %s, so each run computes them anew: %s",
            cached.parent,
            error,
        )
    return means


def _normalize(convolutions, means):
    """Divide each filter by its mean activation m, with a floor, and take the factor back in the
    next layer's input.
    """
    normalized, before = {}, np.ones(3, "float32")
    for name, (kernel, bias) in convolutions.items():  # kernel: 3 x 3 x in x out
        m = np.maximum(means[name], ACTIVATION_FLOOR * means[name].mean())
        normalized[name] = kernel * before[:, None] / m, bias / m
        before = m
    return normalized
