"""A camera, or a film in its place, painted live: frames, window, Ctrl-C and arguments."""

import _thread
import signal
import threading
import time

import numpy as np
import pytest
from helpers import picture

from neural_style import stylize, stylize_camera
from neural_style.feedforward import build_transform_net
from neural_style.video import camera as camera_module
from neural_style.video import devices as devices_module
from neural_style.video.devices import Camera
from neural_style.video.read import read_frames, video_info
from neural_style.video.write import write_video


@pytest.fixture(scope="module")
def net():
    return build_transform_net(4, 1)


@pytest.fixture
def film(tmp_path):
    """Write a second of film for the camera's place: 20 frames, each of another gray."""
    write_video(
        [np.full((48, 64, 3), 10 * number + 20, "uint8") for number in range(20)],
        tmp_path / "film.mp4",
        20,
    )
    return tmp_path / "film.mp4"


@pytest.fixture
def display(monkeypatch):
    """Give pygame with a display of SDL that nobody sees."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setenv("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    import pygame

    yield pygame
    pygame.display.quit()


def slow_paint(monkeypatch, seconds):
    real = camera_module.paint
    monkeypatch.setattr(camera_module, "paint", lambda *args: (time.sleep(seconds), real(*args))[1])


@pytest.mark.slow
def test_to_a_file(film, net, tmp_path):
    shown = stylize_camera(film, net, tmp_path / "out.mp4", size=32, window=False)
    assert (
        1 <= shown.frames <= 20 and shown.frames + shown.dropped == 20 and 0.8 < shown.seconds < 30
    )
    info = video_info(tmp_path / "out.mp4")
    assert (info.width, info.height, info.frames) == (32, 24, shown.frames)


@pytest.mark.slow
def test_late_frames_are_dropped_and_never_queue_up(film, net, monkeypatch):
    """At a quarter of the camera's rate, each painted picture is still the newest one."""
    stylize(picture(48, 64), net)  # compiled
    slow_paint(monkeypatch, 0.2)
    late = []
    monkeypatch.setattr(
        camera_module, "load_image", lambda image, size: late.append(image.mean()) or image
    )
    monkeypatch.setattr(camera_module, "Window", Silent)
    shown = stylize_camera(film, net, size=32)
    assert 2 <= shown.frames <= 7 and shown.frames + shown.dropped == 20
    steps = np.diff(late[1:])  # the first call is the check of size
    assert (steps[:-1] > 20).all()  # the last one comes when the film is over


class Silent:
    def __init__(self, title):
        self.pictures, self.closed = [], False

    def show(self, image):
        self.pictures.append(image)
        return True

    def close(self):
        self.closed = True


@pytest.mark.slow
def test_the_window_shows_the_painted_picture(film, net, display):
    seen = []
    original = camera_module.Window.show

    def show(self, image):
        going_on = original(self, image)
        seen.append(
            (image, display.surfarray.array3d(display.display.get_surface()).swapaxes(0, 1))
        )
        return going_on

    camera_module.Window.show, kept = show, original
    try:
        stylize_camera(film, net, size=32)
    finally:
        camera_module.Window.show = kept
    assert seen and all(np.array_equal(image, on_screen) for image, on_screen in seen)
    assert not display.display.get_init()  # closed


@pytest.mark.parametrize("event", ["q", "close"])
def test_q_and_the_close_button_stop(film, net, display, monkeypatch, event):
    original, count = camera_module.Window.show, []

    def show(self, image):
        count.append(1)
        if len(count) == 2:
            display.event.post(
                display.event.Event(display.QUIT)
                if event == "close"
                else display.event.Event(display.KEYDOWN, key=display.K_q, unicode="q")
            )
        return original(self, image)

    monkeypatch.setattr(camera_module.Window, "show", show)
    assert stylize_camera(film, net, size=32).frames == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "where", ["within the network", "within the encoder", "waiting for the camera"]
)
def test_ctrl_c_keeps_the_film(net, tmp_path, monkeypatch, where):
    """Ctrl-C keeps the film wherever the program is; afterwards Ctrl-C has its old meaning."""
    write_video(
        [picture(48, 64, number % 5) for number in range(600)],
        tmp_path / "long.mp4",
        2 if "waiting" in where else 20,
    )
    before, paint, write = (
        signal.getsignal(signal.SIGINT),
        camera_module.paint,
        camera_module.write_video,
    )
    calls = []

    def painted(*arguments):
        calls.append(1)
        if len(calls) == 3 and "network" in where:
            signal.raise_signal(signal.SIGINT)
        if len(calls) == 3 and "waiting" in where:
            threading.Timer(0.2, _thread.interrupt_main).start()
        return paint(*arguments)

    def interrupted(frames):
        for number, frame in enumerate(frames):
            if number == 2 and "encoder" in where:
                signal.raise_signal(signal.SIGINT)
            yield frame

    monkeypatch.setattr(camera_module, "paint", painted)
    monkeypatch.setattr(
        camera_module,
        "write_video",
        lambda frames, *arguments: write(interrupted(frames), *arguments),
    )
    shown = stylize_camera(tmp_path / "long.mp4", net, tmp_path / "out.mp4", size=32, window=False)
    assert 3 <= shown.frames <= 4 and len([*read_frames(tmp_path / "out.mp4")]) == shown.frames
    assert signal.getsignal(signal.SIGINT) is before


@pytest.fixture
def interruptible():
    """Let Python's own handler take Ctrl-C.

    Shells start a job in the background, such as these tests, with SIGINT ignored.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_second_ctrl_c_is_an_interrupt(film, net, tmp_path, monkeypatch, interruptible):
    monkeypatch.setattr(
        camera_module,
        "paint",
        lambda *arguments: [signal.raise_signal(signal.SIGINT) for _ in range(2)],
    )
    with pytest.raises(KeyboardInterrupt):
        stylize_camera(film, net, tmp_path / "out.mp4", size=32, window=False)
    assert not (tmp_path / "out.mp4").exists()


def test_seconds(film, net, tmp_path):
    assert (
        stylize_camera(film, net, tmp_path / "out.mp4", size=32, window=False, seconds=0.3).frames
        < 10
    )


@pytest.mark.slow
def test_numpys_numbers_are_taken(film, net, tmp_path):
    shown = stylize_camera(
        film,
        net,
        tmp_path / "out.mp4",
        size=np.int16(32),
        window=np.False_,
        seconds=np.float32(0.3),
    )
    assert shown.frames < 10
    with pytest.raises(ValueError, match="camera 77 cannot be opened"):
        stylize_camera(np.int64(77), net, tmp_path / "out.mp4")


@pytest.mark.slow
def test_the_film_in_its_place_is_not_overwritten(film, net, tmp_path):
    before, link = film.read_bytes(), tmp_path / "link.mp4"
    link.symlink_to(film)
    for output in (film, link):
        with pytest.raises(ValueError, match="also an input"):
            stylize_camera(film, net, output, size=32, window=False)
    assert film.read_bytes() == before and sorted(path.name for path in tmp_path.iterdir()) == [
        "film.mp4",
        "link.mp4",
    ]
    shown = stylize_camera(film, net, link, size=32, window=False, overwrite=True)
    assert (
        link.is_symlink()
        and video_info(film).width == 32
        and video_info(film).frames == shown.frames
    )


def test_a_picture_that_cannot_be_read_is_told(film, net, tmp_path, monkeypatch):
    """If the thread that reads fails, the one that waits for a picture gets its error."""

    def read(path):
        yield 0, picture(48, 64)
        raise MemoryError("a frame too large")

    monkeypatch.setattr(devices_module, "read_frames", read)
    with pytest.raises(MemoryError, match="too large"):
        stylize_camera(film, net, tmp_path / "out.mp4", size=32, window=False)
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


@pytest.mark.slow
def test_no_display(film, net, tmp_path, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "there_is_none")
    with pytest.raises(ValueError, match="no display"):
        stylize_camera(film, net, size=32)
    assert stylize_camera(film, net, tmp_path / "out.mp4", size=32).frames > 0


def test_cameras_that_are_none(film, net, tmp_path):
    with pytest.raises(ValueError, match="camera 77 cannot be opened"):
        stylize_camera(77, net, tmp_path / "out.mp4")
    with pytest.raises(FileNotFoundError, match="no film"):
        stylize_camera(tmp_path / "none.mp4", net, tmp_path / "out.mp4")
    (tmp_path / "text.mp4").write_text("not a film")
    with pytest.raises(ValueError, match="text.mp4' is not a film"):
        stylize_camera(tmp_path / "text.mp4", net, tmp_path / "out.mp4")
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile film.mp4\n")
    with pytest.raises(ValueError, match="list.mp4' is not a film"):
        stylize_camera(tmp_path / "list.mp4", net, tmp_path / "out.mp4")
    with pytest.raises(TypeError, match="camera's number"):
        stylize_camera(1.5, net, tmp_path / "out.mp4")
    for source in (-1, 10**30):
        with pytest.raises((TypeError, ValueError), match="source"):
            stylize_camera(source, net, tmp_path / "out.mp4")
    for seconds in (0, "1", np.nan, True, 10**400):
        with pytest.raises(ValueError, match="seconds"):
            stylize_camera(film, net, tmp_path / "out.mp4", seconds=seconds)
    for size in (0, 2.5, "32", True):
        with pytest.raises(ValueError, match="size"):
            stylize_camera(film, net, tmp_path / "out.mp4", size=size)
    with pytest.raises(ValueError, match="window"):
        stylize_camera(film, net, tmp_path / "out.mp4", window=None)
    with pytest.raises(ValueError, match="needs an output"):
        stylize_camera(film, net, window=False)
    with pytest.raises(ValueError, match="must end in"):
        stylize_camera(film, net, tmp_path / "out.gif")


@pytest.mark.slow
def test_a_camera_is_read_once_over(film):
    camera = Camera(film)
    frames = [*camera]
    camera.close()
    assert 1 <= len(frames) <= 20 and frames[0][0] == 0 and frames[0][1].shape == (48, 64, 3)
    assert [moment for moment, _ in frames] == sorted(moment for moment, _ in frames)
