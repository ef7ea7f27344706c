"""Odd calls and the right answers to them, in tables: what a stranger tried, section by section.

    python tests/odd.py [SECTION ...]      tries them all and prints what came: tried, right, wrong

Each section is a module odd_SECTION with ROWS, a list of Row, and prepare(), which fills the
current folder with the section's files. test_bad_input.py runs each row as a test.
"""

import contextlib
import importlib
import os
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

try:
    import neural_style
except ImportError:  # not installed, and this is run as a program
    sys.path.insert(0, str(Path(__file__).parents[1]))
    import neural_style

SECTIONS = (
    "pictures",
    "records",
    "callbacks",
    "transfer",
    "command_line",
    "checkpoints",
    "networks",
    "environment",
    "films",
    "training",
)
PACKAGE = str(Path(neural_style.__file__).parent)  # wherever it is installed

#: Exceptions that are an answer: they say what was expected and what came.
ANSWERS = (ValueError, TypeError, FileNotFoundError, PermissionError)


@dataclass(frozen=True)
class Row:
    """call: what was tried, in words. run: does it, in a folder of its own with the section's
    files. answer: judges what came, a function of (result, exception, files written): None where it
    is right, else what is wrong. seconds: more is a hang."""

    call: str
    run: Callable
    answer: Callable
    seconds: float = 60.0
    slow: bool = False
    network: bool = False


def refused(words, *errors):
    """The answer of a call that must be refused: by a check of ours, in one line with these words
    (a regular expression), nothing written.
    """

    def answer(result, error, written):
        if error is None:
            return f"accepted: {result!r:.200}"
        if not isinstance(error, errors or ANSWERS):
            return f"{type(error).__name__}: {error}"
        text = str(error)
        if not text or "\n" in text or len(text) > 1500:
            return f"not one line: {text[:300]!r}"
        if not re.search(words, text):
            return f"without the words {words!r}: {text}"
        if not innermost(error).startswith(PACKAGE):
            return f"not by a check of ours, but in {innermost(error)}: {text}"
        if written:
            return f"refused, but wrote {written}"

    return answer


def works(check=lambda result: True, writes=None):
    """The answer of a call that must work: check(result) is true; writes: the files that it may
    write (None: any).
    """

    def answer(result, error, written):
        if error is not None:
            return "".join(traceback.format_exception(error))[-1500:]
        if not check(result):
            return f"not what it should be: {result!r:.300}"
        if writes is not None and sorted(written) != sorted(writes):
            return f"wrote {written}, not {writes}"

    return answer


def innermost(error):
    """The file of the innermost frame of an exception; of one that was raised from another, its
    own.
    """
    frames = traceback.extract_tb(error.__traceback__)
    return frames[-1].filename if frames else ""


def try_row(section, row):
    """None where the answer is right, else what is wrong."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            section.prepare()
            files = snapshot()
            started, result, error = time.monotonic(), None, None
            try:
                result = row.run()
            except Exception as caught:
                error = caught
            seconds = time.monotonic() - started
            now = snapshot()
            written = sorted(name for name in {*now, *files} if now.get(name) != files.get(name))
            wrong = row.answer(result, error, written)
            return wrong or (f"took {seconds:.1f} s" if seconds > row.seconds else None)
        finally:
            os.chdir(before)


def snapshot():
    """{path: its bytes' size and time of change} of all in the current folder."""
    return {
        str(path): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in Path(".").rglob("*")
        if not path.is_dir()
    }


def section(name):
    return importlib.import_module(f"odd_{name}")


def main(names):
    """Try the sections and print the table; the number of wrong answers."""
    total = wrong = 0
    for name in names or SECTIONS:
        module, bad = section(name), []
        for row in module.ROWS:
            with contextlib.redirect_stdout(sys.stderr):
                problem = try_row(module, row)
            if problem:
                bad.append((row.call, problem))
        print(
            f"{name:14} {len(module.ROWS):4} tried  {len(module.ROWS) - len(bad):4} right "
            f" {len(bad):4} wrong",
            flush=True,
        )
        for call, problem in bad:
            print(f"    {call}: {problem}", flush=True)
        total, wrong = total + len(module.ROWS), wrong + len(bad)
    print(f"{'all':14} {total:4} tried  {total - wrong:4} right  {wrong:4} wrong")
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) > 0)
