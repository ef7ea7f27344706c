"""Measure how good the pictures are.

    python -m benchmarks.quality [--size 256] [--set NAME=VALUE ...] [--classic] [-o FOLDER]

Runs transfer() over eight pairs of a photo and a painting, alike and unlike in color, and judges
each result by benchmarks.score. --set changes an argument of transfer(), to compare settings: --set
pooling=max --set style_weight=5. --classic also paints the first pair from the classic start (the
photo, one size, no bounds) in the same number of seconds. --gallery draws the README's gallery: a
row of photo, painting and result for each pair.
"""

import argparse
import ast
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


from neural_style import save_image, transfer

from .results import add_option, keep
from .score import Score
from .sheet import sheet, strip

IMAGES = Path(__file__).parent.parent / "images"
PAIRS = (
    ("neuschwanstein", "starry_night"),
    ("brandenburg_gate", "great_wave"),
    ("dog", "composition_viii"),
    ("chenonceau", "village_street_auvers"),
    ("red_panda", "cafe_terrace"),
    ("petra", "poppies"),
    ("machu_picchu", "summertime"),
    ("lemurs", "church_at_auvers"),
)


#: What is measured of a picture.
NUMBERS = ("content", "style", "photo", "lowered", "seconds")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--classic", action="store_true")
    parser.add_argument("--pairs", type=int, default=len(PAIRS), help="use only the first N pairs")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="keep the pictures here"
    )
    parser.add_argument("--gallery", type=Path, metavar="FILE")
    add_option(parser, "quality")
    arguments = parser.parse_args()
    options = dict(map(_setting, arguments.set))
    score, rows, pictures = Score(arguments.size), [], []
    print(f"{'':38s} content  style  (photo's)  lower by  seconds")
    for photo, painting in PAIRS[: arguments.pairs]:
        row, picture = _run(score, arguments, photo, painting, {}, options)
        rows.append(row)
        pictures.append((photo, painting, picture))
    _print("mean", {key: sum(row[key] for row in rows) / len(rows) for key in NUMBERS})
    if arguments.classic:
        seconds, started = rows[0]["seconds"], time.monotonic()

        def time_is_up(intermediate_result):
            if time.monotonic() - started > seconds:
                raise StopIteration

        row, _ = _run(
            score,
            arguments,
            *PAIRS[0],
            {
                "init": "content",
                "start_size": None,
                "bounds": False,
                "steps": 10_000,
                "callback": time_is_up,
            },
            options,
            "classic start, same seconds",
        )
        rows.append(row)
    keep(arguments.json, rows)
    if arguments.gallery:
        save_image(_gallery(pictures), arguments.gallery, quality=85)


def _run(score, arguments, photo, painting, extra, options, label=None):
    photo_path, painting_path = (IMAGES / f"{name}.jpg" for name in (photo, painting))
    result = transfer(
        photo_path, painting_path, size=arguments.size, progress=False, **{**options, **extra}
    )
    content, style = score(photo_path, painting_path, result.image)
    untouched = score(photo_path, painting_path, photo_path)[1]
    label = label or f"{photo} + {painting}"
    row = {
        "pair": label,
        "content": content,
        "style": style,
        "photo": untouched,
        "lowered": 1 - style / untouched,
        "seconds": result.seconds,
    }
    _print(label, row)
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        save_image(
            result.image,
            arguments.output
            / f"{label.replace(' + ', '_').replace(', ', '_').replace(' ', '_')}.png",
        )
    return row, result.image


def _gallery(pictures):
    """Two columns of rows: photo, painting and result."""
    rows = [
        (IMAGES / f"{photo}.jpg", IMAGES / f"{painting}.jpg", result)
        for photo, painting, result in pictures
    ]
    return sheet([strip(row, 210, 6) for row in rows], columns=2)


def _print(label, row):
    print(
        f"{label:38s}   {row['content']:.3f}  {row['style']:.3f}    {row['photo']:.3f}    "
        f" {row['lowered']:6.1%}   {row['seconds']:5.0f}",
        flush=True,
    )


def _setting(text):
    name, _, value = text.partition("=")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


if __name__ == "__main__":
    main()
