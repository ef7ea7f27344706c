"""The borders of convolutions in networks that paint."""

from typing import Any, TypeAlias

import keras
from keras import layers, ops

from .._shared.types import Tensor

#: The shape of a batch; None stands for what is not known.
Shape: TypeAlias = tuple[int | None, ...]


@keras.saving.register_keras_serializable("neural_style")
class ReflectionPadding2D(layers.Layer):
    """Mirror a picture at its border, without repeating the border itself.

    Zeros would give the picture a dark rim.

    Args:
        padding: How many pixels are added at each side.
        **kwargs: Of keras.layers.Layer.
    """

    def __init__(self, padding: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding = padding

    def call(self, x: Tensor) -> Tensor:
        """Return the padded batch.

        Args:
            x: B x H x W x C.
        """
        return ops.pad(
            x,
            [[0, 0], [self.padding, self.padding], [self.padding, self.padding], [0, 0]],
            mode="reflect",
        )

    def compute_output_shape(self, shape: Shape) -> Shape:
        """Return the shape of the padded batch.

        Args:
            shape: Of the batch.
        """
        return (shape[0], *(side and side + 2 * self.padding for side in shape[1:3]), shape[3])

    def get_config(self) -> dict[str, Any]:
        """Return what Keras needs to make the layer again."""
        return {**super().get_config(), "padding": self.padding}
