import io
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import IMAGES, picture
from helpers import PATHS, varied, with_sound
from helpers import QUICK_FILM as QUICK
from PIL import Image

from neural_style import (
    Evaluator,
    build_transform_net,
    load_image,
    save_transform_net,
    stylize,
    stylize_video,
)
from neural_style.losses.regularizers import temporal_loss
from neural_style.vgg.preprocessing import preprocess
from neural_style.video import checkpoint as checkpoint_module
from neural_style.video import film, film_progress, network_painter
from neural_style.video import frames as frames_module
from neural_style.video.flow import optical_flow, reliable, warping_error
from neural_style.video.read import load_av, read_frames, video_info
from neural_style.video.write import write_video


@pytest.fixture
def clip(tmp_path):
    """Eight frames of a photo that moves 3 pixels a frame, then four of another."""
    frames = []
    for name, count in (("petra.jpg", 8), ("neuschwanstein.jpg", 4)):
        still = load_image(f"{IMAGES}/{name}", 120)
        frames += [still[:64, 3 * i : 3 * i + 80] for i in range(count)]
    write_video(frames, tmp_path / "clip.mp4", 12, quality=5)
    return tmp_path / "clip.mp4"


def test_the_temporal_loss_and_its_gradient(tiny):
    """Against the formula, and against finite differences."""
    warped, holds = picture(12, 14, 1), np.zeros((12, 14), "float32")
    holds[2:9, 3:11] = 1
    x = preprocess(picture(12, 14, 2)).astype("float64")
    evaluator = Evaluator(
        tiny.model, {"temporal": temporal_loss(warped, holds)}, {"temporal": 3.0}, x.shape
    )
    difference = holds[..., None] * (x[0] - preprocess(warped)[0])
    loss, grad = evaluator(x.ravel())
    assert loss == pytest.approx(3 * np.square(difference).mean(), rel=1e-5)
    direction = np.random.default_rng(0).normal(size=x.size)
    step = 1.0
    slope = (
        evaluator(x.ravel() + step * direction)[0] - evaluator(x.ravel() - step * direction)[0]
    ) / (2 * step)
    assert slope == pytest.approx(grad @ direction, rel=1e-3) and np.abs(grad).max() > 0
    assert not grad.reshape(x.shape)[0][holds == 0].any()


def count_starts(monkeypatch):
    """What the painter was given, frame by frame: how much of each frame was known."""
    seen, call = [], film.Painter.__call__
    monkeypatch.setattr(
        film.Painter,
        "__call__",
        lambda self, image, known: (
            seen.append([float(holds.mean()) for _, holds in known]) or call(self, image, known)
        ),
    )
    return seen


def test_a_film_starts_anew_after_a_cut(clip, tmp_path, monkeypatch):
    seen = count_starts(monkeypatch)
    assert (
        stylize_video(clip, picture(64, 64, 5), tmp_path / "out.mp4", method="temporal", **QUICK)
        == 12
    )
    assert [len(known) for known in seen] == [0, *[1] * 7, 0, *[1] * 3]
    assert min(known[0] for known in seen if known) > 0.5
    info = video_info(tmp_path / "out.mp4")
    assert (info.frames, info.rate, info.width, info.height) == (12, 12, 80, 64)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "out.mp4"]


def test_long_term(clip, tmp_path, monkeypatch):
    seen = count_starts(monkeypatch)
    stylize_video(
        clip,
        picture(64, 64, 5),
        tmp_path / "out.mp4",
        long_term=(1, 2, 4),
        frames=slice(0, 6),
        **QUICK,
    )
    assert [len(known) for known in seen] == [0, 1, 2, 2, 3, 3]
    assert all(sum(known) <= 1 for known in seen)  # each pixel is held to one frame


def flicker(path, clip):
    originals, results = ([image for _, image in read_frames(one)] for one in (clip, path))
    errors = []
    for last, this, before, after in zip(originals, originals[1:], results, results[1:]):
        back = optical_flow(this, last)
        holds = reliable(back, optical_flow(last, this))
        errors.append(warping_error(before, after, back, holds))
    return np.median(errors)


@pytest.mark.slow
def test_the_methods_flicker_less(clip, tmp_path):
    for method in ("independent", "warp", "temporal"):
        stylize_video(
            clip,
            picture(64, 64, 5),
            tmp_path / f"{method}.mp4",
            method=method,
            frames=slice(0, 5),
            **{**QUICK, "steps": 12},
        )
    alone, warped, held = (
        flicker(tmp_path / f"{method}.mp4", clip) for method in ("independent", "warp", "temporal")
    )
    assert warped < 0.6 * alone and held < 0.6 * alone


def test_one_painter_for_the_whole_film(clip, tmp_path, monkeypatch):
    """The network, the first frame's graph and the next frames' graph: each compiled once, so that
    memory does not grow.
    """
    made = []
    for name in ("feature_extractor", "Evaluator"):
        original = getattr(frames_module, name)
        monkeypatch.setattr(
            frames_module,
            name,
            lambda *args, original=original, name=name, **kwargs: (
                made.append(name) or original(*args, **kwargs)
            ),
        )
    stylize_video(clip, picture(64, 64, 5), tmp_path / "out.mp4", frames=slice(0, 5), **QUICK)
    assert made == ["feature_extractor", "Evaluator", "Evaluator"]


@pytest.fixture
def net(tmp_path):
    save_transform_net(varied(build_transform_net(4, 1)), tmp_path / "net.keras")
    return tmp_path / "net.keras"


@pytest.mark.slow
def test_by_a_network(clip, tmp_path, net):
    assert (
        stylize_video(clip, net, tmp_path / "out.mp4", checkpoint=tmp_path / "work", progress=False)
        == 12
    )
    for number, (_, image) in enumerate(read_frames(clip)):
        assert np.array_equal(
            load_image(tmp_path / "work" / f"{number:06d}.png"), np.asarray(stylize(image, net))
        )
    stylize_video(clip, net, tmp_path / "small.mp4", size=40, progress=False)
    assert video_info(tmp_path / "small.mp4").width == 40


def test_smoothing_along_the_flow(clip, tmp_path, net):
    for smooth in (0.0, 0.6):
        stylize_video(
            clip, net, tmp_path / f"{smooth}.mp4", smooth=smooth, frames=slice(0, 6), progress=False
        )
    assert flicker(tmp_path / "0.6.mp4", clip) < 0.7 * flicker(tmp_path / "0.0.mp4", clip)


def test_frames_every_and_sound(tmp_path, net):
    with_sound(tmp_path / "source.mp4")
    assert stylize_video(tmp_path / "source.mp4", net, tmp_path / "all.mp4", progress=False) == 20
    before, after = video_info(tmp_path / "source.mp4"), video_info(tmp_path / "all.mp4")
    assert (
        after.audio
        and after.frames == 20
        and after.duration == pytest.approx(before.duration, abs=0.02)
    )
    assert (
        stylize_video(
            tmp_path / "source.mp4",
            net,
            tmp_path / "some.mp4",
            frames=slice(4, 16),
            every=3,
            progress=False,
        )
        == 4
    )
    some = video_info(tmp_path / "some.mp4")
    assert some.frames == 4 and some.audio
    assert [float(moment) for moment, _ in read_frames(tmp_path / "some.mp4")] == pytest.approx(
        [0, 0.3, 0.6, 0.9], abs=0.001
    )


def test_callback(clip, tmp_path, net):
    seen = []
    stylize_video(
        clip,
        net,
        tmp_path / "out.mp4",
        callback=lambda number, image, total: seen.append((number, image.shape, total)),
        progress=False,
    )
    assert seen == [(number, (64, 80, 3), 12) for number in range(12)]


@pytest.mark.slow
def test_workers_paint_the_same_frames(clip, tmp_path, net):
    stylize_video(clip, net, tmp_path / "alone.mp4", checkpoint=tmp_path / "alone", progress=False)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        stylize_video(
            clip,
            net,
            tmp_path / "pool.mp4",
            checkpoint=tmp_path / "pool",
            executor=executor,
            progress=False,
        )
    for path in (tmp_path / "alone").glob("*.png"):
        assert np.array_equal(load_image(path), load_image(tmp_path / "pool" / path.name))
    assert len([*(tmp_path / "pool").glob("*.png")]) == 12


SCRIPT = """
import sys
from neural_style import stylize_video
from helpers import QUICK_FILM as QUICK, picture
if __name__ == "__main__":
    stylize_video(sys.argv[1], picture(64, 64, 5), sys.argv[2], checkpoint=sys.argv[3], **QUICK)
"""


@pytest.mark.slow
def test_killed_and_resumed_gives_the_same_frames(clip, tmp_path):
    stylize_video(
        clip, picture(64, 64, 5), tmp_path / "whole.mp4", checkpoint=tmp_path / "whole", **QUICK
    )
    killed = subprocess.Popen(
        [
            sys.executable,
            "-c",
            SCRIPT,
            str(clip),
            str(tmp_path / "out.mp4"),
            str(tmp_path / "work"),
        ],
        env={**os.environ, "PYTHONPATH": PATHS},
        stderr=subprocess.DEVNULL,
    )
    while len([*(tmp_path / "work").glob("*.png")]) < 4 and killed.poll() is None:
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    there = len([*(tmp_path / "work").glob("*.png")])
    assert 4 <= there < 12 and not (tmp_path / "out.mp4").exists()
    assert (
        stylize_video(
            clip, picture(64, 64, 5), tmp_path / "out.mp4", checkpoint=tmp_path / "work", **QUICK
        )
        == 12
    )
    for path in (tmp_path / "whole").glob("*.png"):
        assert path.read_bytes() == (tmp_path / "work" / path.name).read_bytes()
    assert (tmp_path / "whole.mp4").read_bytes() == (tmp_path / "out.mp4").read_bytes()


def test_a_folder_of_another_film_is_refused(clip, tmp_path, net):
    stylize_video(clip, net, tmp_path / "out.mp4", checkpoint=tmp_path / "work", progress=False)
    with pytest.raises(ValueError, match="another film or of other settings"):
        stylize_video(
            clip,
            net,
            tmp_path / "out.mp4",
            checkpoint=tmp_path / "work",
            smooth=0.5,
            progress=False,
        )
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "diary.txt").write_text("mine")
    with pytest.raises(ValueError, match="other things"):
        stylize_video(clip, net, tmp_path / "out.mp4", checkpoint=tmp_path / "full", progress=False)


def test_after_an_error_the_film_can_be_asked_for_rightly(clip, tmp_path, net):
    """What was refused before the first frame leaves nothing that stands in the way."""
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
    """Refused before any work, with nothing written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(film, "_paint_frames", None)
    with pytest.raises((ValueError, TypeError), match=message):
        stylize_video(clip, picture(64, 64), "out.mp4", **{**QUICK, **options})
    assert os.listdir() == ["clip.mp4"]


def test_numpys_numbers_are_taken(clip, tmp_path, net):
    """They are the same settings as Python's: the frames of the one call are those of the other."""

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


def test_a_notebook_sees_each_frame_as_it_is_painted(clip, tmp_path, net, monkeypatch):
    shown = []
    monkeypatch.setattr(film_progress, "in_notebook", lambda: True)
    monkeypatch.setattr(
        "IPython.display.display", lambda display_id: SimpleNamespace(update=shown.append)
    )
    stylize_video(
        clip, net, tmp_path / "out.mp4", frames=slice(0, 3), checkpoint=tmp_path / "frames"
    )
    lines, pictures = shown[::2], shown[1::2]
    assert [line.split(",")[0] for line in lines] == [
        "frame 1 of 3",
        "frame 2 of 3",
        "frame 3 of 3",
    ] and "frames a second" in lines[-1]
    last = np.asarray(Image.open(io.BytesIO(pictures[-1].data))).astype(int)
    assert np.abs(last - load_image(tmp_path / "frames" / "000002.png")).mean() < 10


# ---- What goes wrong on the way
# --------------------------------------------------------------------------------------


def interrupt(*_):
    raise KeyboardInterrupt


def interrupted(clip, net, tmp_path, frames=5, **options):
    """Frames of a film that Ctrl-C ended after so many; their folder."""
    with pytest.raises(KeyboardInterrupt):
        stylize_video(
            clip,
            net,
            tmp_path / "out.mp4",
            progress=False,
            smooth=0.5,
            **options,
            callback=lambda number, *_: interrupt() if number == frames - 1 else None,
        )
    work = tmp_path / ".out.mp4.frames"
    assert sorted(os.listdir(work)) == [
        *(f"{number:06d}.png" for number in range(frames)),
        "film.json",
    ]
    return work


def test_other_files_beside_the_frames_change_nothing(clip, tmp_path, net):
    """Whole and half files under the names that a killed save leaves, now and in older versions;
    and files that are not ours.
    """
    stylize_video(clip, net, tmp_path / "whole.mp4", smooth=0.5, progress=False)
    work = interrupted(clip, net, tmp_path)
    frame = (work / "000003.png").read_bytes()
    for name in (
        ".000003-1a2b3c4d.png",
        "000003-1a2b3c4d.png",
        ".0123456789abcdef.part",
        "3.png",
        "cover.png",
    ):
        (work / name).write_bytes(frame)
    for name in (
        ".000005-1a2b3c4d.png",
        ".fedcba9876543210.part",
        ".film.json-1a2b3c4d",
        "00005.png",
    ):
        (work / name).write_bytes(frame[: len(frame) // 2])
    assert stylize_video(clip, net, tmp_path / "out.mp4", smooth=0.5, progress=False) == 12
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    assert not work.exists()


def test_what_a_kill_leaves_before_the_first_frame_is_no_hindrance(clip, tmp_path, net):
    work = tmp_path / ".out.mp4.frames"
    work.mkdir()
    for name in (".0123456789abcdef.part", ".lock"):
        (work / name).write_bytes(b"half")
    assert (
        stylize_video(clip, net, tmp_path / "out.mp4", frames=slice(2), progress=False) == 2
        and not work.exists()
    )


def test_a_damaged_frame_is_painted_anew(clip, tmp_path, net, caplog):
    stylize_video(clip, net, tmp_path / "whole.mp4", smooth=0.5, progress=False)
    work = interrupted(clip, net, tmp_path)
    frame = (work / "000001.png").read_bytes()
    (work / "000001.png").write_bytes(frame[: len(frame) // 2])
    (work / "000002.png").write_bytes(b"")
    Image.fromarray(picture(10, 12)).save(work / "000004.png")
    assert stylize_video(clip, net, tmp_path / "out.mp4", smooth=0.5, progress=False) == 12
    warnings = [record.getMessage() for record in caplog.records if record.name == "neural_style"]
    assert len(warnings) == 3 and all(
        f"00000{number}.png is painted anew" in text for number, text in zip((1, 2, 4), warnings)
    )
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_without_resume_the_old_frames_are_painted_anew(clip, tmp_path, net):
    """A frame of the earlier run, altered here, is kept with resume=True and replaced without."""
    folder, painted = tmp_path / "frames", []

    def film_of(output, **options):
        painted.clear()
        stylize_video(
            clip,
            net,
            tmp_path / output,
            checkpoint=folder,
            frames=slice(4),
            callback=lambda number, *_: painted.append(number),
            progress=False,
            **options,
        )
        return (tmp_path / output).read_bytes()

    whole = film_of("whole.mp4")
    Image.fromarray(picture(64, 80, 9)).save(folder / "000001.png")
    (folder / "000009.png").write_bytes(b"left of an earlier run")
    (folder / "notes.txt").write_text("mine")
    assert film_of("resumed.mp4") != whole and painted == []
    assert film_of("anew.mp4", resume=False) == whole and painted == [0, 1, 2, 3]
    assert sorted(os.listdir(folder)) == [
        *(f"{number:06d}.png" for number in range(4)),
        "film.json",
        "notes.txt",
    ]


def test_without_resume_another_film_s_frames_stay(clip, tmp_path, net):
    folder = tmp_path / "frames"
    stylize_video(
        clip, net, tmp_path / "out.mp4", checkpoint=folder, frames=slice(2), progress=False
    )
    before = sorted(os.listdir(folder))
    with pytest.raises(ValueError, match="another film or of other settings"):
        stylize_video(clip, net, tmp_path / "out.mp4", checkpoint=folder, resume=False)
    assert sorted(os.listdir(folder)) == before


@pytest.mark.slow
def test_the_order_of_a_very_long_film(tmp_path, monkeypatch):
    """Names sort as text: 1000000.png would come before 999999.png."""
    monkeypatch.setattr(film, "load_image", lambda path: path.name)
    for number, (moment, name) in enumerate(film._painted(tmp_path, range(7, 1_000_010))):
        if number in (0, 999_999, 1_000_000, 1_000_002):
            assert (moment, name) == (number, f"{number:06d}.png" if number else "000000.png")
    assert number == 1_000_002
    (tmp_path / "1000000.png").touch()
    assert checkpoint_module._has_frames(tmp_path)


@pytest.mark.parametrize("link", [None, os.symlink, os.link])
def test_the_source_is_not_overwritten(tmp_path, net, link):
    """Nor by the name of a link to it; with overwrite=True it is, by the film that another name
    would have got, its sound too.
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
    """A film in the place of the painting, and among several: its first frame is the style."""
    Image.fromarray(picture(64, 64, 5)).save(tmp_path / "art.png")
    os.link(tmp_path / "art.png", tmp_path / "out.mp4")
    for style in (tmp_path / "art.png", [(picture(64, 64), 1), (str(tmp_path / "art.png"), 0.5)]):
        with pytest.raises(ValueError, match="also an input"):
            stylize_video(clip, style, tmp_path / "out.mp4", **QUICK)


AGAIN = """
import sys
from neural_style import stylize_video
stylize_video(sys.argv[1], sys.argv[2], sys.argv[3], smooth=0.5, progress=False)
"""


@pytest.mark.slow
def test_two_processes_on_one_film(clip, tmp_path, net):
    """The second is refused, and the first one's frames and film are as if it had been alone."""
    stylize_video(clip, net, tmp_path / "alone.mp4", smooth=0.5, progress=False)
    arguments, second = (
        [sys.executable, "-c", AGAIN, str(clip), str(net), str(tmp_path / "out.mp4")],
        [],
    )

    def start_another(number, image, total):
        if number == 3:
            second.append(
                subprocess.run(
                    arguments,
                    env={**os.environ, "PYTHONPATH": PATHS},
                    capture_output=True,
                    text=True,
                )
            )
            with pytest.raises(RuntimeError, match="another run"):  # nor another thread
                stylize_video(clip, net, tmp_path / "out.mp4", smooth=0.5, progress=False)

    assert (
        stylize_video(
            clip, net, tmp_path / "out.mp4", smooth=0.5, callback=start_another, progress=False
        )
        == 12
    )
    assert (
        second[0].returncode == 1 and "RuntimeError: another run is working on" in second[0].stderr
    )
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "alone.mp4").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["alone.mp4", "clip.mp4", "net.keras", "out.mp4"]


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


def test_a_film_without_frames_leaves_nothing(tmp_path, net):
    """Matroska does not say how many frames there are, so that it shows only on the way."""
    write_video([picture(48, 64)] * 3, tmp_path / "clip.mkv")
    with pytest.raises(ValueError, match="leave no frame"):
        stylize_video(
            tmp_path / "clip.mkv", net, tmp_path / "out.mp4", frames=slice(50, 60), progress=False
        )
    assert sorted(os.listdir(tmp_path)) == ["clip.mkv", "net.keras"]


def test_somebody_elses_film_json_is_left_alone(clip, tmp_path, net):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "film.json").write_text('{"title": "my holidays"}')
    with pytest.raises(ValueError, match="other things"):
        stylize_video(clip, net, tmp_path / "out.mp4", checkpoint=tmp_path / "work", progress=False)
    assert (tmp_path / "work" / "film.json").read_text() == '{"title": "my holidays"}' and len(
        os.listdir(tmp_path / "work")
    ) == 1


def test_a_callback_that_fails_is_a_warning(clip, tmp_path, net, caplog):
    stylize_video(clip, net, tmp_path / "whole.mp4", smooth=0.5, progress=False)
    seen = []

    def callback(number, image, total):
        seen.append(number)
        image[:] = 0  # its own copy
        raise OSError(f"number {number}")

    assert (
        stylize_video(
            clip, net, tmp_path / "out.mp4", smooth=0.5, callback=callback, progress=False
        )
        == 12
    )
    warnings = [record.getMessage() for record in caplog.records if record.name == "neural_style"]
    assert (
        seen == [*range(12)]
        and len(warnings) == 12
        and "goes on" in warnings[4]
        and "number 4" in warnings[4]
    )
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


@pytest.mark.slow
def test_an_exception_leaves_the_finished_frames(clip, tmp_path, net, monkeypatch):
    """The painter's, or StopIteration of a callback; the same call goes on from there."""
    stylize_video(clip, net, tmp_path / "whole.mp4", smooth=0.5, progress=False)

    def stop(number, image, total):
        if number == 2:
            raise StopIteration

    with pytest.raises(StopIteration):
        stylize_video(clip, net, tmp_path / "out.mp4", smooth=0.5, callback=stop, progress=False)
    real, left = network_painter.paint, [4]

    def paint(*arguments):
        left[0] -= 1
        if left[0] == 0:
            raise MemoryError("no more")
        return real(*arguments)

    monkeypatch.setattr(network_painter, "paint", paint)
    with pytest.raises(MemoryError, match="no more"):
        stylize_video(clip, net, tmp_path / "out.mp4", smooth=0.5, progress=False)
    monkeypatch.undo()
    assert sorted(os.listdir(tmp_path / ".out.mp4.frames")) == [
        *(f"{number:06d}.png" for number in range(6)),
        "film.json",
    ]
    seen = []
    stylize_video(
        clip,
        net,
        tmp_path / "out.mp4",
        smooth=0.5,
        callback=lambda number, *_: seen.append(number),
        progress=False,
    )
    assert (
        seen == [*range(6, 12)]
        and (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    )


FULL = """
import json, os, resource, sys
from neural_style import stylize_video
from neural_style.video import checkpoint as checkpoint_module
from neural_style.video import film, film_progress, network_painter
source, net, folder = sys.argv[1:]
os.chdir(folder)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
write, report = film.write_video, []

def disk_of(most):
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))

def attempt(most, **options):
    try:
        stylize_video(source, net, "out.mp4", smooth=0.5, progress=False, **options)
    except OSError as error:
        disk_of(hard)
        report.append([error.errno, sorted(os.listdir()), sorted(os.listdir(".out.mp4.frames"))])

def write_on_full_disk(*arguments, **options):
    disk_of(most)
    return write(*arguments, **options)

attempt(500, callback=lambda number, *_: disk_of(500) if number == 4 else None)
film.write_video = write_on_full_disk
for most in (0, 1000, int(os.environ["SIZE"]) - 1):
    attempt(most)
film.write_video = write
attempt(hard)
print(json.dumps(report))
"""


@pytest.mark.slow
def test_a_full_disk(clip, tmp_path, net):
    """Simulated by a limit to the size of files, within a frame and at the beginning, in the middle
    and at the end of the film.
    """
    stylize_video(clip, net, tmp_path / "whole.mp4", smooth=0.5, progress=False)
    (tmp_path / "full").mkdir()
    whole = (tmp_path / "whole.mp4").read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(clip), str(net), str(tmp_path / "full")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": PATHS, "SIZE": str(len(whole))},
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    names = [f"{number:06d}.png" for number in range(12)]
    assert [frames for *_, frames in report] == [
        [*names[:5], "film.json"],
        *[[*names, "film.json"]] * 3,
    ]
    assert all(
        errno == 27 and files == [".out.mp4.frames"] for errno, files, _ in report
    )  # EFBIG; nothing else is there
    assert (
        os.listdir(tmp_path / "full") == ["out.mp4"]
        and (tmp_path / "full" / "out.mp4").read_bytes() == whole
    )


def test_nobody_reads_the_progress(clip, tmp_path, net, monkeypatch):
    """A closed pipe does not end the film."""

    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    assert stylize_video(clip, net, tmp_path / "out.mp4", frames=slice(3)) == 3
