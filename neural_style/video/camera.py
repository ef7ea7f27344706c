"""Show a camera's picture in a style, live.

Always the newest frame is painted; the frames that came meanwhile are dropped.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

from .._shared import checks
from .._shared.types import Path, Picture
from ..feedforward.network import TransformNet
from ..feedforward.paint import paint
from ..feedforward.resolve_network import paths_in, resolve
from ..images.load import load_image
from ..universal.one_pass import OnePass
from .devices import LAST_CAMERA, Camera, NoDisplay, Window, source_name
from .read import load_av
from .write import check_video_path, write_video


@dataclass(frozen=True)
class Shown:
    """What became of a camera's frames.

    Attributes:
        frames: Number of painted frames.
        dropped: Number of frames that were read but not painted.
        seconds: How long the camera ran.
    """

    frames: int
    dropped: int
    seconds: float

    @property
    def rate(self) -> float:
        """Painted frames per second."""
        return self.frames / max(self.seconds, 1e-9)


def stylize_camera(
    source: int | Path,
    net: Picture | TransformNet | OnePass | dict[Any, float] | list[Any],
    output: Path | None = None,
    *,
    size: int | None = 320,
    window: bool = True,
    seconds: float | None = None,
    overwrite: bool = False,
) -> Shown:
    """Show what a camera sees, painted in one pass.

    The window's close button, the key q and Ctrl-C end the show.

    Args:
        source: The number of a camera, 0 for the first; or the path of a film that takes the
            camera's place and runs at its own pace.
        net: A painting or a network, or several with shares, as stylize() takes them.
        output: A film to write as well, .mp4, .mov or .mkv. Each frame is shown there as long as it
            was live. None: write no film.
        size: Longer side in pixels in which frames are painted. None: the camera's own.
        window: Show a window, where there is a display. Without a window there must be an output.
        seconds: Stop after this time. None: stop at the end of the film, or never.
        overwrite: Let `output` replace the film that takes the camera's place, or another input.

    Returns:
        Shown: the numbers of painted and dropped frames, and the time.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument cannot be right; the camera cannot be opened; the file is not a
            film; there is neither a display nor an output.
        FileNotFoundError: The film, the network or the folder of `output` does not exist.
        PermissionError: `output` cannot be written.
        ImportError: OpenCV, PyAV or pygame is missing; the message names the package to install.
    """
    source = _check_source(source)
    seconds = None if seconds is None else checks.number("seconds", seconds, above=True)
    window, overwrite = checks.flag("window", window), checks.flag("overwrite", overwrite)
    load_image(np.zeros((2, 2, 3), "uint8"), size)  # raises an error for a wrong size
    if output is not None:
        check_video_path(output, [source, *paths_in(net)], overwrite)
        load_av()
    network = resolve(net)
    shown = _window(source_name(source), output) if window else None
    if shown is None and output is None:
        raise ValueError("without a window, the camera's picture needs an output")
    with contextlib.ExitStack() as opened:
        if shown:
            opened.callback(shown.close)
        camera = Camera(source)
        opened.callback(camera.close)
        live = _LiveFrames(camera, network, size, shown, seconds)
        with _stopped_by_ctrl_c(camera):
            if output is None:
                for _ in live:
                    pass
            else:
                write_video(live, output, camera.rate)
    return Shown(live.count, camera.seen - live.count, time.monotonic() - live.started)


class _LiveFrames:
    """Iterates over (seconds since the first frame, painted frame), and shows each in the window.

    Attributes:
        count: Number of painted frames.
        started: The time of the first frame, on time.monotonic's clock.
    """

    def __init__(
        self,
        camera: Camera,
        net: TransformNet | OnePass,
        size: int | None,
        window: Window | None,
        seconds: float | None,
    ) -> None:
        self.camera, self.net, self.size = camera, net, size
        self.window, self.seconds = window, seconds
        self.count, self.started = 0, time.monotonic()

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        """Paint up to the camera's end, the window's close or the last second."""
        for moment, image in self.camera:
            if self.count == 0:
                self.started = time.monotonic() - moment
            result = paint(self.net, load_image(image, self.size)[None])[0]
            self.count += 1
            yield moment, result
            if self.window and not self.window.show(result):
                return
            if self.seconds is not None and moment >= self.seconds:
                return


@contextlib.contextmanager
def _stopped_by_ctrl_c(camera: Camera) -> Iterator[None]:
    """Make Ctrl-C stop the camera, so that the painted frames are written wherever the program is.

    A second Ctrl-C raises a KeyboardInterrupt.
    """
    if threading.current_thread() is not threading.main_thread():  # only the main one gets signals
        yield
        return
    before = signal.getsignal(signal.SIGINT) or signal.default_int_handler

    def stop(number: int, frame: FrameType | None) -> None:
        """Stop the camera, and give Ctrl-C its usual meaning back."""
        signal.signal(signal.SIGINT, before)
        camera.stop()

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _check_source(source: Any) -> int | Path:
    """Convert a camera's number to an int, and let a path pass."""
    if isinstance(source, (str, os.PathLike)):
        return source
    if not checks.is_count(source, -LAST_CAMERA):
        raise TypeError(
            f"source must be a camera's number or a film's path. Received: {type(source).__name__}"
        )
    return checks.count("source", source, 0, LAST_CAMERA)


def _window(title: str, output: Path | None) -> Window | None:
    """Open a window; give None where there is no display or no pygame, but an output."""
    try:
        return Window(title)
    except ImportError:
        if output is None:
            raise
        return None
    except NoDisplay as error:
        if output is None:
            raise ValueError(
                "there is no display to show the camera's picture on, and no output to write it"
                f" to: {error}"
            ) from error
        return None
