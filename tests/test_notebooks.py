"""The notebooks are executed, whole and small; the first is run again here, with small settings."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted(Path(__file__).parent.parent.joinpath("notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_kept_and_small(path):
    cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    kinds = [kind for cell in cells for output in cell.outputs for kind in output.get("data", {})]
    assert "image/jpeg" in kinds and not [
        o for cell in cells for o in cell.outputs if o.output_type == "error"
    ]
    assert path.stat().st_size < 2.5e6


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_defines_no_function(path):
    source = "\n".join(
        cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"
    )
    assert not re.search(r"^\s*(def|class) ", source, re.MULTILINE)


@pytest.mark.network
@pytest.mark.slow
def test_notebook_01_runs(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
    notebook = nbformat.read(NOTEBOOKS[0], 4)
    [parameters] = [
        cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])
    ]
    parameters.source = "SIZE, STEPS = 96, 2"
    NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": str(NOTEBOOKS[0].parent)}}
    ).execute()
    pictures = [
        output
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "image/jpeg" in output.get("data", {})
    ]
    assert len(pictures) >= 6
