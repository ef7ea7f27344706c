"""Paint what goes wrong, and the cure beside it: the pictures of docs/artifacts.md.

    python -m benchmarks.artifacts FOLDER [--size 384] [--only copied_objects]

Each picture is kept in FOLDER and is not painted again, so that a run that was stopped goes on. The
strips go to docs/pictures/artifacts/: a part of the photo, of the bad picture and of the good one.
"""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from neural_style import load_image, presets

from .painted import painted
from .quality import IMAGES
from .results import ROOT
from .sheet import strip

STRIPS = ROOT / "docs" / "pictures" / "artifacts"
WHOLE = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Artifact:
    """A pair, transfer()'s arguments that go wrong and those that don't, and the part to show.

    The part is left, top, right and bottom, in shares of the picture's width and height.
    """

    pair: tuple
    bad: dict
    good: dict
    part: tuple = WHOLE


STARRY, BOAT = ("neuschwanstein", "starry_night"), ("machu_picchu", "summertime")
ARTIFACTS = {
    "copied_objects": Artifact(BOAT, {}, presets.in_place),
    "lost_content": Artifact(STARRY, {"style_weight": 500}, {"style_weight": 15}),
    "noise": Artifact(
        STARRY, {"init": "noise", "start_size": None, "steps": 60}, {}, (0.3, 0.1, 0.8, 0.7)
    ),
    "small_shapes": Artifact(STARRY, {"start_size": None, "steps": 100}, {}),
    "pale": Artifact(("red_panda", "cafe_terrace"), {"init": "content", "steps": 3}, {}),
    "blur": Artifact(
        ("chenonceau", "village_street_auvers"), {"tv_weight": 1e-2}, {}, (0.3, 0.2, 0.8, 0.8)
    ),
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--only", help="names of artifacts, with commas between them")
    arguments = parser.parse_args()
    STRIPS.mkdir(parents=True, exist_ok=True)
    for name in arguments.only.split(",") if arguments.only else ARTIFACTS:
        artifact = ARTIFACTS[name]
        paths = [
            painted(arguments.folder, artifact.pair, {**settings, "size": arguments.size})
            for settings in (artifact.bad, artifact.good)
        ]
        photo = IMAGES / f"{artifact.pair[0]}.jpg"
        parts = [_part(load_image(path, arguments.size), artifact.part) for path in (photo, *paths)]
        strip(parts, 320, 6).save(STRIPS / f"{name}.jpg", quality=88)
        print(name, *paths, flush=True)


def _part(image, part):
    height, width = image.shape[:2]
    left, right = (round(share * width) for share in part[::2])
    top, bottom = (round(share * height) for share in part[1::2])
    return image[top:bottom, left:right]


if __name__ == "__main__":
    main()
