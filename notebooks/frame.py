"""What every notebook has around its lesson: the way in, the set-up cell, the way on."""

from typing import Any

import nbformat
from catalog import NOTEBOOKS

#: Where Colab finds the notebooks. Set it when the repository has its address.
REPOSITORY = "OWNER/neural-style-keras"

BADGE = (
    "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
    "(https://colab.research.google.com/github/{repository}/blob/main/notebooks/{name}.ipynb)"
)

SETUP = """\
# On Colab, this cell fetches the library and its pictures. Elsewhere, start Jupyter after
# pip install ".[{extras}]" in the repository.
import sys

if "google.colab" in sys.modules:
    !git clone -q --depth 1 https://github.com/{repository} neural-style-keras
    %pip install -q "./neural-style-keras[{extras}]"
    %cd -q neural-style-keras/notebooks

import keras

%config InlineBackend.figure_formats = ["jpeg"]
%config InlineBackend.print_figure_kwargs = {{"pil_kwargs": {{"quality": 85}}}}
%config InlineBackend.rc = {{"figure.dpi": 120}}
GPU = bool(keras.distribution.list_devices("gpu"))
print("A GPU does the work." if GPU else "No GPU: the processor does the work.")"""


def framed(notebook: Any, name: str) -> Any:
    """Write badge, set-up cell and the links to the neighbors into a notebook.

    Args:
        notebook: An nbformat notebook of the fourth version; it is changed.
        name: Its file's name without .ipynb, one of NOTEBOOKS.

    Returns:
        The notebook.
    """
    values = {"repository": REPOSITORY, "name": name, "extras": NOTEBOOKS[name].extras}
    new = nbformat.v4
    head = {
        "badge": new.new_markdown_cell(BADGE.format(**values)),
        "setup": new.new_code_cell(SETUP.format(**values)),
        "links": new.new_markdown_cell(links(name)),
    }
    cells = {tag: _tagged(notebook, tag) for tag in head}
    for tag, cell in head.items():
        if cells[tag] is None:
            cells[tag] = cell
            cell.metadata["tags"] = [tag]
            place = {"badge": 0, "setup": 2, "links": len(notebook.cells)}[tag]
            notebook.cells.insert(place, cell)
        cells[tag].source = cell.source
    return notebook


def links(name: str) -> str:
    """The line at a notebook's foot: the one before it, the index, the next."""
    names = list(NOTEBOOKS)
    place = names.index(name)
    before, after = names[max(0, place - 1) : place], names[place + 1 : place + 2]
    return " · ".join(
        ["---\n\n" + _link("Previous: ", one) for one in before]
        + [("" if before else "---\n\n") + "[All notebooks](README.md)"]
        + [_link("Next: ", one) for one in after]
    )


def _link(label: str, name: str) -> str:
    return f"{label}[{NOTEBOOKS[name].title}]({name}.ipynb)"


def _tagged(notebook: Any, tag: str) -> Any:
    """The cell that has the tag, or None."""
    return next((cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])), None)
