"""Measure the peak memory of one evaluation, or of a short run.

    python -m benchmarks.memory [--sizes 256,512] [--tile N] [--run STEPS] [--budget GB]

Each row is measured in a process of its own: square random pictures, the default layers and losses,
one evaluation of loss and gradient. The peak is that of the resident set, the import of TensorFlow
included. --run STEPS makes this number of L-BFGS steps of transfer() instead, so that the
optimizer's own pictures count too: its history grows by one correction a step, to ten at most.
--budget GB plans as if this number of gigabytes were free; use it with --tile auto.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from .results import add_option, keep


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="256,512,1024", help="sides in pixels")
    parser.add_argument("--tile", default="none", help="side of a tile; none; auto")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--run", type=int, metavar="STEPS")
    parser.add_argument("--budget", type=float, metavar="GB")
    add_option(parser, "memory")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(_measure(int(arguments.one), arguments)))
        return
    print(
        f"{'pixels':>12s} {'tile':>6s} {'precision':>10s} {'GB':>6s} {'seconds':>8s}"
        f" {'us/pixel':>9s}"
    )
    rows = []
    for size in arguments.sizes.split(","):
        command = [
            sys.executable,
            "-m",
            "benchmarks.memory",
            "--one",
            size,
            "--tile",
            arguments.tile,
            "--precision",
            arguments.precision,
            *(["--run", str(arguments.run)] if arguments.run else []),
            *(["--budget", str(arguments.budget)] if arguments.budget else []),
        ]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        row = json.loads(done.stdout.splitlines()[-1])
        rows.append({"size": int(size), "precision": arguments.precision, **row})
        print(
            f"{size + ' x ' + size:>12s} {row['tile']!s:>6s} {arguments.precision:>10s}"
            f" {row['gb']:6.2f} {row['seconds']:8.2f} {1e6 * row['seconds'] / int(size) ** 2:9.2f}",
            flush=True,
        )
    keep(arguments.json, rows)


def _measure(size, arguments):
    import numpy as np

    from neural_style import Evaluator, feature_extractor, preprocess, transfer
    from neural_style.iterative import plan as preflight
    from neural_style.iterative.plan import plan
    from neural_style.iterative.transfer import CONTENT_LAYERS, STYLE_LAYERS
    from neural_style.losses import content_loss, style_loss, style_statistics, total_variation_loss
    from neural_style.optimize.targets import targets_of
    from neural_style.optimize.tiled_evaluator import TiledEvaluator
    from neural_style.vgg.layers import activation_bytes, tile_geometry

    if arguments.budget:
        preflight.free_memory = lambda: 1e9 * arguments.budget
    tile = (
        {"none": None, "auto": "auto"}.get(arguments.tile)
        if not arguments.tile.isdigit()
        else int(arguments.tile)
    )
    content, style = (
        np.random.default_rng(i).integers(0, 256, (size, size, 3), "uint8") for i in (0, 1)
    )
    started = time.perf_counter()
    if arguments.run:
        transfer(
            content,
            style,
            size=size,
            start_size=None,
            steps=arguments.run,
            tile=tile,
            precision=arguments.precision,
            progress=False,
        )
        return _row(arguments.tile, time.perf_counter() - started)
    layers = (*CONTENT_LAYERS, *STYLE_LAYERS)
    extractor = feature_extractor(layers, normalize=False, precision=arguments.precision)
    tiling = plan(
        size,
        size,
        tile_geometry(layers, "vgg16"),
        activation_bytes(layers, "vgg16", arguments.precision),
        tile,
    ).tiling
    measure = style_statistics(STYLE_LAYERS)
    maps, [grams] = targets_of(extractor, preprocess(content), CONTENT_LAYERS, [measure], tiling)
    _, [target] = targets_of(extractor, preprocess(style), (), [measure], tiling)
    losses = {
        "content": content_loss(maps, CONTENT_LAYERS),
        "tv": total_variation_loss(),
        "style": style_loss(target, STYLE_LAYERS, "relative", grams),
    }
    x = preprocess(content).ravel()
    weights = {"content": 1.0, "style": 50.0, "tv": 1e-5}
    evaluator = (
        Evaluator(extractor, losses, weights, (1, size, size, 3))
        if tiling.tile is None
        else TiledEvaluator(extractor, losses, weights, (1, size, size, 3), tiling)
    )
    evaluator(x)
    row = _row(tiling.tile, 0)
    started = time.perf_counter()
    evaluator(x + 1)
    return {**row, "seconds": time.perf_counter() - started}


def _row(tile, seconds):
    return {"tile": tile, "gb": peak() / 1e9, "seconds": seconds}


def peak():
    """Peak memory of the process, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


if __name__ == "__main__":
    main()
