"""Odd checkpoints, caches and weights, and the right answers."""

import json
import os
from functools import lru_cache
from pathlib import Path

import h5py
import numpy as np
from helpers import picture, random_weights
from odd import Row, refused, works

from neural_style import save_image, transfer
from neural_style.vgg import normalization as features
from neural_style.vgg import vgg_weights
from neural_style.vgg.normalization import mean_activations

PHOTO, ART = picture(24, 32, 1), picture(24, 32, 2)
QUICK = dict(
    size=32,
    start_size=None,
    steps=2,
    content_layers=["conv1_1"],
    style_layers=["conv1_1"],
    weights=random_weights(),
    progress=False,
)


@lru_cache(1)
def _checkpoint():
    transfer("photo.png", "art.png", checkpoint="run.npz", **QUICK)
    data = Path("run.npz").read_bytes()
    os.remove("run.npz")
    return data


def prepare():
    save_image(PHOTO, "photo.png")
    save_image(ART, "art.png")
    _checkpoint()


def resume(content="photo.png", **options):
    Path("run.npz").write_bytes(_checkpoint()) if not Path("run.npz").exists() else None
    return transfer(content, "art.png", checkpoint="run.npz", resume=True, **{**QUICK, **options})


def changed(x=None, **state):
    """resume() from a checkpoint with another x or another state; ... takes that part away."""
    Path("run.npz").write_bytes(_checkpoint())
    with np.load("run.npz") as file:
        arrays = {name: file[name] for name in file.files}
    known = {**json.loads(str(arrays["state"])), **state}
    arrays["state"] = json.dumps({name: one for name, one in known.items() if one is not ...})
    arrays["x"] = arrays["x"] if x is None else x(arrays["x"])
    np.savez("run.npz", **arrays)
    return resume()


def flipped():
    data = bytearray(_checkpoint())
    data[len(data) // 2] ^= 1
    Path("run.npz").write_bytes(data)
    return resume()


def activations(spoil):
    """The mean activations over one small picture after the kept ones were spoiled, and before: the
    same.
    """
    home, real = os.environ.get("KERAS_HOME"), features.files
    os.mkdir("calibration")
    save_image(PHOTO, "calibration/a.jpg")
    weights = vgg_weights("vgg16", None)
    os.environ["KERAS_HOME"], features.files = os.getcwd(), lambda package: Path.cwd()
    try:
        before = mean_activations(weights, "avg")
        (kept,) = Path("models").glob("*activations.npz")
        spoil(kept)
        after = mean_activations(weights, "avg")
        with np.load(kept) as file:
            return all(
                np.array_equal(before[name], after[name])
                and np.array_equal(before[name], file[name])
                for name in before
            )
    finally:
        features.files = real
        os.environ.pop("KERAS_HOME")
        os.environ.update({} if home is None else {"KERAS_HOME": home})


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def rewrite(path, change):
    with np.load(path) as file:
        arrays = {name: change(file[name]) for name in file.files}
    np.savez(path, **arrays)


def claims():
    """An .h5 of some KB whose kernel claims 10.8 GB, in a process that may take 9 GB."""
    with h5py.File("claims.h5", "w") as file:
        group = file.create_group("block1_conv1")
        group.attrs["weight_names"] = [b"kernel:0", b"bias:0"]
        group.create_dataset("kernel:0", (2_700_000_000,), "float32", chunks=(1 << 20,))
        group.create_dataset("bias:0", (64,), "float32")
    return vgg_weights("vgg16", "claims.h5")


def refused_as(words):
    return lambda r, e, w: refused(words)(
        r, e, [name for name in w if name not in ("run.npz", "claims.h5")]
    )


def same(result):
    return result.message == "all steps done" and len(result.history["total"]) == 2


ROWS = [
    Row(
        "resume with ./photo.png for photo.png",
        lambda: resume("./photo.png"),
        works(same),
        slow=True,
    ),
    Row(
        "resume with the absolute path",
        lambda: resume(os.path.abspath("photo.png")),
        works(same),
        slow=True,
    ),
    Row("resume with more steps", lambda: resume(steps=3), refused_as("another setting steps;")),
    Row("resume, same", resume, works(same), slow=True),
    Row(
        "checkpoint with a short x",
        lambda: changed(x=lambda x: x[:-3]),
        refused_as("no whole checkpoint"),
    ),
    Row(
        "checkpoint with NaN",
        lambda: changed(x=lambda x: x * np.nan),
        refused_as("not a whole checkpoint"),
    ),
    Row("checkpoint at stage 7", lambda: changed(stage=7), refused_as("no whole checkpoint")),
    Row(
        "checkpoint with done = -5", lambda: changed(done=-5), refused_as("not a whole checkpoint")
    ),
    Row("checkpoint with history 3", lambda: changed(history=3), refused_as("not a checkpoint")),
    Row("checkpoint without stage", lambda: changed(stage=...), refused_as("not a checkpoint")),
    Row("checkpoint with a flipped byte", flipped, refused_as("run.npz")),
    Row(
        "a second run takes the checkpoint's name",
        lambda: (
            Path("run.npz").write_bytes(_checkpoint()),
            transfer("art.png", "photo.png", checkpoint="run.npz", resume=False, **QUICK),
        )[1],
        works(same),
        slow=True,
    ),
    Row(
        "mean activations cut in half, transfer(normalize=True)",
        lambda: activations(
            lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        ),
        works(bool),
        slow=True,
    ),
    Row("a flipped byte in them", lambda: activations(flip), works(bool), slow=True),
    Row(
        "other shapes in them",
        lambda: activations(lambda path: rewrite(path, lambda mean: mean[:3])),
        works(bool),
        slow=True,
    ),
    Row(
        "NaN in them",
        lambda: activations(lambda path: rewrite(path, lambda mean: mean * np.nan)),
        works(bool),
        slow=True,
    ),
    Row(
        "an .h5 of 7 KB that claims 10.8 GB, 9 GB limit", claims, refused_as(r"claims\.h5.*must be")
    ),
]
