"""The transform network: its layers, and how it is built."""

import keras
import numpy as np
from keras import layers, ops

from .._shared.checks import choice, count
from ..vgg.build import PRECISIONS

#: The least height and width that the network's reflections at a quarter of the size allow.
LEAST_SIDE = 16


#: Factor of the last layer's first weights: with more, its tanh starts saturated, and the network
#: learns to paint one flat colour and stays.
LAST = 0.1


#: Of instance normalisation. On a flat crop, each normalisation multiplies the gradient by
#: epsilon^(-1/2): with the usual 1e-5 fifteen of them leave float32's range.
EPSILON = 1e-3


#: The widest and the deepest network, the most numbers in its weights, and bytes of its
#: configuration: a file with more is no network of ours.
MOST_WIDTH, MOST_BLOCKS, MOST_NUMBERS, MOST_CONFIG = 128, 32, 1 << 25, 1 << 20


@keras.saving.register_keras_serializable("neural_style")
class ReflectionPadding2D(layers.Layer):
    """Mirror the picture at its border, so many pixels wide, the border itself not repeated: no
    dark rim as with zeros.
    """

    def __init__(self, padding=1, **kwargs):
        super().__init__(**kwargs)
        self.padding = padding

    def call(self, x):
        return ops.pad(
            x,
            [[0, 0], [self.padding, self.padding], [self.padding, self.padding], [0, 0]],
            mode="reflect",
        )

    def compute_output_shape(self, shape):
        return (shape[0], *(side and side + 2 * self.padding for side in shape[1:3]), shape[3])

    def get_config(self):
        return {**super().get_config(), "padding": self.padding}


@keras.saving.register_keras_serializable("neural_style")
class CropToMatch(layers.Layer):
    """(x, like) -> x cut to the height and width of `like`: sizes that are no multiple of 4 come
    out of the upsampling larger.
    """

    def call(self, pair):
        x, like = pair
        return x[:, : ops.shape(like)[1], : ops.shape(like)[2]]

    def compute_output_shape(self, shapes):
        return (*shapes[1][:3], shapes[0][3])


class ConditionalInstanceNormalization(layers.Layer):
    """(x, shares) -> x normalised, then scaled and moved as the styles do in their shares: Dumoulin
    et al. 2017, equation 5.

        z = gamma (x - mean) / std + beta,   gamma = sum_s share_s gamma_s,   beta = sum_s share_s beta_s

    x: B x H x W x C, shares: B x styles.
    """

    def __init__(self, styles, gamma_initializer="ones", **kwargs):
        super().__init__(**kwargs)
        self.styles, self.gamma_initializer = styles, gamma_initializer
        self.normalize = layers.GroupNormalization(
            groups=-1, epsilon=EPSILON, center=False, scale=False, dtype=self.dtype_policy
        )

    def build(self, shapes):
        x, _ = shapes
        self.gamma = self.add_weight((self.styles, x[-1]), self.gamma_initializer, name="gamma")
        self.beta = self.add_weight((self.styles, x[-1]), "zeros", name="beta")
        self.normalize.build(x)

    def call(self, pair):
        x, shares = pair
        gamma, beta = (
            ops.matmul(shares, ops.cast(of_styles, shares.dtype))[:, None, None]
            for of_styles in (self.gamma, self.beta)
        )
        return self.normalize(x) * gamma + beta

    def compute_output_shape(self, shapes):
        return shapes[0]


@keras.saving.register_keras_serializable("neural_style")
class TransformNet(keras.Model):
    """RGB, B x H x W x 3, 0 to 255, to the same, painted; made by build_transform_net.

    width, residual_blocks, precision: as given there. record: a dict of what the network was
    trained on and how; it is part of the saved file.
    """

    def __init__(
        self,
        width,
        residual_blocks,
        precision="float32",
        record=None,
        name="transform_net",
        **kwargs,
    ):
        inputs, outputs = _graph(width, residual_blocks, PRECISIONS[precision])
        super().__init__(inputs, outputs, name=name, **kwargs)
        self.width, self.residual_blocks, self.precision, self.record = (
            width,
            residual_blocks,
            precision,
            dict(record or {}),
        )

    def get_config(self):
        return {
            "width": self.width,
            "residual_blocks": self.residual_blocks,
            "precision": self.precision,
            "record": dict(self.record),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


def build_transform_net(width=32, residual_blocks=5, *, precision="float32", record=None, seed=0):
    """The network of Johnson et al.'s supplement, table 1, untrained.

        9 x 9 convolution, `width` filters        3 x 3 with stride 2, 2 `width`        3 x 3 with stride 2, 4 `width`
        residual blocks: 3 x 3, 3 x 3, the input added, 4 `width`
        upsampling, 3 x 3, 2 `width`              upsampling, 3 x 3, `width`             9 x 9, 3 filters, tanh scaled to 0-255

    Departures, each for the picture's sake: instance normalisation in place of batch normalisation;
    reflections at the border of every convolution in place of 40 pixels at the start; upsampling to
    nearest neighbours and a convolution in place of transposed convolutions, whose overlaps leave a
    checkerboard (Odena et al. 2016). Any height and width from 16.

    Args:
        width: filters of the first layer, at most 128: 32 in the paper; 16 needs a quarter of the
            operations.
        residual_blocks: 5 in the paper, at most 32.
        precision: "float32", or "bfloat16" for the convolutions.
        record: dict, kept in the saved file. seed: of the initial weights.

    Returns:
        A keras.Model, RGB 0-255, B x H x W x 3 -> float32 RGB 0-255, B x H x W x 3.
    """
    width, residual_blocks = check_scale(width, residual_blocks)
    choice("precision", precision, PRECISIONS)
    net = TransformNet(width, residual_blocks, precision, record)
    rng = np.random.default_rng(count("seed", seed, 0))
    weights = [_glorot(w.shape, rng) if w.ndim == 4 else w for w in net.get_weights()]
    weights[-2] *= LAST  # the last kernel
    net.set_weights(weights)
    return net


def check_scale(width, residual_blocks):
    """(width, residual_blocks) as ints, or a ValueError: no network of them is read again."""
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


def numbers_in(width, residual_blocks):
    """How many numbers the weights of a network have."""
    chain = [
        (9, 3, width),
        (3, width, 2 * width),
        (3, 2 * width, 4 * width),
        *[(3, 4 * width, 4 * width)] * (2 * residual_blocks),
        (3, 4 * width, 2 * width),
        (3, 2 * width, width),
        (9, width, 3),
    ]  # kernel, channels in, channels out
    return (
        sum(kernel**2 * before * after + 3 * after for kernel, before, after in chain) - 2 * 3
    )  # the last has no normalization


def _glorot(shape, rng):
    """A kernel of Glorot and Bengio 2010, equation 16; NumPy's, so that every backend of Keras
    starts from the same.
    """
    limit = np.sqrt(6 / (shape[0] * shape[1] * (shape[2] + shape[3])))
    return rng.uniform(-limit, limit, shape).astype("float32")


def _graph(width, residual_blocks, dtype, styles=None):
    """(input, output) of the network; of one for several styles, the inputs are the picture and the
    shares.
    """

    def convolve(x, filters, kernel, stride=1):
        x = ReflectionPadding2D(kernel // 2, dtype=dtype)(x)
        return layers.Conv2D(filters, kernel, stride, dtype=dtype, data_format="channels_last")(x)

    def normalized(x, **options):
        if styles is None:
            return layers.GroupNormalization(groups=-1, epsilon=EPSILON, dtype=dtype, **options)(x)
        return ConditionalInstanceNormalization(styles, dtype=dtype, **options)([x, shares])

    def block(x, filters, kernel, stride=1):
        return layers.ReLU(dtype=dtype)(normalized(convolve(x, filters, kernel, stride)))

    inputs = keras.Input((None, None, 3), name="image", dtype="float32")
    shares = styles and keras.Input((styles,), name="shares", dtype="float32")
    x = layers.Rescaling(1 / 127.5, -1, dtype=dtype)(inputs)
    x = block(x, width, 9)
    x = block(x, 2 * width, 3, stride=2)
    x = block(x, 4 * width, 3, stride=2)
    for _ in range(residual_blocks):
        change = convolve(block(x, 4 * width, 3), 4 * width, 3)
        x = layers.Add(dtype=dtype)(
            [x, normalized(change, gamma_initializer="zeros")]
        )  # at first, no change: it learns sooner
    for filters in (2 * width, width):
        x = block(
            layers.UpSampling2D(2, "channels_last", interpolation="nearest", dtype=dtype)(x),
            filters,
            3,
        )
    x = layers.Activation("tanh", dtype="float32")(convolve(x, 3, 9))
    x = layers.Rescaling(127.5, 127.5, dtype="float32")(x)
    return inputs if styles is None else [inputs, shares], CropToMatch(dtype="float32")([x, inputs])
