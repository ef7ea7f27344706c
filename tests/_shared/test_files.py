"""Files: whole or not at all, never over an input, one user at a time."""

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT, picture

from neural_style import save_image
from neural_style._shared import files
from neural_style._shared.files import check_output, only_user, same_file, whole_or_not, whole_path
from neural_style._shared.npz import read_npz


def python(code, folder, **options):
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
        **options,
    )


@pytest.mark.parametrize(
    "write", [lambda path: whole_or_not(path), lambda path: whole_path(path)], ids=["file", "path"]
)
@pytest.mark.parametrize("fails", [False, True])
def test_what_is_written_keeps_permissions_and_links_or_leaves_all_as_it_was(
    tmp_path, write, fails
):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    path.chmod(0o600)
    (tmp_path / "link.txt").symlink_to("a.txt")
    try:
        with write(tmp_path / "link.txt") as out:
            Path(out).write_bytes(b"new") if isinstance(out, Path) else out.write(b"new")
            if fails:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert (
        sorted(os.listdir(tmp_path)) == ["a.txt", "link.txt"]
        and (tmp_path / "link.txt").is_symlink()
    )
    assert (
        path.read_bytes() == (b"old" if fails else b"new")
        and stat.S_IMODE(path.stat().st_mode) == 0o600
    )


def test_a_name_that_another_program_holds_leaves_the_error_and_no_litter(tmp_path, monkeypatch):
    def held(part, path):
        raise PermissionError(13, "the file is open in another program")  # as Windows says

    monkeypatch.setattr(os, "replace", held)
    with pytest.raises(PermissionError, match="another program"):
        save_image(picture(4, 4), tmp_path / "a.png")
    assert os.listdir(tmp_path) == []


def test_an_output_that_is_an_input_is_refused_however_it_is_spelled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_image(picture(4, 4), "photo.png")
    os.symlink("photo.png", "link.png")
    os.link("photo.png", "hard.png")
    for name in ("photo.png", "./photo.png", tmp_path / "photo.png", "link.png", "hard.png"):
        with pytest.raises(ValueError, match="is also an input.*overwrite"):
            check_output(name, [None, 3, "nowhere.png", "photo.png"])
        check_output(name, ["photo.png"], overwrite=True)
    check_output("other.png", ["photo.png"])
    assert not same_file("photo.png", np.zeros(3)) and not same_file("\0", "photo.png")
    with pytest.raises(ValueError, match="name 'a+.png' has 300 bytes"):
        check_output("a" * 296 + ".png")


HOLDER = (
    "import sys, time\nfrom neural_style._shared.files import only_user\n"
    "with only_user(sys.argv[1]):\n    print('held', flush=True)\n    time.sleep(60)"
)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_the_second_user_is_refused_until_the_first_is_gone_however_it_ends(tmp_path, kind):
    path = tmp_path / "state"
    if kind == "folder":
        path.mkdir()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, path],
        env={**os.environ, "PYTHONPATH": ROOT},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(RuntimeError, match="another run is working on"), only_user(path):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with only_user(path):  # the lock's file of the killed one is still there, and holds nobody up
        refused = []

        def second():
            try:
                with only_user(path):
                    refused.append(False)
            except RuntimeError:
                refused.append(True)

        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
        assert refused == [True]
    assert os.listdir(path if kind == "folder" else tmp_path) == []


def test_where_there_are_no_locks_a_warning_says_so(tmp_path, monkeypatch, caplog):
    def unknown(file, how):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(files.fcntl, "flock", unknown)
    with only_user(tmp_path / "state"):
        assert "knows no locks" in caplog.text


FULL = """
import os, resource, sys
import numpy as np
from neural_style import load_image, save_image
old = np.zeros((40, 40, 3), "uint8")
new = np.random.default_rng(0).integers(0, 256, (300, 300, 3), "uint8")
save_image(old, sys.argv[1])
before = sorted(os.listdir())
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
try:
    save_image(new, sys.argv[1], bits=int(sys.argv[2]))
except OSError as error:
    assert sorted(os.listdir()) == before and load_image(sys.argv[1]).max() <= 2
    print("refused", error.errno)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name,bits", [("a.png", 8), ("a.tiff", 8), ("a.png", 16)])
def test_a_full_disk_leaves_the_old_picture_and_nothing_else(tmp_path, name, bits):
    done = subprocess.run(
        [sys.executable, "-c", FULL, name, str(bits)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "refused 27\n", done.stderr


def test_npz_files_hold_what_they_say_or_are_refused(tmp_path):
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.array("text")}
    np.savez(tmp_path / "good.npz", **arrays)
    found = read_npz(tmp_path / "good.npz", {"a": (2, 3), "b": None})
    assert np.array_equal(found["a"], arrays["a"]) and str(found["b"]) == "text"
    for shapes, most, words in [
        ({"a": (3, 2)}, 1000, "must have the shape"),
        ({"c": None}, 1000, "it has no c"),
        (None, 50, "larger than they can be"),
    ]:
        with pytest.raises(ValueError, match=words):
            read_npz(tmp_path / "good.npz", shapes, most)
    np.savez(tmp_path / "objects.npz", a=np.array([{}], dtype=object))
    data = (tmp_path / "good.npz").read_bytes().replace(b"(2, 3)", b"(2, 9)")
    (tmp_path / "claims.npz").write_bytes(data)
    (tmp_path / "half.npz").write_bytes(data[:100])
    for name, words in [
        ("objects.npz", "holds no numbers"),
        ("claims.npz", "cannot be read"),
        ("half.npz", "cannot be read"),
    ]:
        with pytest.raises(ValueError, match=words):
            read_npz(tmp_path / name)
