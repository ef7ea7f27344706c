"""Measure the speed.

    python -m benchmarks.speed [--quick]

classic     Compares transfer() with a transcription of the Keras program that most tutorials copy:
            content, style and generated picture in one batch of three at every evaluation, a start
            from noise, 10 restarts of fmin_l_bfgs_b with maxfun=20. transfer() has the same loss,
            weights and pictures. Its seconds count until it has the loss at which that program
            ends, from the same noise, and from our own start, the recolored photo.
evaluation  One loss and gradient with the default layers, and with the paper's layers: seconds,
            GFLOP/s (twice the forward convolutions: forward, and back to the pixels), and their
            share of the peak of matrix multiplication, which is measured at the same time.
overhead    The share of a run that is spent outside the network and its losses.
torch       The same evaluation by PyTorch, where it is installed.

--quick runs smaller pictures and fewer repetitions.
"""

import argparse
import os
import statistics
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from keras import ops

from neural_style import Evaluator, feature_extractor, load_image, preprocess, presets, transfer
from neural_style.iterative.stage import PIXEL_RANGE
from neural_style.iterative.transfer import CONTENT_LAYERS, STYLE_LAYERS
from neural_style.losses import content_loss, style_loss, total_variation_loss
from neural_style.optimize.lbfgs import lbfgs
from neural_style.optimize.scipy_lbfgs import scipy_lbfgs
from neural_style.vgg.architecture import conv_layers
from neural_style.vgg.layers import check_layers
from neural_style.vgg.precision import fast_bfloat16

from .classic_program import classic_program
from .results import add_option, keep
from .torch_evaluator import torch_evaluator

IMAGES = Path(__file__).parent.parent / "images"
LAYERS = (*CONTENT_LAYERS, *STYLE_LAYERS)
PAPER_LAYERS = ("block4_conv2", *(f"block{i}_conv1" for i in range(1, 6)))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=("classic", "evaluation", "overhead", "torch"))
    add_option(parser, "speed")
    arguments = parser.parse_args()
    report = {}
    for name, measure in {
        "evaluation": evaluation,
        "overhead": overhead,
        "torch": torch_peer,
        "classic": classic,
    }.items():
        if arguments.only in (None, name):
            report[name] = measure(arguments.quick)
    keep(arguments.json, report)


def square(name, size):
    image = load_image(IMAGES / f"{name}.jpg")
    side = min(image.shape[:2])
    top, left = ((length - side) // 2 for length in image.shape[:2])
    return load_image(image[top : top + side, left : left + side], size)


# ---- The classic program


def classic(quick):
    size, rounds = (128, 3) if quick else (256, 10)
    content, style = square("chenonceau", size), square("starry_night", size)
    noise = np.random.default_rng(0).uniform(0, 255, content.shape)[None] - 128
    seconds, loss, evaluations = classic_program(content, style, noise, rounds)
    print(
        f"the classic program, {size} x {size}: {evaluations} evaluations, {seconds:.0f} s, ends at"
        f" a loss of {loss:.4g}"
    )
    preset = {**presets.keras_example, "size": size, "progress": False, "steps": 1000}
    report = {"size": size, "seconds": seconds, "loss": loss, "evaluations": evaluations}
    for name, changes in {
        "the same noise, all else equal": {},
        "our start": {"init": "recolored"},
    }.items():

        def reached(intermediate_result):
            if len(intermediate_result.x) == noise.size and intermediate_result.fun <= loss:
                raise StopIteration

        result = transfer(content, style, **{**preset, **changes}, callback=reached)
        ratio = seconds / result.seconds
        done = "" if result.history["total"][-1] <= loss else " (not reached)"
        print(
            f"  transfer(), {name}: {len(result.history['total'])} steps, {result.seconds:.1f}"
            f" s{done}: {ratio:.1f} times faster"
        )
        report[name] = {
            "seconds": result.seconds,
            "steps": len(result.history["total"]),
            "ratio": ratio,
            "reached": not done,
        }
    return report


# ---- One evaluation


def evaluation(quick):
    report = {}
    cases = [
        (size, precision, LAYERS)
        for size in ((256,) if quick else (256, 512, 768))
        for precision in _precisions()
    ]
    for size, precision, layers in [*cases, (cases[-1][0], "float32", PAPER_LAYERS)]:
        evaluator, x = _evaluator(size, precision, layers)
        seconds, peaks = [], []
        for repetition in range(4 if quick else 8):
            seconds.append(_timed(lambda: evaluator(x + repetition)))
            peaks.append(_matmul_gflops(precision))
        seconds, peak = statistics.median(seconds[1:]), statistics.median(peaks)
        rate = 2 * _forward_gflop(size) / seconds
        which = "" if layers is LAYERS else ", the paper's six layers"
        print(
            f"{size} x {size} {precision}{which}: {seconds:.3f} s, {rate:.0f} GFLOP/s,"
            f" {100 * rate / peak:.0f} % of the matrix-multiply peak of {peak:.0f}",
            flush=True,
        )
        report[f"{size} {precision}{which}"] = {"seconds": seconds, "gflops": rate, "peak": peak}
    return report


def _evaluator(size, precision="float32", layers=LAYERS):
    content_layers, style_layers = [
        [name for name in names if name in layers] for names in (CONTENT_LAYERS, STYLE_LAYERS)
    ]
    extractor = feature_extractor(layers, normalize=False, precision=precision)
    content, style = (
        extractor(preprocess(square(name, size))) for name in ("chenonceau", "starry_night")
    )
    losses = {
        "content": content_loss(content, content_layers),
        "tv": total_variation_loss(),
        "style": style_loss(style, style_layers, "relative", content),
    }
    x = preprocess(square("chenonceau", size))
    return Evaluator(
        extractor, losses, {"content": 1.0, "style": 50.0, "tv": 1e-5}, x.shape
    ), x.ravel().astype("float64")


def _forward_gflop(size):
    """Count the operations of the convolutions up to block5_conv1: 2 x 9 x in x out a position."""
    used, total = set(check_layers(LAYERS, "vgg16").values()), 0
    for name, (_, _, channels, filters) in conv_layers("vgg16").items():
        total += 18 * channels * filters * (size // 2 ** (int(name[5]) - 1)) ** 2
        used.discard(name)
        if not used:
            return total / 1e9


def _matmul_gflops(precision, n=2304):
    a = ops.cast(np.random.default_rng(0).normal(size=(n, n)), precision)
    return 2 * n**3 / 1e9 / min(_timed(lambda: float(ops.matmul(a, a)[0, 0])) for _ in range(4))


def _timed(call):
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def overhead(quick):
    size = 256 if quick else 512
    report = {}
    for precision in _precisions():
        evaluator, x = _evaluator(size, precision)
        evaluator(x)
        for name, optimizer in {"lbfgs": lbfgs, "scipy": scipy_lbfgs}.items():
            which = f"{name} {precision}"
            report[which] = _overhead(which, optimizer, Watched(evaluator), x, PIXEL_RANGE)
    return report


def _precisions():
    """float32, and bfloat16 where it is faster."""
    return ("float32", "bfloat16") if fast_bfloat16() else ("float32",)


class Watched:
    """An evaluator whose seconds are added up."""

    def __init__(self, evaluator):
        self.evaluator, self.shape, self.seconds = evaluator, evaluator.shape, []

    def on_device(self, x):
        return self._timed(self.evaluator.on_device, x)

    def __call__(self, x):
        return self._timed(self.evaluator, x)

    def _timed(self, evaluate, x):
        started = time.perf_counter()
        found = evaluate(x)
        self.seconds.append(time.perf_counter() - started)
        return found


def _overhead(which, optimizer, evaluator, x, bounds):
    seconds = _timed(lambda: optimizer(evaluator, x.reshape(evaluator.shape), 25, bounds))
    share = 1 - sum(evaluator.seconds) / seconds
    size = evaluator.shape[2]
    print(
        f"{which} at {size} x {size}: {100 * share:.1f} % of {seconds:.1f} s outside loss and"
        f" gradient ({len(evaluator.seconds)} evaluations)",
        flush=True,
    )
    return {"size": size, "share": share}


# ---- PyTorch


def torch_peer(quick):
    try:
        import torch
    except ImportError:
        print("PyTorch is not installed: no comparison (pip install torch)")
        return None
    size = 256 if quick else 512
    evaluator, x = _evaluator(size)
    theirs = torch_evaluator(torch, square("chenonceau", size), square("starry_night", size))
    pairs = [
        (_timed(lambda: evaluator(x + i)), _timed(lambda: theirs(x + i)))
        for i in range(6 if quick else 9)
    ][1:]
    (ours, _), (loss, _) = evaluator(x), theirs(x)
    ratio = statistics.median(b / a for a, b in pairs)
    seconds = [statistics.median(column) for column in zip(*pairs)]
    print(
        f"{size} x {size}: {seconds[0]:.3f} s, PyTorch {torch.__version__} {seconds[1]:.3f} s:"
        f" {ratio:.2f} times faster (losses {ours:.4f} and {loss:.4f})"
    )
    return {"size": size, "seconds": seconds[0], "torch": seconds[1], "ratio": ratio}


if __name__ == "__main__":
    main()
