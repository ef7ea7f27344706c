"""The command line: python -m neural_style, or neural-style.

Nothing heavy is imported until a command has its arguments, so --help answers at once.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from .._version import __version__
from .common import Commands, complain
from .interrupts import SAVING, WORKING, Interrupts
from .matte import add_matte
from .stylize import add_stylize
from .train import add_train
from .train_decoders import add_train_decoders
from .transfer import add_transfer
from .video import add_video
from .weights import add_weights

#: Errors in what the user asked for: the exit code is 2. Other errors have the exit code 1.
BAD_INPUT = (
    ValueError,
    TypeError,
    FileNotFoundError,
    PermissionError,
    IsADirectoryError,
    NotADirectoryError,
    FileExistsError,
)


#: Errors that are reported in one line. Any other error is our bug, so its traceback is shown.
ERRORS = (*BAD_INPUT, OSError, RuntimeError, ArithmeticError, ImportError, MemoryError)


def run(argv: Sequence[str], interrupts: Interrupts) -> int:
    """Run the command line within an Interrupts.

    Args:
        argv: The arguments, without the program's name.
        interrupts: The Interrupts, entered before, whose phase follows the program.

    Returns:
        The exit code; see neural_style.__main__.main().
    """
    arguments = _parse(argv)
    output = getattr(arguments, "output", None)
    before = _state(output)
    try:
        with _quiet_start():
            import keras  # noqa: F401
        interrupts.phase = WORKING
        code = vars(arguments).pop("run")(arguments, interrupts)
        # Nothing is left to be stopped. Python looks for signals only at calls and in loops.
        interrupts.phase = SAVING
        return interrupts.code if interrupts.received is not None else code
    except (KeyboardInterrupt, Exception) as error:
        interrupts.phase = SAVING
        if _is_interrupt(error, interrupts):
            written = _state(output) != before
            what = f"what was done so far is in {output}" if written else "nothing was written"
            complain(f"interrupted; {what}")
            return interrupts.code
        if not isinstance(error, ERRORS):
            raise
        complain(f"error: {str(error) or type(error).__name__}")
        return 2 if isinstance(error, BAD_INPUT) else 1
    finally:
        _flush()


def _is_interrupt(error: BaseException, interrupts: Interrupts) -> bool:
    """Whether an error comes from an interrupt, rather than from a run that kept its picture."""
    rescued = getattr(error, "result", None) is not None
    return isinstance(error, KeyboardInterrupt) or (interrupts.received is not None and not rescued)


def _state(path: Any) -> tuple[int, int, int] | None:
    """Return what changes when a file or a folder is written to; None where there is none."""
    try:
        found = os.stat(path)
    except (OSError, TypeError, ValueError):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _flush() -> None:
    """Throw away output that nobody reads (a closed pipe).

    Otherwise Python would complain of it at the end of the process.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    """Return the arguments; after a command, options and names may come in any order."""
    parser, commands = command_parser()
    if argv and argv[0] in commands.choices:
        return commands.choices[argv[0]].parse_intermixed_args(argv[1:])
    return parser.parse_args(argv)


def command_parser() -> tuple[argparse.ArgumentParser, Commands]:
    """Make the parser of the program.

    Returns:
        The parser and its commands, of which `.choices` has {name: the command's parser}.
    """
    parser = argparse.ArgumentParser(
        prog="neural-style", description="Neural style transfer (Gatys, Ecker and Bethge 2016)."
    )
    parser.add_argument("--version", action="version", version=f"neural-style {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_transfer(commands)
    add_train(commands)
    add_train_decoders(commands)
    add_stylize(commands)
    add_video(commands)
    add_matte(commands)
    add_weights(commands)
    return parser, commands


@contextlib.contextmanager
def _quiet_start() -> Iterator[None]:
    """Keep TensorFlow's start-up lines, which C++ writes to file descriptor 2, off the screen."""
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
