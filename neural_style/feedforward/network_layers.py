"""The Keras layers that the transform network is made of."""

from typing import Any

import keras
from keras import layers, ops

from .._shared.types import Tensor
from ..universal.reflection import Shape

#: Added to the variance of an instance normalization. On a flat crop, each normalization multiplies
#: the gradient by EPSILON^(-1/2): with the usual 1e-5, fifteen of them leave float32's range.
EPSILON = 1e-3


@keras.saving.register_keras_serializable("neural_style")
class CropToMatch(layers.Layer):
    """Cut x to the height and width of `like`, for a pair (x, like).

    A picture whose sides are no multiples of 4 is larger after the upsampling.
    """

    def call(self, pair: tuple[Tensor, Tensor]) -> Tensor:
        """Return x, cut.

        Args:
            pair: (x, like), each B x H x W x C.
        """
        x, like = pair
        return x[:, : ops.shape(like)[1], : ops.shape(like)[2]]

    def compute_output_shape(self, shapes: tuple[Shape, Shape]) -> Shape:
        """Return the shape of x after the cut.

        Args:
            shapes: Of x and like.
        """
        return (*shapes[1][:3], shapes[0][3])


class ConditionalInstanceNormalization(layers.Layer):
    """Normalize x, then scale and move it by a mixture of styles, for a pair (x, shares).

    Dumoulin et al. 2017, equation 5:

        z = gamma (x - mean) / std + beta
        gamma = sum_s share_s gamma_s,   beta = sum_s share_s beta_s

    x: B x H x W x C, shares: B x styles.

    Args:
        styles: How many styles there are.
        gamma_initializer: Of the scales, one of Keras' initializers.
        **kwargs: Of keras.layers.Layer.
    """

    def __init__(self, styles: int, gamma_initializer: str = "ones", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.styles, self.gamma_initializer = styles, gamma_initializer
        self.normalize = layers.GroupNormalization(
            groups=-1, epsilon=EPSILON, center=False, scale=False, dtype=self.dtype_policy
        )

    def build(self, shapes: tuple[Shape, Shape]) -> None:
        """Make the scales and offsets, styles x C each.

        Args:
            shapes: Of x and the shares.
        """
        x, _ = shapes
        self.gamma = self.add_weight((self.styles, x[-1]), self.gamma_initializer, name="gamma")
        self.beta = self.add_weight((self.styles, x[-1]), "zeros", name="beta")
        self.normalize.build(x)

    def call(self, pair: tuple[Tensor, Tensor]) -> Tensor:
        """Return z, B x H x W x C.

        Args:
            pair: (x, shares).
        """
        x, shares = pair
        gamma, beta = (
            ops.matmul(shares, ops.cast(of_styles, shares.dtype))[:, None, None]
            for of_styles in (self.gamma, self.beta)
        )
        return self.normalize(x) * gamma + beta

    def compute_output_shape(self, shapes: tuple[Shape, Shape]) -> Shape:
        """Return the shape of z, which is x's.

        Args:
            shapes: Of x and the shares.
        """
        return shapes[0]
