"""Measure what the matting Laplacian does.

    python -m benchmarks.photorealism [--size 512] [--weight 2] [--pairs 4] [-o FOLDER]

Four photos are painted in the light of another photo: by transfer() without and with
photorealism_weight, with defaults for all other arguments; and by the two recolorings that use no
network, match_color(space="lab") and locally_affine of the result without the term.

residual   sum_c V_c^T L V_c: how far patches are from an affine recoloring of the photo's patches
style      benchmarks.score's distance to the reference, and by how much it is below the photo's own
edges      mean |cos| of the angle between the gradients of the result's luma and of the photo's
           luma, over the 5 % of the pixels with the photo's strongest gradients (derivatives of a
           Gaussian of 1 pixel): 1 where every edge keeps its direction
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from scipy.ndimage import gaussian_filter

from neural_style import load_image, save_image, transfer
from neural_style.images import locally_affine, match_color, matting_laplacian
from neural_style.images.color import YCC

from .memory import peak
from .results import add_option, keep
from .score import Score

IMAGES = Path(__file__).parent.parent / "images"
PAIRS = (
    ("neuschwanstein", "brandenburg_gate"),
    ("chenonceau", "gateway_of_india"),
    ("machu_picchu", "canyon_de_chelly"),
    ("chambord", "lincoln_memorial"),
)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--weight", type=float, default=2.0)
    parser.add_argument("--pairs", type=int, default=len(PAIRS), help="use only the first N pairs")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="keep the pictures here"
    )
    add_option(parser, "photorealism")
    arguments = parser.parse_args()
    laplacian = _laplacian_of_700_pixels()
    score = Score(arguments.size)
    print(f"{'':52s} residual  content  style  lower by  edges  seconds  ms/step")
    rows = [row for names in PAIRS[: arguments.pairs] for row in _pair(names, score, arguments)]
    keep(arguments.json, {"laplacian": laplacian, "pairs": rows})


def _laplacian_of_700_pixels():
    # This call compiles PyMatting's functions, or reads them from their cache.
    matting_laplacian(load_image(IMAGES / "dog.jpg", 64))
    before, started = peak(), time.perf_counter()
    L = matting_laplacian(load_image(IMAGES / "neuschwanstein.jpg", 700))
    seconds, after = time.perf_counter() - started, peak()
    print(
        f"the Laplacian of a picture of 700 pixels, {L.shape[0]:,} x {L.shape[1]:,}:"
        f" {seconds:.1f} s, peak memory of the process {after / 1e9:.2f} GB,"
        f" {before / 1e9:.2f} GB before"
    )
    return {"seconds": seconds, "gb": after / 1e9}


def _pair(names, score, arguments):
    photo, reference = (load_image(IMAGES / f"{name}.jpg", arguments.size) for name in names)
    L, own, rows = matting_laplacian(photo), score(photo, reference, photo)[1], []

    def row(label, picture, seconds=None, steps=None):
        content, style = score(photo, reference, picture)
        found = {
            "pair": names,
            "by": label,
            "residual": residual(L, picture),
            "content": content,
            "style": style,
            "lowered": 1 - style / own,
            "edges": edges(photo, picture),
            "seconds": seconds,
        }
        rows.append(found)
        times = (
            ""
            if seconds is None
            else f"{seconds:7.0f}" + ("" if steps is None else f"  {1e3 * seconds / steps:7.0f}")
        )
        print(
            f"{names[0] + ' + ' + names[1] + ', ' + label:52s} {found['residual']:8.2f}   "
            f" {content:.3f}  {style:.3f}   {found['lowered']:7.1%} "
            f" {found['edges']:.3f}  {times}",
            flush=True,
        )
        if arguments.output:
            arguments.output.mkdir(parents=True, exist_ok=True)
            save_image(picture, arguments.output / f"{names[0]}_{label.replace(' ', '_')}.png")

    row("the photo", photo)
    row("affine in Lab", match_color(photo, reference, space="lab"))
    for label, weight in (("without", 0.0), ("with", arguments.weight)):
        result = transfer(
            photo, reference, size=arguments.size, photorealism_weight=weight, progress=False
        )
        picture = np.asarray(result.image)
        row(label, picture, result.seconds, len(result.history["total"]))
        if not weight:
            started = time.perf_counter()
            row("solved", locally_affine(picture, photo), time.perf_counter() - started)
    return rows


def residual(L, picture):
    """Compute sum_c V_c^T L V_c, where V_c are the channels on the scale 0 to 1."""
    V = np.asarray(picture).reshape(-1, 3) / 255
    return float(np.sum(V * (L @ V)))


def edges(photo, picture):
    """Compute the mean |cos| of the angle between gradients at the photo's strongest edges."""
    (ay, ax), (by, bx) = (_gradient(image) for image in (photo, picture))
    strength = np.hypot(ay, ax)
    strong = strength >= np.quantile(strength, 0.95)
    cosine = np.abs(ay * by + ax * bx) / np.maximum(strength * np.hypot(by, bx), 1e-12)
    return float(cosine[strong].mean())


def _gradient(image):
    luma = np.asarray(image, "float64") @ YCC[0]
    return gaussian_filter(luma, 1, order=(1, 0)), gaussian_filter(luma, 1, order=(0, 1))


if __name__ == "__main__":
    main()
