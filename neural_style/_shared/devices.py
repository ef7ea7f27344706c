"""What Keras computes on: a GPU or not, and how many of the machine's cores."""

import os
import sys

#: The cores that use_threads has allowed; None for all.
_allowed: int | None = None


def has_gpu() -> bool:
    """Tell whether Keras computes on a GPU."""
    import keras

    # keras.distribution knows no devices of PyTorch, and raises where JAX has no GPU
    if keras.backend.backend() == "torch":
        import torch

        return torch.cuda.is_available()
    if keras.backend.backend() == "jax":
        import jax

        return jax.default_backend() == "gpu"
    return bool(keras.distribution.list_devices("gpu"))


def use_threads(threads: int) -> bool:
    """Let Keras' backend use so many cores; False where it has begun with another number.

    Args:
        threads: The number of cores.
    """
    global _allowed
    import keras

    if keras.backend.backend() == "torch":
        import torch

        torch.set_num_threads(threads)
    elif keras.backend.backend() == "jax":
        os.environ["NPROC"] = str(threads)  # XLA reads it when it starts
    else:
        import tensorflow as tf

        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        except RuntimeError:
            return False
    _allowed = threads
    return True


def allowed_threads() -> int | None:
    """The cores that this process may use; None for all."""
    if "tensorflow" in sys.modules:
        import tensorflow as tf

        return tf.config.threading.get_intra_op_parallelism_threads() or _allowed
    return _allowed
