"""The benchmark of a GPU runs without one, at a small size."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import needs_tensorflow


@needs_tensorflow
@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_the_benchmark_of_a_gpu_runs_on_a_processor(backend, tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip(backend)
    options = ["--sizes", "48,64", "--steps", "2", "--peer", "--json", str(tmp_path / "gpu.json")]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", *options],
        cwd=Path(__file__).parent.parent,
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads((tmp_path / "gpu.json").read_text())["rows"]
    assert report["backend"] == backend and not report["gpu"]
    for size in ("48", "64"):
        row = report[size]
        assert row["cold"] > 0 < row["warm"] and 0 < row["network"] < 1 and row["gb"] > 0.1
    assert report["peer"]["evaluations"] > 0 and 0 < report["peer"]["style"] < 10
