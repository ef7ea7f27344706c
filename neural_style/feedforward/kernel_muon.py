"""The optimiser that trains transform networks: KernelMuon for their kernels, Adam for the rest."""

import keras
from keras import ops

MOMENTUM = 0.95


#: Adam's share of the learning rate: of the scales, the offsets and the last kernel.
ADAM = 1 / 3


#: The root mean square of a kernel's step, in learning rates: Adam's is as long (Liu et al. 2025,
#: "KernelMuon is Scalable for LLM Training", equation 4).
RMS = 0.2


#: A gradient with larger elements is brought down to this: the sum of their squares must be a
#: float32, for what cuts it to a norm. On a crop of one flat colour, instance normalisations one
#: after the other make it 1e18 and more.
LARGEST = 1e6


#: Of X <- a X + b X X^T X + c (X X^T)^2 X, which takes each singular value from (0, 1] to about 1
#: in five turns (Jordan et al. 2024, "Muon").
A, B, C, TURNS = 3.4445, -4.7750, 2.0315, 5


class KernelMuon(keras.optimizers.Adam):
    """Adam whose steps of convolution kernels are orthogonal matrices: every direction that the
    gradients have agreed on counts alike.

        M <- momentum M + G        W <- W - learning_rate RMS sqrt(max(m, n)) U V^T,    U S V^T = G + momentum M

    for the gradient G of a kernel, as the matrix of m = height x width x channels rows and n =
    filters columns that it multiplies with. keras.optimizers.Muon takes dense layers alone. The
    last kernel, of three filters for RGB, is Adam's, as are all vectors. A gradient that has left
    float32's range counts as 0.
    """

    def build(self, variables):
        if not self.built:
            super().build(variables)
            self._of_kernels = [
                self.add_variable_from_reference(v, name="muon") if _is_inner_kernel(v) else None
                for v in variables
            ]

    def apply(self, grads, trainable_variables=None):
        largest = ops.max(ops.stack([ops.max(ops.abs(g)) for g in grads]))
        scale = ops.minimum(1.0, LARGEST / largest)
        return super().apply(
            [ops.where(ops.isfinite(largest), scale * g, 0.0) for g in grads], trainable_variables
        )

    def update_step(self, gradient, variable, learning_rate):
        if not _is_inner_kernel(variable):
            return super().update_step(gradient, variable, ADAM * learning_rate)
        momentum = self._of_kernels[self._get_variable_index(variable)]
        self.assign(momentum, MOMENTUM * momentum + gradient)
        matrix = ops.reshape(gradient + MOMENTUM * momentum, (-1, variable.shape[-1]))
        scale = RMS * max(matrix.shape) ** 0.5 * ops.cast(learning_rate, variable.dtype)
        self.assign_sub(variable, scale * ops.reshape(orthogonalized(matrix), variable.shape))


def orthogonalized(matrix):
    """U V^T of a matrix U S V^T, but for singular values of about 0.7 to 1.2 in place of 1; those
    below 0.002 of its norm stay less.
    """
    wide = matrix.shape[0] < matrix.shape[1]
    x = matrix if wide else ops.transpose(matrix)
    x = x / (ops.sqrt(ops.sum(ops.square(x))) + 1e-7)
    for _ in range(TURNS):
        square = ops.matmul(x, ops.transpose(x))
        x = A * x + ops.matmul(B * square + C * ops.matmul(square, square), x)
    return x if wide else ops.transpose(x)


def _is_inner_kernel(variable):
    return len(variable.shape) == 4 and variable.shape[-1] > 3
