"""Measure one pass: any painting, and the trained networks where there is one for the painting.

    python -m benchmarks.one_pass [--size 512] [--pairs 16] [--strength 1] [--peer FOLDER]
                                  [-o FOLDER]

Sixteen pairs. Of their photos, only the gate trained a decoder, as a small copy. Seconds: with the
painting new (its moments are computed), and with its moments known. --peer scores the pictures of
another program, which are named PHOTO_in_PAINTING.png, beside ours. -o keeps our pictures under
such names. For content and style, see benchmarks.score; "lowered" is by how much the style distance
is below the photo's own.
"""

import argparse
import os
import statistics
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from neural_style import load_image, pretrained, stylize
from neural_style.images.save import save_image
from neural_style.universal import OnePass

from .quality import IMAGES, PAIRS
from .results import add_option, keep
from .score import Score

MORE_PAIRS = (
    ("machu_picchu", "starry_night"),
    ("dog", "great_wave"),
    ("lemurs", "poppies"),
    ("petra", "composition_viii"),
    ("neuschwanstein", "cafe_terrace"),
    ("chenonceau", "summertime"),
    ("red_panda", "village_street_auvers"),
    ("brandenburg_gate", "church_at_auvers"),
)

#: What is measured of a picture.
COLUMNS = ("content", "style", "lowered", "seconds", "known")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--pairs", type=int, default=16, help="use only the first N pairs")
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--peer", type=Path, metavar="FOLDER")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER")
    add_option(parser, "one_pass")
    arguments = parser.parse_args()
    score, rows = Score(arguments.size), []
    warm = load_image(IMAGES / "dog.jpg", arguments.size)
    OnePass(warm).paint(warm)  # loads the network
    print(f"{'':44s} content  style  lowered  seconds  known")
    for pair in (*PAIRS, *MORE_PAIRS)[: arguments.pairs]:
        found = _pair(pair, score, arguments)
        for who, row in found.items():
            print(f"{' in '.join(pair):36s} {who:8s} {_shown(row)}", flush=True)
            rows.append({"pair": pair, "by": who, **row})
    for who in dict.fromkeys(row["by"] for row in rows):
        own = [row for row in rows if row["by"] == who]
        means = {
            name: statistics.mean(row[name] for row in own)
            for name in COLUMNS
            if all(name in row for row in own)
        }
        print(f"{f'mean of {len(own)}':36s} {who:8s} {_shown(means)}")
    keep(arguments.json, rows)


def _pair(pair, score, arguments):
    """{who painted: what was measured} of a photo and a painting."""
    photo, painting = (IMAGES / f"{name}.jpg" for name in pair)
    name = "_in_".join(pair) + ".png"
    image, style = (load_image(path, arguments.size) for path in (photo, painting))
    of_photo = score(photo, painting, image)[1]
    started = time.perf_counter()
    painter = OnePass(style, arguments.strength)
    result = painter.paint(image)
    new = time.perf_counter()
    painter.paint(image)
    known = time.perf_counter() - new
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        save_image(result, arguments.output / name)
    found = {"one pass": (result, {"seconds": new - started, "known": known})}
    if pair[1] in pretrained():
        stylize(image, pair[1])
        started = time.perf_counter()
        found["network"] = (stylize(image, pair[1]), {"known": time.perf_counter() - started})
    if arguments.peer:
        found["peer"] = (load_image(arguments.peer / name), {})
    return {
        who: {**_judged(score(photo, painting, np.asarray(result)), of_photo), **seconds}
        for who, (result, seconds) in found.items()
    }


def _judged(scores, of_photo):
    content, style = scores
    return {"content": content, "style": style, "lowered": 1 - style / of_photo}


def _shown(row):
    forms = {
        "content": "7.3f",
        "style": "6.3f",
        "lowered": "8.1%",
        "seconds": "8.2f",
        "known": "6.2f",
    }
    return " ".join(
        f"{row[name]:{form}}" if name in row else " " * int(form.split(".")[0])
        for name, form in forms.items()
    )


if __name__ == "__main__":
    main()
