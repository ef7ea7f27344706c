"""Odd callbacks, threads, processes and faults around transfer(), and the right answers."""

import logging
import os
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from unittest import mock

import numpy as np
from helpers import full_disk, picture, with_one_killed
from odd import Row, refused, works
from PIL import Image

import neural_style
from neural_style import Checkpoint, map_transfer, read_record
from neural_style.vgg import vgg_weights

QUICK = dict(
    size=32,
    start_size=None,
    steps=3,
    content_layers=["conv1_2"],
    style_layers=["conv1_1"],
    progress=False,
)
ONLY_IMPORTED = """
import multiprocessing, sys, tensorflow
from concurrent.futures import ProcessPoolExecutor
from neural_style import map_transfer
with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as executor:
    [(number, future)] = map_transfer([dict(content="photo.png", style="art.png", size=16, start_size=None, steps=1, weights=None,
                                            content_layers=["conv1_1"], style_layers=["conv1_1"])], executor)
    print(future.result().message)
"""


@lru_cache(1)
def weights():
    return vgg_weights("vgg16", None)


def prepare():
    Image.fromarray(picture(24, 32, 1)).save("photo.png")
    Image.fromarray(picture(32, 24, 2)).save("art.png")


def run(callback=None, **options):
    return neural_style.transfer(
        "photo.png", "art.png", callback=callback, **{"weights": weights(), **QUICK, **options}
    )


def saved(**options):
    """A run whose picture is saved, and its record."""
    run(**options).save("w.png")
    return read_record("w.png")["settings"]


def spoiled(optimizer, value):
    """Whether the result is the same with a callback that overwrites x as without."""

    def spoil(here):
        here.x[:] = value

    return (
        run(spoil, optimizer=optimizer).image.tobytes() == run(optimizer=optimizer).image.tobytes()
    )


def full(here):
    raise OSError(28, "No space left on device")


@contextmanager
def warnings():
    """The texts of the library's warnings."""
    texts, handler = [], logging.Handler()
    handler.emit = lambda record: texts.append(record.getMessage())
    logging.getLogger("neural_style").addHandler(handler)
    try:
        yield texts
    finally:
        logging.getLogger("neural_style").removeHandler(handler)


def warned(function):
    """(what the function returns, the warnings)."""
    with warnings() as texts:
        return function(), texts


def full_at_a_checkpoint():
    with full_disk(100):
        return warned(lambda: run(checkpoint=Checkpoint("run.npz", steps=1)))


def within():
    """The messages of runs within a run."""
    messages = []
    outer = run(lambda here: messages.append(run(steps=1).message))
    return [outer.message, *messages]


def leave(here):
    raise SystemExit(3)


def left():
    try:
        run(leave)
    except SystemExit as stop:
        return stop.code, stop.result.image.size


class Late:
    """A callback whose end is interrupted."""

    def __call__(self, here):
        pass

    def close(self):
        raise KeyboardInterrupt


def in_threads():
    """(the pictures of two threads, of one after the other, TensorFlow's option afterwards)."""
    found = {}
    threads = [
        threading.Thread(
            target=lambda seed=seed: found.update(
                {seed: run(init="noise", seed=seed, steps=10).image.tobytes()}
            )
        )
        for seed in (1, 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone = [run(init="noise", seed=seed, steps=10).image.tobytes() for seed in (1, 2)]
    import tensorflow as tf

    return [found[1], found[2]], alone, tf.config.optimizer.get_experimental_options()


def forked():
    run(steps=1)
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as executor:
        return [*map_transfer([{"content": "photo.png", "style": "art.png"}], executor)]


def only_imported():
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(neural_style.__file__).parents[1]),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    return subprocess.run(
        [sys.executable, "-c", ONLY_IMPORTED],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout


def without_output():
    with mock.patch.object(sys, "stdout", None):
        return run(progress=True)


def patched():
    """(what the patched function gives, whether it is itself afterwards)."""
    before = neural_style.transfer
    with mock.patch("neural_style.transfer", return_value="mine"):
        mine = neural_style.transfer()
    return mine, neural_style.transfer is before


def finished(result):
    return result.message == "all steps done" and result.image.size == (32, 24)


ROWS = [
    Row(
        "transfer(weights=vgg_weights(…)).save('w.png')",
        lambda: saved(),
        works(lambda settings: settings["weights"] is None, ["w.png"]),
        slow=True,
    ),
    Row(
        "style_layers={set}, save",
        lambda: saved(style_layers={"conv1_2", "conv1_1"}),
        works(lambda settings: settings["style_layers"] == ["conv1_1", "conv1_2"], ["w.png"]),
        slow=True,
    ),
    Row(
        "style_layers=dict.keys(), save",
        lambda: saved(style_layers={"conv1_2": 1, "conv1_1": 1}.keys()),
        works(lambda settings: settings["style_layers"] == ["conv1_2", "conv1_1"], ["w.png"]),
        slow=True,
    ),
    Row(
        "weights=vgg_weights(…), checkpoint=…",
        lambda: run(checkpoint="run.npz"),
        works(finished, ["run.npz"]),
        slow=True,
    ),
    Row("callback: r.x[:] = 0, lbfgs", lambda: spoiled("lbfgs", 0), works(bool), slow=True),
    Row("the same, adam", lambda: spoiled("adam", 0), works(bool)),
    Row("callback: r.x[:] = nan, lbfgs", lambda: spoiled("lbfgs", np.nan), works(bool), slow=True),
    Row("the same, adam", lambda: spoiled("adam", np.nan), works(bool)),
    Row(
        "callback raises OSError(28)",
        lambda: warned(lambda: run(full)),
        works(
            lambda found: (
                finished(found[0])
                and found[1]
                == [
                    (
                        "after step 1, full failed, and the run goes on: OSError(28, 'No space left"
                        " on device')"
                    ),
                    "full failed after 3 steps",
                ]
            ),
            [],
        ),
        slow=True,
    ),
    Row(
        "callback=3",
        lambda: run(3),
        refused("callback must be a function.*Received: int", TypeError),
    ),
    Row(
        "callback without an argument",
        lambda: run(lambda: None),
        refused("callback must take one argument", TypeError),
    ),
    Row(
        "transfer() within a callback",
        within,
        works(lambda messages: messages == ["all steps done"] * 4),
        slow=True,
    ),
    Row("callback raises SystemExit", left, works(lambda found: found == (3, (32, 24))), slow=True),
    Row(
        "Ctrl-C while callbacks are closed, all steps done",
        lambda: warned(lambda: run(Late())),
        works(
            lambda found: (
                finished(found[0])
                and found[1] == ["at the end of the run, Late failed: KeyboardInterrupt"]
            )
        ),
        slow=True,
    ),
    Row(
        "disk full at a checkpoint",
        full_at_a_checkpoint,
        works(
            lambda found: (
                finished(found[0])
                and "Checkpoint failed, and the run goes on: OSError(27" in found[1][0]
            ),
            [],
        ),
        slow=True,
    ),
    Row(
        "two transfers in two threads",
        in_threads,
        works(lambda found: found[0] == found[1] and found[0][0] != found[0][1]),
        slow=True,
    ),
    Row(
        "… and TensorFlow's option afterwards",
        in_threads,
        works(lambda found: not found[2].get("disable_meta_optimizer", False)),
        slow=True,
    ),
    Row(
        "map_transfer(jobs, ProcessPoolExecutor()) after TensorFlow was used",
        forked,
        refused("executor must spawn its processes", ValueError),
        slow=True,
    ),
    Row(
        "the same, TensorFlow only imported",
        only_imported,
        works(lambda out: out == "all steps done\n", []),
        seconds=60,
        slow=True,
    ),
    Row(
        "map_transfer, one of four jobs killed",
        with_one_killed,
        works(
            lambda came: (
                came == ["all steps done", "BrokenProcessPool", "all steps done", "all steps done"]
            )
        ),
        seconds=90,
        slow=True,
    ),
    Row("map_transfer([])", lambda: [*map_transfer([])], works(lambda found: found == [])),
    Row(
        "map_transfer([{}], threads=0)",
        lambda: map_transfer([{}], threads=0),
        refused("job 0: missing a required argument: 'content'", TypeError),
    ),
    Row(
        "job without style",
        lambda: map_transfer([{"content": "photo.png"}]),
        refused("job 0: missing a required argument: 'style'", TypeError),
    ),
    Row(
        "progress=True where sys.stdout is None (pythonw)",
        without_output,
        works(finished, []),
        slow=True,
    ),
    Row(
        "mock.patch('neural_style.transfer')", patched, works(lambda found: found == ("mine", True))
    ),
]
