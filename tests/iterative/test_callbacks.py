"""Callbacks, the ready ones, progress in a terminal and in a notebook, and what they cost."""

import io
import itertools
import sys
import time
from functools import partial, wraps
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from helpers import full_disk, picture, random_weights

from neural_style import Checkpoint, load_image, transfer
from neural_style._shared.display import duration
from neural_style.iterative import IntermediateResult, LivePreview, SaveEvery, StopWhen, TimeLimit
from neural_style.iterative import progress as module
from neural_style.iterative.progress import ProgressBar, facts

CONTENT, STYLE = picture(48, 64, 1), picture(64, 48, 2)
QUICK = dict(
    weights=random_weights(),
    size=64,
    start_size=32,
    steps=3,
    style_layers=["conv1_1", "conv2_1"],
    content_layers=["conv2_2"],
    precision="float32",  # in bfloat16, so small a picture has no descent left after 40 steps
    progress=False,
)


def test_an_intermediate_result_tells_where_the_run_stands():
    seen = []
    result = transfer(CONTENT, STYLE, callback=seen.append, **QUICK)
    assert [here.step for here in seen] == list(range(1, 10)) and {here.steps for here in seen} == {
        9
    }
    assert [(here.stage, here.stages, here.done) for here in seen[5:7]] == [(1, 2, 6), (2, 2, 1)]
    assert (
        seen[0].image.shape == (24, 32, 3)
        and seen[-1].image.shape == (48, 64, 3)
        and seen[-1].image.dtype == np.uint8
    )
    np.testing.assert_array_equal(seen[-1].image, np.asarray(result.image))
    assert len({here.x.tobytes() for here in seen}) == 9  # copies
    for here in seen:
        assert isinstance(here, IntermediateResult) and sum(here.terms.values()) == pytest.approx(
            here.fun, rel=1e-5
        )
    assert (
        seen[-1].history["total"] == result.history["total"] and seen[-1].left == 0 < seen[0].left
    )
    assert (
        all(a.seconds <= b.seconds for a, b in itertools.pairwise(seen))
        and seen[-1].seconds <= result.seconds
    )


@pytest.mark.slow
def test_a_list_of_callbacks_and_save_every(tmp_path):
    count = []
    transfer(CONTENT, STYLE, callback=[SaveEvery(3, tmp_path / "frames"), count.append], **QUICK)
    assert sorted(path.name for path in (tmp_path / "frames").iterdir()) == [
        "00003.png",
        "00006.png",
        "00009.png",
    ]
    np.testing.assert_array_equal(load_image(tmp_path / "frames" / "00009.png"), count[-1].image)


@pytest.mark.slow
def test_stop_when_the_last_stage_stands_still():
    steps = []
    result = transfer(
        CONTENT,
        STYLE,
        callback=[steps.append, StopWhen(patience=5, change=0.9)],
        **{**QUICK, "steps": 40},
    )
    last = [here for here in steps if here.stage == 2]
    assert result.message == "stopped by the callback" and 5 < len(last) < 40 and len(steps) > 80
    losses = [here.fun for here in last]
    assert losses[-6] - losses[-1] < 0.9 * losses[-6]
    assert all(losses[i - 5] - losses[i] >= 0.9 * losses[i - 5] for i in range(5, len(losses) - 1))


def test_time_limit():
    result = transfer(CONTENT, STYLE, callback=TimeLimit(0.001), **QUICK)
    assert result.message == "stopped by the callback" and len(result.history["total"]) == 1
    assert result.image.size == (64, 48)


@pytest.mark.parametrize(
    "make,words",
    [
        (lambda: SaveEvery(0, "."), "steps=0"),
        (lambda: StopWhen(patience=-1), "patience=-1"),
        (lambda: StopWhen(change=0), "change=0"),
        (lambda: StopWhen(patience=2.5), "patience=2.5"),
        (lambda: transfer(CONTENT, STYLE, callback=Checkpoint("run.npz"), **QUICK), "checkpoint="),
        (lambda: TimeLimit("long"), "seconds='long'"),
        (lambda: LivePreview(seconds=0), "seconds=0"),
        (lambda: LivePreview(share=True), "share=True"),
        (lambda: transfer(CONTENT, STYLE, callback=3, **QUICK), "Received: int"),
        (lambda: transfer(CONTENT, STYLE, callback=[print, None], **QUICK), "Received: NoneType"),
    ],
)
def test_wrong_callbacks(make, words):
    with pytest.raises((ValueError, TypeError), match=words):
        make()


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.slow
def test_progress_in_a_terminal_rewrites_one_line_and_elsewhere_says_a_line_a_stage():
    for stream, expected in ((Terminal(), 2), (io.StringIO(), 2)):
        transfer(CONTENT, STYLE, callback=ProgressBar(stream), **QUICK)
        lines = stream.getvalue().split("\n")
        assert (
            len(lines) == expected + 1
            and "64 x 48  step 9/9  content" in lines[1]
            and "about 0:00 left" in lines[1]
        )
        assert ("\r" in stream.getvalue()) == stream.isatty()


def test_a_second_interrupt_stops_hard():
    class Impatient:
        def __call__(self, intermediate_result):
            raise KeyboardInterrupt

        def close(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        transfer(CONTENT, STYLE, callback=Impatient(), **QUICK)


@pytest.mark.slow
def test_a_callback_that_fails_at_the_end_takes_nothing_with_it(tmp_path, caplog):
    class Failing:
        def __call__(self, intermediate_result):
            pass

        def close(self):
            raise OSError("No space left on device")

    result = transfer(CONTENT, STYLE, callback=Failing(), checkpoint=tmp_path / "run.npz", **QUICK)
    assert result.message == "all steps done" and (tmp_path / "run.npz").exists()
    assert "Failing failed: No space left" in caplog.text


@pytest.mark.slow
def test_a_full_disk_costs_the_frames_and_the_checkpoint_not_the_run(tmp_path, caplog):
    expected = transfer(CONTENT, STYLE, **QUICK)
    with full_disk(100):
        result = transfer(
            CONTENT,
            STYLE,
            callback=SaveEvery(2, tmp_path / "frames"),
            checkpoint=Checkpoint(tmp_path / "run.npz", steps=3),
            **QUICK,
        )
    assert result.message == "all steps done" and result.image.tobytes() == expected.image.tobytes()
    assert [message.split(":")[0] for message in caplog.messages] == [
        "after step 2, SaveEvery failed, and the run goes on",
        "after step 3, Checkpoint failed, and the run goes on",
        "Checkpoint failed after 3 steps",
        "at the end of the run, Checkpoint failed",
        "SaveEvery failed after 4 steps",
    ]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["frames"]


class Method:
    """Callbacks of all kinds, each of which takes one argument, and counts its calls."""

    calls = 0

    def __call__(self, here):
        Method.calls += 1

    def bound(self, here, more=1):
        Method.calls += 1

    @classmethod
    def of_class(cls, here):
        Method.calls += 1

    @staticmethod
    def many(*results, **options):
        Method.calls += 1

    def two(self, here, other):
        Method.calls += 1


def test_whatever_can_be_called_with_one_argument_is_a_callback():
    Method.calls, seen, by_name = 0, [], {}
    mocks = [
        mock.Mock(),
        mock.MagicMock(return_value=None),
        mock.create_autospec(lambda here: None),
    ]
    callbacks = [
        Method(),
        Method().bound,
        Method.of_class,
        Method.many,
        partial(Method().two, other=3),
        partial(Method().two, 3),
        lambda here: None,
    ]

    @wraps(Method().two)
    def decorated(here):
        Method.of_class(here)

    builtins = [decorated, seen.append, set().add, repr, by_name.update, id, IntermediateResult]
    transfer(
        CONTENT,
        STYLE,
        callback=[*callbacks, *builtins, *mocks],
        **{**QUICK, "start_size": None, "steps": 1},
    )
    assert (
        Method.calls == 7
        and len(seen) == 1
        and by_name["step"] == 1
        and all(one.call_count == 1 for one in mocks)
    )


@pytest.mark.parametrize(
    "callback", [lambda: None, Method().two, partial(Method().two, 1, 2), lambda *, here: None]
)
def test_what_cannot_is_refused_at_once(callback):
    with pytest.raises(
        TypeError, match="callback must take one argument, the intermediate result. Received: "
    ):
        transfer(CONTENT, STYLE, callback=[print, callback], **QUICK)


@pytest.mark.slow
def test_a_result_shows_itself_as_its_picture_and_a_line_of_facts(monkeypatch, capsys):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    result = transfer(CONTENT, STYLE, **QUICK)
    result._ipython_display_()
    assert shown[0].data[:2] == b"\xff\xd8"
    assert capsys.readouterr().out == result.facts + "\n" and result.facts.startswith(
        "64 x 48, 9 steps, total "
    )


def test_durations():
    assert [duration(seconds) for seconds in (0, 59.6, 75, 3700)] == [
        "0:00",
        "1:00",
        "1:15",
        "1:01:40",
    ]


class Handle:
    def __init__(self):
        self.shown = []

    def update(self, figure):
        self.shown.append(time.monotonic())


@pytest.mark.timing
def test_the_live_preview_is_drawn_in_place_seldom_and_at_the_end(monkeypatch):
    pytest.importorskip("matplotlib")
    handle, first = Handle(), []
    monkeypatch.setattr(
        "IPython.display.display", lambda figure, display_id: first.append(figure) or handle
    )
    preview = LivePreview(seconds=0.5)
    started = time.monotonic()
    result = transfer(CONTENT, STYLE, callback=preview, **{**QUICK, "steps": 30})
    elapsed = time.monotonic() - started
    assert len(first) == 1 and len(result.history["total"]) == 90
    assert 1 <= len(handle.shown) <= elapsed / 0.5 + 1
    left, right = first[0].axes
    assert left.images[0].get_array().shape[2] == 3 and {
        line.get_label() for line in right.lines
    } == {"total", "content", "style", "tv"}


def test_the_live_preview_keeps_to_its_share(monkeypatch):
    """Drawings that take 50 ms come at least 50 ms / 3 % apart."""
    clock, drawn = [0.0], []
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    preview = LivePreview(seconds=0.1)

    def show(figure=None, display_id=None):
        drawn.append(clock[0])
        clock[0] += 0.05
        return type("Handle", (), {"update": staticmethod(show)})

    monkeypatch.setattr("IPython.display.display", show)
    monkeypatch.setattr("neural_style.plotting.preview", lambda *arguments: None)
    here = IntermediateResult(
        x=np.zeros(12),
        shape=(1, 2, 2, 3),
        step=1,
        steps=2,
        terms={},
        history={},
        borders=[],
        seconds=0,
        left=0,
    )
    for _ in range(1000):
        clock[0] += 0.01
        preview(here)
    assert len(drawn) > 4 and 0.05 * len(drawn) / clock[0] < 0.035


def test_progress_is_a_preview_in_a_notebook_and_a_bar_elsewhere(monkeypatch, capsys):
    import ipykernel.zmqshell  # noqa: F401  imported, as a test runner or a debugger may have it, but no kernel is running

    assert isinstance(module.progress(), ProgressBar)
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: shell)
    assert isinstance(module.progress(), LivePreview)
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    assert (
        isinstance(module.progress(), ProgressBar)
        and 'pip install "matplotlib>=3.8"' in capsys.readouterr().out
    )


def test_facts():
    here = IntermediateResult(
        shape=(1, 48, 64, 3), step=3, steps=9, terms={"style": 2.5}, seconds=61, left=5
    )
    assert facts(here) == "64 x 48  step 3/9  style 2.5  1:01, about 0:05 left"
