"""The numbers and options of a training, checked: what its record and its checkpoint say of it."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from .._shared.checks import count, flag, number
from .._shared.checks import layers as checked_layers
from .network import LEAST_SIDE, check_scale
from .network_file import Precision

#: Larger values of crop, batch_size, steps and style_scales are mistakes, and TensorFlow's integers
#: would not hold them.
MOST_CROP, MOST_BATCH, MOST_STEPS, MOST_SCALES = 1 << 14, 1 << 14, 10**9, 16


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of a training; for their meaning see train_transform_net.

    The order of the fields is that of the record in a network's file.

    Attributes:
        width: Filters of the network's first layer.
        residual_blocks: Residual blocks of the network.
        crop: Side of the training pictures in pixels.
        batch_size: Pictures in a batch, on all devices together.
        steps: How many batches the training takes.
        style_size: Longer side of the paintings in pixels.
        network: Name of the feature network.
        pooling: Pooling of the feature network.
        normalize: Whether the filters of the feature network are normalized.
        content_layers: Layers of the content loss, a list or {name: weight}.
        style_layers: Layers of the style loss, a list or {name: weight}.
        content_weight: Weight of the content loss.
        style_weight: Weight of the style loss.
        tv_weight: Weight of the total variation.
        grid_weight: Weight of grid_loss.
        style_scales: At how many sizes the style is compared.
        learning_rate: KernelMuon's learning rate at the start.
        precision: Precision of the convolutions.
        seed: Seeds the first weights, the order of the photos and their crops.
    """

    width: int
    residual_blocks: int
    crop: int
    batch_size: int
    steps: int
    style_size: int
    network: Literal["vgg16", "vgg19"]
    pooling: Literal["avg", "max"]
    normalize: bool
    content_layers: Any
    style_layers: Any
    content_weight: float
    style_weight: float
    tv_weight: float
    grid_weight: float
    style_scales: int
    learning_rate: float
    precision: Precision
    seed: int


def check_settings(given: TrainingSettings) -> TrainingSettings:
    """Return the settings as Python's own types, or raise an error that names the wrong one.

    network, pooling and precision are checked with the weights, by check_extractor.
    """
    width, residual_blocks = check_scale(given.width, given.residual_blocks)
    return replace(
        given,
        width=width,
        residual_blocks=residual_blocks,
        crop=count("crop", given.crop, 2 * LEAST_SIDE, MOST_CROP),
        batch_size=count("batch_size", given.batch_size, 1, MOST_BATCH),
        steps=count("steps", given.steps, 1, MOST_STEPS),
        seed=count("seed", given.seed, 0),
        style_size=count("style_size", given.style_size),
        style_scales=count("style_scales", given.style_scales, 1, MOST_SCALES),
        content_weight=number("content_weight", given.content_weight),
        style_weight=number("style_weight", given.style_weight),
        tv_weight=number("tv_weight", given.tv_weight),
        grid_weight=number("grid_weight", given.grid_weight),
        learning_rate=number("learning_rate", given.learning_rate),
        normalize=flag("normalize", given.normalize),
        content_layers=checked_layers("content_layers", given.content_layers),
        style_layers=checked_layers("style_layers", given.style_layers),
    )
