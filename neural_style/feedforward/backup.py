"""The backup of a training: a folder with its last state, made sure to be this training's own, and
whole.
"""

import csv
import io
import json
import logging
import re
import shutil
from pathlib import Path

import h5py
import keras
import numpy as np
from keras import ops

from .._shared.files import whole_or_not
from .._shared.hdf5 import plain_datasets

logger = logging.getLogger("neural_style")

#: What the marker of a folder says beside the training's identity; and what those of earlier
#: versions, which do not say it, have.
OURS, EARLIER = (
    {"backup": "of a training by neural_style"},
    {"styles", "paintings", "photos", "weights"},
)


#: What a run that was killed at its start may leave in a folder without a marker.
LEFT = re.compile(r"\.lock|\..*\.part")


def claim(folder, identity):
    """Make the folder this training's: it must be new, empty, or the backup of one with the same
    `identity`, a dict for JSON.

    Raises:
        ValueError: a folder with other things in it; the backup of another training, where the
            message names what differs.
    """
    folder, identity = Path(folder), json.loads(json.dumps(identity))
    folder.mkdir(parents=True, exist_ok=True)
    marker, begun = folder / "training.json", any(path.exists() for path in _states(folder))
    known = _identity(marker) if marker.exists() else {}
    if (
        not marker.exists()
        and not begun
        and not all(LEFT.fullmatch(path.name) for path in folder.iterdir())
    ):
        raise ValueError(
            f"backup must be a folder of its own. Received: {str(folder)!r}, which has other things"
            " in it"
        )
    if (
        marker.exists()
        and not begun
        and known.get("backup") != OURS["backup"]
        and not set(known) >= EARLIER
    ):
        raise ValueError(
            f"backup must be a folder of its own. Received: {str(folder)!r}, whose training.json is"
            " not of a backup"
        )
    known = {name: value for name, value in known.items() if name not in OURS}
    different = sorted(
        name
        for name in {*identity, *known}
        if name not in known or name not in identity or known[name] != identity[name]
    )
    if begun and different:
        raise ValueError(
            f"{str(folder)!r} is the backup of a training with another {', '.join(different)};"
            " remove it, or give what that was given"
        )
    with whole_or_not(marker) as file:
        file.write(json.dumps({**OURS, **identity}).encode())


def _identity(marker):
    """What the marker holds."""
    try:
        known = json.loads(marker.read_bytes())
    except Exception as error:  # not JSON, nested too deeply, or not to be read
        raise ValueError(
            f"{str(marker)!r} cannot be read; remove it to start anew:"
            f" {' '.join(str(error).split())}"
        ) from error
    if not isinstance(known, dict):
        raise ValueError(
            f"{str(marker)!r} must hold an object of a training. Received: {type(known).__name__}"
        )
    return known


def steps_done(folder, steps):
    """The steps, of so many in all, that the newest whole state in the folder has seen, 0 where
    there is none; Backup goes on from it.

    Earlier versions kept the state before, too, and a kill may have left either of the two in
    pieces.

    Raises:
        ValueError: two states, neither of them whole, which no kill leaves: nothing is thrown away
            for that.
    """
    folder = Path(folder)
    latest = _states(folder)[0]
    for path in _states(folder):
        done = _steps_of(path)
        if done is None or not 0 <= done <= steps:
            continue
        if path != latest:
            shutil.copy(path, latest)
        return done
    if all(path.exists() for path in _states(folder)):
        raise ValueError(f"{str(folder)!r} has no state that can be read; remove it to start anew")
    for path in _states(folder):  # killed within the first state
        if path.exists():
            logger.warning("%s was not written to its end, so the training starts anew", path)
            path.unlink()
    return 0


def _steps_of(path):
    """The steps that a state has seen; None where it is missing, was not written to its end, or
    holds more than plain arrays.
    """
    try:
        with h5py.File(path) as file:
            steps = plain_datasets(file)["optimizer/vars/0"]  # Optimizer.iterations
            return int(steps[()]) if steps.shape == () else None
    except Exception:  # h5py has many ways to say so
        return None


def last_losses(folder):
    """The losses in the last line of the folder's log.csv; none of a training that wrote none."""
    log = Path(folder, "log.csv")
    if not log.exists():
        return {}
    try:
        with open(log, encoding="utf-8") as file:
            lines = [*csv.DictReader(file)]
        return {
            name: float(value)
            for line in lines[-1:]
            for name, value in line.items()
            if name != "epoch" and value not in (None, "", "NA")
        }
    except Exception as error:  # csv's own, or a letter where a number was
        logger.warning("the losses in %s cannot be read: %s", log, error)
        return {}


class Backup(keras.callbacks.Callback):
    """Keeps the state of a StyleTrainer after each epoch in a folder, and goes on from the one that
    is there.

    As Keras' BackupAndRestore, whose states it reads too, those of earlier versions. But a state is
    put together in memory and written whole or not at all: where the disk is full, HDF5 would end
    the process. A state that cannot be written is a warning, and the training goes on.
    """

    def __init__(self, folder):
        super().__init__()
        self.folder, self.path = Path(folder), _states(Path(folder))[0]

    def on_train_begin(self, logs=None):
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

    def on_epoch_end(self, epoch, logs=None):
        state = io.BytesIO()
        with h5py.File(state, "w") as file:
            for path, variable in _variables(self.model).items():
                file[path] = ops.convert_to_numpy(variable)
        try:
            with whole_or_not(self.path) as file:
                file.write(state.getbuffer())
        except OSError as error:
            logger.warning(
                "the backup in %s could not be written, and the training goes on: %s",
                self.folder,
                error,
            )


def _variables(model):
    """{path in a state: variable} of all that a training changes; the optimizer's first one is the
    number of its steps.
    """
    return {
        f"{kind}/vars/{number}": variable
        for kind, variables in (
            ("optimizer", model.optimizer.variables),
            ("weights", model.weights),
        )
        for number, variable in enumerate(variables)
    }


def _restore(model, known):
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


def _states(folder):
    return [folder / "latest.weights.h5", folder / "latest.weights.h5.bkp"]
