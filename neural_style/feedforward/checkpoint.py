"""The folder in which a training keeps its state: whose it is, and how far that training got."""

import csv
import json
import logging
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py

from .._shared import types
from .._shared.files import whole_or_not
from .._shared.hdf5 import plain_datasets

logger = logging.getLogger("neural_style")

#: The file that names the training to which a folder belongs.
MARKER = "training.json"

#: The states that a folder may hold, the newest one first. Earlier versions kept the state before
#: the newest one, too.
STATES = ("latest.weights.h5", "latest.weights.h5.bkp")

#: The losses after each epoch.
LOG = "log.csv"

#: What the marker says beside the training's identity. The key has the name that it had in earlier
#: versions, so that each version reads the other's folders.
OURS = {"backup": "of a training by neural_style"}

#: Keys that the markers of the first versions have, which do not say OURS.
EARLIER_KEYS = {"styles", "paintings", "photos", "weights"}

#: Files that a run that was killed at its start may leave in a folder without a marker.
LEFTOVER = re.compile(r"\.lock|\..*\.part")


def claim(folder: types.Path, identity: Mapping[str, Any]) -> None:
    """Make a folder the checkpoint of one training.

    Args:
        folder: A folder that is new, empty, or the checkpoint of a training with the same
            `identity`.
        identity: What tells this training from others, ready for JSON.

    Raises:
        ValueError: The folder has other things in it, or is the checkpoint of another training. The
            message names what differs.
    """
    folder, identity = Path(folder), json.loads(json.dumps(identity))
    folder.mkdir(parents=True, exist_ok=True)
    marker, begun = folder / MARKER, any(path.exists() for path in _states(folder))
    known = _read_marker(marker) if marker.exists() else {}
    if not begun:
        _check_own(folder, known)
    known = {name: value for name, value in known.items() if name not in OURS}
    different = sorted(
        name
        for name in {*identity, *known}
        if name not in known or name not in identity or known[name] != identity[name]
    )
    if begun and different:
        raise ValueError(
            f"{str(folder)!r} is the checkpoint of a training with another {', '.join(different)};"
            " remove it, or give what that training was given"
        )
    with whole_or_not(marker) as file:
        file.write(json.dumps({**OURS, **identity}).encode())


def forget(folder: types.Path) -> None:
    """Remove the states and the log of a claimed folder, so that its training starts anew."""
    for path in (*_states(Path(folder)), Path(folder, LOG)):
        path.unlink(missing_ok=True)


def steps_done(folder: types.Path, steps: int) -> int:
    """Return how many steps the newest whole state in a folder has seen, 0 where there is none.

    The training goes on from that state. A kill may have left one of the two states of an earlier
    version in pieces.

    Args:
        folder: A folder that this training has claimed.
        steps: How many steps the whole training has.

    Raises:
        ValueError: There are two states and neither is whole. No kill leaves that, so nothing is
            removed.
    """
    states = _states(Path(folder))
    for path in states:
        done = _steps_of(path)
        if done is None or not 0 <= done <= steps:
            continue
        if path != states[0]:
            shutil.copy(path, states[0])
        return done
    if all(path.exists() for path in states):
        raise ValueError(f"{str(folder)!r} has no state that can be read; remove it to start anew")
    for path in states:  # the training was killed while it wrote its first state
        if path.exists():
            logger.warning("%s was not written to its end, so the training starts anew", path)
            path.unlink()
    return 0


def last_losses(folder: types.Path) -> dict[str, float]:
    """Return the losses in the last line of the folder's log, {} where there is no such line."""
    log = Path(folder, LOG)
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
    except Exception as error:  # csv has its own, and a letter may stand where a number was
        logger.warning("the losses in %s cannot be read: %s", log, error)
        return {}


def _check_own(folder: Path, known: Mapping[str, Any]) -> None:
    """Raise a ValueError if a folder without a state holds files of somebody else."""
    marker = folder / MARKER
    if not marker.exists() and not all(LEFTOVER.fullmatch(path.name) for path in folder.iterdir()):
        raise ValueError(
            f"checkpoint must be a folder of its own. Received: {str(folder)!r}, which has other"
            " things in it"
        )
    ours = known.get("backup") == OURS["backup"] or set(known) >= EARLIER_KEYS
    if marker.exists() and not ours:
        raise ValueError(
            f"checkpoint must be a folder of its own. Received: {str(folder)!r}, whose {MARKER} is"
            " not of a checkpoint"
        )


def _read_marker(marker: Path) -> dict[str, Any]:
    """Return what a marker holds, or raise a ValueError that names the file."""
    try:
        known = json.loads(marker.read_bytes())
    except Exception as error:  # it is not JSON, nested too deeply, or cannot be read
        raise ValueError(
            f"{str(marker)!r} cannot be read; remove it to start anew:"
            f" {' '.join(str(error).split())}"
        ) from error
    if not isinstance(known, dict):
        raise ValueError(
            f"{str(marker)!r} must hold an object of a training. Received: {type(known).__name__}"
        )
    return known


def _steps_of(path: Path) -> int | None:
    """Return the steps that a state has seen, None for a missing, cut off or forged one."""
    try:
        with h5py.File(path) as file:
            steps = plain_datasets(file)["optimizer/vars/0"]  # Optimizer.iterations
            return int(steps[()]) if steps.shape == () else None
    except Exception:  # h5py has many ways to say so
        return None


def _states(folder: Path) -> list[Path]:
    """Return the paths of the states that a folder may hold, the newest one first."""
    return [folder / name for name in STATES]
