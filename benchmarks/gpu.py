"""Measure a default picture on this machine's GPU, and a peer beside it.

    KERAS_BACKEND=jax python -m benchmarks.gpu [--sizes 512,1024,2048] [--peer]

cold      Seconds of the first transfer() of a process, compilations included.
warm      Seconds of the second one.
network   Share of the warm run's evaluations in its seconds: the rest is the optimizer's and ours.
GB        Peak memory on the GPU; of the process where there is none.
--peer    neural-style-pt's settings by PyTorch (benchmarks.torch_peer), at the first of the sizes:
          its seconds, and those of transfer() to the same style distance (see benchmarks.score).

It runs without a GPU, too: --sizes 64,96 --steps 3 tries it.
"""

import argparse
import os
import platform
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from keras import ops

from neural_style import Evaluator, load_image, transfer
from neural_style._shared.devices import has_gpu

from .memory import peak
from .quality import IMAGES
from .results import add_option, keep
from .score import Score
from .torch_peer import torch_peer

PHOTO, PAINTING = IMAGES / "neuschwanstein.jpg", IMAGES / "starry_night.jpg"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="512,1024,2048")
    parser.add_argument("--steps", type=int, help="at the last size; fewer, to try the benchmark")
    parser.add_argument("--peer", action="store_true")
    add_option(parser, "gpu")
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.sizes.split(",")]
    report = {"backend": keras.backend.backend(), "gpu": has_gpu(), "machine": _machine()}
    print(f"{report['backend']} on {report['machine']}")
    print(f"{'pixels':>8s} {'cold':>8s} {'warm':>8s} {'network':>8s} {'GB':>7s}")
    for size in sizes:
        row = report[str(size)] = _picture(size, arguments.steps)
        print(
            f"{size:8d} {row['cold']:8.1f} {row['warm']:8.1f} {100 * row['network']:7.0f}%"
            f" {row['gb']:7.2f}",
            flush=True,
        )
    if arguments.peer:
        report["peer"] = row = _peer(sizes[0], arguments.steps)
        print(f"peer: {row['seconds']:.1f} s to a style distance of {row['style']:.3f}")
        if row["ours"] is None:
            print("transfer() does not come so near")
        else:
            ratio = row["seconds"] / row["ours"]
            print(f"transfer() has it after {row['ours']:.1f} s: {ratio:.1f} times faster")
    keep(arguments.json, report)


def _picture(size, steps):
    started = time.perf_counter()
    _transfer(size, steps)
    cold = time.perf_counter() - started
    started = time.perf_counter()
    _transfer(size, steps)
    warm = time.perf_counter() - started
    spent, real = [], Evaluator.on_device

    def timed(self, x):
        ops.convert_to_numpy(x[0, 0, 0])  # all that was asked for before is done
        began = time.perf_counter()
        found = real(self, x)
        float(found[0][0])
        ops.convert_to_numpy(found[1][0, 0, 0])
        spent.append(time.perf_counter() - began)
        return found

    Evaluator.on_device = timed
    started = time.perf_counter()
    try:
        _transfer(size, steps)
    finally:
        Evaluator.on_device = real
    share = sum(spent) / (time.perf_counter() - started)
    return {"cold": cold, "warm": warm, "network": share, "gb": _peak() / 1e9}


def _transfer(size, steps, **options):
    # a GPU's memory is not the machine's: nothing is cut into tiles
    return transfer(PHOTO, PAINTING, size=size, steps=steps, tile=None, progress=False, **options)


def _peer(size, steps):
    photo = load_image(PHOTO, size)
    score = Score(size)
    theirs = torch_peer(photo, load_image(PAINTING, size), 500 if steps is None else 4 * steps)
    seconds, evaluations, picture = theirs[-1]
    style = score(PHOTO, PAINTING, picture)[1]
    seen = []
    _transfer(size, steps, callback=lambda here: seen.append((here.seconds, here.image)))
    ours = next(
        (when for when, image in seen[::5] if score(PHOTO, PAINTING, image)[1] <= style), None
    )
    return {"seconds": seconds, "evaluations": evaluations, "style": style, "ours": ours}


def _peak():
    if not has_gpu():
        return peak()
    if keras.backend.backend() == "torch":
        import torch

        return torch.cuda.max_memory_allocated()
    if keras.backend.backend() == "jax":
        import jax

        return jax.local_devices()[0].memory_stats()["peak_bytes_in_use"]
    import tensorflow as tf

    return tf.config.experimental.get_memory_info("GPU:0")["peak"]


def _machine():
    if not has_gpu():
        return platform.processor() or platform.machine()
    if keras.backend.backend() == "torch":
        import torch

        return torch.cuda.get_device_name()
    if keras.backend.backend() == "jax":
        import jax

        return jax.local_devices()[0].device_kind
    import tensorflow as tf

    gpu = tf.config.list_physical_devices("GPU")[0]
    return tf.config.experimental.get_device_details(gpu)["device_name"]


if __name__ == "__main__":
    main()
