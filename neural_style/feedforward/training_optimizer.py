"""The optimizer of a training, KernelMuon along a cosine, and a trainer made ready with it."""

from collections.abc import Sequence
from typing import Any

import keras

from .._shared.types import Tensor
from .kernel_muon import KernelMuon

#: Norm to which a step's gradient is cut. Nearly all gradients are longer, so each batch counts
#: alike. Without the cut, the momentum would belong to one flat crop for a hundred steps, and
#: Adam's variance for a thousand, because the normalizations make its gradient twenty times as long
#: as the others'.
CLIP_NORM = 1.0


class _MuonOnAll(KernelMuon):
    """KernelMuon on several devices, which cuts the gradient of the whole batch.

    Keras cuts each device's own gradient and then adds them up.
    """

    def apply(self, grads: Sequence[Tensor], trainable_variables: Any = None) -> Any:
        """Apply the mean of the devices' gradients.

        Args:
            grads: The gradients of this device.
            trainable_variables: The variables that they belong to.
        """
        import tensorflow as tf

        return super().apply(
            tf.distribute.get_replica_context().all_reduce("mean", list(grads)), trainable_variables
        )


def _optimizer(learning_rate: float, steps: int, strategy: Any) -> KernelMuon:
    """Return KernelMuon whose rate falls to 0 along a cosine, with the batch's gradient cut."""
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    if strategy is None:
        return KernelMuon(rate, global_clipnorm=CLIP_NORM)
    # each device's loss is a share of the whole batch's, so its gradient is cut to a share, too
    norm = CLIP_NORM / strategy.num_replicas_in_sync
    return _MuonOnAll(rate, global_clipnorm=norm, name="muon")


def make_ready(
    trainer: keras.Model, learning_rate: float, steps: int, crop: int, strategy: Any = None
) -> None:
    """Compile a trainer and make all variables, so that its step is traced only once.

    On a CPU, TensorFlow's own kernels are faster than XLA's.
    """
    trainer.compile(
        _optimizer(learning_rate, steps, strategy), jit_compile=keras.backend.backend() == "jax"
    )
    trainer.build((None, crop, crop, 3))
    trainer.optimizer.build(trainer.trainable_variables)
