"""A camera's picture in a style, as it comes: the newest frame is painted, and those that came
meanwhile are dropped.
"""

import contextlib
import os
import signal
import threading
import time
from dataclasses import dataclass

import numpy as np

from .._shared import checks
from ..feedforward.paint import paint
from ..feedforward.stylize import resolve
from ..images.load import load_image
from .devices import LAST_CAMERA, Camera, NoDisplay, Window, _name
from .files import check_video_path, load_av, paths_in, write_video


@dataclass(frozen=True)
class Shown:
    """What became of a camera's frames: painted and dropped ones, and the seconds it ran."""

    frames: int
    dropped: int
    seconds: float

    @property
    def rate(self):
        """Painted frames per second."""
        return self.frames / max(self.seconds, 1e-9)


def stylize_camera(
    source, net, output=None, *, size=320, window=True, seconds=None, overwrite=False
):
    """Show what a camera sees, painted by a network, until q, the window's close button or Ctrl-C.

    Args:
        source: a camera's number, 0 for the first, or the path of a film to take its place, which
            runs at its own pace.
        net: what stylize() takes.
        output: a film to write as well, .mp4, .mov or .mkv, each frame shown as long as it was.
        size: longer side in pixels in which frames are painted.
        window: show a window, where there is a display; without one, there must be an output.
        seconds: stop after so many; None: at the end of the film, or never.
        overwrite: let `output` replace the film that takes the camera's place, or another input.

    Returns:
        Shown: frames painted and dropped.

    Raises:
        TypeError, ValueError, FileNotFoundError, PermissionError: an argument that cannot be right;
            no such camera or film; neither a display nor an output. ImportError: OpenCV, PyAV or
            pygame is missing.
    """
    source = _check_source(source)
    seconds = None if seconds is None else checks.number("seconds", seconds, above=True)
    window, overwrite = checks.flag("window", window), checks.flag("overwrite", overwrite)
    load_image(np.zeros((2, 2, 3), "uint8"), size)  # raises for a size that is none
    if output is not None:
        check_video_path(output, [source, *paths_in(net)], overwrite)
        load_av()
    net = resolve(net)
    shown = _window(_name(source), output) if window else None
    if shown is None and output is None:
        raise ValueError("without a window, the camera's picture needs an output")
    try:
        camera = Camera(source)
    except Exception:
        if shown:
            shown.close()
        raise
    count, started = 0, time.monotonic()

    def painted():
        nonlocal count, started
        for moment, image in camera:
            if count == 0:
                started = time.monotonic() - moment
            result = paint(net, load_image(image, size)[None])[0]
            count += 1
            yield moment, result
            if (shown and not shown.show(result)) or (seconds is not None and moment >= seconds):
                return

    try:
        with _stopped_by_ctrl_c(camera):
            if output is None:
                for _ in painted():
                    pass
            else:
                write_video(painted(), output, camera.rate)
    finally:
        camera.close()
        if shown:
            shown.close()
    return Shown(count, camera.seen - count, time.monotonic() - started)


@contextlib.contextmanager
def _stopped_by_ctrl_c(camera):
    """Ctrl-C is the camera's end, so that what was painted is written, wherever it finds the
    program; a second one is a KeyboardInterrupt.
    """
    if threading.current_thread() is not threading.main_thread():  # signals come to the main one
        yield
        return
    before = signal.getsignal(signal.SIGINT) or signal.default_int_handler

    def stop(number, frame):
        signal.signal(signal.SIGINT, before)
        camera.stop()

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _check_source(source):
    if isinstance(source, (str, os.PathLike)):
        return source
    if not checks.is_count(source, -LAST_CAMERA):
        raise TypeError(
            f"source must be a camera's number or a film's path. Received: {type(source).__name__}"
        )
    return checks.count("source", source, 0, LAST_CAMERA)


def _window(title, output):
    """A Window; None where there is no display or no pygame, but an output."""
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
