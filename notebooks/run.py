"""Execute notebooks, and say which of them are older than the code that they show.

    python notebooks/run.py                       execute all, and keep their outputs
    python notebooks/run.py 02_the_paper_in_code  execute one
    python notebooks/run.py 02 03 --size ci       execute two with tiny settings, and keep nothing
    python notebooks/run.py --list                say which outputs are older than the code

A name may be shortened to its number. Each notebook runs in a process of its own, in its folder,
with the package of this repository. Its file is written when its last cell is done, so a notebook
that fails or is interrupted stays as it was. Notebooks of many runs keep each run in
notebooks/runs/ and go on from there when they are executed again; when the package has changed,
these files are deleted first.

Needs the extras of the notebooks: pip install -e ".[notebooks,masks,photo,video]".
"""

import argparse
import ast
import hashlib
import os
import runpy
import shutil
import sys
import time
from typing import Any

import index
import nbformat
from catalog import FOLDER, NOTEBOOKS
from frame import framed
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = FOLDER.parent
PACKAGE = ROOT / "neural_style"

#: Key of what run.py writes into a notebook's metadata.
STAMP = "neural_style"

#: The runs that notebooks keep, and the file that says of which code they are.
RUNS = FOLDER / "runs"

#: The longest that one cell may take, in seconds.
LONGEST = {"full": 4 * 3600, "ci": 600}


def sources() -> str:
    """SHA-256 over the package's files but the command line's, in their order.

    Docstrings and comments do not count: they make no picture. (Notebook 05 shows the presets'
    docstrings. Execute it again when they change.)
    """
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*")):
        inside = path.relative_to(PACKAGE)
        if path.is_file() and "__pycache__" not in inside.parts and inside.parts[0] != "cli":
            data = path.read_bytes()
            data = without_words(data.decode()).encode() if path.suffix == ".py" else data
            digest.update(f"{inside.as_posix()}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def without_words(source: str) -> str:
    """Python code without docstrings, lines of comment and empty lines."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(getattr(node.value, "value", None), str):
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
    return "\n".join(line for line in lines if line.strip() and line.lstrip()[0] != "#")


def version() -> str:
    """The package's version, read from its file."""
    return str(runpy.run_path(str(PACKAGE / "_version.py"))["__version__"])


def names_of(given: list[str]) -> list[str]:
    """The notebooks' names in their order.

    Args:
        given: Names or their beginnings, such as "02"; none for all.

    Raises:
        ValueError: No notebook begins with that.
    """
    beginnings = tuple(begin.removesuffix(".ipynb") for begin in given)
    for begin in beginnings:
        if not any(name.startswith(begin) for name in NOTEBOOKS):
            raise ValueError(f"a notebook is one of {', '.join(NOTEBOOKS)}. Received: {begin!r}")
    return [name for name in NOTEBOOKS if not given or name.startswith(beginnings)]


def execute(name: str, size: str = "full") -> tuple[Any, float]:
    """Execute a notebook.

    Args:
        name: One of NOTEBOOKS.
        size: "full", or "ci" for its small settings.

    Returns:
        (the executed notebook, seconds).

    Raises:
        nbclient.exceptions.CellExecutionError: A cell failed.
    """
    notebook = framed(nbformat.read(FOLDER / f"{name}.ipynb", 4), name)
    if size == "ci":
        [place] = [
            place
            for place, cell in enumerate(notebook.cells)
            if "parameters" in cell.metadata.get("tags", [])
        ]
        notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(NOTEBOOKS[name].small))
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "PYTHONPATH": str(ROOT)}
    started = time.perf_counter()
    NotebookClient(
        notebook, timeout=LONGEST[size], resources={"metadata": {"path": str(FOLDER)}}
    ).execute(env=environment)
    for cell in notebook.cells:
        if "setup" in cell.metadata.get("tags", []):  # drop what the backend says when it is loaded
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return notebook, time.perf_counter() - started


def keep(name: str, notebook: Any, seconds: float, code: str) -> None:
    """Write an executed notebook with its stamp, whole or not at all, and its small picture.

    Args:
        name: One of NOTEBOOKS.
        notebook: From execute.
        seconds: How long it took.
        code: sources() when it began.
    """
    notebook.metadata[STAMP] = {"version": version(), "sources": code, "seconds": round(seconds)}
    path = FOLDER / f"{name}.ipynb"
    half = path.with_suffix(".half")
    nbformat.write(notebook, half)
    half.replace(path)
    index.thumbnail(name, notebook)


def forget_older_runs(code: str) -> None:
    """Delete the runs that notebooks keep if another state of the package made them."""
    mark = RUNS / "sources.txt"
    if RUNS.exists() and not (mark.exists() and mark.read_text() == code):
        shutil.rmtree(RUNS)
    RUNS.mkdir(exist_ok=True)
    mark.write_text(code)


def state(name: str, code: str) -> str:
    """Of which code a notebook's outputs are, in a line.

    Args:
        name: One of NOTEBOOKS.
        code: sources() as it is now.
    """
    stamp = nbformat.read(FOLDER / f"{name}.ipynb", 4).metadata.get(STAMP)
    if stamp is None:
        return f"{name}: never executed by this command"
    which = "of this code" if stamp["sources"] == code else "OLDER than the code"
    return (
        f"{name}: {which}; version {stamp['version']}, sources {stamp['sources'][:12]},"
        f" {stamp['seconds']} s"
    )


def main() -> int:
    """Run the command; return its exit status, 1 if a notebook failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="names of notebooks or their numbers; none: all")
    parser.add_argument("--size", choices=LONGEST, default="full", help="full, or tiny for a test")
    parser.add_argument("--list", action="store_true", help="execute nothing")
    given = parser.parse_args()
    try:
        names = names_of(given.names)
    except ValueError as error:
        parser.error(str(error))
    code, failed = sources(), False
    if not given.list and given.size == "full":
        forget_older_runs(code)
    for name in [] if given.list else names:
        try:
            notebook, seconds = execute(name, given.size)
        except CellExecutionError as error:
            failed = True
            print(f"{name}: failed\n{error}", file=sys.stderr, flush=True)
            continue
        print(f"{name}: {seconds:.0f} s", flush=True)
        if given.size == "full":
            keep(name, notebook, seconds, code)
    if not given.list and given.size == "full":
        (FOLDER / "README.md").write_text(index.text(STAMP), encoding="utf-8")
    for name in names:
        print(state(name, code))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
