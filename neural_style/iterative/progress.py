"""Progress of a run: a line in a terminal, a live preview in a notebook."""

from __future__ import annotations

import importlib.util
import sys
import time
from typing import Any, TextIO

from .. import plotting
from .._shared.checks import number
from .._shared.display import duration, in_notebook, say
from .._shared.optional import missing
from .intermediate import IntermediateResult


class ProgressBar:
    """One line in a terminal, rewritten at most ten times a second.

    In a file or a pipe it is a line for each stage. Where there is no output, it does nothing.

    Args:
        stream: Where to; None for sys.stdout.
    """

    only_looks = True

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = sys.stdout if stream is None else stream
        self._shown = 0.0
        self._last: IntermediateResult | None = None

    def __call__(self, intermediate_result: IntermediateResult) -> None:
        here, now = intermediate_result, time.monotonic()
        if self._last and self._last.stage != here.stage:
            self._write(self._last, "\n")
        self._last = here
        if self.stream is not None and self.stream.isatty() and now - self._shown > 0.1:
            self._shown = now
            self._write(here, "")

    def close(self) -> None:
        if self._last:
            self._write(self._last, "\n")

    def _write(self, here: IntermediateResult, end: str) -> None:
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
    """In a notebook: the picture so far, its loss curves and the figures of the progress bar.

    They are drawn in one place, again and again. With the first and the last drawing, they take
    less than 3 % of the run.

    Args:
        seconds: Draw at most once in this time.
        share: Never spend more than this share of the run on drawing.
    """

    only_looks = True

    def __init__(self, seconds: float = 1.0, share: float = 0.025) -> None:
        self.seconds, self.share = (
            number("seconds", seconds, above=True),
            number("share", share, above=True),
        )
        plotting.pyplot()  # if it is missing, say so now
        self._handle: Any = None
        self._next = 0.0
        self._last: IntermediateResult | None = None

    def __call__(self, intermediate_result: IntermediateResult) -> None:
        self._last = intermediate_result
        if time.monotonic() >= self._next:
            self._show()

    def close(self) -> None:
        if self._last:
            self._show()

    def _show(self) -> None:
        from IPython.display import display

        assert self._last is not None
        started = time.monotonic()
        here = self._last
        figure = plotting.preview(here.image, here.history, facts(here), here.borders)
        if self._handle is None:
            self._handle = display(figure, display_id=True)
        else:
            self._handle.update(figure)
        now = time.monotonic()
        self._next = now + max(self.seconds, (now - started) / self.share)


def progress() -> ProgressBar | LivePreview:
    """The way to show progress here: a LivePreview in a notebook, else a ProgressBar."""
    if not in_notebook():
        return ProgressBar()
    if importlib.util.find_spec("matplotlib") is None:
        say(f"no live preview: {missing('matplotlib')}")
        return ProgressBar()
    return LivePreview()


def facts(here: IntermediateResult) -> str:
    """One line on an IntermediateResult: size, steps, losses, time."""
    height, width = here.shape[1:3]
    losses = "  ".join(f"{name} {value:.4g}" for name, value in here.terms.items())
    return (
        f"{width} x {height}  step {here.step}/{here.steps}  {losses}  {duration(here.seconds)}, "
        f"about {duration(here.left)} left"
    )
