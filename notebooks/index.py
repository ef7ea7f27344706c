"""The notebooks' index, README.md, and a small picture of each, both made from kept outputs."""

import base64
import io
from typing import Any

import nbformat
from catalog import FOLDER, NOTEBOOKS
from PIL import Image

#: Width of the small pictures, in pixels.
WIDTH = 240

HEAD = """\
# Notebooks

`pip install ".[notebooks]"`, then `jupyter lab notebooks/`. On Colab, the badge at a notebook's
head opens it, and its first cell installs what it needs. A GPU is found by itself; then the
pictures are larger. The first notebook takes ten minutes to read.
[The second](02_the_paper_in_code.ipynb) builds the method from nothing.

`python notebooks/run.py` executes them all, `--list` says which outputs are older than the code.

| | notebook | needs | two cores | a GPU |
|---|---|---|---|---|
"""


def thumbnail(name: str, notebook: Any) -> None:
    """Write NAME.jpg: the picture of the cell that has the tag `thumbnail`, made small.

    Args:
        name: One of NOTEBOOKS.
        notebook: The executed notebook.
    """
    [cell] = [c for c in notebook.cells if "thumbnail" in c.metadata.get("tags", [])]
    data = [o.data["image/jpeg"] for o in cell.outputs if "image/jpeg" in o.get("data", {})][-1]
    with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
        height = round(picture.height * WIDTH / picture.width)
        small = picture.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS)
    small.save(FOLDER / f"{name}.jpg", quality=80)


def text(stamp: str) -> str:
    """The index.

    Args:
        stamp: The key of what run.py writes into a notebook's metadata.
    """
    lines = []
    for name, about in NOTEBOOKS.items():
        kept = nbformat.read(FOLDER / f"{name}.ipynb", 4).metadata.get(stamp)
        minutes = f"{max(1, round(kept['seconds'] / 60))} min" if kept else "not measured"
        lines.append(
            f"| [![{about.title}]({name}.jpg)]({name}.ipynb)"
            f" | **[{about.title}]({name}.ipynb)**<br>{about.sentence}"
            f" | `.[{about.extras}]` | {minutes} | not measured |"
        )
    return HEAD + "\n".join(lines) + "\n"
