"""Files: written completely or not at all, never over an input, by one process at a time."""

import errno
import hashlib
import logging
import os
import pathlib
import secrets
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO

from .types import Path

logger = logging.getLogger("neural_style")

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


@contextmanager
def whole_or_not(path: Path) -> Iterator[IO[bytes]]:
    """Open a binary file that appears at `path` only once it is complete.

    So a crash never leaves half a file there. Until then, the file has no name (Linux) or a
    temporary name that ends in .part. A replaced file keeps its permissions. If `path` is a link,
    the file that it names is replaced and the link stays.

    Args:
        path: the file to write.

    Yields:
        The binary file, open for writing.
    """
    path = pathlib.Path(os.path.realpath(path))
    part, handle, done = _part_of(path), _nameless(path.parent), False
    try:
        with open(part, "x+b") if handle is None else os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            _keep_permissions(path, file.fileno())
            os.fsync(file.fileno())
            if handle is not None:  # with src_dir_fd, Python follows the link in /proc
                os.link(f"/proc/self/fd/{handle}", part, src_dir_fd=handle)
        os.replace(part, path)
        done = True
    finally:
        if not done:
            part.unlink(missing_ok=True)


@contextmanager
def whole_path(path: Path) -> Iterator[pathlib.Path]:
    """Give a program a temporary path to write to, and move the complete file to `path` afterwards.

    Args:
        path: the file to write.

    Yields:
        The temporary path, with the same suffix, for a program that asks for a file name.
    """
    path = pathlib.Path(os.path.realpath(path))
    with tempfile.TemporaryDirectory(prefix=".", suffix=".part", dir=path.parent) as folder:
        part = pathlib.Path(folder, "whole" + path.suffix)
        yield part
        with open(part, "rb+") as file:
            _keep_permissions(path, file.fileno())
            os.fsync(file.fileno())
        os.replace(part, path)


def check_output(path: Path, inputs: Iterable[object] = (), overwrite: bool = False) -> None:
    """Raise a clear error, before minutes of work, if no file could be written to `path`.

    Args:
        path: the output file.
        inputs: what the work reads. The output must not be one of the inputs that are paths.
        overwrite: let the output replace an input.

    Raises:
        FileNotFoundError: the output's folder does not exist.
        PermissionError: the output cannot be written.
        ValueError: the output's name is too long, or the output is an input.
    """
    path = pathlib.Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {str(path.parent)!r} does not exist")
    check_name_length(path)
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{str(path)!r} cannot be written")
    for one in inputs if not overwrite else ():
        if same_file(one, path):
            raise ValueError(
                f"the output {str(path)!r} is also an input; give the output another name, or"
                " allow it to overwrite the input (overwrite=True, --overwrite)"
            )


def check_name_length(path: pathlib.Path) -> None:
    """Raise a ValueError if a file's name is too long for its file system.

    Args:
        path: the file's path.
    """
    try:
        longest = os.pathconf(path.parent, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):  # the system does not report its limit
        return
    length = len(os.fsencode(path.name))
    if length > longest:
        raise ValueError(
            f"the name {path.name!r} has {length} bytes; the file system takes {longest} at most"
        )


def same_file(one: object, other: object) -> bool:
    """Tell whether two values are paths that lead to one and the same file.

    Args:
        one: a path, or anything else, which is never the same file.
        other: another value of the same kinds.
    """
    if not isinstance(one, (str, os.PathLike)) or not isinstance(other, (str, os.PathLike)):
        return False
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return False


def is_regular(path: Path) -> bool:
    """Tell whether there is an ordinary file at `path`.

    A folder, a device or a pipe is not an ordinary file; a reader could wait for them forever.

    Args:
        path: the path to look at.
    """
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """Compute the hexadecimal digest of a file's bytes.

    Args:
        path: the file to read.
        algorithm: a name that hashlib.new takes.
    """
    result = hashlib.new(algorithm)
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            result.update(piece)
    return result.hexdigest()


@contextmanager
def only_user(path: Path) -> Iterator[None]:
    """Let no other run work on a file or a folder: a checkpoint, a backup, a film's frames.

    The lock is a hidden file beside the file, or the file .lock in the folder. The system frees the
    lock when the process ends, even if the process is killed.

    Args:
        path: the file or the folder that is kept between runs.

    Raises:
        RuntimeError: another run is working on it.
    """
    path = pathlib.Path(path)
    name = (
        path / ".lock"
        if path.is_dir()
        else path.with_name(f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]}.lock")
    )
    file = _locked(name, path)
    try:
        yield
    finally:
        with suppress(OSError):  # Windows does not delete the name of an open file
            name.unlink()
        file.close()


def _locked(name: pathlib.Path, path: pathlib.Path) -> IO[bytes]:
    """Open and lock the file `name`, which guards `path`."""
    while True:
        file = open(name, "a+b")  # noqa: SIM115
        try:
            _lock(file)
        except BlockingIOError:
            file.close()
            raise RuntimeError(
                f"another run is working on {str(path)!r}; wait until it ends, or give another path"
            ) from None
        except OSError as error:
            logger.warning(
                "the file system of %s knows no locks (%s): let no other run work on it",
                path,
                error,
            )
            return file
        with suppress(OSError):  # the run that held the lock may have deleted the file since
            if os.path.samestat(os.stat(name), os.fstat(file.fileno())):
                return file
        file.close()


def _lock(file: IO[bytes]) -> None:
    """Lock an open file; raise a BlockingIOError if another process holds the lock."""
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    import msvcrt

    try:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError as error:
        raise BlockingIOError(errno.EWOULDBLOCK, str(error)) from error


def _part_of(path: pathlib.Path) -> pathlib.Path:
    """Make up a temporary name in the folder of `path`."""
    return path.with_name(f".{secrets.token_hex(8)}.part")


def _nameless(folder: pathlib.Path) -> int | None:
    """Open a file without a name in `folder`; None if the system cannot make or rename one."""
    try:
        handle = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666)
    except (AttributeError, OSError):
        return None
    if os.path.exists(f"/proc/self/fd/{handle}"):
        return handle
    os.close(handle)
    return None


def _keep_permissions(path: pathlib.Path, handle: int) -> None:
    """Give an open file the permissions of the file that it will replace, if there is one."""
    with suppress(AttributeError, OSError):  # no such file yet, or a system without permissions
        os.fchmod(handle, stat.S_IMODE(os.stat(path).st_mode))
