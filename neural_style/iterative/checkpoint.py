"""Checkpoints: a run that was killed goes on where it stood."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .._shared.checks import count, is_count, is_finite, number
from .._shared.files import check_output, whole_or_not
from .._shared.npz import read_npz
from .._shared.types import Path as PathLike
from ..optimize.objective import CORRECTIONS
from ..optimize.pairs import STATE, is_state
from ..provenance.schema import migrated
from .intermediate import IntermediateResult
from .schedule import StageSettings

#: What tells one run from another: of a record, these parts.
IDENTITY = ("content", "style", "settings", "weights")

#: Bytes for a number of x: x itself in float64, the picture before it, and L-BFGS's memory in
#: float32.
BYTES_PER_NUMBER = 8 + 1 + 4 * (2 * CORRECTIONS + 1)

#: Bytes that a checkpoint's text may take: 4 a letter, some 30 letters a loss, and a few losses a
#: step.
MOST_TEXT = 64 << 20


@dataclass(frozen=True)
class State:
    """Where a run stands.

    Attributes:
        stage: Which stage, from 0.
        done: Steps done in it.
        x: The pixels as a float64 vector; None before the first step.
        history: {"total" and each term: the weighted loss after each step}.
        seconds: That the run took so far.
        borders: The numbers of steps after which another size began.
        memory: What L-BFGS remembers, for lbfgs(memory=); None where another optimizer ran.
        before: The picture that the stage before left, uint8 RGB; None in the first stage.
    """

    stage: int = 0
    done: int = 0
    x: np.ndarray | None = field(default=None, repr=False)
    history: dict[str, list[float]] = field(default_factory=dict, repr=False)
    seconds: float = 0.0
    borders: list[int] = field(default_factory=list, repr=False)
    memory: dict[str, np.ndarray] | None = field(default=None, repr=False)
    before: np.ndarray | None = field(default=None, repr=False)


class Checkpoint:
    """Keeps the state of a run in a file that is whole at every moment.

    For transfer(..., checkpoint=Checkpoint("run.npz", steps=10)).

    Args:
        path: The file, .npz. A file of that name that is no checkpoint is left alone: the run is
            refused.
        steps: Write after every so many steps. None: by seconds.
        seconds: Write when this time has passed, and so seldom that writing takes no more than 3 %
            of the run.

    Raises:
        ValueError, FileNotFoundError, PermissionError: A path that cannot be written, or steps and
            seconds that cannot be right.
    """

    only_looks = True

    def __init__(self, path: PathLike, steps: int | None = None, seconds: float = 20.0) -> None:
        self.steps = None if steps is None else count("steps", steps)
        self.seconds = number("seconds", seconds, above=True)
        self.path = Path(path)
        if self.path.suffix != ".npz":
            raise ValueError(f"a checkpoint's name must end in .npz. Received: {str(path)!r}")
        if self.path.is_dir():
            raise ValueError(f"{str(path)!r} is a folder")
        check_output(self.path)
        self._identity: dict[str, Any] | None = None
        self._last: IntermediateResult | None = None
        self._written: IntermediateResult | None = None
        self._next = time.monotonic() + self.seconds

    def load(self) -> State:
        """The state that the file holds.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: The file is no checkpoint.
        """
        if not self.path.exists():
            raise FileNotFoundError(f"no checkpoint at {str(self.path)!r}")
        return self._read(self.path.stat().st_size + MOST_TEXT)[0]

    def begin(
        self,
        record: Mapping[str, Any],
        resume: bool,
        stages: Sequence[StageSettings],
        shapes: Sequence[Sequence[int]],
    ) -> State:
        """Take the file for a run; return the State to start from.

        Args:
            record: The run's, from make_record.
            resume: Start from the file's state, where there is one. Otherwise from a fresh one.
            stages: The settings of each stage.
            shapes: H x W x 3 of each stage.

        Raises:
            ValueError: A file that is no checkpoint; with resume, one of a run with other inputs or
                settings.
        """
        self._identity = {name: record[name] for name in IDENTITY}
        self._last = self._written = None
        if not self.path.exists():
            return State()
        state, identity = self._read(BYTES_PER_NUMBER * max(map(math.prod, shapes)) + MOST_TEXT)
        if not resume:
            return State()
        different = _differences(identity, self._identity)
        if different:
            raise ValueError(
                f"{str(self.path)!r} is of a run with another {', '.join(different)}; remove it,"
                " give what that run was given, or start anew with resume=False"
            )
        if (
            state.stage >= len(stages)
            or state.done > stages[state.stage].steps
            or state.x is None
            or state.x.size != math.prod(shapes[state.stage])
            or (state.memory and state.memory["free"].size != state.x.size)
            or (state.before is None) != (state.stage == 0)
        ):
            raise ValueError(
                f"{str(self.path)!r} is no whole checkpoint: it stands beyond the end of this run"
            )
        return state

    def __call__(self, intermediate_result: IntermediateResult) -> None:
        self._last = intermediate_result
        if (
            intermediate_result.step % self.steps == 0
            if self.steps
            else time.monotonic() >= self._next
        ):
            self._write()

    def close(self) -> None:
        """Write where the run ended."""
        if self._last is not self._written:
            self._write()

    def _read(self, most_bytes: int) -> tuple[State, dict[str, Any]]:
        """(state, identity of the run) of the file."""
        try:
            arrays = read_npz(self.path, {"state": (), "x": None, "before": None}, most_bytes)
            state, x = json.loads(str(arrays["state"])), arrays["x"]
            before = arrays["before"] if arrays["before"].size else None
            memory = None
            if state["memory"]:
                memory = read_npz(self.path, dict.fromkeys(STATE), most_bytes - x.nbytes)
            identity, history = state["identity"], state["history"]
            borders = state["borders"]
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
                and isinstance(borders, list)
                and all(is_count(border, 1) for border in borders)
                and x.dtype == np.float64
                and x.ndim == 1
                and bool(np.isfinite(x).all())
                and (memory is None or is_state(memory))
                and (before is None or (before.dtype, before.ndim) == (np.uint8, 3))
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
        numbers = state["stage"], state["done"], x, history, state["seconds"], borders
        return State(*numbers, memory, before), migrated(identity)

    def _write(self) -> None:
        started, here = time.monotonic(), self._last
        assert here is not None
        self._next = started + self.seconds  # also where writing fails: it is tried again then
        memory = here.get("memory", lambda: None)() or {}
        state = {
            "memory": bool(memory),
            "identity": self._identity,
            "stage": here.stage - 1,
            "done": here.done,
            "history": here.history,
            "borders": here.borders,
            "seconds": here.seconds,
        }
        with whole_or_not(self.path) as file:
            before = np.empty(0, "uint8") if here.before is None else here.before
            x = here.x.astype("float64")
            np.savez(file, x=x, before=before, state=json.dumps(state), **memory)
        now = time.monotonic()
        self._written, self._next = here, now + max(self.seconds, (now - started) / 0.03)


def _differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """What differs: "content", "style", "weights", or the names of settings.

    A file is its digest: its path may be spelled in another way.
    """
    one, other = _without_names(one), _without_names(other)
    settings = [
        f"setting {name}"
        for name in sorted({*one["settings"], *other["settings"]})
        if one["settings"].get(name) != other["settings"].get(name)
    ]
    return [name for name in IDENTITY if name != "settings" and one[name] != other[name]] + settings


def _without_names(value: Any) -> Any:
    """The value without the names and paths of files."""
    if isinstance(value, dict):
        return {
            name: _without_names(item)
            for name, item in value.items()
            if not ("sha256" in value and name in ("path", "name"))
        }
    return [_without_names(item) for item in value] if isinstance(value, list) else value
