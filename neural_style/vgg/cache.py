"""The folder in which Keras keeps weights, and what is checked of it."""

import os
import tempfile
from pathlib import Path

from .._shared.files import file_digest


def cache_folder():
    """The folder models/ where Keras keeps downloaded weights: under $KERAS_HOME, else ~/.keras."""
    folder = Path(os.environ.get("KERAS_HOME") or "~/.keras", "models")
    try:
        folder = folder.expanduser()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: of a user whose home nobody knows
        raise RuntimeError(
            f"cannot make the cache folder {folder} ({getattr(error, 'strerror', error)}); "
            "set KERAS_HOME to a folder that you can write to"
        ) from error
    return folder


def _check_cache():
    """Raise a RuntimeError if nothing can be written to the cache folder: before 64 MB are fetched
    for it, not after.
    """
    folder = cache_folder()
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise RuntimeError(
            f"the VGG weights are not in the cache folder {folder}, and it cannot be written"
            f" ({error.strerror}); set KERAS_HOME to a folder that you can write to, or give"
            " weights= a file"
        ) from error


def _digest(path, algorithm="sha256"):
    """Hexadecimal digest of a file, None where there is no file."""
    return file_digest(path, algorithm) if Path(path).is_file() else None
