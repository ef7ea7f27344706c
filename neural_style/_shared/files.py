"""Files: written whole or not at all, never over an input, and by one process at a time."""

import errno
import hashlib
import logging
import os
import secrets
import stat
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

logger = logging.getLogger("neural_style")

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


@contextmanager
def whole_or_not(path):
    """A binary file to write. It gets its name, `path`, when all is written: no crash leaves half a
    file of that name.

    Where the system knows files without a name (Linux), the file has none until then. Elsewhere it
    has a temporary one, which ends in .part. A file that is replaced keeps its permissions. A link
    is followed: the file that it names is replaced, and the link stays.
    """
    path = Path(os.path.realpath(path))
    part, handle, done = _part_of(path), _nameless(path.parent), False
    try:
        with open(part, "x+b") if handle is None else os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            _keep_permissions(path, file.fileno())
            os.fsync(file.fileno())
            if handle is not None:
                os.link(
                    f"/proc/self/fd/{handle}", part, src_dir_fd=handle
                )  # the last argument makes Python follow the link
        os.replace(part, path)
        done = True
    finally:
        if not done:
            part.unlink(missing_ok=True)


@contextmanager
def whole_path(path):
    """A path to write to, for programs that ask for a name: what they wrote there becomes `path`,
    whole or not at all.
    """
    path = Path(os.path.realpath(path))
    with tempfile.TemporaryDirectory(prefix=".", suffix=".part", dir=path.parent) as folder:
        part = Path(folder, "whole" + path.suffix)
        yield part
        with open(part, "rb+") as file:
            _keep_permissions(path, file.fileno())
            os.fsync(file.fileno())
        os.replace(part, path)


def check_output(path, inputs=(), overwrite=False):
    """Raise a clear error if no file could be written to `path`: called before minutes of work, not
    after.

    Args:
        path: of the output.
        inputs: what the work reads. Those that are paths of files must not be the output.
        overwrite: let the output replace an input.

    Raises:
        FileNotFoundError, PermissionError, ValueError: no such folder; not writable; a name that is
            too long, or an input's.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {str(path.parent)!r} does not exist")
    check_name_length(path)
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{str(path)!r} cannot be written")
    for one in inputs if not overwrite else ():
        if same_file(one, path):
            raise ValueError(
                f"the output {str(path)!r} is also an input; give it another name, or allow to"
                " overwrite it (overwrite=True, --overwrite)"
            )


def check_name_length(path):
    """Raise a ValueError if the file system of `path` does not take so long a name."""
    try:
        longest = os.pathconf(path.parent, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):  # the system does not tell
        return
    length = len(os.fsencode(path.name))
    if length > longest:
        raise ValueError(
            f"the name {path.name!r} has {length} bytes; the file system takes {longest} at most"
        )


def same_file(one, other):
    """Whether two paths lead to one file. What is no path, or leads to no file, is no such pair."""
    if not isinstance(one, (str, os.PathLike)) or not isinstance(other, (str, os.PathLike)):
        return False
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return False


def is_regular(path):
    """Whether there is a file at `path`: not a folder, a device or a pipe, on which a reader could
    wait for ever.
    """
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def file_digest(path, algorithm="sha256"):
    """Hexadecimal digest of a file's bytes."""
    result = hashlib.new(algorithm)
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            result.update(piece)
    return result.hexdigest()


@contextmanager
def only_user(path):
    """Be the only one who works on a file or a folder that is kept between runs: a checkpoint, a
    backup, frames of a film.

    The lock is a file beside a file, or in a folder: .lock. The system frees it when the process
    ends, however it ends.

    Raises:
        RuntimeError: another run holds it.
    """
    path = Path(path)
    name = (
        path / ".lock"
        if path.is_dir()
        else path.with_name(f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]}.lock")
    )
    file = _locked(name, path)
    try:
        yield
    finally:
        with suppress(OSError):  # Windows keeps the name of an open file
            name.unlink()
        file.close()


def _locked(name, path):
    while True:
        file = open(name, "a+b")  # noqa: SIM115
        try:
            _lock(file)
        except BlockingIOError:
            file.close()
            raise RuntimeError(
                f"another run is working on {str(path)!r}; wait for its end, or give another path"
            ) from None
        except OSError as error:
            logger.warning(
                "the file system of %s knows no locks (%s): see to it that no other run works"
                " on it",
                path,
                error,
            )
            return file
        with suppress(OSError):  # the one who held it may have removed it since we opened it
            if os.path.samestat(os.stat(name), os.fstat(file.fileno())):
                return file
        file.close()


def _lock(file):
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    import msvcrt

    try:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except OSError as error:
        raise BlockingIOError(errno.EWOULDBLOCK, str(error)) from error


def _part_of(path):
    return path.with_name(f".{secrets.token_hex(8)}.part")


def _nameless(folder):
    """A file without a name in `folder`, or None where the system has no such files or no way to
    name them later.
    """
    try:
        handle = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666)
    except (AttributeError, OSError):
        return None
    if os.path.exists(f"/proc/self/fd/{handle}"):
        return handle
    os.close(handle)
    return None


def _keep_permissions(path, handle):
    with suppress(
        AttributeError, OSError
    ):  # there is no such file yet, or the system has no permissions
        os.fchmod(handle, stat.S_IMODE(os.stat(path).st_mode))
