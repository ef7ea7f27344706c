"""The transform network: its layers, and how it is built."""

from typing import Any, Literal

import keras
import numpy as np
from keras import layers

from .._shared.checks import choice, count
from .._shared.types import Tensor
from ..universal.reflection import ReflectionPadding2D
from ..vgg.build import PRECISIONS
from .network_layers import EPSILON, ConditionalInstanceNormalization, CropToMatch

#: The least height and width that the network's reflections at a quarter of the size allow.
LEAST_SIDE = 16

#: Factor of the last layer's first weights. With larger weights its tanh starts saturated, and the
#: network learns to paint one flat color and stays there.
LAST_LAYER_SCALE = 0.1

#: The widest and the deepest network, the most numbers in its weights, and the most bytes of its
#: configuration. A file with more is no network of ours.
MOST_WIDTH, MOST_BLOCKS, MOST_NUMBERS, MOST_CONFIG = 128, 32, 1 << 25, 1 << 20


@keras.saving.register_keras_serializable("neural_style")
class TransformNet(keras.Model):
    """A network that paints pictures; build_transform_net makes one.

    It takes RGB 0 to 255, B x H x W x 3, and gives the same, painted.

    Args:
        width: Filters of the first layer.
        residual_blocks: How many residual blocks there are.
        precision: "float32", or "bfloat16" for the convolutions.
        record: What the network was trained on and how. It is part of the saved file.
        name: Of the Keras model.
        **kwargs: Of keras.Model.

    Attributes:
        record: A dict, as given.
    """

    def __init__(
        self,
        width: int,
        residual_blocks: int,
        precision: str = "float32",
        record: dict[str, Any] | None = None,
        name: str = "transform_net",
        **kwargs: Any,
    ) -> None:
        inputs, outputs = _graph(width, residual_blocks, PRECISIONS[precision])
        super().__init__(inputs, outputs, name=name, **kwargs)
        self.width, self.residual_blocks, self.precision, self.record = (
            width,
            residual_blocks,
            precision,
            dict(record or {}),
        )

    def get_config(self) -> dict[str, Any]:
        """Return what Keras needs to build the network again, the record among it."""
        return {
            "width": self.width,
            "residual_blocks": self.residual_blocks,
            "precision": self.precision,
            "record": dict(self.record),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "TransformNet":
        """Build the network of a configuration.

        Args:
            config: From get_config.
            custom_objects: Not used.
        """
        return cls(**config)


def build_transform_net(
    width: int = 32,
    residual_blocks: int = 5,
    *,
    precision: Literal["float32", "bfloat16"] = "float32",
    record: dict[str, Any] | None = None,
    seed: int = 0,
) -> TransformNet:
    """Build the network of Johnson et al.'s supplement, table 1, untrained.

        9 x 9 convolution, `width` filters
        3 x 3 with stride 2, 2 `width`
        3 x 3 with stride 2, 4 `width`
        residual blocks: 3 x 3, 3 x 3, the input added, 4 `width`
        upsampling, 3 x 3, 2 `width`
        upsampling, 3 x 3, `width`
        9 x 9, 3 filters, tanh scaled to 0-255

    Departures, each for the picture's sake: instance normalization in place of batch normalization;
    reflections at the border of every convolution in place of 40 pixels at the start; upsampling to
    nearest neighbors and a convolution in place of transposed convolutions, whose overlaps leave a
    checkerboard (Odena et al. 2016). The network takes any height and width from 16.

    Args:
        width: Filters of the first layer, at most 128. The paper has 32; 16 needs a quarter of the
            operations.
        residual_blocks: Residual blocks, at most 32. The paper has 5.
        precision: "float32", or "bfloat16" for the convolutions.
        record: What the saved file is to say of the network.
        seed: Seeds the first weights.

    Returns:
        A keras.Model, RGB 0-255, B x H x W x 3 -> float32 RGB 0-255, B x H x W x 3.

    Raises:
        ValueError: An argument is out of its range.
    """
    width, residual_blocks = check_scale(width, residual_blocks)
    choice("precision", precision, PRECISIONS)
    net = TransformNet(width, residual_blocks, precision, record)
    rng = np.random.default_rng(count("seed", seed, 0))
    weights = [_glorot(w.shape, rng) if w.ndim == 4 else w for w in net.get_weights()]
    weights[-2] *= LAST_LAYER_SCALE  # the last kernel
    net.set_weights(weights)
    return net


def check_scale(width: Any, residual_blocks: Any) -> tuple[int, int]:
    """Return (width, residual_blocks) as ints; refuse a network that is too large to be loaded.

    Args:
        width: Filters of the first layer.
        residual_blocks: Residual blocks.

    Raises:
        ValueError: A number is out of its range.
    """
    width, residual_blocks = (
        count("width", width, most=MOST_WIDTH),
        count("residual_blocks", residual_blocks, 0, MOST_BLOCKS),
    )
    if numbers_in(width, residual_blocks) > MOST_NUMBERS:
        raise ValueError(
            f"width and residual_blocks must make a network of at most {MOST_NUMBERS:,} numbers."
            f" Received: width={width}, residual_blocks={residual_blocks},"
            f" {numbers_in(width, residual_blocks):,} numbers"
        )
    return width, residual_blocks


def numbers_in(width: int, residual_blocks: int) -> int:
    """Return how many numbers the weights of a network have.

    Args:
        width: Filters of the first layer.
        residual_blocks: Residual blocks.
    """
    chain = [
        (9, 3, width),
        (3, width, 2 * width),
        (3, 2 * width, 4 * width),
        *[(3, 4 * width, 4 * width)] * (2 * residual_blocks),
        (3, 4 * width, 2 * width),
        (3, 2 * width, width),
        (9, width, 3),
    ]  # kernel, channels in, channels out
    with_normalizations = sum(
        kernel**2 * before * after + 3 * after for kernel, before, after in chain
    )
    return with_normalizations - 2 * 3  # the last convolution has none


def _glorot(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Return a kernel of Glorot and Bengio 2010, equation 16.

    NumPy draws it, so that every backend of Keras starts from the same numbers.
    """
    limit = np.sqrt(6 / (shape[0] * shape[1] * (shape[2] + shape[3])))
    return rng.uniform(-limit, limit, shape).astype("float32")


def _graph(
    width: int, residual_blocks: int, dtype: Any, styles: int | None = None
) -> tuple[Any, Tensor]:
    """Return (input, output) of the network; with `styles`, its inputs are (picture, shares)."""

    def convolve(x: Tensor, filters: int, kernel: int, stride: int = 1) -> Tensor:
        x = ReflectionPadding2D(kernel // 2, dtype=dtype)(x)
        return layers.Conv2D(filters, kernel, stride, dtype=dtype, data_format="channels_last")(x)

    def normalized(x: Tensor, **options: Any) -> Tensor:
        if styles is None:
            return layers.GroupNormalization(groups=-1, epsilon=EPSILON, dtype=dtype, **options)(x)
        return ConditionalInstanceNormalization(styles, dtype=dtype, **options)([x, shares])

    def block(x: Tensor, filters: int, kernel: int, stride: int = 1) -> Tensor:
        return layers.ReLU(dtype=dtype)(normalized(convolve(x, filters, kernel, stride)))

    inputs = keras.Input((None, None, 3), name="image", dtype="float32")
    shares = styles and keras.Input((styles,), name="shares", dtype="float32")
    x = layers.Rescaling(1 / 127.5, -1, dtype=dtype)(inputs)
    x = block(x, width, 9)
    x = block(x, 2 * width, 3, stride=2)
    x = block(x, 4 * width, 3, stride=2)
    for _ in range(residual_blocks):
        change = convolve(block(x, 4 * width, 3), 4 * width, 3)
        # at first a block changes nothing: the network learns sooner so
        x = layers.Add(dtype=dtype)([x, normalized(change, gamma_initializer="zeros")])
    for filters in (2 * width, width):
        x = block(
            layers.UpSampling2D(2, "channels_last", interpolation="nearest", dtype=dtype)(x),
            filters,
            3,
        )
    x = layers.Activation("tanh", dtype="float32")(convolve(x, 3, 9))
    x = layers.Rescaling(127.5, 127.5, dtype="float32")(x)
    return inputs if styles is None else [inputs, shares], CropToMatch(dtype="float32")([x, inputs])
