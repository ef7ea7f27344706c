"""The folder in which Keras keeps weights, and checks of that folder and its files."""

import os
import pathlib
import tempfile

from .._shared.files import file_digest
from .._shared.types import Path


def cache_folder() -> pathlib.Path:
    """Return the folder of Keras' downloaded weights, and make the folder if there is none.

    Returns:
        The folder models/ in $KERAS_HOME, or in ~/.keras if that variable is not set.

    Raises:
        RuntimeError: the folder cannot be made.
    """
    folder = pathlib.Path(os.environ.get("KERAS_HOME") or "~/.keras", "models")
    try:
        folder = folder.expanduser()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: the user has no known home folder
        raise RuntimeError(
            f"cannot make the cache folder {folder} ({getattr(error, 'strerror', error)}); "
            "set KERAS_HOME to a folder that you can write to"
        ) from error
    return folder


def _check_cache() -> None:
    """Raise a RuntimeError, before 64 MB are fetched, if the cache folder cannot be written."""
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


def _digest(path: Path, algorithm: str = "sha256") -> str | None:
    """Compute the hexadecimal digest of a file; None if there is no file."""
    return file_digest(path, algorithm) if pathlib.Path(path).is_file() else None
