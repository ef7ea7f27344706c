"""neural-style video."""

import argparse
import time


def _add_video(commands):
    command = commands.add_parser(
        "video",
        help="paint a film, or what a camera sees",
        description=(
            "Paint FILM in a style; or, with --camera, what a camera sees, until q or Ctrl-C."
            " Options not given have stylize_video()'s defaults."
        ),
        argument_default=argparse.SUPPRESS,
    )
    command.add_argument("source", metavar="FILM", nargs="?")
    command.add_argument(
        "--camera", type=_camera, metavar="N", help="a camera's number, or a film in its place"
    )
    command.add_argument(
        "--style",
        required=True,
        help="a painting; or, in one pass, a pretrained style's name or a .keras file",
    )
    command.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="the film to write, .mp4, .mov or .mkv; with --camera none is needed",
    )
    command.add_argument("--method", help="temporal (default), warp, independent or network")
    command.add_argument(
        "--size", type=int, help="longer side in pixels (FILM's own; 320 for a camera)"
    )
    command.add_argument("--steps", type=int, help="of the optimiser at --size")
    command.add_argument("--style-weight", type=float, metavar="W")
    command.add_argument("--temporal-weight", type=float, metavar="W", help="more: steadier")
    command.add_argument(
        "--smooth",
        type=float,
        metavar="S",
        help="network: share of the last result, moved along the flow (0)",
    )
    command.add_argument(
        "--frames", type=_slice, metavar="FIRST:LAST", help="only these frames, counted from 0"
    )
    command.add_argument("--every", type=int, metavar="N", help="only each N-th frame")
    command.add_argument(
        "--checkpoint",
        metavar="FOLDER",
        help="for finished frames, which a killed run goes on from",
    )
    command.add_argument(
        "--weights", help="imagenet (default), torchvision, or a .h5, .mat or .npz file"
    )
    command.add_argument(
        "--seconds", type=float, metavar="S", help="with --camera: stop after so many"
    )
    command.add_argument("--overwrite", action="store_true", help="let OUT replace FILM")
    command.add_argument("--quiet", dest="progress", action="store_false", help="no progress")
    command.set_defaults(run=_video)


def _video(arguments, interrupts):
    from .._shared.display import say

    options = vars(arguments)
    if ("camera" in options) == ("source" in options):
        raise ValueError("video needs either FILM or --camera")
    style = options.pop("style")
    if "camera" in options:
        from ..video.camera import stylize_camera

        options.pop("progress", None)
        known = {
            name: options.pop(name)
            for name in ("output", "size", "seconds", "overwrite")
            if name in options
        }
        source = options.pop("camera")
        if options:
            raise ValueError(f"--camera does not go with {', '.join(options)}")
        shown = stylize_camera(source, style, **known)
        say(
            f"{shown.frames} frames in {shown.seconds:.0f} s, {shown.rate:.1f} a second;"
            f" {shown.dropped} dropped"
        )
        return 0
    from ..video.film import stylize_video

    if "output" not in options or "seconds" in options:
        raise ValueError("a FILM needs --output, and --seconds goes with --camera")
    output, started = options.pop("output"), time.monotonic()
    count = stylize_video(options.pop("source"), style, output, **options)
    say(f"{output}: {count} frames, {time.monotonic() - started:.0f} s")
    return 0


def _camera(text):
    return int(text) if text.isdigit() else text


def _slice(text):
    return slice(*(int(number) if number else None for number in text.split(":")))
