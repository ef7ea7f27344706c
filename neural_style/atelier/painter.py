"""What works behind a studio: previews, whole pictures and runs of transfer(), in a thread."""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from ..iterative.transfer import transfer
from ..widgets.before_after import BeforeAfter
from .choice import STARTS, Choice
from .controls import Controls
from .latest import Latest
from .made import Made
from .previews import LEAST, Previews

#: Seconds that a preview may take to paint, about half of what passes until the page shows it; and
#: those that the hand rests before the whole picture is painted.
PREVIEW, REST = 0.13, 0.5

#: Previews of which the median tells whether they take too long.
RECENT = 5

#: Seconds from one picture of a run to the next.
LIVE = 0.7


class Painter:
    """Paints what was set last, and shows it.

    Args:
        controls: Which are told what is being done.
        view: Which shows photo and picture.

    Attributes:
        made: The whole picture; None while there is none.
    """

    def __init__(self, controls: Controls, view: BeforeAfter) -> None:
        self.made: Made | None = None
        self._controls, self._view = controls, view
        self._previews = Previews()
        self._preview_size: int | None = None
        self._largest = 0  # of the previews, as was measured at first
        self._recent: deque[float] = deque(maxlen=RECENT)  # seconds of the last previews
        self._shown: Any = None  # the photo at the left
        self._latest = Latest(self._work)

    def paint(self, choice: Choice) -> None:
        """Paint in one pass, in the thread.

        Args:
            choice: What is set.
        """
        self._forget()
        self._latest.ask((self._paint, choice))

    def refine(self, choice: Choice) -> None:
        """Run transfer(), in the thread.

        Args:
            choice: What is set.
        """
        self._forget()
        self._controls.running = True
        self._latest.ask((self._refine, choice))

    def paint_now(self, choice: Choice) -> None:
        """Paint in one pass, in this thread; an error is raised.

        Args:
            choice: What is set.
        """
        for _ in self._paint(choice):
            pass

    def stop(self) -> None:
        """End what is being done; of a run, the best picture so far stays."""
        self._latest.drop()

    def join(self, seconds: float | None = None) -> bool:
        """Wait until all is done; see Latest.join.

        Args:
            seconds: The longest time; None: as long as it takes.
        """
        return self._latest.join(seconds)

    def failed(self, error: Exception) -> None:
        """Tell of an error in a line.

        Args:
            error: The error.
        """
        self._controls.status = ""
        self._controls.trouble = str(error) or type(error).__name__

    def _work(self, request: Any) -> Iterator[float]:
        """What the thread does."""
        parts, choice = request
        try:
            yield from parts(choice)
        except Exception as error:
            self.failed(error)
        finally:
            self._controls.running = False

    def _paint(self, choice: Choice) -> Iterator[float]:
        """A preview; then, where the hand rests, the whole picture."""
        if self._preview_size is None:
            self._preview_size = self._largest = self._previews.size_within(choice, PREVIEW)
        for size in sorted({min(self._preview_size, choice.size), choice.size}):
            started = time.perf_counter()
            painted = self._previews.painted(choice, size)
            self._show(choice, painted)
            seconds, whole = time.perf_counter() - started, size == choice.size
            self._controls.trouble = ""
            self._controls.status = f"{'' if whole else 'preview, '}{size} px, {seconds:.2f} s"
            if not whole:
                self._measured(seconds)
                yield REST
        self._keep(Made(choice, Image.fromarray(painted)))

    def _measured(self, seconds: float) -> None:
        """Make previews smaller where they take too long now, and larger again afterwards."""
        self._recent.append(seconds)
        if len(self._recent) < RECENT or self._preview_size is None:
            return
        took = statistics.median(self._recent)
        factor = 0.8 if took > 1.5 * PREVIEW else 1.25 if took < PREVIEW / 2 else 1.0
        if factor != 1:
            side = int(factor * self._preview_size) // 16 * 16
            self._preview_size = max(LEAST, min(self._largest, side))
            self._recent.clear()

    def _refine(self, choice: Choice) -> Iterator[float]:
        """transfer(), shown while it paints."""
        shown = 0.0

        def follow(here: Any) -> None:
            nonlocal shown
            if self._latest.waiting:
                raise StopIteration
            if time.perf_counter() - shown > LIVE:
                self._show(choice, here.image)
                self._controls.status = (
                    f"step {here.step} of {here.steps}, {here.left:.0f} s are left"
                )
                shown = time.perf_counter()

        self._controls.trouble = ""
        first = self._previews.painted(choice) if choice.start == STARTS[0] else choice.start
        result = transfer(
            choice.photo.picture,
            [(one.picture, share) for one, share in choice.styles],
            init=first,
            callback=follow,
            progress=False,
            **choice.refined(),
        )
        self._show(choice, np.asarray(result.image))
        self._controls.status = result.facts
        steps = len(result.history["total"]) if result.status.early else None
        self._keep(Made(choice, result.image, result, steps))
        yield 0.0

    def _show(self, choice: Choice, painted: np.ndarray) -> None:
        """Show a picture; a preview alone is small, and the photo beside it stays sharp."""
        if self._shown is choice.photo and max(painted.shape) < choice.size:
            self._view.show_after(painted)
        else:
            self._view.show(self._previews.photo(choice, choice.size), painted)
            self._shown = choice.photo

    def _forget(self) -> None:
        self.made, self._controls.ready, self._controls.code = None, False, ""

    def _keep(self, made: Made) -> None:
        """Have it as the picture, unless another one is being asked for."""
        if not self._latest.asked:
            self.made, self._controls.ready = made, True
