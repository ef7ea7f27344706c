"""Lines and pictures shown to people: in a terminal, or in a notebook."""

import contextlib
import sys


def in_notebook():
    """Whether this runs in a notebook's kernel: not in a script, nor in IPython in a terminal."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None


def duration(seconds):
    """75 -> "1:15"."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def say(line):
    """Print a line; where nobody reads it (a closed pipe or terminal), the run goes on without."""
    with contextlib.suppress(OSError, ValueError):
        print(line, flush=True)
