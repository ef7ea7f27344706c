"""Compare schedules: which sizes, and how many steps at each.

    python -m benchmarks.schedule 128x200,256x100,512x25/50 one_pass:512x10/25 128x80,512x60 ...

Each argument is a schedule from coarse to fine, SIZExSTEPS. The last size may have several numbers
of steps, which are all judged within one run. Before a colon: where transfer() starts, its init.
Each schedule runs over pairs of a photo and a painting (--pairs) with the defaults of transfer(),
and is judged as in benchmarks.quality: content distance, style distance, by how much the style
distance is below the photo's own, and seconds.
"""

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from neural_style import deprocess, load_image, transfer

from .quality import IMAGES, PAIRS
from .results import add_option, keep
from .score import Score


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("schedules", nargs="+", metavar="SCHEDULE")
    parser.add_argument(
        "--pairs", default="0,1,4", help="numbers of pairs in benchmarks.quality (0,1,4)"
    )
    add_option(parser, "schedule")
    arguments = parser.parse_args()
    pairs = [PAIRS[int(number)] for number in arguments.pairs.split(",")]
    print(f"{'':44s} content  style  lower by  seconds   (means of {len(pairs)} pairs)")
    kept = []
    for text in arguments.schedules:
        init, _, schedule = text.rpartition(":")
        *coarse, (size, counts) = [
            (int(side), [int(n) for n in steps.split("/")])
            for side, _, steps in (stage.partition("x") for stage in schedule.split(","))
        ]
        rows = [
            _run(
                photo,
                painting,
                {**{side: n for side, [n] in coarse}, size: max(counts)},
                size,
                counts,
                init or None,
            )
            for photo, painting in pairs
        ]
        for count, column in zip(counts, zip(*rows)):
            name = ",".join([*(f"{side}x{n}" for side, [n] in coarse), f"{size}x{count}"])
            name = f"{init}:{name}" if init else name
            content, style, lower, seconds = (sum(values) / len(values) for values in zip(*column))
            kept.append(
                {
                    "schedule": name,
                    "content": content,
                    "style": style,
                    "lowered": lower / 100,
                    "seconds": seconds,
                    "pairs": len(column),
                }
            )
            print(
                f"{name:44s}   {content:.3f}  {style:.3f}    {lower:4.1f} %    {seconds:5.0f}   "
                + "  ".join(f"{row[0]:.3f} {row[2]:.1f} {row[3]:.0f}" for row in column),
                flush=True,
            )
    keep(arguments.json, kept)


def _run(photo, painting, steps, size, counts, init):
    """Judge one pair after each of `counts` steps at the last size.

    Return [(content, style, lower by, seconds)].
    """
    content, style = IMAGES / f"{photo}.jpg", IMAGES / f"{painting}.jpg"
    shape = load_image(content, size).shape
    score, done, kept, started = Score(size), 0, [], time.monotonic()

    def keep(intermediate_result):
        nonlocal done
        done += intermediate_result.x.size == shape[0] * shape[1] * 3
        if done in counts:
            kept.append((intermediate_result.x, time.monotonic() - started))

    transfer(content, style, size=size, steps=steps, init=init, callback=keep, progress=False)
    of_photo = score(content, style, content)[1]
    rows = []
    for x, seconds in kept:
        content_distance, style_distance = score(content, style, deprocess(x, (1, *shape)))
        rows.append(
            (content_distance, style_distance, 100 * (1 - style_distance / of_photo), seconds)
        )
    return rows


if __name__ == "__main__":
    main()
