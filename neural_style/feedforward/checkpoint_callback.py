"""The callback that writes the state of a training and goes on from it."""

import io
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from keras import ops

from .._shared import types
from .._shared.files import whole_or_not
from .._shared.hdf5 import plain_datasets
from .checkpoint import STATES

logger = logging.getLogger("neural_style")


class TrainingCheckpoint(keras.callbacks.Callback):
    """Keep the state of a StyleTrainer in a folder after each epoch, and go on from a state there.

    This is Keras' BackupAndRestore, whose states it reads, too, as earlier versions wrote them. But
    it puts a state together in memory and writes it whole or not at all, because HDF5 ends the
    process where the disk is full. A state that cannot be written is a warning, and the training
    goes on.

    Args:
        folder: The folder of the checkpoint, claimed for this training.
    """

    def __init__(self, folder: types.Path) -> None:
        super().__init__()
        self.folder, self.path = Path(folder), Path(folder, STATES[0])

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Load the state in the folder, if there is one.

        Args:
            logs: Keras' own.

        Raises:
            ValueError: The state does not fit this training.
        """
        if not self.path.exists():
            return
        try:
            if not self.model.optimizer.built:
                self.model.optimizer.build(self.model.trainable_variables)
            with h5py.File(self.path) as file:
                known = plain_datasets(file)
                if "weights/vars/0" in known:
                    _restore(self.model, known)
                    return
            self.model.load_weights(self.path)
        except Exception as error:  # Keras and h5py each have their own
            raise ValueError(
                f"{str(self.folder)!r} has a state that does not fit this training; remove it to"
                f" start anew: {' '.join(str(error).split())[:300]}"
            ) from error

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Write the state, whole or not at all.

        Args:
            epoch: Keras' own.
            logs: Keras' own.
        """
        state = io.BytesIO()
        with h5py.File(state, "w") as file:
            for path, variable in _variables(self.model).items():
                file[path] = ops.convert_to_numpy(variable)
        try:
            with whole_or_not(self.path) as file:
                file.write(state.getbuffer())
        except OSError as error:
            logger.warning(
                "the checkpoint in %s could not be written, and the training goes on: %s",
                self.folder,
                error,
            )


def _variables(model: keras.Model) -> dict[str, Any]:
    """Return {path in a state: variable} of all that a training changes.

    The optimizer's first variable counts its steps.
    """
    return {
        f"{kind}/vars/{number}": variable
        for kind, variables in (
            ("optimizer", model.optimizer.variables),
            ("weights", model.weights),
        )
        for number, variable in enumerate(variables)
    }


def _restore(model: keras.Model, known: Mapping[str, Any]) -> None:
    """Give the variables of a model the values of a state, once all of them have been checked."""
    variables = _variables(model)
    if known.keys() != variables.keys() or any(
        known[path].shape != tuple(variable.shape) for path, variable in variables.items()
    ):
        raise ValueError("its variables are others, or of other shapes")
    values = {path: dataset[()] for path, dataset in known.items()}
    if not all(np.isfinite(value).all() for value in values.values()):
        raise ValueError("not all of its numbers are finite")
    for path, variable in variables.items():
        variable.assign(values[path])
