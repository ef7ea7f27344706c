"""Paint one pair with each argument of transfer() changed in turn: the strips of docs/knobs.md.

    python -m benchmarks.knobs FOLDER [--size 256] [--only style_weight,init]

Each picture is kept in FOLDER and is not painted again, so that a run that was stopped goes on. The
strips go to docs/pictures/knobs/, and benchmarks.report writes the page's text and numbers. For
content and style, see benchmarks.score.
"""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from neural_style import load_image, presets, read_record
from neural_style.iterative.transfer import STYLE_LAYERS

from .painted import painted
from .quality import IMAGES
from .results import ROOT, add_option, keep
from .score import Score
from .sheet import strip

PAIR = ("neuschwanstein", "starry_night")
STRIPS = ROOT / "docs" / "pictures" / "knobs"
DEEPER = [f"block{i}_conv1" for i in range(1, 6)]


@dataclass(frozen=True)
class Knob:
    """An argument, what it does in a few words, and its values {how they are written: settings}.

    The value of the defaults is written with an asterisk.
    """

    name: str
    says: str
    values: dict


def plain(name, says, *values, default):
    """A knob whose values are written as they are."""
    return Knob(
        name, says, {f"{value}{' *' * (value == default)}": {name: value} for value in values}
    )


KNOBS = (
    plain(
        "style_weight",
        "More of the painting, less of the photo. It is the first thing to change.",
        *(5, 15, 50, 150, 500),
        default=50,
    ),
    plain(
        "style_scale",
        "The longer side of the painting, in sizes of the result: the size of the strokes.",
        *(0.5, 1.0, 2.0),
        default=1.0,
    ),
    plain(
        "steps",
        "Steps of the optimizer at the last size. None: 90 at 256 pixels, 57 at 512.",
        *(5, 20, 100),
        default=100,
    ),
    plain(
        "size",
        "The longer side of the result in pixels, shown at one height. Strokes gain in detail."
        " The distances are judged at 256 pixels.",
        *(128, 256, 384),
        default=256,
    ),
    plain(
        "start_size",
        "The size of the first stage. With one stage alone, `None`, there is no moon: VGG's layers"
        " see too little of the picture for a shape so large.",
        *(None, 64, 128),
        default=128,
    ),
    plain(
        "coarse_weight",
        "How many times as much the photo counts at the sizes before the last. With 16 the castle"
        " is whole, and the moon has to find another place.",
        *(1.0, 4.0, 16.0),
        default=4.0,
    ),
    Knob(
        "content_layers",
        "Where the photo is compared. An early layer keeps pixels, a late one only objects.",
        {
            "conv2_2": {"content_layers": ["conv2_2"]},
            "conv3_2": {"content_layers": ["conv3_2"]},
            "conv3_3 and conv4_2 *": {},
            "conv5_2": {"content_layers": ["conv5_2"]},
        },
    ),
    Knob(
        "style_layers",
        "Which layers' Gram matrices are matched: colors and grain alone, then strokes, then whole"
        " shapes.",
        {
            **{
                f"conv1_1 to conv{i}_1" if i > 1 else "conv1_1": {"style_layers": DEEPER[:i]}
                for i in (1, 2, 3, 5)
            },
            f"{len(STYLE_LAYERS)} layers *": {},
        },
    ),
    plain(
        "init",
        "Where the optimizer starts. `recolored` is the photo in the painting's colors.",
        *("recolored", "content", "one_pass", "style", "noise"),
        default="recolored",
    ),
    plain(
        "tv_weight",
        "Total variation: more is smoother, and blurs the strokes.",
        *(0.0, 1e-5, 1e-3, 1e-2),
        default=1e-5,
    ),
    plain(
        "statistic",
        "What of the features is style: Gram matrices, mean and deviation, or the cost of moving"
        " one normal distribution to the other. At the same weight, the last one takes most of the"
        " painting: the castle becomes its cypress.",
        *("gram", "moments", "wasserstein"),
        default="gram",
    ),
    Knob(
        "normalize",
        "VGG's filters scaled to a mean activation of 1, as in the paper, so that the weak ones"
        " count as much as the strong ones. At the same weight both distances hardly change.",
        {
            "False *": {},
            "True": {"normalize": True},
            "True, style_weight=150": {"normalize": True, "style_weight": 150},
        },
    ),
    plain(
        "preserve_color",
        "Whose colors: the painting's, or the photo's in one of three ways. The style distance sees"
        " colors, too, so it is high where the photo's are kept.",
        *(None, "luminance", "match", "histogram"),
        default=None,
    ),
    Knob(
        "a preset",
        "Many arguments at once: the paper's settings with VGG16 and 200 steps, and neighbors"
        " beside Gram matrices.",
        {
            "the defaults *": {},
            "gatys_2016, VGG16": {**presets.gatys_2016, "network": "vgg16", "steps": 200},
            "in_place": presets.in_place,
        },
    ),
)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--only", help="names of knobs, with commas between them")
    add_option(parser, "knobs")
    arguments = parser.parse_args()
    only = arguments.only.split(",") if arguments.only else [knob.name for knob in KNOBS]
    score, found = Score(arguments.size), {}
    for knob in KNOBS:
        if knob.name in only:
            found[knob.name] = _turn(knob, arguments, score)
    keep(arguments.json, found)


def _turn(knob, arguments, score):
    """Paint, judge and draw a knob's values: [{value, content, style, seconds}]."""
    photo, painting = (IMAGES / f"{name}.jpg" for name in PAIR)
    rows, paths = [], []
    for value, settings in knob.values.items():
        size = settings["size"] if knob.name == "size" else arguments.size
        settings = {**settings, "size": size}
        path = painted(arguments.folder, PAIR, settings)
        content, style = score(photo, painting, path)
        seconds = read_record(path)["seconds"]
        rows.append({"value": value, "content": content, "style": style, "seconds": seconds})
        print(f"{knob.name:16s} {value:24s} {content:.3f} {style:.3f} {seconds:5.0f}", flush=True)
        paths.append(path)
    STRIPS.mkdir(parents=True, exist_ok=True)
    height = load_image(photo, arguments.size).shape[0]
    strip(paths, height, 6).save(STRIPS / strip_name(knob.name), quality=86)
    return rows


def strip_name(knob):
    """The file of a knob's strip."""
    return f"{knob.replace(' ', '_')}.jpg"


if __name__ == "__main__":
    main()
