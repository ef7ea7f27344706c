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

from PIL import Image

from neural_style import load_image, save_image, transfer
from neural_style.images.resize import resize

from .score import Score

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
    arguments = parser.parse_args()
    options = dict(map(_setting, arguments.set))
    score, rows, pictures = Score(arguments.size), [], []
    print(f"{'':38s} content  style  (photo's)  lower by  seconds")
    for photo, painting in PAIRS[: arguments.pairs]:
        row, picture = _run(score, arguments, photo, painting, {}, options)
        rows.append(row)
        pictures.append((photo, painting, picture))
    print(
        f"{'mean':38s}   {_mean(rows, 0):.3f}  {_mean(rows, 1):.3f}    {_mean(rows, 2):.3f}    "
        f" {_mean(rows, 3):5.1f} %   {_mean(rows, 4):5.0f}"
    )
    if arguments.classic:
        seconds, started = rows[0][4], time.monotonic()

        def time_is_up(intermediate_result):
            if time.monotonic() - started > seconds:
                raise StopIteration

        _run(
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
    if arguments.gallery:
        save_image(_gallery(pictures), arguments.gallery, quality=85)


def _run(score, arguments, photo, painting, extra, options, label=None):
    photo_path, painting_path = (IMAGES / f"{name}.jpg" for name in (photo, painting))
    result = transfer(
        photo_path, painting_path, size=arguments.size, progress=False, **{**options, **extra}
    )
    content, style = score(photo_path, painting_path, result.image)
    untouched = score(photo_path, painting_path, photo_path)[1]
    row = content, style, untouched, 100 * (1 - style / untouched), result.seconds
    label = label or f"{photo} + {painting}"
    print(
        f"{label:38s}   {content:.3f}  {style:.3f}    {untouched:.3f}     {row[3]:5.1f} %  "
        f" {result.seconds:5.0f}",
        flush=True,
    )
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        save_image(
            result.image,
            arguments.output
            / f"{label.replace(' + ', '_').replace(', ', '_').replace(' ', '_')}.png",
        )
    return row, result.image


def _gallery(pictures, height=210, gap=6):
    """Draw two columns of rows on white: photo, painting and result, all of one height."""
    strips = []
    for photo, painting, result in pictures:
        images = [
            Image.fromarray(load_image(picture))
            for picture in (IMAGES / f"{photo}.jpg", IMAGES / f"{painting}.jpg", result)
        ]
        images = [
            resize(image, (round(height * image.width / image.height), height)) for image in images
        ]
        strip = Image.new(
            "RGB", (sum(image.width + gap for image in images), height + gap), "white"
        )
        for i, image in enumerate(images):
            strip.paste(image, (sum(before.width + gap for before in images[:i]), 0))
        strips.append(strip)
    width = max(strip.width for strip in strips)
    sheet = Image.new("RGB", (2 * width, (len(strips) + 1) // 2 * (height + gap)), "white")
    for i, strip in enumerate(strips):
        sheet.paste(strip, (i % 2 * width, i // 2 * (height + gap)))
    return sheet


def _mean(rows, column):
    return sum(row[column] for row in rows) / len(rows)


def _setting(text):
    name, _, value = text.partition("=")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


if __name__ == "__main__":
    main()
