"""A camera that is read in a thread, and a window that shows pictures."""

import contextlib
import os
import threading
import time
from pathlib import Path

import numpy as np

from .._shared.optional import load
from .files import read_frames, video_info
from .flow import load_cv2

#: The largest number of a camera that OpenCV can be asked for.
LAST_CAMERA = 2**31 - 1


def _name(source):
    return f"camera {source}" if isinstance(source, int) else Path(source).name


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
        pygame = load("pygame")
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
