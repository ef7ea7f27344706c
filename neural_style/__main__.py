"""The program: python -m neural_style, or neural-style.

The commands are in cli/. This file sees to it that no interrupt shows a traceback.
"""

import sys
from collections.abc import Sequence
from typing import NoReturn

from .cli.interrupts import Interrupts


def main(argv: Sequence[str] | None = None, last: bool = False) -> int:
    """Run the command line.

    Args:
        argv: The arguments, without the program's name; None for those of the process.
        last: True if the process ends afterwards, so that interrupts are ignored from then on.

    Returns:
        The exit code: 0 done, 1 failed, 2 bad input, 130 interrupted, 143 terminated.
    """
    with Interrupts(last) as interrupts:
        from .cli.main import run

        return run(sys.argv[1:] if argv is None else argv, interrupts)


def process() -> NoReturn:
    """Run the program of this process, and give its exit code to the system."""
    sys.exit(main(last=True))


if __name__ == "__main__":
    process()
