"""What happens after each step: callbacks in SciPy's way, callback(intermediate_result), and those
that come ready.

A callback is any function of an IntermediateResult; raising StopIteration ends the run and keeps
the picture. Whatever else it raises is a warning, and the run goes on. One that has a method
close() is told when the run is over, whatever ended it.
"""

import contextlib
import importlib.util
import logging
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from scipy.optimize import OptimizeResult

from . import plotting
from .checks import count, number
from .images import deprocess, save_image

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


@dataclass(frozen=True)
class SaveEvery:
    """Save the picture every `steps` steps into `folder`, as 00010.png: frames of the run."""

    steps: int
    folder: str
    only_looks = True

    def __post_init__(self):
        count("steps", self.steps)
        Path(self.folder).mkdir(parents=True, exist_ok=True)

    def __call__(self, intermediate_result):
        if intermediate_result.step % self.steps == 0:
            save_image(
                intermediate_result.image, Path(self.folder, f"{intermediate_result.step:05d}.png")
            )


@dataclass(frozen=True)
class StopWhen:
    """End the run where the last `patience` steps of the last stage lowered the loss by less than
    `change` of it.
    """

    patience: int = 10
    change: float = 0.01
    only_looks = True

    def __post_init__(self):
        count("patience", self.patience)
        number("change", self.change, above=True)

    def __call__(self, intermediate_result):
        here = intermediate_result
        losses = here.history["total"][-min(self.patience + 1, here.done) :]
        if (
            here.stage == here.stages
            and len(losses) > self.patience
            and losses[0] - losses[-1] < self.change * losses[0]
        ):
            raise StopIteration


@dataclass(frozen=True)
class TimeLimit:
    """End the run after so many seconds of this call: as good a picture as they buy. What a resumed
    run had taken before does not count.
    """

    seconds: float
    only_looks = True

    def __post_init__(self):
        number("seconds", self.seconds, above=True)

    def __call__(self, intermediate_result):
        if intermediate_result.elapsed >= self.seconds:
            raise StopIteration


class ProgressBar:
    """One line in a terminal, rewritten at most ten times a second; elsewhere, a line for each
    stage. Where there is no output, nothing.
    """

    only_looks = True

    def __init__(self, stream=None):
        self.stream = sys.stdout if stream is None else stream
        self._shown, self._last = 0.0, None

    def __call__(self, intermediate_result):
        here, now = intermediate_result, time.monotonic()
        if self._last and self._last.stage != here.stage:
            self._write(self._last, "\n")
        self._last = here
        if self.stream is not None and self.stream.isatty() and now - self._shown > 0.1:
            self._shown = now
            self._write(here, "")

    def close(self):
        if self._last:
            self._write(self._last, "\n")

    def _write(self, here, end):
        if self.stream is None:
            return
        self.stream.write(
            ("\r" if self.stream.isatty() else "")
            + facts(here)
            + ("\033[K" if self.stream.isatty() else "")
            + end
        )
        self.stream.flush()


class LivePreview:
    """In a notebook: the picture so far, its loss curves and the figures of the progress bar, in
    place.

    Drawn at most once in `seconds`, and so seldom that drawing takes no more than `share` of the
    run; with the first and the last drawing, less than 3 %.
    """

    only_looks = True

    def __init__(self, seconds=1.0, share=0.025):
        self.seconds, self.share = (
            number("seconds", seconds, above=True),
            number("share", share, above=True),
        )
        plotting.pyplot()  # an error now where it is missing, and no part of the first drawing's time
        self._handle, self._next, self._last = None, 0.0, None

    def __call__(self, intermediate_result):
        self._last = intermediate_result
        if time.monotonic() >= self._next:
            self._show()

    def close(self):
        if self._last:
            self._show()

    def _show(self):
        from IPython.display import display

        started = time.monotonic()
        figure = plotting.preview(self._last.image, self._last.history, facts(self._last))
        if self._handle is None:
            self._handle = display(figure, display_id=True)
        else:
            self._handle.update(figure)
        now = time.monotonic()
        self._next = now + max(self.seconds, (now - started) / self.share)


def progress():
    """The way to show progress here: a LivePreview in a notebook, else a ProgressBar."""
    if not in_notebook():
        return ProgressBar()
    if importlib.util.find_spec("matplotlib") is None:
        say('a live preview needs matplotlib: pip install "neural-style[notebooks]"')
        return ProgressBar()
    return LivePreview()


def in_notebook():
    """Whether this runs in a notebook's kernel: not in a script, nor in IPython in a terminal."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None


def facts(here):
    """One line on an IntermediateResult: size, steps, losses, time."""
    height, width = here.shape[1:3]
    losses = "  ".join(f"{name} {value:.4g}" for name, value in here.terms.items())
    return (
        f"{width} x {height}  step {here.step}/{here.steps}  {losses}  {duration(here.seconds)}, "
        f"about {duration(here.left)} left"
    )


def duration(seconds):
    """75 -> "1:15"."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def say(line):
    """Print a line; where nobody reads it (a closed pipe or terminal), the run goes on without."""
    with contextlib.suppress(OSError, ValueError):
        print(line, flush=True)
