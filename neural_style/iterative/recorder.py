"""Follows a run: writes its history and passes each step on to the callbacks."""

import inspect
import logging
import os
import time

import numpy as np
from scipy.optimize import OptimizeResult

from ..vgg.preprocessing import deprocess
from .checkpoint import Checkpoint

logger = logging.getLogger("neural_style")


class IntermediateResult(OptimizeResult):
    """Where a run stands: SciPy's .x (a flat copy) and .fun, and

    .image      the picture so far, H x W x 3, uint8 RGB; made when asked for
    .shape      of x, 1 x H x W x 3
    .step, .steps           done, and of the whole run; .stage, .stages: which size of how many; .done: at this size
    .terms, .history        the weighted loss terms now, and after each step
    .seconds, .left         since the start, and about how many are left
    .elapsed                seconds since this call began: less than .seconds in a run that was resumed
    """

    @property
    def image(self):
        return deprocess(self.x, self.shape)

    def of_its_own(self):
        """A copy that shares nothing that can be changed."""
        history = {name: [*values] for name, values in self.history.items()}
        return IntermediateResult(
            {**self, "x": self.x.copy(), "terms": dict(self.terms), "history": history}
        )


class Recorder:
    """Follows a run: writes the history and passes each step on to the callbacks.

    A callback that fails takes neither the run nor the others with it: its first failure is a
    warning, and the last one tells how many there were. Each gets an IntermediateResult of its own;
    those of this library, which change nothing, have only_looks and share one.

    Args:
        history: {"total": [...], term: [...]}, appended to; 0 where a term does not count in a
            stage.
        shapes, stages: of each stage H x W x 3, and the Stage: they tell how much is left.
        callbacks: functions of an IntermediateResult.
        began: time.monotonic() at the start of this call; None: now. seconds: that a resumed run
            had taken before.
    """

    def __init__(self, history, shapes, stages, callbacks, began=None, seconds=0.0):
        self.history, self.callbacks = history, callbacks
        self._pixels, self._steps = (
            [height * width for height, width, _ in shapes],
            [stage.steps for stage in stages],
        )
        self._began, self._before, self._evaluated = (
            time.monotonic() if began is None else began,
            seconds,
            0,
        )
        self._first_step, self.last, self._failures = None, None, {}

    @property
    def elapsed(self):
        return time.monotonic() - self._began

    @property
    def seconds(self):
        return self._before + self.elapsed

    def stage(self, number, done, evaluator):
        """A function to call after each step of a stage, of which so many are done."""
        self._first_step = self._first_step or time.monotonic()

        def after_step(intermediate_result):
            nonlocal done
            evaluator(intermediate_result.x)  # in its cache: the optimiser evaluated this x last
            values = {"total": intermediate_result.fun, **evaluator.terms}
            for name, of_term in self.history.items():
                of_term.append(values.get(name, 0.0))
            done += 1
            self._evaluated += self._pixels[number]
            ahead = self._pixels[number] * (self._steps[number] - done) + sum(
                pixels * steps
                for pixels, steps in zip(self._pixels[number + 1 :], self._steps[number + 1 :])
            )
            self.last = here = IntermediateResult(
                intermediate_result,
                shape=evaluator.shape,
                step=sum(self._steps[:number]) + done,
                steps=sum(self._steps),
                stage=number + 1,
                stages=len(self._steps),
                done=done,
                terms=dict(evaluator.terms),
                history=self.history,
                seconds=self.seconds,
                elapsed=self.elapsed,
                left=(time.monotonic() - self._first_step) * ahead / self._evaluated,
            )
            for callback in self.callbacks:
                try:
                    callback(here if getattr(callback, "only_looks", False) else here.of_its_own())
                except StopIteration:
                    raise
                except Exception as error:
                    self._failed(callback, error)

        return after_step

    def _failed(self, callback, error):
        self._failures[id(callback)] = self._failures.get(id(callback), 0) + 1
        if self._failures[id(callback)] == 1:
            logger.warning(
                "after step %d, %s failed, and the run goes on: %r",
                self.last.step,
                _name(callback),
                error,
            )

    def close(self, interrupted=False):
        """Tell the callbacks that the run is over. One that fails then takes neither the others nor
        the result with it, and neither does a Ctrl-C; but of a run that a first one has ended, it
        is the second."""
        for callback in self.callbacks:
            if self._failures.get(id(callback), 0) > 1:
                logger.warning(
                    "%s failed after %d steps", _name(callback), self._failures[id(callback)]
                )
            try:
                getattr(callback, "close", lambda: None)()
            except (Exception, KeyboardInterrupt) as error:
                if interrupted and isinstance(error, KeyboardInterrupt):
                    raise
                interrupted = interrupted or isinstance(error, KeyboardInterrupt)
                logger.warning(
                    "at the end of the run, %s failed: %s",
                    _name(callback),
                    str(error) or type(error).__name__,
                )


def _name(callback):
    return getattr(callback, "__qualname__", type(callback).__name__)


def check_callbacks(callback, checkpoint, resume):
    """([callback, ...], Checkpoint or None) of transfer()'s arguments."""
    callbacks = (
        []
        if callback is None
        else list(callback)
        if isinstance(callback, (list, tuple))
        else [callback]
    )
    for one in callbacks:
        if isinstance(one, Checkpoint):
            raise TypeError("a Checkpoint is given as checkpoint=, not among the callbacks")
        if not callable(one):
            raise TypeError(
                "callback must be a function or a list of functions. Received:"
                f" {type(one).__name__}"
            )
        _check_takes_one(one)
    if not isinstance(resume, (bool, np.bool_)) or (resume and checkpoint is None):
        raise ValueError(
            f"resume must be True or False, and needs a checkpoint. Received: resume={resume!r}, "
            f"checkpoint={checkpoint!r}"
        )
    if checkpoint is not None and not isinstance(checkpoint, Checkpoint):
        if not isinstance(checkpoint, (str, os.PathLike)):
            raise TypeError(
                f"checkpoint must be a path or a Checkpoint. Received: {type(checkpoint).__name__}"
            )
        checkpoint = Checkpoint(checkpoint)
    return callbacks, checkpoint


def _check_takes_one(callback):
    try:
        signature = inspect.signature(callback, follow_wrapped=False)
    except (TypeError, ValueError):  # of a built-in function, Python does not know
        return
    try:
        signature.bind(None)
    except TypeError as error:
        raise TypeError(
            "callback must take one argument, the intermediate result. Received:"
            f" {callback!r:.100}, {error}"
        ) from None
