"""neural-style stylize."""

import argparse
import time

from .common import Commands, pretrained_names
from .interrupts import Interrupts
from .options import add_options
from .values import shares

#: Parameters of stylize() that are no options made from its signature, and why.
LEFT_OUT = {
    "source": "the argument IMAGE",
    "output": "required here, as -o",
    "net": "--style, which takes shares",
    "masks": "arrays and regions of Python",
    "progress": "--quiet",
}


def add_stylize(commands: Commands) -> None:
    """Add the command "stylize".

    Args:
        commands: The program's commands.
    """
    command = commands.add_parser(
        "stylize",
        help="Paint photos in one pass, in the style of any painting or by a trained network",
        description=(
            "Paint IMAGE, a picture or a folder of them, in the style of a painting, or with a"
            f" network. Pretrained styles: {', '.join(pretrained_names())}."
        ),
        argument_default=argparse.SUPPRESS,
    )
    command.add_argument("source", metavar="IMAGE", help="A picture file, or a folder of them")
    command.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help="The picture to write, or the folder to fill",
    )
    command.add_argument(
        "--style",
        required=True,
        type=shares,
        metavar="STYLE[=S],...",
        help=(
            "A painting; or the name of a pretrained style or a .keras file; several with shares"
            " are blended: starry_night=0.6,poppies=0.4"
        ),
    )
    add_options(command, "feedforward.stylize", "stylize", leave_out=LEFT_OUT)
    command.add_argument(
        "--quiet", dest="progress", action="store_false", help="Show no progress bar"
    )
    command.set_defaults(run=run_stylize)


def run_stylize(arguments: argparse.Namespace, interrupts: Interrupts) -> int:
    """Run the command "stylize".

    Args:
        arguments: The parsed arguments.
        interrupts: The phase of the program; stylize() keeps what it has written by itself.

    Returns:
        The exit code.
    """
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
