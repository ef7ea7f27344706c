"""Compare ways to paint: all judges over sixteen pairs, eight alike in color and subject.

    python -m benchmarks.methods FOLDER [--size 512] [--pairs 16] [--methods default,nnst]

Each picture is kept as FOLDER/METHOD_PHOTO_in_PAINTING.png with its seconds in its record, and is
not painted again, so a run that was stopped goes on. The table that is printed has the means, one
row a method.
--gallery draws a row for each pair: photo, painting, and each method's picture.
"""

import argparse
import os
import statistics
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from neural_style import presets, read_record, transfer
from neural_style.iterative import Neighbors

from .judges import JUDGES, judged
from .quality import IMAGES
from .results import add_option, keep
from .sheet import sheet, strip

ALIKE = (
    ("chenonceau", "summertime"),
    ("brandenburg_gate", "church_at_auvers"),
    ("chenonceau", "village_street_auvers"),
    ("neuschwanstein", "church_at_auvers"),
    ("machu_picchu", "village_street_auvers"),
    ("chambord", "summertime"),
    ("neuschwanstein", "village_street_auvers"),
    ("red_panda", "poppies"),
)
UNLIKE = (
    ("machu_picchu", "summertime"),
    ("dog", "composition_viii"),
    ("petra", "poppies"),
    ("red_panda", "cafe_terrace"),
    ("lemurs", "great_wave"),
    ("canyon_de_chelly", "starry_night"),
    ("brandenburg_gate", "great_wave"),
    ("lemurs", "composition_viii"),
)

ALONE = {"content_weight": 0.0, "style_weight": 0.0, "init": "content"}


def methods(size: int) -> dict[str, dict]:
    """{name: transfer()'s arguments} at a size."""
    sides = [size // 8, size // 4, size // 2, size, size]
    shares = [60, 60, 60, 40, 40]
    steps = list(zip(sides, shares))
    return {
        "default": {},
        "wasserstein": {"statistic": "wasserstein"},
        "nnst": {**presets.nnst, "steps": [(side, 60) for side in sides]},
        "strotss": {**presets.strotss, "steps": dict.fromkeys(sides, 60)},
        "neighbors": {**ALONE, "steps": steps, "terms": [Neighbors(split=True)]},
        "neighbors_turned": {
            **ALONE,
            "steps": steps,
            "terms": [Neighbors(own=0.25, rotations=True, split=True)],
        },
        "in_place": presets.in_place,
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument(
        "--pairs", type=int, default=16, help="the first N, alike and unlike in turn"
    )
    parser.add_argument("--methods", help="names, with commas between them; all")
    parser.add_argument("--gallery", type=Path, help="draw all pictures on one sheet, a JPEG")
    add_option(parser, "methods")
    arguments = parser.parse_args()
    known = methods(arguments.size)
    names = arguments.methods.split(",") if arguments.methods else list(known)
    pairs = [pair for both in zip(ALIKE, UNLIKE) for pair in both][: arguments.pairs]
    arguments.folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for pair in pairs:
        for name in names:
            row = _row(arguments.folder, name, known[name], pair, arguments.size)
            print(
                *pair, name, {key: round(row[key], 3) for key in (*JUDGES, "seconds")}, flush=True
            )
            rows.append(row)
    keep(arguments.json, rows)
    print(table(rows))
    if arguments.gallery:
        _sheet(arguments.folder, pairs, names).save(arguments.gallery, quality=88)


def _path(folder, name, pair):
    return folder / f"{name}_{'_in_'.join(pair)}.png"


def _sheet(folder, pairs, names):
    """Rows of photo, painting and each method's picture."""
    rows = [
        [IMAGES / f"{one}.jpg" for one in pair] + [_path(folder, name, pair) for name in names]
        for pair in pairs
    ]
    return sheet([strip(row, 260, 6) for row in rows])


def _row(folder, name, settings, pair, size):
    """Paint a pair, unless that was done before, and judge the picture."""
    path = _path(folder, name, pair)
    photo, painting = (IMAGES / f"{one}.jpg" for one in pair)
    if not path.exists():
        result = transfer(photo, painting, **{**settings, "size": size}, progress=False)
        result.save(path)
    seconds = read_record(path)["seconds"]
    return {"method": name, "pair": pair, "seconds": seconds, **judged(photo, painting, path, size)}


def table(rows):
    """The means of each method, a table in Markdown."""
    columns = (*JUDGES, "seconds")
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == name]
        means = {key: statistics.mean(row[key] for row in own) for key in columns}
        cells = [f"{means[key]:.3f}" for key in JUDGES] + [f"{means['seconds']:.0f}"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
