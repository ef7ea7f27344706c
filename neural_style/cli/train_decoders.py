"""neural-style train-decoders."""

import argparse

from .common import Commands
from .interrupts import Interrupts
from .options import add_options

#: Parameters of train_decoders() that are no options made from its signature, and why.
LEFT_OUT = {
    "photos": "the argument PICTURES",
    "output": "required here, as -o",
    "progress": "--quiet",
}

#: Types for parameters of train_decoders() whose own annotation no text can give.
TYPES = {"weights": "Path | None"}


def add_train_decoders(commands: Commands) -> None:
    """Add the command "train-decoders".

    Args:
        commands: The program's commands.
    """
    command = commands.add_parser(
        "train-decoders",
        help="Train the decoders with which any painting is a style in one pass",
        description=(
            "Train decoders, which make pictures of VGG16's features, on the pictures in PICTURES."
            " The package comes with trained ones; no painting needs this. Options not given have"
            " train_decoders()'s defaults."
        ),
        argument_default=argparse.SUPPRESS,
    )
    command.add_argument(
        "photos", metavar="PICTURES", help="A folder of pictures, searched with its subfolders"
    )
    command.add_argument(
        "-o", "--output", required=True, metavar="OUT", help="The .npz file to write"
    )
    add_options(
        command, "feedforward.decoder_training", "train_decoders", leave_out=LEFT_OUT, types=TYPES
    )
    command.add_argument(
        "--quiet", dest="progress", action="store_false", help="Show no progress bar"
    )
    command.set_defaults(run=run_train_decoders)


def run_train_decoders(arguments: argparse.Namespace, interrupts: Interrupts) -> int:
    """Run the command "train-decoders".

    Args:
        arguments: The parsed arguments.
        interrupts: The phase of the program; the training keeps its state by itself.

    Returns:
        The exit code; that of an interrupt where the training made fewer steps than asked for.
    """
    from .._shared.display import say
    from ..feedforward.decoder_training import train_decoders

    options = vars(arguments)
    record = train_decoders(**options).record
    decibels = ", ".join(f"{level} {value:.1f} dB" for level, value in record["decibels"].items())
    say(f"{options['output']}: {record['steps']} steps; {decibels}")
    return interrupts.code if record["steps"] < record["settings"]["steps"] else 0
