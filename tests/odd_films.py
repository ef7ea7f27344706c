"""Odd calls of stylize_video(), and the right answers."""

import os
import tempfile
from functools import lru_cache
from pathlib import Path

from helpers import frames_of, picture, varied, with_sound
from odd import Row, refused, works
from PIL import Image

from neural_style import stylize_video
from neural_style.feedforward import build_transform_net, save_transform_net
from neural_style.video.read import read_frames, video_info
from neural_style.video.write import write_video

LISTS = {
    "hls.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nother.mp4\n#EXT-X-ENDLIST\n",
    "list.mp4": "ffconcat version 1.0\nfile other.mp4\n",
    "absolute.mp4": "ffconcat version 1.0\nfile {}/other.mp4\n",
}


@lru_cache(1)
def _made():
    """Make films and a network: {name: bytes}."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        with_sound(folder / "own.mp4", 0.6)
        write_video(frames_of(3), folder / "other.mp4")
        save_transform_net(varied(build_transform_net(4, 1)), folder / "net.keras")
        made = {path.name: path.read_bytes() for path in folder.iterdir()}
    return {**made, "half.mp4": made["own.mp4"][: len(made["own.mp4"]) // 2]}


@lru_cache(1)
def _whole():
    """Give the bytes of the film that stylize_video makes of own.mp4 without interruption."""
    film()
    data = Path("d.mp4").read_bytes()
    os.remove("d.mp4")
    return data


def prepare():
    for name, data in _made().items():
        Path(name).write_bytes(data)
    for name, text in LISTS.items():
        Path(name).write_text(text.format(os.getcwd()))
    Path("text.mp4").write_text("no film")
    Image.fromarray(picture(48, 64, 1)).save("photo.png")
    os.makedirs("folder")
    Path("folder", "diary.txt").write_text("mine")


def film(source="own.mp4", style="net.keras", output="d.mp4", **options):
    return stylize_video(source, style, output, **{"progress": False, **options})


def resumed(half):
    """Interrupt a film after three frames, add a hidden file to them, and ask for the film again.

    Return whether the film is the right one.
    """
    whole, folder = _whole(), Path(".d.mp4.frames")

    def interrupt(number, *_):
        if number == 2:
            raise KeyboardInterrupt

    try:
        film(callback=interrupt)
    except KeyboardInterrupt:
        data = (folder / "000001.png").read_bytes()
        (folder / ".000001-1a2b3c4d.png").write_bytes(data[: len(data) // 2] if half else data)
    return film() == 6 and Path("d.mp4").read_bytes() == whole and not folder.exists()


def at_once():
    """Start a second run of a film while the first one is at work.

    Return what the second run says, and whether the first run's film is right.
    """
    whole, said = _whole(), []

    def another(number, *_):
        if number == 2:
            try:
                film()
            except RuntimeError as error:
                said.append(str(error))

    film(callback=another)
    return said, Path("d.mp4").read_bytes() == whole


def frames(value):
    return lambda: film(frames=value)


is_true, six = (
    works(lambda result: result is True),
    works(lambda result: result == 6, writes=["d.mp4"]),
)

ROWS = [
    Row("output = source", lambda: film(output="own.mp4"), refused("also an input"), slow=True),
    Row("half a hidden .png left among the frames", lambda: resumed(half=True), is_true, slow=True),
    Row(
        "a whole hidden .png left among the frames", lambda: resumed(half=False), is_true, slow=True
    ),
    Row(
        "two runs of one film at once",
        at_once,
        works(
            lambda result: (
                len(result[0]) == 1 and "another run is working on" in result[0][0] and result[1]
            ),
            writes=["d.mp4"],
        ),
        slow=True,
    ),
    Row(
        "frames=slice(-3, None)",
        frames(slice(-3, None)),
        refused("frames must be .*start at least 0"),
    ),
    Row(
        "frames=slice(0, 9, -1)",
        frames(slice(0, 9, -1)),
        refused("frames must be .*step at least 1"),
    ),
    Row("frames=slice(100, 200)", frames(slice(100, 200)), refused("leave no frame of 'own.mp4'")),
    Row("frames=range(3)", frames(range(3)), refused("frames must be a slice")),
    Row("frames=slice('a')", frames(slice("a")), refused("frames must be a slice of integers")),
    Row(
        "frames=slice(1.5, 3)", frames(slice(1.5, 3)), refused("frames must be a slice of integers")
    ),
    Row("every=0", lambda: film(every=0), refused("every must be")),
    Row("every=True", lambda: film(every=True), refused("every must be")),
    Row("smooth=nan", lambda: film(smooth=float("nan")), refused("smooth must be")),
    Row("smooth='x'", lambda: film(smooth="x"), refused("smooth must be")),
    Row("long_term=()", lambda: film(long_term=()), refused("long_term must be")),
    Row("long_term=3", lambda: film(long_term=3), refused("long_term must be")),
    Row("long_term=(True,)", lambda: film(long_term=(True,)), refused("long_term must be")),
    Row("steps with a network", lambda: film(steps=5), refused("does not take steps", TypeError)),
    Row("color=1", lambda: film(color=1), refused("does not take color", TypeError)),
    Row("size=0", lambda: film(size=0), refused("size must be")),
    Row(
        "checkpoint= a folder with other things",
        lambda: film(checkpoint="folder"),
        refused("'folder' is a folder with other things"),
    ),
    Row("smooth=1", lambda: film(smooth=1), six, slow=True),
    Row("callback=3", lambda: film(callback=3), refused("callback must be", TypeError)),
    Row(
        "a picture as film",
        lambda: (film("photo.png"), len([*read_frames("d.mp4")]), video_info("d.mp4").width),
        works(lambda result: result == (1, 1, 64)),
        slow=True,
    ),
    Row(
        "no such film",
        lambda: film("none.mp4"),
        refused("no film at 'none.mp4'", FileNotFoundError),
    ),
    Row("text as film", lambda: film("text.mp4"), refused("'text.mp4' is not a film")),
    Row(
        "output .avi",
        lambda: film(output="d.avi"),
        refused("must end in .mp4, .mov or .mkv.*d.avi"),
    ),
    Row(
        "output in no folder",
        lambda: film(output="none/d.mp4"),
        refused("the folder 'none' does not exist", FileNotFoundError),
    ),
    Row(
        "a folder as film",
        lambda: film("folder"),
        refused("no film at 'folder'", FileNotFoundError),
    ),
    Row(
        "no such style",
        lambda: film(style="none.jpg"),
        refused("no picture at 'none.jpg'", FileNotFoundError),
    ),
    Row("HLS playlist named .mp4", lambda: film("hls.mp4"), refused("'hls.mp4' is not a film")),
    Row(
        "ffconcat named .mp4 with a relative name",
        lambda: film("list.mp4"),
        refused("'list.mp4' is not a film"),
    ),
    Row(
        "ffconcat with an absolute path",
        lambda: film("absolute.mp4"),
        refused("'absolute.mp4' is not a film"),
    ),
    Row("truncated film", lambda: film("half.mp4"), refused("half.mp4")),
]
