"""What stylize_video refuses before any work, and what it must not overwrite."""

import json
import os

import numpy as np
import pytest
from helpers import QUICK_FILM as QUICK
from helpers import picture, with_sound
from PIL import Image

from neural_style import stylize_video
from neural_style.video import film
from neural_style.video.read import load_av
from neural_style.video.write import write_video

pytest_plugins = ["film_fixtures"]


@pytest.mark.slow
def test_after_an_error_the_film_can_be_asked_for_rightly(clip, tmp_path, net):
    """A call that is refused before the first frame leaves nothing behind."""
    with pytest.raises(ValueError, match="conv9_9"):
        stylize_video(
            clip, picture(64, 64), tmp_path / "out.mp4", **{**QUICK, "style_layers": ["conv9_9"]}
        )
    assert stylize_video(clip, net, tmp_path / "out.mp4", progress=False) == 12


@pytest.mark.parametrize(
    "options,message",
    [
        ({"method": "magic"}, "method must be"),
        ({"masks": []}, "does not take masks"),
        ({"temporal_weight": -1}, "temporal_weight"),
        ({"long_term": (0,)}, "long_term"),
        ({"frames": 5}, "frames must be a slice"),
        ({"every": 0}, "every"),
        ({"next_steps": "x"}, "next_steps"),
        ({"frames": slice(50, 60)}, "leave no frame"),
        ({"style_layers": ["conv9_9"]}, "conv9_9"),
        ({"executor": object()}, "depend on each other"),
        ({"executor": object(), "method": "independent"}, "executor must be"),
        ({"callback": 3}, "callback must be"),
        ({"long_term": 3}, "long_term"),
        ({"long_term": (True,)}, "long_term"),
        ({"long_term": "12"}, "long_term"),
        ({"long_term": (10**30,)}, "long_term"),
        ({"frames": slice("a")}, "frames must be"),
        ({"frames": slice(1.5, 3)}, "frames must be"),
        ({"frames": slice(0, 9, -1)}, "frames must be"),
        ({"frames": slice(-3, None)}, "frames must be"),
        ({"frames": slice(0, 9, 0)}, "frames must be"),
        ({"frames": slice(10**30)}, "frames must be"),
        ({"every": 10**30}, "every"),
        ({"every": np.True_}, "every"),
        ({"smooth": np.nan}, "smooth"),
        ({"progress": "no"}, "progress"),
        ({"overwrite": 1}, "overwrite"),
        ({"resume": 0}, "resume"),
        ({"size": 8}, "at least 16 x 16"),
        ({"checkpoint": "out.mp4"}, "checkpoint must be another"),
        ({"steps": 0}, "steps"),
    ],
)
def test_bad_arguments(clip, tmp_path, monkeypatch, options, message):
    """The call is refused before any work, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(film, "_paint_frames", None)
    with pytest.raises((ValueError, TypeError), match=message):
        stylize_video(clip, picture(64, 64), "out.mp4", **{**QUICK, **options})
    assert os.listdir() == ["clip.mp4"]


@pytest.mark.slow
def test_numpys_numbers_are_taken(clip, tmp_path, net):
    """Numbers of NumPy and of Python are the same settings and give the same frames."""

    def paint(folder, **options):
        stylize_video(
            clip, net, tmp_path / "out.mp4", checkpoint=tmp_path / folder, progress=False, **options
        )
        return json.loads((tmp_path / folder / "film.json").read_text())

    plain = paint(
        "a",
        temporal_weight=2.0,
        smooth=0.5,
        next_steps=1.0,
        every=2,
        size=40,
        frames=slice(0, 8),
        long_term=(1, 2),
    )
    assert plain == paint(
        "b",
        temporal_weight=np.float32(2),
        smooth=np.float32(0.5),
        next_steps=np.float16(1),
        every=np.int64(2),
        size=np.int16(40),
        frames=slice(np.int64(0), np.int8(8)),
        long_term=[np.int32(1), np.int64(2)],
    )
    assert (tmp_path / "a" / "000003.png").read_bytes() == (
        tmp_path / "b" / "000003.png"
    ).read_bytes()


def test_bad_sources(tmp_path, net):
    with pytest.raises(FileNotFoundError, match="no film"):
        stylize_video(tmp_path / "none.mp4", net, tmp_path / "out.mp4")
    with pytest.raises(ValueError, match="must end in"):
        stylize_video(tmp_path / "none.mp4", net, tmp_path / "out.gif")


@pytest.mark.slow
@pytest.mark.parametrize("link", [None, os.symlink, os.link])
def test_the_source_is_not_overwritten(tmp_path, net, link):
    """A link to the source is the source too.

    With overwrite=True, the source is replaced by the film that another output would have been, its
    sound included.
    """
    with_sound(tmp_path / "own.mp4", 0.5)
    before = (tmp_path / "own.mp4").read_bytes()
    output = tmp_path / ("own.mp4" if link is None else "link.mp4")
    if link:
        link(tmp_path / "own.mp4", output)
    with pytest.raises(ValueError, match="also an input.*overwrite=True"):
        stylize_video(tmp_path / "own.mp4", net, output, progress=False)
    assert (tmp_path / "own.mp4").read_bytes() == before and len(os.listdir(tmp_path)) == (
        2 if link is None else 3
    )
    stylize_video(tmp_path / "own.mp4", net, tmp_path / "other.mp4", progress=False)
    assert stylize_video(tmp_path / "own.mp4", net, output, overwrite=True, progress=False) == 5
    assert output.read_bytes() == (tmp_path / "other.mp4").read_bytes() != before
    assert sound_of(output) == sound_of(tmp_path / "other.mp4") != b"" and output.is_symlink() == (
        link is os.symlink
    )
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


def sound_of(path):
    with load_av().open(str(path)) as container:
        return b"".join(bytes(packet) for packet in container.demux(audio=0))


def test_a_style_is_not_overwritten(clip, tmp_path):
    """The output must not be the painting, nor one of several paintings."""
    Image.fromarray(picture(64, 64, 5)).save(tmp_path / "art.png")
    os.link(tmp_path / "art.png", tmp_path / "out.mp4")
    for style in (tmp_path / "art.png", [(picture(64, 64), 1), (str(tmp_path / "art.png"), 0.5)]):
        with pytest.raises(ValueError, match="also an input"):
            stylize_video(clip, style, tmp_path / "out.mp4", **QUICK)


@pytest.mark.parametrize("style", ["none.jpg", "text.jpg", "text.keras", "clip.mp4", None, 3])
@pytest.mark.parametrize("method", [None, "network"])
def test_a_style_that_is_none_leaves_nothing(clip, tmp_path, style, method):
    for name in ("text.jpg", "text.keras"):
        (tmp_path / name).write_text("neither a picture nor a network")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises((ValueError, TypeError, FileNotFoundError)):
        stylize_video(
            clip,
            tmp_path / style if isinstance(style, str) else style,
            tmp_path / "out.mp4",
            method=method,
            progress=False,
        )
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("method,of_net", [("one_pass", True), ("network", False)])
def test_a_method_of_the_other_kind_of_style(clip, tmp_path, net, method, of_net):
    style = net if of_net else picture(32, 32)
    with pytest.raises(ValueError, match="'one_pass' with a painting"):
        stylize_video(clip, style, tmp_path / "out.mp4", method=method, progress=False)


def test_a_film_without_frames_leaves_nothing(tmp_path, net):
    """Matroska does not state the number of frames, so that this comes out only on the way."""
    write_video([picture(48, 64)] * 3, tmp_path / "clip.mkv")
    with pytest.raises(ValueError, match="leave no frame"):
        stylize_video(
            tmp_path / "clip.mkv", net, tmp_path / "out.mp4", frames=slice(50, 60), progress=False
        )
    assert sorted(os.listdir(tmp_path)) == ["clip.mkv", "net.keras"]
