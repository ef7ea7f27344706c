"""Every code block of the README and of the documentation runs.

The blocks of a page run one after the other, in a folder with the files that they name, which are
small pictures that are nobody's. Sizes and steps are made small; nothing else is changed.
"""

import os
import re
import shlex
import sys
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from helpers import (
    QUICK_TRAINING,
    frames_of,
    link_random_weights,
    picture,
    small_calibration,
    with_sound,
)
from test_docs import DOCUMENTS, FENCE, GUIDES, name, text_of

import neural_style
from neural_style import save_image
from neural_style.__main__ import main
from neural_style.atelier import painter
from neural_style.images import masks

pytest_plugins = ["one_pass_fixtures"]
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_pass_offline")]

PAGES = [DOCUMENTS[0], DOCUMENTS[1], *GUIDES]
PYTHON = [page for page in PAGES if "```python" in text_of(page)]

#: Lines of a shell that other tests run, or that need another machine: what they begin with.
ELSEWHERE = (
    "pip install",  # the two commands of the README: .ci/run, and a person with a fresh machine
    "git clone",
    "pre-commit",
    "ruff",
    "mypy",
    "cd ",
    "python -m venv",
    ". ",
    "python -m neural_style weights",  # the tier `network`
    "python benchmarks/golden.py",  # tests/test_benchmarks.py
    "KERAS_BACKEND=",  # .ci/run, on each backend
    "export JAX_COMPILATION_CACHE_DIR",
    "TF_CONFIG=",  # several machines: tests/feedforward
)

QUICK = {"size": 48, "start_size": None, "steps": 1, "weights": None, "progress": False}
TRAINING = {**QUICK_TRAINING, "steps": 2}

#: What is added to a command, to make it quick.
OPTIONS = {
    "transfer": "--size 32 --start-size none --steps 1 --weights random.h5 --quiet",
    "train": "--steps 2 --crop 32 --batch-size 2 --width 2 --residual-blocks 1 --style-size 48 "
    "--weights random.h5 --content-layers relu2_1 --style-layers relu1_2,relu2_1 --quiet",
    "video": "--size 32 --start-size none --steps 1 --weights random.h5 --frames 0:3 --quiet",
    "stylize": "--quiet",
    "matte": "",
}

#: A film in the camera's place.
CAMERA = "--camera film.mp4 --no-window --output seen.mp4"


@pytest.fixture(scope="module", autouse=True)
def quick_calibration():
    with small_calibration():
        yield


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with each file that a block names."""
    monkeypatch.chdir(tmp_path)
    names = "photo painting other one two fine coarse reference painted_ground mosaic chenonceau"
    for number, of in enumerate([*names.split(), "village_street_auvers"]):
        save_image(picture(48, 64, number), f"{of}.jpg")
    rows, columns = np.mgrid[:60, :80]
    subject = ((rows - 30) ** 2 + (columns - 40) ** 2 < 15**2)[..., None]
    save_image(np.where(subject, np.uint8(230), picture(60, 80, 20) // 4), "dog.jpg")
    save_image(np.dstack([picture(48, 64, 21), np.full((48, 64), 128, "uint8")]), "logo.png")
    for file in ("photo_labels.png", "painting_labels.png", "reference_labels.png"):
        labels = np.zeros((48, 64, 3), "uint8")
        labels[:, 32:] = 255
        save_image(labels, file)
    Path("photos").mkdir()
    for number in range(2):
        save_image(picture(64, 64, 30 + number), f"photos/{number}.png")
    with_sound("film.mp4", seconds=0.5)
    link_random_weights()
    return tmp_path


@pytest.fixture
def quick(folder, monkeypatch):
    """The functions that take long, with settings that make them quick."""

    def forced(function, **options):
        return lambda *given, **asked: function(*given, **{**asked, **options})

    def sweep(content, style, *, size, **axes):
        return real["sweep"](content, style, size=[24, 32], **{**axes, **without_size})

    def map_transfer(jobs, *given, **options):
        return real["map_transfer"]([{**job, **QUICK} for job in jobs], *given, **options)

    def stylize_video(source, style, output, frames=None, **options):
        painted = style == "painting.jpg"
        return real["stylize_video"](
            source,
            style,
            output,
            frames=slice(0, 3) if frames is None else slice(1, 4),
            **{**options, **(QUICK if painted else {}), "progress": False},
        )

    names = ("transfer", "sweep", "map_transfer", "stylize_video", "stylize_camera", "load_image")
    names += ("train_transform_net", "feature_extractor")
    real = {of: getattr(neural_style, of) for of in names}
    without_size = {key: value for key, value in QUICK.items() if key != "size"}
    stand_ins = {
        "transfer": forced(real["transfer"], **QUICK),
        "sweep": sweep,
        "map_transfer": map_transfer,
        "stylize_video": stylize_video,
        "stylize_camera": lambda source, style: real["stylize_camera"](
            "film.mp4", style, "seen.mp4", window=False, size=64
        ),
        "load_image": lambda path, size=None: real["load_image"](path, 48),
        "train_transform_net": forced(real["train_transform_net"], **TRAINING),
        "feature_extractor": forced(real["feature_extractor"], weights=None),
    }
    for of, stand_in in stand_ins.items():
        monkeypatch.setattr(neural_style, of, stand_in)
    monkeypatch.setattr(painter, "transfer", stand_ins["transfer"])
    rectangle = masks.from_rectangle
    monkeypatch.setattr(
        masks, "from_rectangle", lambda image, box: rectangle(image, (18, 8, 44, 44))
    )
    monkeypatch.setitem(sys.modules, "dask", types.ModuleType("dask"))
    monkeypatch.setitem(sys.modules, "dask.distributed", cluster())


def cluster():
    """In the place of dask.distributed, which is no requirement: a cluster of one thread."""

    class Client:
        def __init__(self, address):
            self.executor = ThreadPoolExecutor(1)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.executor.shutdown()

        def get_executor(self):
            return self.executor

    module = types.ModuleType("dask.distributed")
    module.Client = Client
    sys.modules["dask"].distributed = module
    return module


@pytest.mark.parametrize("page", PYTHON, ids=name)
def test_the_python_of_a_page_runs(page, quick, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", os.environ.get("KERAS_BACKEND", ""))  # set back afterwards
    sky = np.tile(np.arange(64) < 32, (48, 1))
    given = {"__name__": "__main__", "frames": np.stack(frames_of(2)), "sky": sky, "its_sky": sky}
    if "out.png" in "".join(blocks(page, "python")):
        neural_style.transfer("photo.jpg", "painting.jpg").save("out.png")
    for number, code in enumerate(blocks(page, "python")):
        exec(compile(code, f"{name(page)}, block {number}", "exec"), given)


def blocks(page, *languages):
    """The code of a page in these languages, in its order."""
    return [code for language, code in FENCE.findall(text_of(page)) if language in languages]


def lines():
    """Each line of a shell, with the page that has it."""
    for page in PAGES:
        for code in blocks(page, "sh", "bash"):
            for line in code.replace("\\\n", " ").splitlines():
                for part in line.split("&&"):
                    line = part.partition("#")[0].strip()
                    yield pytest.param(line, id=f"{page.stem}: {line}")


@pytest.mark.parametrize("line", [*lines()])
def test_a_line_of_the_shell_runs(line, folder):
    if line.startswith(ELSEWHERE) or line == "pytest":
        return
    found = re.fullmatch(r"python -m neural_style (\w+) (.*)", line)
    assert found, line
    given = shlex.split(found[2].replace("--camera 0", CAMERA).replace("images/", ""))
    options = OPTIONS[found[1]]
    if "--start" in given:  # the network has its width, and the layers that it was trained with
        options = "--steps 1 --crop 32 --batch-size 1 --style-size 48 --weights random.h5 --quiet"
    elif "--camera" in given:
        options = ""
    if found[1] == "matte":
        given[given.index("--rectangle") + 1] = "18,8,44,44"
    try:
        assert main([found[1], *given, *options.split()]) == 0
    except SystemExit as end:
        assert "--help" in given and end.code == 0
    else:
        written = given[given.index("-o") + 1] if "-o" in given else "seen.mp4"
        assert Path(written).exists()
