"""How much memory is free for this process: the system's, within the limits that it was put under."""

import os
from pathlib import Path

#: A limit of a control group above this many bytes stands for none.
NO_LIMIT = 1 << 60


def system_memory(root="/"):
    """Bytes that are free: what the system has, and no more than what each limit leaves; infinite
    where the system does not say.

    Limits: those of control groups, version 1 and 2, of the process' own group and of all groups
    around it (containers, systemd's slices, batch systems); and those that SLURM tells in the
    environment where it sets up no groups.

    Args:
        root: the folder that holds proc/ and sys/.
    """
    root = Path(root)
    return max(0, min([_available(root), *_cgroup_limits(root), *_slurm_limits(root)]))


def _available(root):
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
        return next(
            1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable")
        )
    except (OSError, StopIteration):
        try:
            return (
                os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
            )  # macOS tells what there is, not what is free
        except (AttributeError, ValueError, OSError):
            return float("inf")


def _cgroup_limits(root):
    """What is left of each limit, of both versions."""
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


def _limits(mount, path, limit, usage, cache):
    """Of the group at `path` and of those around it, up to the mount's own: in a container, the
    path may be the host's, and only that is there.
    """
    group = Path(path.lstrip("/"))
    for one in (group, *group.parents):
        folder = mount / one
        try:
            most, used = int(_text(folder / limit)), int(_text(folder / usage))
        except ValueError:  # no such group, no limit, or "max"
            continue
        kept = dict(
            line.split(None, 1)
            for line in _text(folder / "memory.stat").splitlines()
            if " " in line
        )
        if most < NO_LIMIT:
            yield most - used + int(kept.get(cache, 0))  # files in the cache make room when asked


def _slurm_limits(root):
    """What SLURM gives to the job on this node, in MB in the environment, less what this process
    takes.
    """
    own = _text(root / "proc/self/statm").split()
    resident = int(own[1]) * os.sysconf("SC_PAGE_SIZE") if len(own) > 1 else 0
    node, a_core = os.environ.get("SLURM_MEM_PER_NODE", ""), os.environ.get("SLURM_MEM_PER_CPU", "")
    cores = os.environ.get("SLURM_CPUS_ON_NODE", "1")
    if node.isdigit() and int(node):
        yield int(node) * 2**20 - resident
    elif a_core.isdigit() and int(a_core):
        yield int(a_core) * (int(cores) if cores.isdigit() else 1) * 2**20 - resident


def _text(path):
    try:
        return path.read_text()
    except OSError:
        return ""


def free_memory():
    """Bytes that are free for us; see memory.system_memory.

    A process that was given a part of the cores (map_transfer's workers; tf.config.threading) takes
    that part of them.
    """
    import tensorflow as tf

    threads, cores = tf.config.threading.get_intra_op_parallelism_threads(), os.cpu_count() or 1
    return system_memory() * (min(1, threads / cores) if threads else 1)
