"""The backup of a training: the folder that Keras' BackupAndRestore fills, made sure to be this training's own, and whole."""
import csv
import json
import shutil
from pathlib import Path

import h5py

from .files import whole_or_not


def claim(folder, identity):
    """Make the folder this training's: it must be new, or the backup of one with the same `identity`, a dict for JSON.

    Raises:
        ValueError: the backup of another training; the message names what differs.
    """
    folder, identity = Path(folder), json.loads(json.dumps(identity))
    folder.mkdir(parents=True, exist_ok=True)
    marker = folder / "training.json"
    if any(path.exists() for path in _states(folder)):
        known = json.loads(marker.read_text()) if marker.exists() else {}
        different = sorted(name for name in {*identity, *known} if name not in known or name not in identity or known[name] != identity[name])
        if different:
            raise ValueError(f"{str(folder)!r} is the backup of a training with another {', '.join(different)}; remove it, or give what that "
                             "was given")
    with whole_or_not(marker) as file:
        file.write(json.dumps(identity).encode())


def steps_done(folder, steps, epoch):
    """The steps, of so many in all, that the newest whole state in the folder has seen, 0 where there is none; the next fit() goes on from it.

    Keras writes weights, then their epoch, and copies both before; killed in between, they do not belong together. So the weights are
    asked, whose optimiser has counted, and the epoch is written anew.

    Raises:
        ValueError: two states, neither of them whole, which no kill leaves: nothing is thrown away for that.
    """
    folder = Path(folder)
    latest, metadata = _states(folder)[0], folder / "training_metadata.json"
    for path in _states(folder):
        try:
            with h5py.File(path) as file:
                done = int(file["optimizer/vars/0"][()])  # Optimizer.iterations
        except (OSError, KeyError):  # missing, or killed while it was written
            continue
        if path != latest:
            shutil.copy(path, latest)
        metadata.write_text(json.dumps({"epoch": done // epoch if done < steps else -(-steps // epoch), "batch": 0}))
        return done
    if all(path.exists() for path in _states(folder)):
        raise ValueError(f"{str(folder)!r} has no state that can be read; remove it to start anew")
    for path in (*_states(folder), metadata):  # killed within the first state
        path.unlink(missing_ok=True)
    return 0


def last_losses(folder):
    """The losses in the last line of the folder's log.csv; none of a training that wrote none."""
    log = Path(folder, "log.csv")
    if not log.exists():
        return {}
    with open(log) as file:
        lines = [*csv.DictReader(file)]
    return {name: float(value) for line in lines[-1:] for name, value in line.items() if name != "epoch" and value not in (None, "", "NA")}


def _states(folder):
    return [folder / "latest.weights.h5", folder / "latest.weights.h5.bkp"]
