"""The memory that is free for this process: what the system has, within the limits set for it."""

import os
import pathlib
from collections.abc import Iterator

from .devices import allowed_threads
from .types import Path

#: A control group's limit above this many bytes means that there is no limit.
NO_LIMIT = 1 << 60


def system_memory(root: Path = "/") -> float:
    """Count the bytes of memory that this process may still take.

    The result is the system's free memory, but no more than what each limit leaves. The limits are
    those of control groups, version 1 and 2, of the process' own group and of all groups around it
    (containers, systemd's slices, batch systems). SLURM's limits in the environment count too, as
    SLURM does not always set up control groups.

    Args:
        root: the folder that holds proc/ and sys/.

    Returns:
        Bytes; infinite if the system does not report its free memory and sets no limit.
    """
    root = pathlib.Path(root)
    return max(0, min([_available(root), *_cgroup_limits(root), *_slurm_limits(root)]))


def _available(root: pathlib.Path) -> float:
    """Count the bytes that the system itself reports as available."""
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
        return next(
            1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable")
        )
    except (OSError, StopIteration):
        try:  # macOS reports how much memory there is, not how much is free
            return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
        except (AttributeError, ValueError, OSError):
            return float("inf")


def _cgroup_limits(root: pathlib.Path) -> Iterator[int]:
    """Yield the bytes that each control group leaves, of version 1 and of version 2."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            yield from _limits(
                root / "sys/fs/cgroup", path, "memory.max", "memory.current", "inactive_file"
            )
            yield from _limits(
                root / "sys/fs/cgroup/unified",
                path,
                "memory.max",
                "memory.current",
                "inactive_file",
            )
        elif "memory" in controllers.split(","):
            yield from _limits(
                root / "sys/fs/cgroup/memory",
                path,
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
                "total_inactive_file",
            )


def _limits(mount: pathlib.Path, path: str, limit: str, usage: str, cache: str) -> Iterator[int]:
    """Yield the bytes that the group at `path` leaves, and each group around it up to the mount.

    In a container, `path` may be the host's, and then only the mount's own group can be seen.
    """
    group = pathlib.Path(path.lstrip("/"))
    for one in (group, *group.parents):
        folder = mount / one
        try:
            most, used = int(_text(folder / limit)), int(_text(folder / usage))
        except ValueError:  # there is no such group, or it has no limit, or its limit is "max"
            continue
        kept = dict(
            line.split(None, 1)
            for line in _text(folder / "memory.stat").splitlines()
            if " " in line
        )
        if most < NO_LIMIT:  # the system frees cached files when a process needs memory
            yield most - used + int(kept.get(cache, 0))


def _slurm_limits(root: pathlib.Path) -> Iterator[int]:
    """Yield the bytes that SLURM's environment variables (in MB) leave to this process."""
    own = _text(root / "proc/self/statm").split()
    resident = int(own[1]) * os.sysconf("SC_PAGE_SIZE") if len(own) > 1 else 0
    node, a_core = os.environ.get("SLURM_MEM_PER_NODE", ""), os.environ.get("SLURM_MEM_PER_CPU", "")
    cores = os.environ.get("SLURM_CPUS_ON_NODE", "1")
    if node.isdigit() and int(node):
        yield int(node) * 2**20 - resident
    elif a_core.isdigit() and int(a_core):
        yield int(a_core) * (int(cores) if cores.isdigit() else 1) * 2**20 - resident


def _text(path: pathlib.Path) -> str:
    """Read a file's text; "" if the file cannot be read."""
    try:
        return path.read_text()
    except OSError:
        return ""


def free_memory() -> float:
    """Count the bytes of memory that this process should take; see system_memory.

    If it may use only a part of the cores (map_transfer's workers; tf.config.threading), the result
    is that part of the free memory.
    """
    threads, cores = allowed_threads(), os.cpu_count() or 1
    return system_memory() * (min(1, threads / cores) if threads else 1)
