"""python -m neural_style, or neural-style. The commands are in cli/; here is what holds them: no
interrupt shows a traceback.
"""

import sys

from .cli.interrupts import Interrupts


def main(argv=None, last=False):
    """Run the command line; returns the exit code: 0 done, 1 failed, 2 bad input, 130 interrupted,
    143 terminated.

    argv: the arguments, sys.argv's by default. last: the process ends afterwards, so that
    interrupts are ignored from then on.
    """
    with Interrupts(last) as interrupts:
        from .cli.main import run

        return run(sys.argv[1:] if argv is None else argv, interrupts)


def process():
    """The program: main(), and its exit code to the system."""
    sys.exit(main(last=True))


if __name__ == "__main__":
    process()
