"""Files: written whole or not at all, never over an input, and by one process at a time."""
import errno
import hashlib
import logging
import os
import secrets
import shutil
import stat
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

logger = logging.getLogger("neural_style")


@contextmanager
def whole_or_not(path):
    """A binary file to write. It gets its name, `path`, when all is written: no crash leaves half a file of that name.

    Where the system knows files without a name (Linux), the file has none until then. Elsewhere it has a temporary one, which ends in
    .part. A file that is replaced keeps its permissions. A link is followed: the file that it names is replaced, and the link stays.
    """
    path = Path(os.path.realpath(path))
    part, handle = path.with_name(f".{secrets.token_hex(8)}.part"), _nameless(path.parent)
    try:
        with open(part, "x+b") if handle is None else os.fdopen(handle, "w+b") as file:
            yield file
            _finish(file, path)
            if handle is not None:
                _name(file, part, path)
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):  # there may be none
            part.unlink()
        raise


@contextmanager
def whole_path(path):
    """A path to write to, for programs that ask for a name: what they wrote there becomes `path`, whole or not at all."""
    path = Path(os.path.realpath(path))
    with tempfile.TemporaryDirectory(prefix=".", suffix=".part", dir=path.parent) as folder:
        part = Path(folder, "whole" + path.suffix)
        yield part
        with open(part, "rb+") as file:
            _finish(file, path)
        os.replace(part, path)


def check_output(path, inputs=(), overwrite=False):
    """Raise a clear error if no file could be written to `path`: called before minutes of work, not after.

    Args:
        path: of the output.
        inputs: what the work reads. Those that are paths of files must not be the output.
        overwrite: let the output replace an input.

    Raises:
        FileNotFoundError, PermissionError, ValueError: no such folder; not writable; a name that is too long, or an input's.
    """
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None
    if not isinstance(text, str) or "\0" in text:
        raise ValueError(f"the output must be a path. Received: {path!r}")
    real = Path(os.path.realpath(path))  # a link is followed
    if not real.parent.is_dir():
        raise FileNotFoundError(f"the folder {str(real.parent if os.path.islink(path) else Path(path).parent)!r} does not exist")
    check_name_length(real)
    if real.exists() and not is_regular(real) or not os.access(real.parent, os.W_OK):
        raise PermissionError(f"{str(path)!r} cannot be written")
    for one in inputs if not overwrite else ():
        if same_file(one, path):
            raise ValueError(f"the output {str(path)!r} is also an input; give it another name, or allow to overwrite it "
                             "(overwrite=True, --overwrite)")


def check_name_length(path):
    """Raise a ValueError if the file system of `path` does not take so long a name."""
    try:
        longest = os.pathconf(path.parent, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):  # the system does not tell
        return
    length = len(os.fsencode(path.name))
    if length > longest:
        raise ValueError(f"the name {path.name!r} has {length} bytes; the file system takes {longest} at most")


def same_file(one, other):
    """Whether two paths lead to one file. What is no path, or leads to no file, is no such pair."""
    if not isinstance(one, (str, os.PathLike)) or not isinstance(other, (str, os.PathLike)):
        return False
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return False


def is_regular(path):
    """Whether there is a file at `path`: not a folder, a device or a pipe, on which a reader could wait for ever."""
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
    """Be the only one who works on a file or a folder that is kept between runs: a checkpoint, a backup, frames of a film.

    The lock is a file beside a file, or in a folder: .lock. The system frees it when the process ends, however it ends.

    Raises:
        RuntimeError: another run holds it.
    """
    real = Path(os.path.realpath(path))  # by whatever name it goes
    name = real / ".lock" if real.is_dir() else real.with_name(f".{hashlib.sha256(os.fsencode(real.name)).hexdigest()[:12]}.lock")
    file = _locked(name, path)
    try:
        yield
    finally:
        with suppress(OSError):  # Windows keeps the name of an open file
            name.unlink()
        file.close()


def _locked(name, path):
    while True:
        file = open(name, "a+b")
        try:
            _lock(file)
        except BlockingIOError:
            file.close()
            raise RuntimeError(f"another run is working on {str(path)!r}; wait for its end, or give another path") from None
        except OSError as error:
            logger.warning("the file system of %s knows no locks (%s): see to it that no other run works on it", path, error)
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


def _nameless(folder):
    """A file without a name in `folder`, or None where the system has no such files."""
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666)
    except (AttributeError, OSError):
        return None


def _finish(file, path):
    """Bring a file to the disk, with the permissions of the one at `path`, if there is one."""
    file.flush()
    with suppress(AttributeError, OSError):  # there is none yet, or the system has no permissions
        os.fchmod(file.fileno(), stat.S_IMODE(os.stat(path).st_mode))
    os.fsync(file.fileno())


def _name(file, part, path):
    """Give a file without a name the name `part`. Where the system has no way to (no /proc, a sandbox), a copy of the file gets it."""
    try:
        os.link(f"/proc/self/fd/{file.fileno()}", part, src_dir_fd=file.fileno())  # the last argument makes Python follow the link
    except OSError:
        file.seek(0)
        with open(part, "x+b") as copy:
            shutil.copyfileobj(file, copy)
            _finish(copy, path)
