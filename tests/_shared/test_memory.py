"""The memory that is free, on machines whose proc/ and sys/ are folders of ours."""

import os

import pytest

from neural_style._shared.memory import system_memory

GB = 10**9


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with 64 GB free, that says {file: text} besides."""
    for name in ("SLURM_MEM_PER_NODE", "SLURM_MEM_PER_CPU", "SLURM_CPUS_ON_NODE"):
        monkeypatch.delenv(name, raising=False)

    def make(files=()):
        for name, text in {
            "proc/meminfo": f"MemTotal: 99000000 kB\nMemAvailable: {64 * GB // 1024} kB\n",
            **dict(files),
        }.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(str(text))
        return tmp_path

    return make


def v1(group, limit, used=0, cache=0):
    folder = f"sys/fs/cgroup/memory{group}"
    return {
        f"{folder}/memory.limit_in_bytes": f"{limit}\n",
        f"{folder}/memory.usage_in_bytes": f"{used}\n",
        f"{folder}/memory.stat": f"cache 5\ninactive_file 7\ntotal_inactive_file {cache}\n",
    }


def v2(group, limit, used=0, cache=0, mount="sys/fs/cgroup"):
    folder = mount + group
    return {
        f"{folder}/memory.max": f"{limit}\n",
        f"{folder}/memory.current": f"{used}\n",
        f"{folder}/memory.stat": f"anon 5\ninactive_file {cache}\n",
    }


NONE_V1 = 9223372036854771712


@pytest.mark.parametrize(
    "files,free",
    [
        ({}, 64 * GB // 1024 * 1024),
        # version 1: the group's own limit, less what it uses, but for the cache; the tightest of
        # those around it; the number that stands for none
        (
            {
                "proc/self/cgroup": "5:cpu:/\n4:memory:/jobs/mine\n",
                **v1("/jobs/mine", 9 * GB, 4 * GB, GB),
            },
            6 * GB,
        ),
        (
            {
                "proc/self/cgroup": "4:memory:/jobs/mine\n",
                **v1("/jobs/mine", NONE_V1),
                **v1("/jobs", 8 * GB, 3 * GB),
                **v1("", NONE_V1),
            },
            5 * GB,
        ),
        (
            {
                "proc/self/cgroup": "4:memory:/jobs/mine\n",
                **v1("/jobs/mine", 7 * GB),
                **v1("/jobs", 3 * GB),
                **v1("", 5 * GB),
            },
            3 * GB,
        ),
        ({"proc/self/cgroup": "4:memory,hugetlb:/\n", **v1("", 2 * GB)}, 2 * GB),
        # version 2: nested in slices of systemd, whose inner groups say "max"; none at all
        (
            {
                "proc/self/cgroup": "0::/user.slice/user-1000.slice/session-2.scope\n",
                **v2("/user.slice/user-1000.slice/session-2.scope", "max"),
                **v2("/user.slice/user-1000.slice", 4 * GB, 3 * GB, GB),
                **v2("/user.slice", "max"),
            },
            2 * GB,
        ),
        (
            {
                "proc/self/cgroup": "0::/system.slice/slurm.scope/job_7/step_0\n",
                **v2("/system.slice/slurm.scope/job_7", 12 * GB, 5 * GB),
            },
            7 * GB,
        ),
        ({"proc/self/cgroup": "0::/a\n", **v2("/a", "max")}, 64 * GB // 1024 * 1024),
        # both versions: the second at unified/, where the first has the memory
        (
            {
                "proc/self/cgroup": "4:memory:/a\n0::/a\n",
                **v1("/a", 6 * GB),
                **v2("/a", 5 * GB, mount="sys/fs/cgroup/unified"),
            },
            5 * GB,
        ),
        # a container: proc tells the host's path, and only the container's own group is there, at
        # the mount itself
        ({"proc/self/cgroup": "4:memory:/docker/0123abc\n", **v1("", 2 * GB, GB)}, GB),
        ({"proc/self/cgroup": "0::/../../kubepods/pod7/0123abc\n", **v2("", 2 * GB, GB)}, GB),
        # more in use than the limit: nothing is free
        ({"proc/self/cgroup": "0::/a\n", **v2("/a", GB, 2 * GB)}, 0),
    ],
)
def test_limits_of_control_groups(machine, files, free):
    assert system_memory(machine(files)) == free


@pytest.mark.parametrize(
    "environment,free",
    [
        ({"SLURM_MEM_PER_NODE": "4000"}, 4000 * 2**20),
        ({"SLURM_MEM_PER_CPU": "1000", "SLURM_CPUS_ON_NODE": "6"}, 6000 * 2**20),
        ({"SLURM_MEM_PER_CPU": "1000"}, 1000 * 2**20),
        ({"SLURM_MEM_PER_NODE": "0"}, 64 * GB // 1024 * 1024),
        ({"SLURM_MEM_PER_NODE": "all"}, 64 * GB // 1024 * 1024),
    ],
)
def test_slurm_tells_in_the_environment(machine, monkeypatch, environment, free):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert system_memory(machine()) == free
    resident = 1000 * os.sysconf("SC_PAGE_SIZE")  # what the process has counts
    assert system_memory(machine({"proc/self/statm": "5000 1000 300 1 0 400 0"})) == (
        free if free > 63 * GB else free - resident
    )


def test_this_machine():
    assert 1e8 < system_memory() < 1e14


def test_a_system_that_does_not_say(machine, monkeypatch):
    monkeypatch.delattr(os, "sysconf")
    root = machine()
    (root / "proc/meminfo").unlink()
    assert system_memory(root) == float("inf")
