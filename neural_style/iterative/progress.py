"""Progress of a run: a line in a terminal, a live preview in a notebook."""

import importlib.util
import sys
import time

from .. import plotting
from .._shared.checks import number
from .._shared.display import duration, in_notebook, say
from .._shared.optional import missing


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
        say(f"no live preview: {missing('matplotlib')}")
        return ProgressBar()
    return LivePreview()


def facts(here):
    """One line on an IntermediateResult: size, steps, losses, time."""
    height, width = here.shape[1:3]
    losses = "  ".join(f"{name} {value:.4g}" for name, value in here.terms.items())
    return (
        f"{width} x {height}  step {here.step}/{here.steps}  {losses}  {duration(here.seconds)}, "
        f"about {duration(here.left)} left"
    )
