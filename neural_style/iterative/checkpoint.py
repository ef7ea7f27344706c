"""Checkpoints: a run that was killed goes on where it stood."""

import json
import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .._shared.checks import count, is_count, is_finite, number
from .._shared.files import check_output, whole_or_not
from .._shared.npz import read_npz

#: What tells one run from another: of a record, these parts.
IDENTITY = ("content", "style", "settings", "weights")


#: Bytes that a checkpoint's text may take: 4 a letter, some 30 letters a loss, and a few losses a
#: step.
MOST_TEXT = 64 << 20


@dataclass(frozen=True)
class State:
    """Where a run stands: the stage, the steps done in it, x as float64 (None before the first
    step), history, seconds.
    """

    stage: int = 0
    done: int = 0
    x: np.ndarray | None = field(default=None, repr=False)
    history: dict = field(default_factory=dict, repr=False)
    seconds: float = 0.0


class Checkpoint:
    """Keeps the state of a run in a file, whole at every moment; for transfer(...,
    checkpoint=Checkpoint(...)).

    Args:
        path: of the file, .npz. A file of that name that is no checkpoint is left alone: the run is
            refused.
        steps: write after every so many steps; None: by seconds.
        seconds: write when so many have passed, and so seldom that writing takes no more than 3 %
            of the run.
    """

    only_looks = True

    def __init__(self, path, steps=None, seconds=20.0):
        self.steps, self.seconds = (
            steps if steps is None else count("steps", steps),
            number("seconds", seconds, above=True),
        )
        self.path = Path(path)
        if self.path.suffix != ".npz":
            raise ValueError(f"a checkpoint's name must end in .npz. Received: {str(path)!r}")
        if self.path.is_dir():
            raise ValueError(f"{str(path)!r} is a folder")
        check_output(self.path)
        self._identity, self._last, self._written, self._next = (
            None,
            None,
            None,
            time.monotonic() + self.seconds,
        )

    def begin(self, record, resume, stages, shapes):
        """Take the file for the run of this record; the State to start from: the file's with
        resume, else a fresh one.

        Args:
            record: from make_record. resume: go on from the file, where there is one.
            stages, shapes: of the run, for each stage the Stage and H x W x 3.

        Raises:
            ValueError: a file that is no checkpoint; with resume, one of a run with other inputs or
                settings.
        """
        self._identity, self._last, self._written = (
            {name: record[name] for name in IDENTITY},
            None,
            None,
        )
        if not self.path.exists():
            return State()
        state = self._read(8 * max(map(math.prod, shapes)) + MOST_TEXT)
        if not resume:
            return State()
        different = _differences(state.pop("identity"), self._identity)
        if different:
            raise ValueError(
                f"{str(self.path)!r} is of a run with another {', '.join(different)}; "
                "remove it, or give what that run was given"
            )
        state = State(**state)
        if (
            state.stage >= len(stages)
            or state.done > stages[state.stage].steps
            or state.x.size != math.prod(shapes[state.stage])
        ):
            raise ValueError(
                f"{str(self.path)!r} is no whole checkpoint: it stands beyond the end of this run"
            )
        return state

    def __call__(self, intermediate_result):
        self._last = intermediate_result
        if (
            intermediate_result.step % self.steps == 0
            if self.steps
            else time.monotonic() >= self._next
        ):
            self._write()

    def close(self):
        """Write where the run ended."""
        if self._last is not self._written:
            self._write()

    def _read(self, most_bytes):
        """{"identity": dict, and the fields of State} of the file."""
        try:
            arrays = read_npz(self.path, {"state": (), "x": None}, most_bytes)
            state, x = json.loads(str(arrays["state"])), arrays["x"]
            identity, history = state["identity"], state["history"]
            losses = [value for values in history.values() for value in values]
            whole = (
                all(isinstance(identity[name], dict | list | None) for name in IDENTITY)
                and is_count(state["stage"], 0)
                and is_count(state["done"], 0)
                and is_finite(state["seconds"])
                and state["seconds"] >= 0
                and len({len(values) for values in history.values()}) == 1
                and "total" in history
                and all(map(is_finite, losses))
                and x.dtype == np.float64
                and x.ndim == 1
                and bool(np.isfinite(x).all())
            )
        except (
            Exception
        ) as error:  # json's and NumPy's own, or a part that is missing or of another type
            raise ValueError(
                f"{str(self.path)!r} is not a checkpoint of neural_style:"
                f" {' '.join(str(error).split())}"
            ) from error
        if not whole:
            raise ValueError(f"{str(self.path)!r} is not a whole checkpoint of neural_style")
        return {
            "identity": identity,
            "stage": state["stage"],
            "done": state["done"],
            "x": x,
            "history": history,
            "seconds": state["seconds"],
        }

    def _write(self):
        started, here = time.monotonic(), self._last
        self._next = started + self.seconds  # also where writing fails: it is tried again then
        state = {
            "identity": self._identity,
            "stage": here.stage - 1,
            "done": here.done,
            "history": here.history,
            "seconds": here.seconds,
        }
        with whole_or_not(self.path) as file:
            np.savez(file, x=here.x, state=json.dumps(state))
        now = time.monotonic()
        self._written, self._next = here, now + max(self.seconds, (now - started) / 0.03)


def _differences(one, other):
    """What differs: "content", "style", "weights", or the names of settings. A file is its digest:
    its path may be spelled anew.
    """
    one, other = _without_names(one), _without_names(other)
    settings = [
        f"setting {name}"
        for name in sorted({*one["settings"], *other["settings"]})
        if one["settings"].get(name) != other["settings"].get(name)
    ]
    return [name for name in IDENTITY if name != "settings" and one[name] != other[name]] + settings


def _without_names(value):
    if isinstance(value, dict):
        return {
            name: _without_names(item)
            for name, item in value.items()
            if not ("sha256" in value and name in ("path", "name"))
        }
    return [_without_names(item) for item in value] if isinstance(value, list) else value
