"""The notebooks are whole, small and framed; in the slow tier each is executed, with tiny settings."""

import copy
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
sys.path.insert(0, str(FOLDER))
import catalog  # noqa: E402
import frame  # noqa: E402
import index  # noqa: E402
import run  # noqa: E402

NAMES = list(catalog.NOTEBOOKS)


def read(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", 4)


def pictures_of(notebook):
    return [
        output
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "image/jpeg" in output.get("data", {})
    ]


def test_every_notebook_has_its_place():
    assert [path.stem for path in sorted(FOLDER.glob("*.ipynb"))] == NAMES
    written = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert written == index.text(run.STAMP)
    for name in NAMES:
        assert f"]({name}.ipynb)" in written
        assert 1_000 < (FOLDER / f"{name}.jpg").stat().st_size < 30_000


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_kept_and_small(name):
    notebook = read(name)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert pictures_of(notebook)
    assert not [o for cell in cells for o in cell.outputs if o.output_type == "error"]
    assert "Traceback" not in str([cell.outputs for cell in cells])
    assert (FOLDER / f"{name}.ipynb").stat().st_size < 2.5e6


@pytest.mark.parametrize("name", NAMES)
def test_an_output_tells_of_which_code_it_is(name):
    stamp = read(name).metadata.get(run.STAMP)
    assert re.fullmatch(r"\d+\.\d+\.\d+\w*", stamp["version"])
    assert re.fullmatch("[0-9a-f]{64}", stamp["sources"])
    assert stamp["seconds"] > 0
    assert run.state(name, stamp["sources"]).startswith(f"{name}: of this code")
    assert run.state(name, "0" * 64).startswith(f"{name}: OLDER than the code")


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_has_its_frame(name):
    notebook = read(name)
    assert frame.framed(copy.deepcopy(notebook), name) == notebook
    assert f"/notebooks/{name}.ipynb" in notebook.cells[0].source
    assert notebook.cells[1].source.splitlines()[0] == f"# {catalog.NOTEBOOKS[name].title}"
    assert "google.colab" in notebook.cells[2].source
    tags = [tag for c in notebook.cells for tag in c.metadata.get("tags", [])]
    assert tags.count("parameters") == tags.count("thumbnail") == 1


def test_neighbors_are_linked():
    assert "Previous" not in frame.links(NAMES[0]) and "Next" not in frame.links(NAMES[-1])
    assert f"]({NAMES[1]}.ipynb)" in frame.links(NAMES[0])
    assert f"Previous: [{catalog.NOTEBOOKS[NAMES[0]].title}]" in frame.links(NAMES[1])


def test_names_may_be_numbers():
    assert run.names_of([]) == NAMES
    assert run.names_of(["05", "02_the_paper_in_code.ipynb"]) == [
        "02_the_paper_in_code",
        "05_presets",
    ]
    with pytest.raises(ValueError, match="05_presets.*Received: '99'"):
        run.names_of(["99"])


def test_a_change_of_the_package_is_noticed(tmp_path, monkeypatch):
    (tmp_path / "cli").mkdir()
    for path in ("a.py", "b.py", "cli/main.py"):
        (tmp_path / path).write_text("1\n")
    monkeypatch.setattr(run, "PACKAGE", tmp_path)
    before = run.sources()
    (tmp_path / "cli/main.py").write_text("2\n")
    assert run.sources() == before  # the command line makes no picture of a notebook
    (tmp_path / "b.py").write_text('"""Words."""\n\n# more words\n1\n')
    assert run.sources() == before  # nor do docstrings and comments
    (tmp_path / "b.py").write_text("2\n")
    assert run.sources() != before


def test_docstrings_and_comments_are_no_code():
    source = '"""Words,\nmore."""\n\nA = "text"  # said\n"""Below A."""\n\n\ndef f():\n    """f."""\n    return 1\n'
    assert run.without_words(source) == 'A = "text"  # said\ndef f():\n    return 1'


def test_runs_of_another_state_are_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "RUNS", tmp_path / "runs")
    run.forget_older_runs("a")
    (tmp_path / "runs" / "one.npz").write_text("")
    run.forget_older_runs("a")
    assert (tmp_path / "runs" / "one.npz").exists()
    run.forget_older_runs("b")
    assert not (tmp_path / "runs" / "one.npz").exists()


@pytest.mark.slow
def test_the_command_lists_the_states():
    done = subprocess.run(
        [sys.executable, str(FOLDER / "run.py"), "--list"], capture_output=True, text=True
    )
    assert done.returncode == 0 and len(done.stdout.splitlines()) == len(NAMES)
    wrong = subprocess.run(
        [sys.executable, str(FOLDER / "run.py"), "99"], capture_output=True, text=True
    )
    assert wrong.returncode == 2 and "Received: '99'" in wrong.stderr


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_notebook_runs(name):
    kept = {path: path.read_bytes() for path in FOLDER.glob("*.ipynb")}
    notebook, _ = run.execute(name, "ci")
    assert len(pictures_of(notebook)) >= 3
    assert {path: path.read_bytes() for path in FOLDER.glob("*.ipynb")} == kept
