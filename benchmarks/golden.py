"""Digests of small results: run it before and after a change that must not change a pixel.

    python benchmarks/golden.py > before.txt
    python benchmarks/golden.py --against before.txt

It prints one line a picture: its name, and the first 16 hex digits of the SHA-256 of its pixels.
With --against it also names each picture that differs from the table, and then exits with 1.
Fourteen transfers, the networks that come with the package, and a film of three frames, with
VGG16's real weights: about three minutes on two cores. It needs the extras `photo` and `video`.

Compare tables of one machine only. Another processor, or another version of TensorFlow, NumPy,
SciPy or Pillow, may sum in another order, and then the bytes differ though nothing is wrong.
"""

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from neural_style import load_image, masks, presets, pretrained, stylize, stylize_video, transfer
from neural_style.video import read_frames, write_video

IMAGES = Path(__file__).parents[1] / "images"
PHOTO, PAINTING, OTHER_PAINTING = (
    IMAGES / name for name in ("dog.jpg", "starry_night.jpg", "poppies.jpg")
)

#: A mask, 75 x 100, that rises from 0 at the left edge to 1 at the right edge.
RAMP = np.linspace(0, 1, 100) * np.ones((75, 1))

#: Arguments of every transfer, unless its case says otherwise.
QUICK = {"size": 96, "start_size": 48, "steps": 8, "progress": False}

SHALLOW = ["conv1_1", "conv2_1"]

#: {name of the picture: transfer()'s arguments}.
TRANSFERS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "gatys_2016": {**presets.gatys_2016, "network": "vgg16", "size": 96, "steps": 10},
    "noise": {"init": "noise", "seed": 3},
    "blend": {"style": [(PAINTING, 2), (OTHER_PAINTING, 1)]},
    "masks": {"style": [PAINTING, OTHER_PAINTING], "masks": [RAMP, 1 - RAMP]},
    "inside": {
        "style": [PAINTING, OTHER_PAINTING],
        "masks": [
            masks.Region(RAMP > 0.5, None, 0, True),
            masks.Region(RAMP <= 0.5, None, 1, True),
        ],
        "style_layers": SHALLOW,
    },
    "luminance": {"preserve_color": "luminance"},
    "match": {"preserve_color": "match"},
    "wasserstein": {"statistic": "wasserstein"},
    "moments": {"statistic": "moments"},
    "photorealism": {"photorealism_weight": 2},
    "tiles": {"tile": 64, "style_layers": SHALLOW, "content_layers": ["conv2_2"]},
    "adam": {"optimizer": "adam"},
    "content_map": {"content_map": RAMP},
}


def main(arguments: list[str] | None = None) -> int:
    """Print the table; return 1 if a picture differs from the table of --against, else 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", metavar="FILE", type=Path, help="a table printed before")
    against = parser.parse_args(arguments).against
    expected = None if against is None else read_table(against.read_text(encoding="utf-8"))
    found = {}
    for name, picture in pictures():
        found[name] = digest(picture)
        print(f"{name:24} {found[name]}", flush=True)
    if expected is None:
        return 0
    different = differences(expected, found)
    for line in different:
        print(line, file=sys.stderr)
    return 1 if different else 0


def pictures() -> Iterator[tuple[str, Any]]:
    """Make all pictures, one after the other; yield (name, picture)."""
    for name, arguments in TRANSFERS.items():
        given = {"content": PHOTO, "style": PAINTING, **QUICK, **arguments}
        yield name, transfer(**given).image
    for network in pretrained():
        yield f"stylize_{network}", stylize(PHOTO, network, size=128)
    photo = load_image(PHOTO, 110)
    with tempfile.TemporaryDirectory() as folder:
        film, painted = Path(folder, "film.mp4"), Path(folder, "painted.mp4")
        write_video([photo[:72, left : left + 96] for left in (0, 2, 4)], film, 10)
        stylize_video(film, PAINTING, painted, size=96, steps=6, progress=False)
        for number, (_, frame) in enumerate(read_frames(painted)):
            yield f"film_{number}", frame


def digest(picture: Any) -> str:
    """The first 16 hex digits of the SHA-256 of a picture's pixels, row by row."""
    return hashlib.sha256(np.ascontiguousarray(picture).tobytes()).hexdigest()[:16]


def read_table(text: str) -> dict[str, str]:
    """{name: digest} of a table that main() printed."""
    return dict(line.split() for line in text.splitlines() if line.strip())


def differences(expected: dict[str, str], found: dict[str, str]) -> list[str]:
    """One line for each picture whose digests differ, or that only one of the tables has."""
    return [
        f"{name}: {expected.get(name, 'missing')} before, {found.get(name, 'missing')} now"
        for name in {**expected, **found}
        if expected.get(name) != found.get(name)
    ]


if __name__ == "__main__":
    sys.exit(main())
