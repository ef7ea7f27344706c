"""Compare the time that transfer() tells before a run with the time that the run takes.

    python -m benchmarks.estimates

Six runs of different kinds, each in a process of its own.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from .results import add_option, keep

IMAGES = Path(__file__).parent.parent / "images"

#: {kind of run: transfer()'s arguments}.
RUNS = {
    "defaults, 256 px": {"size": 256},
    "defaults, 512 px": {"size": 512},
    "float32, 384 px": {"size": 384, "precision": "float32"},
    "in tiles": {"size": 384, "start_size": None, "steps": 20, "tile": 256},
    "two masks": {"size": 256, "masks": "halves"},
    "one size, from noise, by Adam": {
        "size": 320,
        "start_size": None,
        "init": "noise",
        "optimizer": "adam",
        "steps": 60,
    },
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_option(parser, "estimates")
    parser.add_argument("--one", choices=RUNS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        _one(RUNS[arguments.one])
        return
    report = {}
    for name in RUNS:
        command = [sys.executable, "-m", "benchmarks.estimates", "--one", name]
        out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        told = re.search(r"about ([\d:]+) and", out)[1]
        seconds = float(out.splitlines()[-1])
        estimate = sum(60**i * int(part) for i, part in enumerate(reversed(told.split(":"))))
        report[name] = {"told": estimate, "took": seconds}
        print(
            f"{name:32s} told {estimate:4d} s, took {seconds:6.1f} s: {estimate / seconds:.2f}",
            flush=True,
        )
    keep(arguments.json, report)


def _one(options):
    from neural_style import load_image, transfer

    photo = load_image(IMAGES / "neuschwanstein.jpg", 768)
    painting = IMAGES / "starry_night.jpg"
    if options.get("masks") == "halves":
        half = np.zeros(photo.shape[:2])
        half[: len(half) // 2] = 1
        options = {**options, "masks": [half, 1 - half]}
        painting = [painting, IMAGES / "poppies.jpg"]
    started = time.perf_counter()
    result = transfer(photo, painting, **options)
    print(f"\n{min(result.seconds, time.perf_counter() - started):.1f}")


if __name__ == "__main__":
    main()
