"""Kills, other runs, failing callbacks and full disks while a film is painted."""

import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from helpers import PATHS, picture
from helpers import QUICK_FILM as QUICK

from neural_style import stylize_video
from neural_style.video import network_painter

pytest_plugins = ["film_fixtures"]


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


AGAIN = """
import sys
from neural_style import stylize_video
stylize_video(sys.argv[1], sys.argv[2], sys.argv[3], smooth=0.5, progress=False)
"""


@pytest.mark.slow
def test_two_processes_on_one_film(clip, tmp_path, net):
    """The second process is refused, and the first one's film is as if it had been alone."""
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
            with pytest.raises(RuntimeError, match="another run"):  # another thread is refused too
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


@pytest.mark.slow
def test_a_callback_that_fails_is_a_warning(clip, tmp_path, net, caplog):
    stylize_video(clip, net, tmp_path / "whole.mp4", smooth=0.5, progress=False)
    seen = []

    def callback(number, image, total):
        seen.append(number)
        image[:] = 0  # the callback has its own copy
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
    """After an exception of the painter or a callback's StopIteration, the same call goes on."""
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
    """The disk is full within a frame, and at the start, in the middle and at the end of a film.

    A limit to the size of files simulates this.
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
    # 27 is EFBIG. No other file is there.
    assert all(errno == 27 and files == [".out.mp4.frames"] for errno, files, _ in report)
    assert (
        os.listdir(tmp_path / "full") == ["out.mp4"]
        and (tmp_path / "full" / "out.mp4").read_bytes() == whole
    )


@pytest.mark.slow
def test_nobody_reads_the_progress(clip, tmp_path, net, monkeypatch):
    """A closed pipe does not end the film."""

    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    assert stylize_video(clip, net, tmp_path / "out.mp4", frames=slice(3)) == 3
