"""neural-style video."""

import argparse
import time
from typing import Any

from .common import Commands
from .forms import Form
from .interrupts import Interrupts
from .options import add_options
from .signatures import constant, parameters
from .transfer import LEFT_OUT as LEFT_OUT_OF_TRANSFER
from .transfer import TYPES as TYPES_OF_TRANSFER
from .values import camera, frames

#: Parameters of stylize_video() and stylize_camera() that are no options made from their
#: signatures, and why.
LEFT_OUT = {
    "source": "the argument FILM, or --camera",
    "style": "required here",
    "net": "--style",
    "output": "has the short name -o",
    "executor": "an object of Python",
    "callback": "a function of Python",
    "progress": "--quiet",
}

#: What is written in a way of its own.
FORMS = {"frames": Form(0, "FIRST:LAST", "FIRST:LAST", frames)}

#: Help for options that the command line writes differently, or that have another default here.
TEXTS = {
    "size": "Longer side of a painted frame, in pixels (default: FILM's own; 320 for a camera)",
    "frames": "Paint only these frames, counted from 0, without LAST; either may be left out",
}


def film_options() -> list[str]:
    """List the parameters of transfer() that are options of a film too.

    Returns:
        Their names, in transfer()'s order.
    """
    taken = constant("video.frames", "OPTIONS")
    own = parameters("video.film", "stylize_video")
    return [
        name
        for name in parameters("iterative.transfer", "transfer")
        if name in taken and name not in own and name not in LEFT_OUT_OF_TRANSFER
    ]


def add_video(commands: Commands) -> None:
    """Add the command "video".

    Args:
        commands: The program's commands.
    """
    command = commands.add_parser(
        "video",
        help="Paint a film, or what a camera sees",
        description=(
            "Paint FILM in a style; or, with --camera, what a camera sees, until q or Ctrl-C."
            " Options not given have stylize_video()'s defaults."
        ),
        argument_default=argparse.SUPPRESS,
    )
    command.add_argument("source", metavar="FILM", nargs="?", help="The film to paint")
    command.add_argument(
        "--camera", type=camera, metavar="N", help="A camera's number, or a film in its place"
    )
    command.add_argument(
        "--style",
        required=True,
        help="A painting; or, in one pass, a pretrained style's name or a .keras file",
    )
    command.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="The film to write, .mp4, .mov or .mkv; with --camera it may be left out",
    )
    command.add_argument("--quiet", dest="progress", action="store_false", help="Show no progress")
    film = parameters("video.film", "stylize_video")
    add_options(
        command, "video.film", "stylize_video", leave_out=LEFT_OUT, forms=FORMS, texts=TEXTS
    )
    painting = command.add_argument_group("options of transfer(), for a film without a network")
    transfer = parameters("iterative.transfer", "transfer")
    add_options(
        painting,
        "iterative.transfer",
        "transfer",
        leave_out={*transfer} - {*film_options()},
        types=TYPES_OF_TRANSFER,
        texts=TEXTS,
    )
    camera_only = command.add_argument_group("options of a camera")
    add_options(
        camera_only,
        "video.camera",
        "stylize_camera",
        leave_out={*LEFT_OUT, *film, *transfer},
        texts=TEXTS,
    )
    command.set_defaults(run=run_video)


def run_video(arguments: argparse.Namespace, interrupts: Interrupts) -> int:
    """Run the command "video".

    Args:
        arguments: The parsed arguments.
        interrupts: The phase of the program; finished frames stay where they are.

    Returns:
        The exit code.

    Raises:
        ValueError: Neither a film nor a camera, or both; a film without --output; an option of the
            other.
    """
    options = vars(arguments)
    if ("camera" in options) == ("source" in options):
        raise ValueError("video needs either FILM or --camera")
    return _run_camera(options) if "camera" in options else _run_film(options)


def _run_film(options: dict[str, Any]) -> int:
    """Paint a film and say how long that took."""
    from .._shared.display import say
    from ..video.film import stylize_video

    if "output" not in options or "seconds" in options or "window" in options:
        raise ValueError("a FILM needs --output, and --seconds and --window go with --camera")
    output, started = options.pop("output"), time.monotonic()
    count = stylize_video(options.pop("source"), options.pop("style"), output, **options)
    say(f"{output}: {count} frames, {time.monotonic() - started:.0f} s")
    return 0


def _run_camera(options: dict[str, Any]) -> int:
    """Paint what a camera sees and say how many frames were shown."""
    from .._shared.display import say
    from ..video.camera import stylize_camera

    options.pop("progress", None)
    source, style = options.pop("camera"), options.pop("style")
    strange = [name for name in options if name not in parameters("video.camera", "stylize_camera")]
    if strange:
        raise ValueError(f"--camera does not go with {', '.join(strange)}")
    shown = stylize_camera(source, style, **options)
    say(
        f"{shown.frames} frames in {shown.seconds:.0f} s, {shown.rate:.1f} a second;"
        f" {shown.dropped} dropped"
    )
    return 0
