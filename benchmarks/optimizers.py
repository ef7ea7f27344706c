"""Compare L-BFGS on the device with SciPy's: the loss, the pictures, the seconds.

    python -m benchmarks.optimizers [--size 256] [--pairs 8] [--precision float32]

Paints eight pairs with each, with the same settings and steps. The loss is the last one, its ratio
that of `lbfgs` to SciPy's. For content and style, see benchmarks.score.
"""

import argparse
import os
import statistics

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from neural_style import Evaluator, transfer

from .quality import IMAGES, PAIRS
from .results import add_option, keep
from .score import Score


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--pairs", type=int, default=len(PAIRS), help="use only the first N pairs")
    parser.add_argument("--precision", default="float32")
    add_option(parser, "optimizers")
    arguments = parser.parse_args()
    score, rows = Score(arguments.size), []
    print(f"{'':38s} {'':9s} evaluations   loss  content  style  seconds")
    for pair in PAIRS[: arguments.pairs]:
        photo, painting = (IMAGES / f"{name}.jpg" for name in pair)
        row = {"pair": pair}
        for optimizer in ("scipy", "lbfgs"):
            row[optimizer] = _run(photo, painting, optimizer, arguments, score)
            values = " ".join(
                f"{row[optimizer][key]:{form}}"
                for key, form in [
                    ("evaluations", "11d"),
                    ("loss", "9.4f"),
                    ("content", "7.3f"),
                    ("style", "7.3f"),
                    ("seconds", "7.1f"),
                ]
            )
            print(f"{' in '.join(pair):38s} {optimizer:9s} {values}", flush=True)
        rows.append(row)
    ratios = [row["lbfgs"]["loss"] / row["scipy"]["loss"] for row in rows]
    mean, worst = statistics.mean(ratios), max(ratios)
    print(f"loss, lbfgs over scipy: {mean:.4f} on average, {worst:.4f} at worst")
    for key in ("content", "style", "seconds", "evaluations"):
        ours, theirs = (
            statistics.mean(row[name][key] for row in rows) for name in ("lbfgs", "scipy")
        )
        print(f"{key}: {ours:.4g} and SciPy's {theirs:.4g}")
    keep(arguments.json, rows)


def _run(photo, painting, optimizer, arguments, score):
    evaluations, real = [], Evaluator.on_device
    Evaluator.on_device = lambda self, x: evaluations.append(1) or real(self, x)
    try:
        result = transfer(
            photo,
            painting,
            size=arguments.size,
            optimizer=optimizer,
            precision=arguments.precision,
            progress=False,
        )
    finally:
        Evaluator.on_device = real
    content, style = score(photo, painting, result.image)
    return {
        "evaluations": len(evaluations),
        "loss": result.history["total"][-1],
        "content": content,
        "style": style,
        "seconds": result.seconds,
    }


if __name__ == "__main__":
    main()
