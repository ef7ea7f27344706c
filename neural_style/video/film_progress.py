"""Show how far a film is: a line in a terminal, a line and the newest frame in a notebook."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from .._shared.display import duration, in_notebook

logger = logging.getLogger("neural_style")

#: A function of (number, painted frame, number of frames in all or None).
Callback: TypeAlias = Callable[[int, np.ndarray, int | None], object]

#: A function that shows a picture and a line; None and "" end the display.
Show: TypeAlias = Callable[[np.ndarray | None, str], None]


class FilmProgress:
    """Count the painted frames, and say after each one how fast the film goes and what is left.

    Args:
        total: Number of frames in all; None if unknown.
        on: Show the progress. False: show nothing.
    """

    def __init__(self, total: int | None, on: bool) -> None:
        self.total, self.began, self.done = total, time.monotonic(), 0
        self.show: Show | None = _display() if on else None

    def painted(self, number: int, image: np.ndarray) -> None:
        """Show that a frame is painted.

        Args:
            number: Number of the frame in the film, from 0.
            image: The painted frame, uint8 RGB, H x W x 3.
        """
        self.done += 1
        if self.show is None:
            return
        rate = self.done / (time.monotonic() - self.began)
        left = ""
        if self.total is not None:
            left = f" of {self.total}, about {duration((self.total - number - 1) / rate)} left"
        self.show(image, f"frame {number + 1}{left}, {rate:.2f} frames a second")

    def close(self) -> None:
        """End the display."""
        if self.show is not None and self.done:
            self.show(None, "")


def call_back(callback: Callback, number: int, image: np.ndarray, total: int | None) -> None:
    """Call the callback; log its exceptions as warnings, but let StopIteration end the film.

    Args:
        callback: The caller's function.
        number: Number of the frame in the film, from 0.
        image: The painted frame, uint8 RGB, H x W x 3.
        total: Number of frames in all; None if unknown.
    """
    try:
        callback(number, image, total)
    except StopIteration:
        raise
    except Exception as error:
        logger.warning(
            "after frame %d, the callback failed, and the film goes on: %r", number, error
        )


def _display() -> Show:
    """Choose the display: a notebook's, which is updated in place, or a terminal's line."""
    return _notebook_display() if in_notebook() else _rewrite_line


def _rewrite_line(image: np.ndarray | None, line: str) -> None:
    """Rewrite the terminal's line; go on without if nobody reads it."""
    with suppress(OSError, ValueError):  # a closed pipe or terminal
        print(f"\r{line}" if line else "", end="" if line else "\n", flush=True)


def _notebook_display() -> Show:
    """Open a line and a picture in a notebook, and return the function that updates both."""
    from IPython.display import Image as Picture
    from IPython.display import display

    handles: list[Any] = [display(display_id=True) for _ in range(2)]

    def show(image: np.ndarray | None, line: str) -> None:
        """Update the line and the picture."""
        if line and image is not None:
            handles[0].update(line)
            # PIL has no public function for the JPEG that notebooks show.
            jpeg = Image.fromarray(image)._repr_jpeg_()  # type: ignore[attr-defined]
            handles[1].update(Picture(jpeg))

    return show
