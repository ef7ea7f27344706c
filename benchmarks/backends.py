"""Compare Keras' backends: loss and gradient, pictures, seconds.

    python -m benchmarks.backends [--size 256] [--pairs 8] [--backends tensorflow,jax,torch]

Each backend runs in a process of its own; the packages `jax` and `torch` must be there. All paint
the same pairs in float32. Loss and gradient are those of the first pair's photo; they are compared
with the first backend's. For content and style, see benchmarks.score.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from .results import add_option, keep


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--pairs", type=int, default=8, help="use only the first N pairs")
    parser.add_argument("--backends", default="tensorflow,jax,torch")
    add_option(parser, "backends")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        _one(arguments)
        return
    report = {}
    print(f"{'':12s} {'loss':>9s} {'gradient':>9s} {'content':>8s} {'style':>7s} {'seconds':>8s}")
    with tempfile.TemporaryDirectory() as folder:
        for backend in arguments.backends.split(","):
            row, grad = _run(backend, arguments, Path(folder, f"{backend}.npz"))
            if not report:
                first, reference = row["loss"], grad
            row["loss off by"] = abs(row["loss"] / first - 1)
            row["gradient off by"] = float(
                np.linalg.norm(grad - reference) / np.linalg.norm(reference)
            )
            report[backend] = row
            content, style, seconds = (
                float(np.mean([pair[key] for pair in row["pairs"]]))
                for key in ("content", "style", "seconds")
            )
            print(
                f"{backend:12s} {row['loss off by']:9.1e} {row['gradient off by']:9.1e}"
                f" {content:8.3f} {style:7.3f} {seconds:8.1f}",
                flush=True,
            )
    first = next(iter(report.values()))["pairs"]
    for backend, row in report.items():
        apart = [
            max(abs(ours[key] - theirs[key]) for key in ("content", "style"))
            for ours, theirs in zip(row["pairs"], first)
        ]
        print(f"{backend}: at most {max(apart):.4f} apart in content or style, pair by pair")
    keep(arguments.json, report)


def _run(backend, arguments, path):
    """({loss, pairs}, gradient) of a backend, from a process of its own."""
    subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.backends", "--one", str(path)),
            *("--size", str(arguments.size), "--pairs", str(arguments.pairs)),
        ],
        check=True,
        env={**os.environ, "KERAS_BACKEND": backend},
    )
    with np.load(path) as file:
        return json.loads(str(file["row"])), file["grad"]


def _one(arguments):
    from neural_style import transfer

    from .quality import IMAGES, PAIRS
    from .score import Score
    from .speed import _evaluator

    evaluator, x = _evaluator(arguments.size)
    loss, grad = evaluator(x)
    score, pairs = Score(arguments.size), []
    for photo, painting in PAIRS[: arguments.pairs]:
        photo, painting = IMAGES / f"{photo}.jpg", IMAGES / f"{painting}.jpg"
        result = transfer(photo, painting, size=arguments.size, precision="float32", progress=False)
        content, style = score(photo, painting, result.image)
        pairs.append({"content": content, "style": style, "seconds": result.seconds})
    np.savez(arguments.one, grad=grad, row=json.dumps({"loss": loss, "pairs": pairs}))


if __name__ == "__main__":
    main()
