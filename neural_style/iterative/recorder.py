"""Follows a run: its history, callbacks, checkpoint and progress, and what its end leaves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from .._shared.display import say
from .._shared.files import only_user
from ..optimize.evaluator import Evaluator
from ..optimize.status import DONE, INTERRUPTED, Outcome, Status
from .callbacks import check_callbacks
from .checkpoint import State
from .estimate import estimate
from .finish import finish
from .intermediate import IntermediateResult
from .prepare import Run
from .progress import progress as progress_here
from .result import TransferResult
from .stage import Picture, Stage
from .watchers import Watchers

#: What a result's message says where Adam took over from L-BFGS.
TAKEOVER = "; switched to Adam at this size: not enough memory for L-BFGS"


class Recorder:
    """Follows a run from stage to stage.

    It writes the history and passes each step on to the callbacks.

    Args:
        callback: As for transfer().
        progress: As for transfer().
        checkpoint: As for transfer().
        resume: As for transfer().

    Attributes:
        picture: The picture so far, or None.
        outcome: How the last optimization ended.
        history: {"total" and each term: the weighted loss after each step}.
        borders: The numbers of steps after which another size began.

    Raises:
        TypeError, ValueError: An argument that cannot be right.
    """

    def __init__(
        self, callback: Any = None, progress: Any = True, checkpoint: Any = None, resume: Any = True
    ) -> None:
        self._began = time.monotonic()
        self._callbacks, self._checkpoint = check_callbacks(callback, checkpoint, resume)
        self._progress, self._resume = progress, resume
        self._state = State()
        self.picture: Picture | None = None
        self.outcome: Outcome = DONE
        self.history: dict[str, list[float]] = {}
        self.borders: list[int] = []
        self._last: tuple[Stage, IntermediateResult] | None = None
        self._first_step: float | None = None
        self._evaluated = 0
        self._watchers = Watchers([])

    @contextmanager
    def follow(self, run: Run) -> Iterator[None]:
        """Follow a run within a `with` block.

        An interrupt between two stages ends the block with the best picture so far. An exception
        goes on, with the result so far in its .result.

        Args:
            run: From prepare.
        """
        self._run = run
        lock = only_user(self._checkpoint.path) if self._checkpoint else nullcontext()
        with lock:
            self._begin()
            try:
                yield
            except KeyboardInterrupt:  # between stages; within one, the optimizer has seen to it
                if self._last is None and self.picture is None:
                    raise
                self.outcome = INTERRUPTED
                if self.picture is None:
                    self.picture = self._last_picture()
            except BaseException as error:
                with suppress(Exception):  # the error that ended the run is the one to be told
                    error.result = self._rescued(error)  # type: ignore[attr-defined]
                raise
            finally:
                self._watchers.close(self.outcome.status is Status.INTERRUPTED)

    def _begin(self) -> None:
        run = self._run
        if self._checkpoint:
            self._state = self._checkpoint.begin(
                run.record, self._resume, run.inputs.stages, run.shapes
            )
        looking: list[Any] = [progress_here()] if self._progress else []
        looking += [self._checkpoint] if self._checkpoint else []
        self._watchers = Watchers([*looking, *self._callbacks])
        if self._progress:
            known = run.settings.precision, len(run.inputs.regions), self.elapsed
            say(estimate(run.extractor, run.shapes, run.inputs.stages, run.plans, *known))
        names = ("total", *(term.name for term in run.terms))
        self.history = self._state.history or {name: [] for name in names}
        self.borders = self._state.borders

    @property
    def elapsed(self) -> float:
        """Seconds since this call of transfer() began."""
        return time.monotonic() - self._began

    @property
    def seconds(self) -> float:
        """Seconds of the run, those of a killed one that it goes on from included."""
        return self._state.seconds + self.elapsed

    def stages_left(self) -> Iterator[Stage]:
        """The stages that are still to be painted, each with what the one before it left."""
        before = self._state.before
        for stage in self._run.stages[self._state.stage :]:
            yield replace(stage, before=before)
            before = None if self.picture is None else self.picture.image

    def _resumed(self, stage: Stage) -> bool:
        return stage.number == self._state.stage and self._state.x is not None

    def first_x(self, stage: Stage) -> np.ndarray:
        """x where a stage starts, 1 x H x W x 3: where a killed run stood, or the stage's own."""
        if self._resumed(stage):
            return self._state.x.reshape(stage.shape)  # type: ignore[union-attr]
        return stage.first_x()

    def memory(self, stage: Stage) -> Any:
        """What L-BFGS remembers where a stage starts: that of the killed run, or None."""
        return self._state.memory if self._resumed(stage) else None

    def steps_left(self, stage: Stage) -> int:
        """The steps of a stage that are still to be made."""
        return stage.steps - (self._state.done if self._resumed(stage) else 0)

    def after_step(self, stage: Stage, evaluator: Evaluator) -> Callable[[OptimizeResult], None]:
        """A function that the optimizer calls after each step of a stage."""
        self._first_step = self._first_step or time.monotonic()
        done = stage.steps - self.steps_left(stage)
        if self.history["total"] and not self._resumed(stage):
            self.borders.append(len(self.history["total"]))

        def after_step(intermediate_result: OptimizeResult) -> None:
            nonlocal done
            if "terms" not in intermediate_result:
                evaluator(intermediate_result.x)  # from its cache: the optimizer evaluated it last
                intermediate_result["terms"] = dict(evaluator.terms)
            values = {"total": intermediate_result.fun, **intermediate_result.terms}
            for name, of_term in self.history.items():
                of_term.append(values.get(name, 0.0))
            done += 1
            here = self._intermediate(stage, intermediate_result, evaluator.shape, done)
            self._last = stage, here
            self._watchers(here)

        return after_step

    def _intermediate(
        self, stage: Stage, step: OptimizeResult, shape: tuple[int, ...], done: int
    ) -> IntermediateResult:
        """Where the run stands after a step."""
        number, shapes = stage.number, self._run.shapes
        pixels = [height * width for height, width, _ in shapes]
        steps = [settings.steps for settings in self._run.inputs.stages]
        self._evaluated += pixels[number]
        later = zip(pixels[number + 1 :], steps[number + 1 :])
        ahead = pixels[number] * (steps[number] - done) + sum(p * s for p, s in later)
        since = time.monotonic() - (self._first_step or 0.0)
        facts = {
            "shape": shape,
            "step": sum(steps[:number]) + done,
            "steps": sum(steps),
            "stage": number + 1,
            "before": stage.before,
            "stages": len(steps),
            "done": done,
            "history": self.history,
            "borders": self.borders,
            "seconds": self.seconds,
            "elapsed": self.elapsed,
            "left": since * ahead / self._evaluated,
        }
        if not self._checkpoint:  # or L-BFGS's memory would outlive the optimizer
            step.pop("memory", None)
        return IntermediateResult({**step, **facts}, read=lambda: step.x)

    def painted(self, stage: Stage, x: np.ndarray, outcome: Outcome) -> None:
        """Take the result of a stage.

        Args:
            stage: The stage.
            x: Its best x.
            outcome: How its optimization ended.
        """
        message = outcome.message + (TAKEOVER if stage.plan.takeover else "")
        self.outcome = Outcome(outcome.status, message)
        self.picture = stage.picture(x)

    def result(self) -> TransferResult:
        """The result of the run."""
        assert self.picture is not None  # each run has a stage
        return self._finished(self.picture, self.outcome)

    def _finished(self, picture: Picture, outcome: Outcome) -> TransferResult:
        return finish(self._run, picture, outcome, self.history, self.borders, self.seconds)

    def _last_picture(self) -> Picture:
        """The picture after the last step."""
        assert self._last is not None
        stage, here = self._last
        return stage.picture(here.x)

    def _rescued(self, error: BaseException) -> TransferResult | None:
        """The result of a run that an exception ended; None before the first step."""
        if self._last is None:
            return None
        outcome = Outcome(Status.FAILED, f"stopped: {error}")
        return self._finished(self._last_picture(), outcome)
