"""Measure the speed.

    python -m benchmarks.speed [--quick] [--json FILE]

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
import json
import os
import statistics
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from scipy.optimize import fmin_l_bfgs_b

from neural_style import (
    Evaluator,
    content_loss,
    feature_extractor,
    lbfgs,
    load_image,
    preprocess,
    presets,
    style_loss,
    total_variation_loss,
    transfer,
    vgg_weights,
)
from neural_style.iterative.stage import PIXEL_RANGE
from neural_style.iterative.transfer import CONTENT_LAYERS, STYLE_LAYERS
from neural_style.vgg.architecture import conv_layers
from neural_style.vgg.layers import check_layers

IMAGES = Path(__file__).parent.parent / "images"
LAYERS = (*CONTENT_LAYERS, *STYLE_LAYERS)
PAPER_LAYERS = (
    "block4_conv2",
    "block1_conv1",
    "block2_conv1",
    "block3_conv1",
    "block4_conv1",
    "block5_conv1",
)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=("classic", "evaluation", "overhead", "torch"))
    parser.add_argument("--json", type=Path, metavar="FILE")
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
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1))


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
    seconds, loss, evaluations = _classic_program(content, style, noise, rounds)
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


def _classic_program(content, style, x, rounds):
    """Run the program as published, but with the right order of the color channels.

    Return (seconds, final loss, evaluations).
    """
    height, width = content.shape[:2]
    vgg = keras.applications.VGG16(weights=None, include_top=False)
    for name, weights in vgg_weights("vgg16").layers.items():
        vgg.get_layer(name).set_weights(weights)
    outputs = keras.Model(vgg.input, {layer.name: layer.output for layer in vgg.layers[1:]})
    content_x, style_x = preprocess(content), preprocess(style)

    def gram(f):
        f = tf.reshape(tf.transpose(f, (2, 0, 1)), (f.shape[2], -1))
        return tf.matmul(f, tf.transpose(f))

    @tf.function
    def evaluate(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            features = outputs(tf.concat([content_x, style_x, x], axis=0))
            f = features["block2_conv2"]
            loss = 0.025 * tf.reduce_sum(tf.square(f[2] - f[0]))
            for layer in (
                "block1_conv2",
                "block2_conv2",
                "block3_conv3",
                "block4_conv3",
                "block5_conv3",
            ):
                f = features[layer]
                loss += (
                    5.0
                    / 5
                    * tf.reduce_sum(tf.square(gram(f[1]) - gram(f[2])))
                    / (4.0 * 3**2 * (height * width) ** 2)
                )
            a = tf.square(x[:, :-1, :-1] - x[:, 1:, :-1])
            b = tf.square(x[:, :-1, :-1] - x[:, :-1, 1:])
            loss += 1.0 * tf.reduce_sum(tf.pow(a + b, 1.25))
        return loss, tape.gradient(loss, x)

    def loss_and_grads(x):
        nonlocal evaluations
        evaluations += 1
        loss, grads = evaluate(tf.constant(x.reshape(content_x.shape), tf.float32))
        return float(loss), grads.numpy().ravel().astype("float64")

    evaluations, started = 0, time.monotonic()
    for _ in range(rounds):
        x, loss, _ = fmin_l_bfgs_b(loss_and_grads, np.ravel(x), maxfun=20)
    return time.monotonic() - started, loss, evaluations


# ---- One evaluation


def evaluation(quick):
    report = {}
    cases = [
        (size, precision, LAYERS)
        for size in ((256,) if quick else (256, 512, 768))
        for precision in ("float32", "bfloat16")
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
    a = tf.cast(tf.random.normal((n, n)), precision)
    tf.matmul(a, a).numpy()
    return 2 * n**3 / 1e9 / min(_timed(lambda: tf.matmul(a, a).numpy()) for _ in range(3))


def _timed(call):
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def overhead(quick):
    size = 256 if quick else 512
    evaluator, x = _evaluator(size)
    return {
        name: _overhead(evaluator, x, size, bounds)
        for name, bounds in {"bounds": PIXEL_RANGE, "no bounds": None}.items()
    }


def _overhead(evaluator, x, size, bounds):
    evaluator(x)
    inside = []

    def timed(x):
        started = time.perf_counter()
        result = evaluator(x)
        inside.append(time.perf_counter() - started)
        return result

    seconds = _timed(lambda: lbfgs(timed, x.reshape(evaluator.shape), 25, bounds))
    share = 1 - sum(inside) / seconds
    print(
        f"L-BFGS{' with bounds' if bounds else ''} at {size} x {size}: {100 * share:.1f} % of"
        f" {seconds:.1f} s outside loss and gradient ({len(inside)} evaluations)"
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
    theirs = _torch_evaluator(torch, size)
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


def _torch_evaluator(torch, size):
    """Build the same network, losses and picture in PyTorch, as PyTorch programs write them."""
    functional = torch.nn.functional
    weights = {
        name: (torch.tensor(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))), torch.tensor(bias))
        for name, (kernel, bias) in vgg_weights("vgg16").layers.items()
    }
    content_names, style_names = (
        set(check_layers(names, "vgg16").values()) for names in (CONTENT_LAYERS, STYLE_LAYERS)
    )

    def extract(x):
        features = {}
        for name in weights:
            if name.endswith("conv1") and name != "block1_conv1":
                x = functional.avg_pool2d(x, 2)
            x = functional.relu(functional.conv2d(x, *weights[name], padding=1))
            features[name] = x
            if name == "block5_conv1":
                return features

    def gram(f):
        f = f.flatten(2)[0]
        return f @ f.T / f.shape[1]

    def load(name):
        return torch.tensor(preprocess(square(name, size)).transpose(0, 3, 1, 2).copy())

    with torch.no_grad():
        content, style = extract(load("chenonceau")), extract(load("starry_night"))
        A = {name: gram(style[name]) for name in style_names}
        S = {
            name: max((A[name] ** 2).sum(), ((gram(content[name]) - A[name]) ** 2).sum())
            for name in style_names
        }
        P = {name: content[name] for name in content_names}

    def evaluate(flat):
        x = torch.tensor(
            flat.reshape(1, size, size, 3).transpose(0, 3, 1, 2).astype("float32")
        ).requires_grad_()
        f = extract(x)
        loss = sum(((f[name] - p) ** 2).sum() / (p**2).sum() / len(P) for name, p in P.items())
        loss = loss + 50 * sum(
            ((gram(f[name]) - a) ** 2).sum() / S[name] / len(A) for name, a in A.items()
        )
        corner = x[:, :, :-1, :-1]
        loss = (
            loss
            + 1e-5
            * (((x[:, :, 1:, :-1] - corner) ** 2 + (x[:, :, :-1, 1:] - corner) ** 2) ** 1.25).mean()
        )
        loss.backward()
        return float(loss), x.grad.numpy().transpose(0, 2, 3, 1).astype("float64").ravel()

    return evaluate


if __name__ == "__main__":
    main()
