"""The command line: python -m neural_style, or neural-style.

Nothing heavy is imported until a command has its arguments, so --help answers at once.
"""

import argparse
import contextlib
import os
import sys

from .._version import __version__
from .common import _complain
from .interrupts import SAVING, WORKING
from .matte import _add_matte
from .stylize import _add_stylize
from .train import _add_train
from .transfer import _add_transfer
from .video import _add_video
from .weights import _add_weights

#: Errors of what was asked for, in place of errors on the way: exit code 2 in place of 1.
BAD_INPUT = (
    ValueError,
    TypeError,
    FileNotFoundError,
    PermissionError,
    IsADirectoryError,
    NotADirectoryError,
    FileExistsError,
)


#: Errors that are told in a line. Others are mistakes of ours, and show where they happened.
ERRORS = (*BAD_INPUT, OSError, RuntimeError, ArithmeticError, ImportError, MemoryError)


def run(argv, interrupts):
    """Run the command line within an Interrupts; returns the exit code, see neural_style.__main__.main."""
    arguments = _parse(argv)
    output = getattr(arguments, "output", None)
    before = _state(output)
    try:
        with _quiet_start():
            import tensorflow  # noqa: F401
        interrupts.phase = WORKING
        code = vars(arguments).pop("run")(arguments, interrupts)
        interrupts.phase = SAVING  # nothing is left to be stopped, and Python checks for signals at calls and loops alone
        return interrupts.code if interrupts.received is not None else code
    except (KeyboardInterrupt, Exception) as error:
        interrupts.phase = SAVING
        rescued = getattr(error, "result", None) is not None
        if isinstance(error, KeyboardInterrupt) or (
            interrupts.received is not None and not rescued
        ):
            _complain(
                "interrupted; "
                + (
                    "nothing was written"
                    if _state(output) == before
                    else f"what was done so far is in {output}"
                )
            )
            return interrupts.code
        if not isinstance(error, ERRORS):
            raise
        _complain(f"error: {str(error) or type(error).__name__}")
        return 2 if isinstance(error, BAD_INPUT) else 1
    finally:
        _flush()


def _state(path):
    """What tells whether a file or a folder was written to; None where there is none."""
    try:
        found = os.stat(path)
    except (OSError, TypeError, ValueError):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _flush():
    """What nobody reads any more (a closed pipe) is thrown away, not complained of at the end of
    the process.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _parse(argv):
    """The arguments; of a command, options and names may come in any order."""
    parser, commands = _parser()
    if argv and argv[0] in commands.choices:
        return commands.choices[argv[0]].parse_intermixed_args(argv[1:])
    return parser.parse_args(argv)


def _parser():
    parser = argparse.ArgumentParser(
        prog="neural-style", description="Neural style transfer (Gatys, Ecker and Bethge 2016)."
    )
    parser.add_argument("--version", action="version", version=f"neural-style {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_transfer(commands)
    _add_train(commands)
    _add_stylize(commands)
    _add_video(commands)
    _add_matte(commands)
    _add_weights(commands)
    return parser, commands


@contextlib.contextmanager
def _quiet_start():
    """Keep TensorFlow's start-up chatter, which C++ writes to file descriptor 2, off the screen."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if sys.stderr is not None:
        sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
