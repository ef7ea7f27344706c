"""Functions of tensors that bring their own gradient."""

from collections.abc import Callable
from typing import Any

from keras import ops

from .._shared.types import Tensor


def custom_gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """keras.ops.custom_gradient, with a gradient that is called alike on all backends.

    Keras passes the upstream gradient by place on TensorFlow and JAX, and by name on PyTorch.

    Args:
        function: Tensors -> (value, gradient), where gradient(upstream) gives dL/dx for each of the
            tensors, from dL/dvalue.

    Returns:
        Tensors -> value.
    """

    @ops.custom_gradient
    def value_with_gradient(*tensors: Tensor) -> Any:
        value, gradient = function(*tensors)

        def called(*by_place: Tensor, upstream: Tensor = None) -> Any:
            return gradient(by_place[0] if upstream is None else upstream)

        return value, called

    return value_with_gradient
