"""Checkpoints: exact, atomic, of one run only; a killed run goes on where it stood."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from helpers import picture, random_weights

from neural_style import Checkpoint, deprocess, transfer
from neural_style.images.save import save_image

CONTENT, STYLE = picture(48, 64, 1), picture(64, 48, 2)
QUICK = dict(
    weights=random_weights(),
    size=64,
    start_size=32,
    steps=12,
    style_layers=["conv1_1", "conv2_1"],
    content_layers=["conv2_2"],
    progress=False,
)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """The checkpoint of a run that was stopped at its fifth step."""
    path = tmp_path_factory.mktemp("stopped") / "run.npz"
    transfer(CONTENT, STYLE, checkpoint=path, callback=stop_at(5), **QUICK)
    return path.read_bytes()


def rewrite(path, state=None, **arrays):
    """Change a checkpoint's state and arrays."""
    with np.load(path) as file:
        kept = {name: file[name] for name in file.files}
    known = json.loads(str(kept.pop("state")))
    np.savez(path, state=json.dumps({**known, **(state or {})}), **{**kept, **arrays})


def stop_at(step):
    def callback(intermediate_result):
        if intermediate_result.step == step:
            raise StopIteration

    return callback


@pytest.fixture(scope="module")
def whole():
    return transfer(CONTENT, STYLE, **QUICK)


@pytest.mark.parametrize(
    "step", [pytest.param(5, marks=pytest.mark.slow), pytest.param(24, marks=pytest.mark.slow), 31]
)
def test_a_run_goes_on_where_it_stood(step, whole, tmp_path):
    """In the first stage, at its end and in the second."""
    path = tmp_path / "run.npz"
    seen = []
    stopped = transfer(
        CONTENT, STYLE, checkpoint=path, callback=[seen.append, stop_at(step)], **QUICK
    )
    with np.load(path) as file:
        np.testing.assert_array_equal(file["x"], seen[-1].x)  # the exact float64 pixels
        assert file["x"].dtype == np.float64
    resumed = []
    result = transfer(
        CONTENT, STYLE, checkpoint=path, resume=True, callback=resumed.append, **QUICK
    )
    assert [here.step for here in resumed] == list(range(step + 1, 37))
    assert (
        result.history["total"][:step] == stopped.history["total"]
        and len(result.history["total"]) == 36
    )
    assert result.history == whole.history  # L-BFGS's memory went with it: to the last bit
    assert result.image.tobytes() == whole.image.tobytes()
    assert result.seconds > stopped.seconds
    assert stopped.borders == ((24,) if step > 24 else ())
    assert result.borders == whole.borders == (24,)


@pytest.mark.slow
def test_a_finished_run_comes_back_at_once(tmp_path, whole):
    path = tmp_path / "run.npz"
    first = transfer(CONTENT, STYLE, checkpoint=path, **QUICK)
    again = transfer(
        CONTENT,
        STYLE,
        checkpoint=path,
        resume=True,
        callback=lambda here: pytest.fail("a step"),
        **QUICK,
    )
    assert (
        again.image.tobytes() == first.image.tobytes() == whole.image.tobytes()
        and again.history == first.history
    )


@pytest.mark.slow
def test_without_a_file_a_run_starts_afresh_and_without_resume_too(tmp_path, whole):
    path = tmp_path / "run.npz"
    assert (
        transfer(CONTENT, STYLE, checkpoint=path, resume=True, **QUICK).image.tobytes()
        == whole.image.tobytes()
    )
    steps = []
    options = {**QUICK, "checkpoint": str(path), "callback": steps.append}
    transfer(CONTENT, STYLE, resume=False, **options)
    assert len(steps) == 36


@pytest.mark.parametrize(
    "change,words",
    [
        ({"style_weight": 3.0}, "another setting style_weight;"),
        ({"content": picture(48, 64, 9)}, "another content"),
        ({"style": picture(64, 48, 9)}, "another style"),
    ],
)
def test_another_run_is_refused(tmp_path, change, words, stopped):
    path = tmp_path / "run.npz"
    path.write_bytes(stopped)
    arguments = {"content": CONTENT, "style": STYLE, **QUICK, "checkpoint": path}
    with pytest.raises(ValueError, match=words):
        transfer(**{**arguments, **change}, resume=True)


def test_clear_errors(tmp_path):
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 and no more")
    np.savez(tmp_path / "other.npz", a=1)
    for checkpoint, resume, words in [
        (tmp_path / "broken.npz", True, "is not a checkpoint"),
        (tmp_path / "other.npz", True, "is not a checkpoint"),
        (tmp_path / "run.txt", False, "end in .npz"),
        (tmp_path / "none" / "run.npz", False, "does not exist"),
        (tmp_path / "run.npz", "yes", "resume='yes'"),
        (3, False, "Received: int"),
    ]:
        with pytest.raises((ValueError, TypeError, FileNotFoundError), match=words):
            transfer(CONTENT, STYLE, checkpoint=checkpoint, resume=resume, **QUICK)
    with pytest.raises(ValueError, match="seconds=0"):
        Checkpoint(tmp_path / "run.npz", seconds=0)


@pytest.mark.slow
def test_every_so_many_steps_or_seconds_within_its_share(tmp_path):
    written = []
    checkpoint = Checkpoint(tmp_path / "run.npz", steps=10)
    real = checkpoint._write
    checkpoint._write = lambda: (written.append(checkpoint._last.step), real())
    transfer(CONTENT, STYLE, checkpoint=checkpoint, **QUICK)
    assert written == [10, 20, 30, 36]
    written.clear()
    seldom = Checkpoint(tmp_path / "seldom.npz")
    write = seldom._write
    seldom._write = lambda: (written.append(seldom._last.step), write())
    transfer(CONTENT, STYLE, checkpoint=seldom, **QUICK)
    assert written == [36]  # in less than twenty seconds, at the end only


SCRIPT = """
import sys
import numpy as np
from neural_style import Checkpoint, deprocess, transfer
transfer("content.png", "style.png", weights=None, size=96, start_size=48, steps=400, progress=False, precision="float32",
         style_layers=["conv1_1", "conv2_1"], content_layers=["conv2_2"], checkpoint=Checkpoint("run.npz", steps=1), resume=True,
         callback=lambda here: print(here.step, repr(here.fun), flush=True))
"""


@pytest.mark.slow
def test_killed_runs_go_on_and_leave_no_half_file(tmp_path):
    """kill -9 at random moments, a checkpoint at every step: there is always one to go on from."""
    save_image(CONTENT, tmp_path / "content.png")
    save_image(STYLE, tmp_path / "style.png")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    rng, last_step, last_loss = np.random.default_rng(0), 0, np.inf
    for _ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            first = process.stdout.readline().split()
            assert int(first[0]) in (
                last_step + 1,
                last_step + 2,
            )  # a checkpoint may have been written and its step not yet printed
            if last_step and int(first[0]) != 801:  # the first step of the larger size
                assert float(first[1]) <= 1.01 * last_loss
            time.sleep(rng.uniform(0.2, 1.0))
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read().split("\n")
            process.wait()
        steps = [line.split() for line in rest[:-1]] or [first]
        last_step, last_loss = int(steps[-1][0]), float(steps[-1][1])
        with np.load(tmp_path / "run.npz") as file:
            assert np.isfinite(file["x"]).all()


@pytest.mark.slow
def test_a_time_limit_counts_the_seconds_of_this_call(tmp_path, monkeypatch):
    """A run that was killed after 290 seconds and is resumed with TimeLimit(300) has 300 seconds,
    not ten.
    """
    from neural_style.iterative import TimeLimit

    path = tmp_path / "run.npz"
    transfer(CONTENT, STYLE, checkpoint=path, callback=stop_at(5), **QUICK)
    rewrite(path, {"seconds": 290.0})
    seen = []
    result = transfer(
        CONTENT,
        STYLE,
        checkpoint=path,
        resume=True,
        callback=[seen.append, TimeLimit(200)],
        **QUICK,
    )
    assert (
        result.message == "all steps done"
        and result.seconds > 290
        and seen[0].seconds > 290
        and seen[0].elapsed < 200
    )
    stopped = transfer(CONTENT, STYLE, callback=TimeLimit(1e-6), **QUICK)
    assert len(stopped.history["total"]) == 1


@pytest.mark.parametrize(
    "state",
    [
        {"stage": 7},
        {"stage": -1},
        {"stage": "0"},
        {"done": -5},
        {"done": 10**9},
        {"history": 3},
        {"history": {"total": [1, "2"]}},
        {"history": {}},
        {"borders": 24},
        {"borders": [0]},
        {"seconds": None},
        {"seconds": -1},
        {"identity": 5},
        {"identity": {"content": None}},
    ],
)
def test_a_forged_checkpoint_is_refused_and_left_as_it_is(tmp_path, state, stopped):
    path = tmp_path / "run.npz"
    path.write_bytes(stopped)
    rewrite(path, state)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="run.npz' is (not a|no) (whole )?checkpoint"):
        transfer(CONTENT, STYLE, checkpoint=path, resume=True, **QUICK)
    assert path.read_bytes() == before


@pytest.mark.slow
def test_a_checkpoint_is_read_by_itself(tmp_path):
    """What Checkpoint.load() gives is where the run stood; and what is none is told."""
    result = transfer(CONTENT, STYLE, checkpoint=tmp_path / "run.npz", **QUICK)
    state = Checkpoint(tmp_path / "run.npz").load()
    assert state.history == result.history and state.done == QUICK["steps"]
    np.testing.assert_array_equal(deprocess(state.x, (1, 48, 64, 3)), np.asarray(result.image))
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        Checkpoint(tmp_path / "nothing.npz").load()
    (tmp_path / "other.npz").write_bytes(b"other")
    with pytest.raises(ValueError, match="is not a checkpoint"):
        Checkpoint(tmp_path / "other.npz").load()


@pytest.mark.slow
def test_a_run_starts_anew_where_it_is_told_to(tmp_path):
    first = transfer(CONTENT, STYLE, checkpoint=tmp_path / "run.npz", **QUICK)
    steps = []
    options = {**QUICK, "checkpoint": tmp_path / "run.npz", "callback": steps.append}
    again = transfer(CONTENT, STYLE, **options)
    assert not steps and again.history == first.history
    anew = transfer(CONTENT, STYLE, resume=False, **options)
    assert len(steps) == len(first.history["total"]) and anew.history == first.history


@pytest.mark.parametrize(
    "arrays",
    [
        {"rows": np.full((20, 24 * 32 * 3), np.nan, "float32")},
        {"rows": np.zeros((20, 7), "float32")},
        {"free": np.zeros(3, "float32")},
        {"slots": np.array([0, 1, 99])},
        {"slots": np.array([0, 0, 1])},
        {"slots": np.array([0.5, 1.5])},
        {"sy": np.zeros((10, 10))},
        {"yy": np.zeros((3, 3))},
        {"products": np.zeros(3)},
        {"pending": np.zeros(2, bool)},
        {"stiffness": np.zeros(3)},
    ],
)
def test_a_forged_memory_is_refused_and_left_as_it_is(tmp_path, arrays, stopped):
    path = tmp_path / "run.npz"
    path.write_bytes(stopped)
    rewrite(path, **arrays)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="run.npz' is not a whole checkpoint"):
        transfer(CONTENT, STYLE, checkpoint=path, resume=True, **QUICK)
    assert path.read_bytes() == before
