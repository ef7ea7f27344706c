"""What the commands share: their type, a line on standard error, the networks that are included."""

import argparse
import contextlib
import sys
from pathlib import Path
from typing import TypeAlias

#: What add_subparsers() gives, to which each command adds its parser.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def complain(line: str) -> None:
    """Write a line on standard error, where the process has one.

    Args:
        line: The line, without the name of the program.
    """
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            print(f"neural-style: {line}", file=sys.stderr, flush=True)


def pretrained_names() -> list[str]:
    """List the names of the pretrained networks that are part of this package.

    Returns:
        The names, sorted.
    """
    return sorted(path.stem for path in (Path(__file__).parents[1] / "pretrained").glob("*.keras"))
