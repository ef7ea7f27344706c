"""A camera that a thread reads, and a window that shows pictures."""

import contextlib
import os
import pathlib
import threading
import time
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np

from .._shared.optional import load
from .._shared.types import Path
from .flow import load_cv2
from .read import read_frames, video_info

#: The largest number of a camera that OpenCV can be asked for.
LAST_CAMERA = 2**31 - 1

#: SDL's drivers that show nothing. SDL falls back to them where there is no screen.
INVISIBLE_DRIVERS = ("dummy", "offscreen")


def source_name(source: int | Path) -> str:
    """Name a camera or a film for people."""
    return f"camera {source}" if isinstance(source, int) else pathlib.Path(source).name


class Camera:
    """Iterates over (seconds since the first frame, the newest frame: uint8 RGB, H x W x 3).

    A thread reads on meanwhile and forgets each frame that a newer one replaces. A film in a
    camera's place is opened by read_frames, as every film here: OpenCV would also take playlists,
    and names for series of pictures.

    Args:
        source: The number of a camera, or the path of a film.

    Attributes:
        seen: Number of frames read so far.
        rate: Frames per second, as the camera or the film states it.
    """

    def __init__(self, source: int | Path) -> None:
        self._paced = not isinstance(source, int)
        self._frames: Generator[np.ndarray, None, None]
        if isinstance(source, int):
            cv2 = load_cv2()
            with _quiet(cv2):
                capture = cv2.VideoCapture(source)
            if not capture.isOpened():
                raise ValueError(f"{source_name(source)} cannot be opened")
            self.rate, self._frames = capture.get(cv2.CAP_PROP_FPS) or 25.0, _captured(capture)
        else:
            self.rate = float(video_info(source).rate)
            self._frames = (image for _, image in read_frames(source))
        self._news = threading.Condition()
        self._newest: tuple[float, np.ndarray] | None = None
        self._over, self.seen = False, 0
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        """Read frames until the source ends, fails, or somebody stops the camera."""
        started = time.monotonic()
        try:
            while not self._over:
                if self._paced:  # without a pause, a film would be read as fast as possible
                    time.sleep(max(0, started + self.seen / self.rate - time.monotonic()))
                image = next(self._frames, None)
                with self._news:
                    if image is None:
                        break
                    self._newest, self.seen = (time.monotonic() - started, image), self.seen + 1
                    self._news.notify()
        except Exception as error:  # raised again in the thread that waits for a picture
            self._error = error
        finally:
            self.stop()

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        """Wait for the newest frame, again and again."""
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

    def stop(self) -> None:
        """End the pictures after the newest one, also for a thread that waits for one."""
        with self._news:
            self._over = True
            self._news.notify()

    def close(self) -> None:
        """Stop the thread and free the camera or the film."""
        self._over = True
        self._thread.join()
        self._frames.close()


class NoDisplay(RuntimeError):
    """There is no screen to show a window on."""


class Window:
    """A window of the size of its picture.

    The window is pygame's, because only one of OpenCV's packages can open windows.

    Args:
        title: The window's title.

    Raises:
        NoDisplay: There is no screen.
        ImportError: pygame is missing; the message names the package to install.
    """

    def __init__(self, title: str) -> None:
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        pygame = load("pygame")
        self._pygame, self._title = pygame, title
        self._screen: Any = None
        try:
            pygame.display.init()
        except pygame.error as error:
            raise NoDisplay(str(error)) from error
        hidden = pygame.display.get_driver() in INVISIBLE_DRIVERS
        if hidden and "SDL_VIDEODRIVER" not in os.environ:
            pygame.display.quit()
            raise NoDisplay("SDL found no screen")

    def show(self, image: np.ndarray) -> bool:
        """Show a picture.

        Args:
            image: uint8 RGB, H x W x 3.

        Returns:
            False once the key q was pressed or the window was closed, else True.
        """
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

    def close(self) -> None:
        """Close the window."""
        self._pygame.display.quit()


def _captured(capture: Any) -> Generator[np.ndarray, None, None]:
    """Read the pictures of an OpenCV camera as uint8 RGB, H x W x 3."""
    try:
        while True:
            there, image = capture.read()
            if not there:
                return
            yield image[:, :, ::-1]  # BGR to RGB
    finally:
        capture.release()


@contextlib.contextmanager
def _quiet(cv2: Any) -> Iterator[None]:
    """Keep OpenCV from printing what it tries while it looks for a camera."""
    logging = getattr(getattr(cv2, "utils", None), "logging", None)
    level = logging.setLogLevel(logging.LOG_LEVEL_SILENT) if logging else None
    try:
        yield
    finally:
        if logging:
            logging.setLogLevel(level)
