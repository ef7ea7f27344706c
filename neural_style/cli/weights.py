"""neural-style weights."""

import argparse

from .common import Commands
from .interrupts import Interrupts
from .options import add_options


def add_weights(commands: Commands) -> None:
    """Add the command "weights".

    Args:
        commands: The program's commands.
    """
    command = commands.add_parser(
        "weights",
        help="Fetch the VGG weights ahead of time and tell which are in use",
        description="Fetch, verify and describe the VGG weights that transfer would use.",
    )
    add_options(command, "vgg.weights", "vgg_weights")
    command.set_defaults(run=run_weights)


def run_weights(arguments: argparse.Namespace, interrupts: Interrupts) -> int:
    """Run the command "weights".

    Args:
        arguments: The parsed arguments.
        interrupts: The phase of the program, which this command does not change.

    Returns:
        The exit code.
    """
    from ..vgg.weights import vgg_weights

    found = vgg_weights(**vars(arguments))
    print(
        f"network  {found.network}\nsource   {found.source}\nsha256   {found.sha256}\n"
        f"file     {found.path}"
    )
    return 0
