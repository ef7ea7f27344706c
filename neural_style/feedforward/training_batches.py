"""The batches of a training, from a folder of photos or a dataset that is repeated without end."""

import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import keras

from .crops import Crops
from .training_settings import TrainingSettings

#: A function of the numbers of a first batch and of the one after the last.
Batches: TypeAlias = Callable[[int, int], Any]


def batches_of(
    photos: Any, settings: TrainingSettings, strategy: Any
) -> tuple[Batches, Crops | None]:
    """Return `batches(first, last)` and the Crops if `photos` is a folder, else None."""
    if not isinstance(photos, (str, os.PathLike)):
        return rounds(photos), None
    replicas = strategy.num_replicas_in_sync if strategy else 1
    if settings.batch_size % replicas:
        raise ValueError(
            f"batch_size must be a multiple of the number of devices, {replicas}. Received:"
            f" batch_size={settings.batch_size}"
        )
    folder = Crops(photos, settings.crop, settings.seed)
    return partial(folder.batches, settings.batch_size), folder


def rounds(batches: Any) -> Batches:
    """Return `batches(first, last)`, which gives the batches of an endlessly repeated dataset.

    Args:
        batches: A tf.data.Dataset or a keras.utils.PyDataset.

    Returns:
        A function that gives the batches from number `first` on. They have no end, so `last` has no
        effect.

    Raises:
        TypeError: `batches` is neither of the two.
    """
    if "tensorflow" in sys.modules and isinstance(batches, _tf_dataset()):
        return lambda first, last: batches.repeat().skip(first)
    if isinstance(batches, keras.utils.PyDataset):
        return lambda first, last: _Rounds(batches, first)
    raise TypeError(
        "photos must be a folder, a tf.data.Dataset or a keras.utils.PyDataset. Received:"
        f" {type(batches).__name__}"
    )


def _tf_dataset() -> Any:
    import tensorflow as tf

    return tf.data.Dataset


class _Rounds(keras.utils.PyDataset):
    """Repeat another PyDataset without end, from one of its batches on."""

    num_batches = None

    def __init__(self, batches: keras.utils.PyDataset, first: int) -> None:
        super().__init__(batches.workers, batches.use_multiprocessing, batches.max_queue_size)
        self._batches, self._first = batches, first

    def __getitem__(self, index: int) -> Any:
        """Return the batch of this number."""
        number = self._batches.num_batches
        return self._batches[(self._first + index) % number if number else self._first + index]
