"""Measure how much a film flickers.

    python -m benchmarks.video [FILM] [--frames 12] [--size 256] [--style starry_night] [-o FOLDER]

Prints the warping error: the mean square, RGB from 0 to 1, between each painted frame and the last
one moved to it along the flow, over the pixels that were not hidden. Without FILM, the frames are a
clip made from a photo of images/, which pans and zooms while a subject moves over it, so that the
true flow is known. For a FILM, the flow is the one that stylize_video itself finds. Also prints the
style distance of benchmarks.score, the mean over the frames. Each method starts from the same first
frame.

    python -m benchmarks.video --network

Prints the frames a second of 320 x 240 pixels by the network of half the width after a warm-up,
decoding and encoding included; and how the peak memory of this process grows over 2,000 frames of
128 pixels, which come first. The weights do not matter for this.
"""

import argparse
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import itertools

import numpy as np

from neural_style import load_image, stylize_video
from neural_style.feedforward import build_transform_net
from neural_style.video import read_frames, write_video
from neural_style.video.flow import load_cv2, optical_flow, reliable, warping_error

from .memory import peak
from .quality import IMAGES
from .results import add_option, keep
from .score import Score

#: What happens from frame to frame of the made clip: the photo shifts by PAN of its own pixels and
#: grows by ZOOM; the subject shifts by MOVE pixels.
PAN, ZOOM, MOVE = (2.0, 0.5), 1.004, (4.0, -1.0)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("film", nargs="?", type=Path)
    parser.add_argument("--first", type=int, default=0, help="frame of FILM to begin with")
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--style", default="starry_night", help="name of a picture in images/")
    parser.add_argument("--methods", default="independent,warp,temporal")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a number for stylize_video",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="keep the films here")
    parser.add_argument("--network", action="store_true")
    add_option(parser, "video")
    arguments = parser.parse_args()
    if arguments.network:
        keep(arguments.json, _by_a_network())
        return
    options = {
        name: float(value) if "." in value or "e" in value else int(value)
        for name, value in (one.split("=") for one in arguments.set)
    }
    style = IMAGES / f"{arguments.style}.jpg"
    with TemporaryDirectory() as folder:
        if arguments.film is None:
            frames, flows = made_clip(arguments.frames, arguments.size)
        else:
            chosen = [image for _, image in read_frames(arguments.film)][
                arguments.first : arguments.first + arguments.frames
            ]
            frames, flows = [load_image(image, arguments.size) for image in chosen], None
        clip, folder = Path(folder, "clip.mkv"), arguments.output or Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_video(frames, clip, 12, quality=0)
        frames = [image for _, image in read_frames(clip)]
        flows = flows or [
            (back, reliable(back, optical_flow(last, this)))
            for last, this in itertools.pairwise(frames)
            for back in [optical_flow(this, last)]
        ]
        score, rows = Score(arguments.size), []
        print(f"{'':14s} warping error   of independent's   style distance   seconds a frame")
        for method in arguments.methods.split(","):
            started, painted_in = time.monotonic(), Path(folder, method)
            stylize_video(
                clip,
                style,
                folder / f"{method}.mp4",
                method=method,
                checkpoint=painted_in,
                progress=False,
                **{
                    name: value
                    for name, value in options.items()
                    if method == "temporal" or name not in ("temporal_weight",)
                },
            )
            painted = [load_image(path) for path in sorted(painted_in.glob("*.png"))]
            error = np.mean(
                [warping_error(*pair, *flow) for *pair, flow in zip(painted, painted[1:], flows)]
            )
            distance = np.mean(
                [score(frame, style, result)[1] for frame, result in zip(frames, painted)]
            )
            row = {
                "method": method,
                "error": float(error),
                "style": float(distance),
                "seconds": (time.monotonic() - started) / len(frames),
            }
            rows.append(row)
            print(
                f"{method:14s}    {error:.5f}           {error / rows[0]['error']:.3f}            "
                f" {distance:.3f}          {row['seconds']:.1f}",
                flush=True,
            )
    keep(arguments.json, rows)


def _by_a_network():
    net, rng, found = build_transform_net(16), np.random.default_rng(0), {}
    with TemporaryDirectory() as folder:
        for count, height, width in ((2000, 96, 128), (300, 240, 320)):
            film = Path(folder, f"{width}.mp4")
            ground = rng.integers(0, 256, (height + 40, width + 40, 3), dtype="uint8")
            write_video(
                (ground[n % 40 :][:height, n % 40 :][:, :width] for n in range(count)), film, 25
            )
            seen = {}

            def note(number, picture, total):
                if number + 1 in (10, 100, 500, 1000, 2000):
                    seen[number + 1] = time.monotonic(), peak() / 1e9

            stylize_video(film, net, Path(folder, "out.mp4"), callback=note, progress=False)
            rate = (count - 10) / (time.monotonic() - seen[10][0])
            found[f"{width} x {height}"] = {
                "frames a second": rate,
                "gb": {number: memory for number, (_, memory) in seen.items()},
            }
            print(
                f"{width} x {height}: {rate:.1f} frames a second; peak memory"
                " after "
                + ", ".join(
                    f"{number} frames {memory:.2f} GB" for number, (_, memory) in seen.items()
                ),
                flush=True,
            )
    return found


def made_clip(count, size):
    """Make a clip whose flow is known.

    Return ([frame], [(flow, seen)]): for each frame but the first, the true flow to the frame
    before, and where that frame shows the same thing, bool.
    """
    cv2 = load_cv2()
    photo, subject = (
        load_image(IMAGES / "chenonceau.jpg", 2 * size),
        load_image(IMAGES / "red_panda.jpg", size),
    )
    height, width = size * 3 // 4, size
    x, y = np.meshgrid(np.arange(width, dtype="float32"), np.arange(height, dtype="float32"))
    radius = size // 6
    subject = subject[subject.shape[0] // 2 - radius :, subject.shape[1] // 2 - radius :][
        : 2 * radius, : 2 * radius
    ]

    def place(number):
        """Find the places in the photo of a frame's pixels."""
        grown = ZOOM**number
        left, top = size / 8 + PAN[0] * number, size / 8 + PAN[1] * number
        return (
            left + width / 2 + (x - width / 2) / grown,
            top + height / 2 + (y - height / 2) / grown,
        )

    def on_subject(number, x, y):
        middle = size / 4 + MOVE[0] * number, height * 0.6 + MOVE[1] * number
        return np.square(x - middle[0]) + np.square(y - middle[1]) < radius**2, middle

    frames, flows = [], []
    for number in range(count):
        u, v = place(number)
        frame = cv2.remap(photo, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        covered, middle = on_subject(number, x, y)
        own = cv2.remap(
            subject,
            x - np.float32(middle[0] - radius),
            y - np.float32(middle[1] - radius),
            cv2.INTER_LINEAR,
        )
        frames.append(np.where(covered[..., None], own, frame))
        if number:
            grown, before = ZOOM ** (number - 1), number - 1
            left, top = size / 8 + PAN[0] * before, size / 8 + PAN[1] * before
            there = np.stack(
                [
                    (u - left - width / 2) * grown + width / 2,
                    (v - top - height / 2) * grown + height / 2,
                ],
                axis=-1,
            )
            hidden = on_subject(before, there[..., 0], there[..., 1])[0] & ~covered
            back = np.where(
                covered[..., None],
                np.float32([-MOVE[0], -MOVE[1]]),
                there - np.stack([x, y], axis=-1),
            ).astype("float32")
            at = np.stack([x, y], axis=-1) + back
            inside = (at >= 0).all(axis=-1) & (at[..., 0] <= width - 1) & (at[..., 1] <= height - 1)
            flows.append((back, inside & ~hidden))
    return frames, flows


if __name__ == "__main__":
    main()
