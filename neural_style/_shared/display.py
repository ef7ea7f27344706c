"""Lines and pictures that people see in a terminal or in a notebook."""

import contextlib
import sys


def in_notebook() -> bool:
    """Tell whether this code runs in a notebook's kernel.

    A script does not, and neither does IPython in a terminal.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None


def duration(seconds: float) -> str:
    """Write a number of seconds as people read it: 75 -> "1:15", 3675 -> "1:01:15".

    Args:
        seconds: the duration, in seconds.
    """
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def say(line: str) -> None:
    """Print a line. If nobody can read the line (a closed pipe or terminal), the run continues.

    Args:
        line: the text to print.
    """
    with contextlib.suppress(OSError, ValueError):
        print(line, flush=True)
