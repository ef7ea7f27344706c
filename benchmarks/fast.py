"""Compare the pretrained networks with transfer().

    python -m benchmarks.fast [--size 512] [--photos 4] [--transfer FOLDER] [-o FOLDER]
    python -m benchmarks.fast --speed --json benchmarks/results/fast.json
    python -m benchmarks.fast --gallery FILE

Each pretrained style paints photos, of which only the gate was in the training, as a small copy:
once by stylize(), and once by transfer() with its defaults. Both results are judged as in
benchmarks.quality: content distance to the photo, style distance to the painting. --transfer keeps
transfer()'s results as PHOTO_STYLE.png and reuses those that are there, because each one takes
minutes.

--speed prints the seconds for 512 x 512 pixels after a warm-up, in float32 and bfloat16, and the
peak memory of a process that paints 2000 x 1500 pixels. The network has half the width; its weights
do not matter for this.

--gallery draws the gallery of docs/guides/networks.md: each painting, and three photos in its
style.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from neural_style import contact_sheet, load_image, pretrained, save_image, stylize, transfer
from neural_style.feedforward import build_transform_net

from .memory import peak
from .quality import IMAGES
from .results import add_option, keep
from .score import Score

PHOTOS = (
    "neuschwanstein",
    "brandenburg_gate",
    "dog",
    "petra",
    "machu_picchu",
    "chenonceau",
    "red_panda",
    "lemurs",
)


#: What is measured of a style.
COLUMNS = ("network content", "network style", "transfer content", "transfer style")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--photos", type=int, default=4, help="number of photos for each style")
    parser.add_argument(
        "--styles",
        default=",".join(pretrained()),
        help="names of pretrained styles (all), or .keras files named after them",
    )
    parser.add_argument(
        "--transfer", type=Path, metavar="FOLDER", help="where transfer()'s results are"
    )
    parser.add_argument(
        "--known", action="store_true", help="only pairs whose result is in --transfer"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="keep the pictures here"
    )
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--gallery", type=Path, metavar="FILE")
    parser.add_argument("--large", action="store_true", help=argparse.SUPPRESS)
    add_option(parser, "networks")
    arguments = parser.parse_args()
    if arguments.large:
        stylize(_noise(1500, 2000), build_transform_net(16), tile=None)
        print(peak())
    elif arguments.speed:
        keep(arguments.json, _speed())
    elif arguments.gallery:
        _gallery(arguments)
    elif not arguments.styles:
        parser.error("no pretrained style: name .keras files by --styles")
    else:
        keep(arguments.json, _quality(arguments))


def _quality(arguments):
    score, found = Score(arguments.size), {}
    print(
        f"{'':38s}   network: content  style    transfer(): content  style    style above by  "
        " content above by"
    )
    for net in arguments.styles.split(","):
        style, rows = Path(net).stem, []
        for photo in PHOTOS[: arguments.photos]:
            paths = [IMAGES / f"{name}.jpg" for name in (photo, style)]
            slow = _transfer(arguments, photo, style, paths)
            if slow is None:
                continue
            fast = stylize(paths[0], net, size=arguments.size)
            if arguments.output:
                arguments.output.mkdir(parents=True, exist_ok=True)
                save_image(fast, arguments.output / f"{photo}_{style}.png")
            rows.append((*score(*paths, fast), *score(*paths, slow)))
            _print(f"{photo} + {style}", rows[-1])
        if rows:
            mean = np.mean(rows, axis=0)
            _print(f"mean of {style}", mean)
            found[style] = dict(zip(COLUMNS, map(float, mean)))
    return found


def _transfer(arguments, photo, style, paths):
    kept = arguments.transfer and arguments.transfer / f"{photo}_{style}.png"
    if kept and kept.exists():
        return load_image(kept)
    if arguments.known:
        return None
    result = transfer(*paths, size=arguments.size, progress=False).image
    if kept:
        save_image(result, kept)
    return result


def _gallery(arguments):
    photos = [
        IMAGES / f"{name}.jpg" for name in ("neuschwanstein", "brandenburg_gate", "red_panda")
    ]
    rows = [
        [IMAGES / f"{style}.jpg", *(stylize(photo, style, size=arguments.size) for photo in photos)]
        for style in pretrained()
    ]
    contact_sheet(rows, height=1.8).savefig(arguments.gallery, dpi=100, pil_kwargs={"quality": 85})


def _print(name, row):
    print(
        f"{name:38s}            {row[0]:.3f}  {row[1]:.3f}                {row[2]:.3f} "
        f" {row[3]:.3f}          {100 * (row[1] / row[3] - 1):+5.0f} %           "
        f" {row[0] - row[2]:+.3f}",
        flush=True,
    )


def _speed():
    photo, found = _noise(512, 512), {}
    for precision in ("float32", "bfloat16"):
        net, seconds = build_transform_net(16, precision=precision), []
        for _number in range(12):
            started = time.perf_counter()
            stylize(photo, net)
            seconds.append(time.perf_counter() - started)
        found[precision] = statistics.median(seconds[2:])
        print(f"512 x 512, {precision}: {found[precision]:.3f} s (median of 10)", flush=True)
    started = time.monotonic()
    transfer(IMAGES / "neuschwanstein.jpg", IMAGES / "starry_night.jpg", size=512, progress=False)
    found["transfer"] = time.monotonic() - started
    print(f"transfer() at 512 pixels: {found['transfer']:.0f} s", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.fast", "--large"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found["gb of 2000 x 1500"] = int(done.stdout) / 1e9
    print(f"2000 x 1500: the process peaks at {found['gb of 2000 x 1500']:.2f} GB")
    return found


def _noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), "uint8")


if __name__ == "__main__":
    main()
