"""neural-style stylize."""

import argparse
import time

from .common import _pretrained, _shares, _tile


def _add_stylize(commands):
    command = commands.add_parser(
        "stylize",
        help="paint photos with a trained network, in one pass",
        description=(
            "Paint IMAGE, a picture or a folder of them, with a network. "
            f"Pretrained styles: {', '.join(_pretrained())}."
        ),
        argument_default=argparse.SUPPRESS,
    )
    command.add_argument("source", metavar="IMAGE")
    command.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help="the picture to write, or the folder to fill",
    )
    command.add_argument(
        "--style",
        required=True,
        type=_shares,
        metavar="NET[=S],...",
        help=(
            "the name of a pretrained style or a .keras file; several with shares are blended:"
            " starry_night=0.6,poppies=0.4"
        ),
    )
    command.add_argument(
        "--size", type=int, help="longer side of the result in pixels (IMAGE's own)"
    )
    command.add_argument("--preserve-color", metavar="HOW", help="luminance: keep IMAGE's chroma")
    command.add_argument(
        "--tile",
        type=_tile,
        help="side of the tiles in pixels; auto (default): as memory asks; none",
    )
    command.add_argument(
        "--alpha",
        choices=("white", "keep"),
        help="IMAGE's transparency: laid on white (default), or kept",
    )
    command.add_argument("--overwrite", action="store_true", help="let OUT replace IMAGE")
    command.add_argument("--quiet", dest="progress", action="store_false", help="no progress bar")
    command.set_defaults(run=_stylize)


def _stylize(arguments, interrupts):
    from .._shared.display import say
    from ..feedforward.stylize import stylize

    options = vars(arguments)
    started = time.monotonic()
    result = stylize(net=options.pop("style"), **options)
    what = (
        f"{len(result)} pictures"
        if isinstance(result, list)
        else f"{result.width} x {result.height}"
    )
    say(f"{options['output']}: {what}, {time.monotonic() - started:.1f} s")
    return 0
