"""Names, keywords, options and links in the documents and notebooks are those of the code."""

import functools
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from doc_code import dotted, keywords_of, uses, wrong_keywords
from helpers import picture
from PIL import Image

import neural_style
from neural_style import transfer
from neural_style.cli.main import command_parser

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "neural_style"
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
DOCUMENTS = [
    ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
]
GUIDES = sorted(ROOT.glob("docs/**/*.md"))
DOCUMENTS += [PACKAGE / "pretrained/README.md", *GUIDES]

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(
    r"(?:python -m neural_style|neural-style) (transfer|stylize|train|video|matte)\b"
)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def cells(path: Path, kind: str) -> list[str]:
    """The texts of a notebook's cells of one kind."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


def text_of(path: Path) -> str:
    """A document, or a notebook's prose."""
    if path.suffix == ".ipynb":
        return "\n\n".join(cells(path, "markdown"))
    return path.read_text(encoding="utf-8")


def code_of(path: Path) -> str:
    """The Python code of a document or of a notebook, in its order, without IPython's commands."""
    if path.suffix == ".ipynb":
        code = "\n".join(cells(path, "code"))
        return re.sub(r"^( *)[%!].*", r"\1pass", code, flags=re.MULTILINE)
    return "\n".join(
        code for language, code in FENCE.findall(text_of(path)) if language == "python"
    )


def name(path: Path) -> str:
    """What pytest calls a document."""
    return str(path.relative_to(ROOT))


# ---- Python code


@pytest.mark.parametrize("path", [*DOCUMENTS[:2], *GUIDES, *NOTEBOOKS], ids=name)
def test_names_and_keywords_in_code_exist(path: Path) -> None:
    code = code_of(path)
    assert uses(code).calls or path in GUIDES, "no call of this library"
    assert not wrong_keywords(code)


@pytest.mark.parametrize(
    "code",
    [
        "from neural_style import load_weights",
        "from neural_style.vgg import load_weights",
        "from neural_style import presets\npresets.gatys_2017",
        "from neural_style.features import feature_extractor",
    ],
)
def test_a_wrong_name_is_found(code: str) -> None:
    with pytest.raises((AssertionError, ModuleNotFoundError)):
        uses(code)


@pytest.mark.parametrize(
    "code,wrong",
    [
        ("transfer(a, b, style_loss='gram')", ["transfer(style_loss=)"]),
        ("transfer(a, b, statistic='gram')", []),
        ("import neural_style as n\nn.transfer(a, b, error='paper')", ["n.transfer(error=)"]),
        (
            "settings = dict(size=3, error='paper')\ntransfer(a, b, **settings)",
            ["transfer(error=)"],
        ),
        ("transfer(a, b, **{**presets.gatys_2016, 'licence': 1})", ["transfer(licence=)"]),
        ("stylize_video(a, b, c, work='x', size=3)", ["stylize_video(work=)"]),
        ("from other import transfer\ntransfer(a, b, error='paper')", []),
    ],
)
def test_a_wrong_keyword_is_found(code: str, wrong: list[str]) -> None:
    assert wrong_keywords(code) == wrong


LOSSES = [*DOCUMENTS[:2], ROOT / "docs/guides/your_own_loss.md"]


@pytest.mark.parametrize("path", LOSSES, ids=name)
def test_the_example_of_a_loss_runs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [code] = [code for _, code in FENCE.findall(text_of(path)) if "class Symmetry" in code]
    small = {"size": 32, "start_size": None, "steps": 1, "weights": None, "progress": False}
    layers = {"content_layers": ["conv1_2"], "style_layers": ["conv1_1"]}
    results = []

    def quick(*given: Any, **options: Any) -> Any:
        results.append(transfer(*given, **small, **layers, **options))
        return results[-1]

    Image.fromarray(picture(24, 32, 1)).save(tmp_path / "photo.jpg")
    Image.fromarray(picture(24, 32, 2)).save(tmp_path / "painting.jpg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(neural_style, "transfer", quick)
    exec(compile(code, path.name, "exec"), {"__name__": "example"})
    [result] = results
    assert result.history["symmetry"][0] > 0 and np.asarray(result.image).shape == (24, 32, 3)


# ---- Commands, links, the changelog


@functools.cache
def options_of(command: str) -> frozenset[str]:
    """The options of a command of the command line."""
    _, commands = command_parser()
    return frozenset(commands.choices[command]._option_string_actions)


def commands_in(text: str) -> Iterator[tuple[str, list[str]]]:
    """(command, its options) for each call of the command line in a text."""
    fenced = [
        line for _, code in FENCE.findall(text) for line in code.replace("\\\n", " ").split("\n")
    ]
    inline = [span.replace("\n", " ") for span in re.findall(r"`([^`]+)`", FENCE.sub("", text))]
    for line in [*fenced, *inline]:
        match = COMMAND.search(line)
        if match:
            yield match[1], OPTION.findall(line[match.end() :])


@pytest.mark.parametrize("path", [*DOCUMENTS, *NOTEBOOKS], ids=name)
def test_options_of_commands_exist(path: Path) -> None:
    text = text_of(path)
    for command, options in commands_in(text):
        assert set(options) <= options_of(command), command
    for benchmark in re.findall(r"-m benchmarks\.([a-z_]+)", text):
        assert (ROOT / "benchmarks" / f"{benchmark}.py").exists(), benchmark


def test_commands_are_seen_in_the_documents() -> None:
    seen = [found for path in DOCUMENTS for found in commands_in(text_of(path))]
    assert ("video", ["--style"]) in seen and ("transfer", ["--size"]) in seen
    assert ("train", ["--checkpoint", "--preview"]) in seen


def test_the_readme_is_one_screen_of_facts() -> None:
    assert (ROOT / "README.md").stat().st_size <= 8 * 1024


@pytest.fixture(scope="module")
def site() -> Any:
    """docs/build.py, loaded as a module."""
    spec = importlib.util.spec_from_file_location("build", ROOT / "docs" / "build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_site_finds_links_that_lead_nowhere(site: Any, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    links = ["there/", "nowhere/", "#here", "https://example.com", "there/?a=b"]
    page = "".join(f'<a class="x" href="{link}">a</a>' for link in links)
    (tmp_path / "index.html").write_text(page)
    assert site.dead_links(tmp_path) == ["index.html: nowhere/"]


def test_a_notebooks_links_fit_its_page_on_the_site(site: Any) -> None:
    """Its page lies in a folder of its own; a file that is no page is named only."""
    text = site.linked(ROOT / "notebooks" / "12_neighbors.ipynb")
    assert "](../../docs/guides/neighbors/)" in text and "neighbors.md)" not in text
    text = site.linked(ROOT / "docs" / "paper.md")
    assert "](../notebooks/02_the_paper_in_code.ipynb)" in text and "(presets)" in text


def test_the_site_describes_every_preset(site: Any) -> None:
    assert {*site.formulas()} == {*neural_style.presets.NAMES}
    shown = site.shown(neural_style.presets.crowsonkb["optimizer"])
    assert shown == "keras.optimizers.Adam(learning_rate=5.1, use_ema=True, beta_2=0.99)"


def test_every_parameter_of_a_public_name_is_described(site: Any) -> None:
    described = site.parameters()
    assert len(described) > 300
    assert not [name for name, there in described.items() if not there]


def test_every_guide_is_on_the_site() -> None:
    """In the table of contents, and in the table of the first page."""
    contents = (ROOT / "docs/mkdocs.yml").read_text(encoding="utf-8")
    first = text_of(ROOT / "docs/index.md")
    for path in GUIDES:
        place = path.relative_to(ROOT / "docs").as_posix()
        assert place in contents, place
        assert place == "index.md" or f"({place})" in first, place


def test_every_notebook_is_on_the_site() -> None:
    contents = (ROOT / "docs/mkdocs.yml").read_text(encoding="utf-8")
    assert all(f"notebooks/{path.name}" in contents for path in NOTEBOOKS)


@pytest.mark.parametrize("path", [*DOCUMENTS, *NOTEBOOKS], ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", text_of(path)):
        if "://" not in link:
            assert (path.parent / link.partition("#")[0]).exists(), link


def rows(heading: str) -> list[list[str]]:
    """The table of CHANGELOG.md that comes after a heading: the cells of each row."""
    after = text_of(ROOT / "CHANGELOG.md").partition(heading)[2]
    table = re.search(r"(?:^\|.*\n)+", after, re.MULTILINE)
    assert table, heading
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in table[0].splitlines()[2:]
    ]


def test_new_names_of_the_changelog_exist() -> None:
    checked = 0
    for _, new in rows("Arguments and names:"):
        for dotted_name, arguments in re.findall(r"`([A-Za-z_][\w.]*)(?:\(([^)`]*)\))?`", new):
            if dotted_name in ("neural_style", "status", "message"):
                continue
            named, words = dotted(dotted_name), re.findall(r"(\w+)=", arguments)
            assert bool(words) == bool(arguments), new
            assert not words or set(words) <= keywords_of(named), new
            checked += 1
    assert checked > 12
    for _, new in rows("The command line:"):
        for command, option in re.findall(r"`(transfer|train|video) (--[a-z-]+)`", new):
            assert option in options_of(command)


def test_the_map_of_modules_leads_to_files() -> None:
    places = set()
    for _, new in rows("Modules, all in folders now."):
        folder = ""
        for place in re.findall(r"`([\w/*]+)`", new):
            folder, _, file = place.rpartition("/") if "/" in place else (folder, "", place)
            assert list(PACKAGE.glob(f"{folder}/{file}.py" if file else folder)), (new, place)
            places.add(f"{folder}/{file}")
    assert len(places) > 80
