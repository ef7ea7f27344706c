"""What every notebook has around its lesson: the way in, the set-up cell, the way on."""

from pathlib import Path
from typing import Any, NamedTuple

import nbformat

FOLDER = Path(__file__).parent

#: Where Colab finds the notebooks. Set it when the repository has its address.
REPOSITORY = "OWNER/neural-style-keras"


class Notebook(NamedTuple):
    """A notebook.

    Attributes:
        title: Its first line.
        sentence: What it shows.
        extras: The extras of this package that it needs.
    """

    title: str
    sentence: str
    extras: str


#: {file name without .ipynb, in their order: the notebook}.
NOTEBOOKS = {
    "01_first_transfer": Notebook(
        "A first transfer",
        "One call, what it did, more or less style, another painting.",
        "notebooks",
    ),
    "02_the_paper_in_code": Notebook(
        "The paper in code",
        "The method from nothing: each equation in a few lines, compared with the library.",
        "notebooks",
    ),
    "03_reconstructions": Notebook(
        "What the layers know: reconstructions",
        "What each layer keeps of a photo, and of a painting.",
        "notebooks",
    ),
    "04_layers_and_ratio": Notebook(
        "Which layers, and how much of each",
        "Style layers, the ratio of content and style, the start, the pooling.",
        "notebooks",
    ),
    "05_presets": Notebook(
        "Presets: the paper and its descendants",
        "The settings of nine papers and programs, with formulas and pictures.",
        "notebooks",
    ),
    "06_working_with_runs": Notebook(
        "Working with runs",
        "Previews, stopping, sweeps, going on after a crash, records.",
        "notebooks",
    ),
    "07_control": Notebook(
        "Control: colors, regions, scale",
        "Keep the photo's colors; this style here, that one there; the size of strokes.",
        "notebooks,masks",
    ),
    "08_photorealism": Notebook(
        "Photos in another light, and cut out",
        "The light of one photo on another; cutting a subject out of a photo.",
        "notebooks,masks,photo",
    ),
    "09_fast_transfer": Notebook(
        "Fast transfer",
        "Networks that paint in a tenth of a second, and how to train one.",
        "notebooks",
    ),
    "10_video": Notebook(
        "Films that hold still",
        "Films whose strokes hold still, and a number for flicker.",
        "notebooks,video",
    ),
}

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
