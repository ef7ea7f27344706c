"""How films are painted: methods, flow, parts, sound and progress."""

import io
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import QUICK_FILM as QUICK
from helpers import picture, with_sound
from PIL import Image

from neural_style import Evaluator, load_image, stylize, stylize_video
from neural_style.losses.regularizers import temporal_loss
from neural_style.vgg import feature_network
from neural_style.vgg.preprocessing import preprocess
from neural_style.video import film, film_progress
from neural_style.video import frames as frames_module
from neural_style.video.flow import optical_flow, reliable, warping_error
from neural_style.video.read import read_frames, video_info

pytest_plugins = ["film_fixtures", "one_pass_fixtures"]


def test_the_temporal_loss_and_its_gradient(tiny):
    """Compare with the formula, and with finite differences."""
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
    """Record what the painter is given, frame by frame: how much of each frame is known."""
    seen, call = [], film.Painter.__call__
    monkeypatch.setattr(
        film.Painter,
        "__call__",
        lambda self, image, known: (
            seen.append([float(holds.mean()) for _, holds in known]) or call(self, image, known)
        ),
    )
    return seen


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_one_painter_for_the_whole_film(clip, tmp_path, monkeypatch):
    """Compile the network, the first frame's graph and the next frames' graph once each.

    Otherwise memory would grow.
    """
    made = []
    for module, name in ((feature_network, "feature_extractor"), (frames_module, "Evaluator")):
        original = getattr(module, name)
        monkeypatch.setattr(
            module,
            name,
            lambda *args, original=original, name=name, **kwargs: (
                made.append(name) or original(*args, **kwargs)
            ),
        )
    stylize_video(clip, picture(64, 64, 5), tmp_path / "out.mp4", frames=slice(0, 5), **QUICK)
    assert made == ["feature_extractor", "Evaluator", "Evaluator"]


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


@pytest.mark.slow
def test_by_a_painting_in_one_pass(clip, tmp_path, one_pass_offline):
    painting = picture(64, 48, 5)
    options = dict(checkpoint=tmp_path / "work", frames=slice(0, 3), progress=False)
    stylize_video(clip, painting, tmp_path / "out.mp4", method="one_pass", **options)
    for number, (_, image) in enumerate(islice(read_frames(clip), 3)):
        assert np.array_equal(
            load_image(tmp_path / "work" / f"{number:06d}.png"),
            np.asarray(stylize(image, painting)),
        )


@pytest.mark.slow
def test_smoothing_along_the_flow(clip, tmp_path, net):
    for smooth in (0.0, 0.6):
        stylize_video(
            clip, net, tmp_path / f"{smooth}.mp4", smooth=smooth, frames=slice(0, 6), progress=False
        )
    assert flicker(tmp_path / "0.6.mp4", clip) < 0.7 * flicker(tmp_path / "0.0.mp4", clip)


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
