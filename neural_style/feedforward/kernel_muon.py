"""The optimizer that trains transform networks: KernelMuon for their kernels, Adam for the rest."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from .._shared.types import Tensor

MOMENTUM = 0.95

#: Adam's share of the learning rate, for the scales, the offsets and the last kernel.
ADAM = 1 / 3

#: The root mean square of a kernel's step, in learning rates. Adam's step is as long (Liu et al.
#: 2025, "Muon is Scalable for LLM Training", equation 4).
RMS = 0.2

#: A gradient with larger elements is scaled down to this, so that a float32 can hold the sum of
#: their squares, which the cut to a norm needs. On a crop of one flat color, instance
#: normalizations one after the other make an element 1e18 and more.
LARGEST_GRADIENT = 1e6

#: The polynomial X <- a X + b X X^T X + c (X X^T)^2 X, which takes each singular value from (0, 1]
#: to about 1 in five turns (Jordan et al. 2024, "Muon").
NEWTON_SCHULZ, TURNS = (3.4445, -4.7750, 2.0315), 5


class KernelMuon(keras.optimizers.Adam):
    """Adam whose steps of convolution kernels are orthogonal matrices.

    So every direction that the gradients have agreed on counts alike.

        M <- momentum M + G
        W <- W - learning_rate RMS sqrt(max(m, n)) U V^T,    U S V^T = G + momentum M

    G is the gradient of a kernel as the matrix of m = height x width x channels rows and n =
    filters columns with which it multiplies. keras.optimizers.Muon takes dense layers alone. Adam
    steps the last kernel, of three filters for RGB, and all vectors. A gradient that has left
    float32's range counts as 0. The arguments are those of keras.optimizers.Adam.
    """

    def build(self, variables: Sequence[Any]) -> None:
        """Make the momenta of the kernels, and Adam's variables.

        Args:
            variables: What the optimizer is to train.
        """
        if not self.built:
            super().build(variables)
            self._of_kernels = [
                self.add_variable_from_reference(v, name="muon") if _is_inner_kernel(v) else None
                for v in variables
            ]

    def apply(self, grads: Sequence[Tensor], trainable_variables: Any = None) -> Any:
        """Make one step, with the gradients scaled down into float32's range.

        Args:
            grads: The gradients.
            trainable_variables: The variables that they belong to.
        """
        largest = ops.max(ops.stack([ops.max(ops.abs(g)) for g in grads]))
        scale = ops.minimum(1.0, LARGEST_GRADIENT / largest)
        return super().apply(
            [ops.where(ops.isfinite(largest), scale * g, 0.0) for g in grads], trainable_variables
        )

    def update_step(self, gradient: Tensor, variable: Any, learning_rate: Tensor) -> None:
        """Make the step of one variable.

        Args:
            gradient: Its gradient.
            variable: The variable.
            learning_rate: The learning rate of this step.
        """
        if not _is_inner_kernel(variable):
            super().update_step(gradient, variable, ADAM * learning_rate)
            return
        momentum = self._of_kernels[self._get_variable_index(variable)]
        self.assign(momentum, MOMENTUM * momentum + gradient)
        matrix = ops.reshape(gradient + MOMENTUM * momentum, (-1, variable.shape[-1]))
        scale = RMS * max(matrix.shape) ** 0.5 * ops.cast(learning_rate, variable.dtype)
        self.assign_sub(variable, scale * ops.reshape(orthogonalized(matrix), variable.shape))


def orthogonalized(matrix: Tensor) -> Tensor:
    """Return about U V^T for a matrix U S V^T.

    Its singular values are about 0.7 to 1.2 in place of 1. Those below 0.002 of the matrix' norm
    stay smaller.

    Args:
        matrix: m x n.

    Returns:
        m x n.
    """
    a, b, c = NEWTON_SCHULZ
    wide = matrix.shape[0] < matrix.shape[1]
    x = matrix if wide else ops.transpose(matrix)
    x = x / (ops.sqrt(ops.sum(ops.square(x))) + 1e-7)
    for _ in range(TURNS):
        square = ops.matmul(x, ops.transpose(x))
        x = a * x + ops.matmul(b * square + c * ops.matmul(square, square), x)
    return x if wide else ops.transpose(x)


def _is_inner_kernel(variable: Any) -> bool:
    """Return whether a variable is the kernel of a convolution, but not of the last one, to RGB."""
    return len(variable.shape) == 4 and variable.shape[-1] > 3
