"""What several test files share, and what the processes that they start import."""

import atexit
import ctypes
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from unittest import mock

import keras
import numpy as np
import pytest

import neural_style
from neural_style import load_image, map_transfer, save_image, train_transform_net
from neural_style._shared import files
from neural_style.vgg import cache, normalization, vgg_weights
from neural_style.vgg import download as weights
from neural_style.video.read import load_av

ROOT = str(Path(neural_style.__file__).parents[1])  # wherever the package is installed
#: Of the package, wherever it is installed, and of these tests, for processes of their own.
PATHS = os.pathsep.join([ROOT, str(Path(__file__).parent)])


def picture(height, width, seed=0, noise=12):
    """A smooth random picture, uint8 RGB."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (4, 4, 3))
    rows = np.linspace(0, 3, height)[:, None] - np.arange(4)
    columns = np.linspace(0, 3, width)[:, None] - np.arange(4)
    tent_r, tent_c = np.maximum(0, 1 - abs(rows)), np.maximum(0, 1 - abs(columns))
    return (
        np.clip(
            np.einsum("hi,wj,ijc->hwc", tent_r, tent_c, coarse)
            + rng.normal(0, noise, (height, width, 3)),
            0,
            255,
        )
        .round()
        .astype("uint8")
    )


# ---- Transcriptions


def half_pixel(f, grid):
    """Bilinear interpolation of h x w x C as PyTorch's interpolate(align_corners=False) has it."""
    for axis, count in enumerate(grid):
        side = f.shape[axis]
        at = np.clip((np.arange(count) + 0.5) * side / count - 0.5, 0, side - 1)
        low = np.floor(at).astype(int)
        share = (at - low).reshape([-1 if i == axis else 1 for i in range(3)])
        high = np.minimum(low + 1, side - 1)
        f = (1 - share) * f.take(low, axis) + share * f.take(high, axis)
    return f


def nearest_by_cosine(query, source):
    """Kolkin et al.'s neighbors by centered cosine, all similarities at once."""
    q, s = (some.astype("float64") - some.mean(axis=0) for some in (query, source))
    alike = q @ s.T / np.linalg.norm(q, axis=1)[:, None] / np.linalg.norm(s, axis=1)
    return alike.argmax(axis=1)


def check_gradient(evaluator, x, least=0.0):
    """An evaluator's gradient at x against finite differences, along it and along random ones.

    Differences below `least` times the gradient's length are forgiven.
    """
    _, grad = evaluator(x)
    length, rng = np.linalg.norm(grad), np.random.default_rng(0)
    for direction in [grad / length, *rng.normal(size=(3, x.size)) / x.size**0.5]:
        direction = direction + 0.2 * grad / length  # so that none is almost level
        slope = (evaluator.loss(x + direction) - evaluator.loss(x - direction)) / 2
        assert slope == pytest.approx(direction @ grad, rel=0.02, abs=least * length)


# ---- Networks


@lru_cache
def random_weights():
    """VGG16's random weights, as weights=None has them, drawn once for all the tests."""
    return vgg_weights("vgg16", None)


@lru_cache
def random_weights_file():
    """The same in a file, for the command line and the processes that it starts."""
    folder = tempfile.mkdtemp(prefix="random-weights-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder, "random.h5")
    weights._write_h5(random_weights().layers, path)
    return path


_digest = lru_cache(files.file_digest)


def link_random_weights(folder="."):
    """Lay them into a folder as random.h5, and into Keras' cache their mean activations, which are
    those of weights=None.
    """
    path = random_weights_file()
    Path(folder, "random.h5").symlink_to(path)
    cached = cache.cache_folder() / f"vgg16-{_digest(path)[:16]}-avg-activations.npz"
    if not cached.exists():
        np.savez(cached, **normalization.mean_activations(random_weights(), "avg"))


def varied(net, seed=0):
    """The network with scales and offsets that differ from channel to channel, as training makes
    them.
    """
    rng = np.random.default_rng(seed)
    net.set_weights(
        [w + rng.normal(0, 0.3, w.shape) if w.ndim == 1 else w for w in net.get_weights()]
    )
    return net


#: Shallow layers, small crops, random features: a step in milliseconds.
QUICK_TRAINING = {
    "width": 2,
    "residual_blocks": 1,
    "crop": 32,
    "batch_size": 2,
    "steps": 50,
    "style_size": 48,
    "weights": None,
    "content_layers": ("conv2_1",),
    "style_layers": ("conv1_2", "conv2_1"),
    "progress": False,
}


def trained(photos, strategy=None):
    """The loss, and sums over what each of two networks has for its own; with a content weight that
    makes every step's gradient be cut.
    """
    nets = train_transform_net(
        {"one": picture(48, 48, 3), "other": picture(48, 48, 4)},
        photos,
        strategy=strategy,
        **{**QUICK_TRAINING, "steps": 20, "content_weight": 100.0},
    )
    own = [
        sum(
            float(np.abs(w).sum())
            for v, w in zip(net.weights, net.get_weights())
            if v.name == "gamma"
        )
        for net in nets.values()
    ]
    assert own[0] != own[1]
    return [nets["one"].record["losses"]["loss"], *own]


# ---- Films


#: Shallow layers of random weights, two steps: frames in a second.
QUICK_FILM = {
    "weights": None,
    "content_layers": ["conv2_1"],
    "style_layers": ["conv1_2", "conv2_1"],
    "start_size": None,
    "steps": 4,
    "progress": False,
}


def frames_of(count, height=48, width=64):
    """A smooth picture that moves to the right."""
    still = picture(height, width + 2 * count, 3, noise=0)
    return [np.ascontiguousarray(still[:, 2 * i : 2 * i + width]) for i in range(count)]


def with_sound(path, seconds=2.0, rate=10, rotation=0, times=None, height=48, width=64):
    """A film with a tone, as a camera makes it."""
    av = load_av()
    frames = frames_of(round(seconds * rate), height, width)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            stream.set_display_rotation(rotation)
        tone = container.add_stream("aac", rate=44100)
        for number, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = (
                round(1000 * (number / rate if times is None else times[number])),
                Fraction(1, 1000),
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        samples = (0.3 * np.sin(np.arange(int(44100 * seconds)) * 2 * np.pi * 440 / 44100)).astype(
            "float32"
        )
        for start in range(0, len(samples), 1024):
            sound = av.AudioFrame.from_ndarray(
                samples[None, start : start + 1024], format="fltp", layout="mono"
            )
            sound.pts, sound.sample_rate = start, 44100
            container.mux(tone.encode(sound))
        container.mux(tone.encode(None))
    return frames


# ---- Disks and caches


@contextmanager
def full_disk(size):
    """No file of this process may become larger than so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def small_calibration():
    """The calibration photos at 32 pixels, for speed."""
    real = normalization.load_image
    with mock.patch.object(normalization, "load_image", lambda photo: real(photo, size=32)):
        yield


@contextmanager
def read_only(folder):
    """A folder that cannot be written, not even by root, of which this thread lays down the right
    to write anywhere.
    """

    class Header(ctypes.Structure):
        _fields_ = [("version", ctypes.c_uint32), ("process", ctypes.c_int)]

    libc, header, rights = ctypes.CDLL(None), Header(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(ctypes.byref(header), rights) == 0
    effective, mode = rights[0], os.stat(folder).st_mode
    rights[0] &= ~(1 << 1)  # CAP_DAC_OVERRIDE
    os.chmod(folder, 0o555)
    assert libc.capset(ctypes.byref(header), rights) == 0
    try:
        yield
    finally:
        rights[0] = effective
        libc.capset(ctypes.byref(header), rights)
        os.chmod(folder, mode)


# ---- Processes


def process(script, *arguments, **environment):
    environment = {**os.environ, "PYTHONPATH": ROOT, "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


LITTLE_MEMORY = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from helpers import picture
from neural_style import transfer

def paint(height, width):
    transfer(picture(height, width, 1), picture(height, width, 2), weights=None, size=width, start_size=None, steps=1, tile=None, precision="float32", progress=False)

paint(36, 48)  # all libraries and threads are there now
now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + int(sys.argv[1]) * 2 ** 20, resource.RLIM_INFINITY))
try:
    paint(576, 768)
except Exception as error:
    print(f"{type(error).__name__}: {error}")
"""


def out_of_memory():
    """What a process tells that TensorFlow leaves without memory. With the one amount or the other,
    its C++ itself may break down, which nobody can catch; then the next is tried."""
    for megabytes in (300, 400, 350, 250, 450):
        done = process(LITTLE_MEMORY, str(megabytes), os.path.dirname(__file__))
        if done.returncode == 0:
            return done.stdout.strip()
    return f"exit code {done.returncode}"


ON_NUMPY = """
import json, sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from helpers import picture
from neural_style import transfer
told = {"expected": "RuntimeError: Keras must compute on one of ('tensorflow', 'jax', 'torch'); set KERAS_BACKEND. Received: numpy"}
for progress in (False, True):
    try:
        transfer(picture(24, 32, 1), picture(32, 24, 2), progress=progress)
    except Exception as error:
        told[f"progress={progress}"] = f"{type(error).__name__}: {error}"
print(json.dumps(told))
"""


@lru_cache(1)
def on_numpy():
    """What transfer does where Keras computes on NumPy, which has no gradients."""
    done = process(ON_NUMPY, os.path.dirname(__file__), KERAS_BACKEND="numpy")
    return (
        json.loads(done.stdout.splitlines()[-1])
        if done.returncode == 0
        else {"expected": None, "error": done.stderr}
    )


#: Options of the command line for a transfer of a moment; the folder holds random.h5.
TINY_COMMAND = (
    "--size 32 --start-size none --steps 1 --weights random.h5"
    " --content-layers conv1_2 --style-layers conv1_1"
).split()

#: A transfer of a moment, on random weights. Tests compare its pictures between processes, and each
#: process would try for itself which precision is the faster.
QUICK_JOB = dict(
    precision="float32",
    weights=None,
    size=48,
    start_size=None,
    style_layers=["conv1_1", "conv2_1"],
    content_layers=["conv2_2"],
)


def die(intermediate_result):
    os.kill(os.getpid(), signal.SIGKILL)


@lru_cache(1)
def with_one_killed():
    """What became of four jobs, of which the second is killed, as the system does where memory
    ends: messages, and the name of an error.
    """
    job = {
        "content": picture(24, 32, 1),
        "style": picture(32, 24, 2),
        **QUICK_JOB,
        "size": 32,
        "steps": 1,
    }
    came = dict(map_transfer([job, {**job, "callback": die}, job, job]))
    return [
        (
            type(came[number].exception()).__name__
            if came[number].exception()
            else came[number].result().message
        )
        for number in range(4)
    ]


COMMANDS = {
    "transfer": (
        "transfer content.png style.png -o out.png --size 32 --start-size none --steps "
        "60 --weights random.h5 --content-layers conv2_1 --style-layers conv1_1,conv2_1 "
        "--precision float32"  # on so small a picture, bfloat16 is at its limit before 60 steps
    ).split(),
    "stylize": ["stylize", "content.png", "-o", "out.png", "--style", "poppies", "--quiet"],
}


def start(arguments, folder, environment):
    """A process of the command line that has its handlers: before that, Python itself is starting."""
    folder.mkdir()
    save_image(picture(48, 64, 1), folder / "content.png")
    save_image(picture(60, 45, 2), folder / "style.png")
    link_random_weights(folder)
    process = subprocess.Popen(
        [sys.executable, "-m", "neural_style", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # in the background it is ignored
    while process.poll() is None and not has_handler(process.pid, signal.SIGTERM):
        time.sleep(0.002)
    return process


def has_handler(process, number):
    caught = re.search(
        r"^SigCgt:\s*(\w+)", Path(f"/proc/{process}/status").read_text(), re.MULTILINE
    )
    return bool(caught and int(caught[1], 16) & 1 << number - 1)


def interrupt(name, folder, environment, delay):
    """What is wrong, or None, where `name` is interrupted after `delay` seconds."""
    process = start(COMMANDS[name], folder, environment)
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=240)
    files = {path.name for path in folder.iterdir()} - {"content.png", "style.png", "random.h5"}
    # Python ends by the signal itself if the interrupt came while a C library ran Python's code.
    # A shell tells both as 130.
    interrupted = process.returncode in (130, -signal.SIGINT)
    came = (
        f"after {delay:.2f} s: exit code {process.returncode}, files {files}, out {out!r}, err"
        f" {err!r}"
    )
    if files == {"out.png"}:
        load_image(folder / "out.png")
        right = interrupted or (
            process.returncode == 0
            and out.endswith(f"{'all steps done' if name == 'transfer' else ' s'}\n")
        )
        return None if right and not err else came
    return (
        None
        if not files and interrupted and re.fullmatch("neural-style: interrupted.*\n", err)
        else came
    )


#: For tests of numbers that float32 cannot tell apart.
needs_float64 = pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="JAX has float64 only where the whole process asks"
)

#: For tests of what TensorFlow alone has: tf.data, tf.distribute, its options and its memory.
needs_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="it is about TensorFlow itself"
)
