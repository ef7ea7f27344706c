"""A camera's picture in a style, as it comes: the newest frame is painted, and those that came
meanwhile are dropped.
"""

import contextlib
import os
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import checks
from .extras import load
from .flow import load_cv2
from .images import load_image
from .stylization import paint, resolve
from .video import check_video_path, load_av, paths_in, read_frames, video_info, write_video

#: The largest number of a camera that OpenCV can be asked for.
LAST_CAMERA = 2**31 - 1


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


def _name(source):
    return f"camera {source}" if isinstance(source, int) else Path(source).name


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


class Camera:
    """Iterates over (seconds since the first frame, the newest frame, uint8 RGB); a thread reads on
    meanwhile and forgets what it replaces.

    A film in a camera's place is opened by read_frames, as any film here: OpenCV would also take
    playlists, and names for series of pictures.

    Attributes: seen, the frames read so far; rate, frames per second as the camera says.
    """

    def __init__(self, source):
        self._paced = not isinstance(source, int)
        if self._paced:
            self.rate, self._frames = (
                float(video_info(source).rate),
                (image for _, image in read_frames(source)),
            )
        else:
            cv2 = load_cv2()
            with _quiet(cv2):
                capture = cv2.VideoCapture(source)
            if not capture.isOpened():
                raise ValueError(f"{_name(source)} cannot be opened")
            self.rate, self._frames = capture.get(cv2.CAP_PROP_FPS) or 25.0, _captured(capture)
        self._news, self._newest, self._over, self._error, self.seen = (
            threading.Condition(),
            None,
            False,
            None,
            0,
        )
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        started = time.monotonic()
        try:
            while not self._over:
                if self._paced:  # a file would be read as fast as it can be
                    time.sleep(max(0, started + self.seen / self.rate - time.monotonic()))
                image = next(self._frames, None)
                with self._news:
                    if image is None:
                        break
                    self._newest, self.seen = (time.monotonic() - started, image), self.seen + 1
                    self._news.notify()
        except Exception as error:  # told to the one who waits for a picture
            self._error = error
        finally:
            self.stop()

    def __iter__(self):
        first = None
        while True:
            with self._news:
                self._news.wait_for(lambda: self._newest is not None or self._over)
                if self._newest is None and self._error is not None:
                    raise self._error
                if self._newest is None:
                    return
                (moment, image), self._newest = self._newest, None
            first = moment if first is None else first
            yield moment - first, np.ascontiguousarray(image)

    def stop(self):
        """No more pictures than the newest, also for who waits for one."""
        with self._news:
            self._over = True
            self._news.notify()

    def close(self):
        self._over = True
        self._thread.join()
        self._frames.close()


def _captured(capture):
    """The pictures of an OpenCV camera, uint8 RGB."""
    try:
        while True:
            there, image = capture.read()
            if not there:
                return
            yield image[:, :, ::-1]
    finally:
        capture.release()


#: SDL's drivers that show nothing, which it falls back to where there is no screen.
NOWHERE = ("dummy", "offscreen")


class NoDisplay(RuntimeError):
    """There is nothing to show a window on."""


class Window:
    """A window of the size of its picture; pygame's, since OpenCV's own comes with one of its
    packages only.
    """

    def __init__(self, title):
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        pygame = load("pygame", "pygame", "video")
        self._pygame, self._screen, self._title = pygame, None, title
        try:
            pygame.display.init()
        except pygame.error as error:
            raise NoDisplay(str(error)) from error
        if pygame.display.get_driver() in NOWHERE and "SDL_VIDEODRIVER" not in os.environ:
            pygame.display.quit()
            raise NoDisplay("SDL found no screen")

    def show(self, image):
        """Show a uint8 RGB picture; False once q was pressed or the window closed."""
        pygame, size = self._pygame, image.shape[1::-1]
        if self._screen is None or self._screen.get_size() != size:
            self._screen = pygame.display.set_mode(size)
            pygame.display.set_caption(f"{self._title}: q to stop")
        self._screen.blit(pygame.image.frombuffer(np.ascontiguousarray(image), size, "RGB"), (0, 0))
        pygame.display.flip()
        return not any(
            event.type == pygame.QUIT or (event.type == pygame.KEYDOWN and event.unicode == "q")
            for event in pygame.event.get()
        )

    def close(self):
        self._pygame.display.quit()


@contextlib.contextmanager
def _quiet(cv2):
    """OpenCV prints what it tries while it looks for a camera."""
    logging = getattr(getattr(cv2, "utils", None), "logging", None)
    level = logging.setLogLevel(logging.LOG_LEVEL_SILENT) if logging else None
    try:
        yield
    finally:
        if logging:
            logging.setLogLevel(level)
