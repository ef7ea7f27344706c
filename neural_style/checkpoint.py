"""Checkpoints: a run that was killed goes on where it stood."""
import json
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .files import whole_or_not


@dataclass(frozen=True)
class State:
    """Where a run stands: the stage, the steps done in it, x as float64 (None before the first step), history, seconds."""
    stage: int = 0
    done: int = 0
    x: np.ndarray | None = field(default=None, repr=False)
    history: dict = field(default_factory=dict, repr=False)
    seconds: float = 0.0


class Checkpoint:
    """Keeps the state of a run in a file, whole at every moment; for transfer(..., checkpoint=Checkpoint(...)).

    Args:
        path: of the file, .npz.
        steps: write after every so many steps; None: by seconds.
        seconds: write when so many have passed, and so seldom that writing takes no more than 3 % of the run.
    """

    def __init__(self, path, steps=None, seconds=20.0):
        for name, value in {"steps": steps, "seconds": seconds}.items():
            if not (value is None and name == "steps" or isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0):
                raise ValueError(f"{name} must be a number above 0. Received: {name}={value!r}")
        self.path, self.steps, self.seconds = Path(path), steps, seconds
        if self.path.suffix != ".npz":
            raise ValueError(f"a checkpoint's name must end in .npz. Received: {str(path)!r}")
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"the folder {str(self.path.parent)!r} does not exist")
        if self.path.is_dir():
            raise ValueError(f"{str(path)!r} is a folder")
        self.identity, self._last, self._written, self._next = None, None, None, time.monotonic() + seconds

    def __call__(self, intermediate_result):
        self._last = intermediate_result
        if intermediate_result.step % self.steps == 0 if self.steps else time.monotonic() >= self._next:
            self._write()

    def close(self):
        """Write where the run ended."""
        if self._last is not self._written:
            self._write()

    def load(self):
        """The State in the file, which must be of a run with the same inputs and settings; a fresh one if there is no file."""
        if not self.path.exists():
            return State()
        try:
            with open(self.path, "rb") as opened, np.load(opened) as file:  # np.load alone leaves a broken file open
                text, x = str(file["state"]), file["x"]
            state = json.loads(text)
            different = [name for name in self.identity if state["identity"][name] != self.identity[name]]
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(f"{str(self.path)!r} is not a checkpoint of neural_style: {error}") from error
        if different:
            raise ValueError(f"{str(self.path)!r} is of a run with another {', '.join(different)}; "
                             "remove it, or give what that run was given")
        return State(state["stage"], state["done"], x, state["history"], state["seconds"])

    def _write(self):
        started, here = time.monotonic(), self._last
        state = {"identity": self.identity, "stage": here.stage - 1, "done": here.done, "history": here.history,
                 "seconds": here.seconds}
        with whole_or_not(self.path) as file:
            np.savez(file, x=here.x, state=json.dumps(state))
        now = time.monotonic()
        self._written, self._next = here, now + max(self.seconds, (now - started) / 0.03)
