"""The list of the notebooks: a new one needs an entry here, and its file."""

from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent


class Notebook(NamedTuple):
    """A notebook.

    Attributes:
        title: Its first line.
        sentence: What it shows.
        extras: The extras of this package that it needs.
        small: Lines that follow its cell of parameters, so that it runs in about a minute.
    """

    title: str
    sentence: str
    extras: str
    small: str


#: Lines for a notebook that keeps its runs: a test must not find those of another day.
NEW_RUNS = "import tempfile\n\nRUNS = Path(tempfile.mkdtemp())\n"

#: {file name without .ipynb, in their order: the notebook}.
NOTEBOOKS = {
    "01_first_transfer": Notebook(
        "A first transfer",
        "One call, what it did, more or less style, another painting.",
        "notebooks",
        "SIZE, SMALL, STEPS = 96, 64, 2",
    ),
    "02_the_paper_in_code": Notebook(
        "The paper in code",
        "The method from nothing: each equation in a few lines, compared with the library.",
        "notebooks",
        "SIZE, EVALUATIONS = 96, 20",
    ),
    "03_the_papers_figures": Notebook(
        "The paper's figures",
        "Five figures of Gatys, Ecker and Bethge again, with code, and where we differ.",
        "notebooks",
        NEW_RUNS + "SIZE, CELL, STEPS, LONG, ALONE = 96, 64, 2, 4, 2",
    ),
    "05_presets": Notebook(
        "Presets: the paper and its descendants",
        "The settings of nine papers and programs, with formulas and pictures.",
        "notebooks",
        NEW_RUNS + "LARGEST, STEPS = 64, 2",
    ),
    "06_working_with_runs": Notebook(
        "Working with runs",
        "Previews, stopping, sweeps, going on after a crash, records.",
        "notebooks",
        "SIZE, SMALL, STEPS = 96, 64, 20",
    ),
    "07_control": Notebook(
        "Control: colors, regions, scale",
        "Keep the photo's colors; this style here, that one there; the size of strokes.",
        "notebooks,masks",
        "SIZE, SMALL, TEXTURE, STEPS = 96, 64, 64, 2",
    ),
    "08_photorealism": Notebook(
        "Photos in another light, and cut out",
        "The light of one photo on another; cutting a subject out of a photo.",
        "notebooks,masks,photo",
        "SIZE, STEPS = 96, 2",
    ),
    "09_fast_transfer": Notebook(
        "Fast transfer",
        "Networks that paint in a tenth of a second, and how to train one.",
        "notebooks",
        "SIZE, STEPS = 128, 12",
    ),
    "10_video": Notebook(
        "Films that hold still",
        "Films whose strokes hold still, and a number for flicker.",
        "notebooks,video",
        "SIZE, LONG, FRAMES, STEPS = 96, 6, 4, 2",
    ),
    "11_one_pass": Notebook(
        "Any painting in one pass",
        "One formula on a plane, then on features: any painting in seconds.",
        "notebooks",
        "SIZE, STEPS, WHOLE = 96, {48: 2, 96: 2}, 2",
    ),
    "12_neighbors": Notebook(
        "Where, and not only how much",
        "When Gram matrices copy a boat onto a mountain, why, and what neighbors do about it.",
        "notebooks",
        "SIZE, STEPS, SCHEDULE = 96, 2, [(48, 2), (96, 2)]",
    ),
}
