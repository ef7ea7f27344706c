"""Thousands of damaged and forged files, always the same ones: each loads, or is refused by a
ValueError of ours; see fuzz.py.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

#: Mutants of each target: 12,600 in all.
COUNTS = {
    "pictures": 4000,
    "labels": 1000,
    "records": 3000,
    "checkpoints": 2000,
    "networks": 600,
    "backups": 1000,
    "films": 1000,
}


@pytest.mark.slow
@pytest.mark.parametrize("target", COUNTS)
def test_no_file_of_a_stranger_does_harm(target, tmp_path):
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("fuzz.py"), target, str(COUNTS[target])],
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert (
        found["tried"] == COUNTS[target]
        and found["refused"] > COUNTS[target] // 10
        and found["loaded"] > 0
    )
    assert found["megabytes"] < 1000


def test_enough_of_them():
    assert sum(COUNTS.values()) >= 5000
