"""Build the documentation site: python docs/build.py [--serve]

It needs `pip install ".[docs]"` and no network. The pages are those of this repository: docs/,
notebooks/ and a few files beside them, whose links work on GitHub, too. They are copied to
build/site_source, with one page of reference for each sub-package, and mkdocs makes build/site of
them. A broken link ends the build with an error, as does a public name without a docstring, or a
parameter without an entry in it.
"""

import argparse
import ast
import functools
import importlib
import importlib.util
import inspect
import itertools
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import keras

from neural_style import presets as settings

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "build" / "site_source"

#: What the site shows, beside the reference.
PAGES = (
    "docs/**/*.md",
    "docs/pictures/**/*.jpg",
    "docs/pictures/*.webp",
    "images/*.jpg",
    "notebooks/*.ipynb",
    "notebooks/*.md",
    "notebooks/*.jpg",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "benchmarks/README.md",
    "images/SOURCES.md",
    "neural_style/pretrained/README.md",
    "neural_style/universal/README.md",
)

#: Packages whose public names the reference lists.
PACKAGES = (
    "iterative",
    "losses",
    "optimize",
    "vgg",
    "images",
    "universal",
    "feedforward",
    "video",
    "widgets",
    "atelier",
    "provenance",
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the documentation site.")
    parser.add_argument("--serve", action="store_true", help="show it on a port of this machine")
    serve = parser.parse_args().serve
    if importlib.util.find_spec("mkdocs") is None:
        sys.exit('the site needs mkdocs: pip install ".[docs]"')
    described = parameters()
    if missing := [name for name, there in described.items() if not there]:
        sys.exit("\n".join(["parameters without an entry in their docstring:", *missing]))
    print(f"{len(described)} parameters of public names, each described")
    stage()
    command = ["serve"] if serve else ["build", "--strict", "--site-dir", str(ROOT / "build/site")]
    config = ["--config-file", str(ROOT / "docs" / "mkdocs.yml")]
    done = subprocess.run([sys.executable, "-m", "mkdocs", *command, *config])
    if done.returncode:
        sys.exit(done.returncode)
    dead = [] if serve else dead_links(ROOT / "build" / "site")
    sys.exit("\n".join(["links that lead nowhere:", *dead]) if dead else 0)


def dead_links(site: Path) -> list[str]:
    """The links of the site's pages, those of notebooks too, that lead to no file of the site."""
    dead = []
    for page in sorted(site.rglob("*.html")):
        for link in re.findall(r'<a[^>]* href="([^"#?]+)', page.read_text(encoding="utf-8")):
            if re.match(r"[a-z]+:|//", link) or page.name == "404.html":
                continue
            if not (page.parent / unquote(link)).resolve().exists():
                dead.append(f"{page.relative_to(site)}: {link}")
    return dead


def stage() -> None:
    """Copy the pages to SOURCE, and write those of the reference."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    for path in pages():
        copy = SOURCE / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix in (".md", ".ipynb"):
            copy.write_text(linked(path), encoding="utf-8")
        else:
            shutil.copy(path, copy)
    shutil.move(SOURCE / "docs" / "index.md", SOURCE / "index.md")
    index = (SOURCE / "index.md").read_text(encoding="utf-8")
    index = re.sub(r"\]\((?!\.\./|https?:)", "](docs/", index).replace("](../", "](")
    (SOURCE / "index.md").write_text(index, encoding="utf-8")
    for package in PACKAGES:
        reference(package)
    presets()
    overview()


def linked(path: Path) -> str:
    """A page's text, with the links that the site cannot follow as they stand.

    Files that are no pages of the site are named and not linked. A notebook's page lies one folder
    deeper than its file.
    """
    text = path.read_text(encoding="utf-8")

    def link(match: re.Match[str]) -> str:
        words, target = match[1], match[2]
        place, _, anchor = target.partition("#")
        if "://" in target or not place:
            return match[0]
        where = (path.parent / place).resolve()
        if where not in pages():
            return words
        if path.suffix == ".ipynb":
            stem = place.removesuffix(where.suffix) if where.suffix in (".md", ".ipynb") else place
            stem = stem.removesuffix("README") if where.name == "README.md" else stem
            slash = "" if where.suffix in (".jpg", ".webp") else "/"
            return f"[{words}](../{stem.rstrip('/')}{slash}{'#' + anchor if anchor else ''})"
        return match[0]

    return re.sub(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\]\([^)]*\))*)\]\(([^)\s]+)\)", link, text)


@functools.cache
def pages() -> frozenset[Path]:
    """The files that the site shows."""
    return frozenset(path for pattern in PAGES for path in ROOT.glob(pattern))


def public_objects(name: str) -> dict[str, Any]:
    """The functions and classes of a package: {name: object}, by the alphabet.

    Raises:
        ValueError: A public name without a docstring.
    """
    module = importlib.import_module(name)
    found = {each: getattr(module, each) for each in dir(module) if not each.startswith("_")}
    found = {
        each: value
        for each, value in sorted(found.items(), key=lambda pair: pair[0].lower())
        if inspect.isfunction(value) or inspect.isclass(value)
    }
    for each, value in found.items():
        if not inspect.getdoc(value):
            raise ValueError(f"{name}.{each} has no docstring")
    return found


def parameters() -> dict[str, bool]:
    """{parameter of a public function or class: whether its docstring has an entry for it}.

    A constructor that a class inherits is described where it is written. A protocol has none.
    """
    found = {}
    for package in PACKAGES:
        for name, value in public_objects(f"neural_style.{package}").items():
            inherits = inspect.isclass(value) and "__init__" not in vars(value)
            if inherits or getattr(value, "_is_protocol", False):
                continue
            text = inspect.getdoc(value) or ""
            for each in inspect.signature(value).parameters:
                entry = rf"^ +\*{{0,2}}(\w+, )*{each}(, \w+)*( \(.*\))?:"
                found[f"{package}.{name}({each})"] = bool(re.search(entry, text, re.MULTILINE))
    return found


def reference(package: str) -> None:
    """Write the page of a package's public names, and of what neural_style has from its modules."""
    name = f"neural_style.{package}"
    objects = public_objects(name)
    places = {place(value) for value in objects.values()}
    above = [
        value for value in public_objects("neural_style").values() if place(value) not in places
    ]
    objects |= {each.__name__: each for each in above if each.__module__.startswith(f"{name}.")}
    lines = [f"# {name}", "", *(f"::: {place(value)}\n" for value in objects.values())]
    write(name, lines)


def presets() -> None:
    """Write the page of the presets: the settings of each, and its formula."""
    found = formulas()
    lines = ["# neural_style.presets", "", inspect.getdoc(settings) or "", ""]
    for name in settings.NAMES:
        values = "\n".join(f"{key} = {shown(value)}" for key, value in settings.get(name).items())
        lines += [f"## {name}", "", f"```python\n{values}\n```", "", found[name], ""]
    write("neural_style.presets", lines)


def shown(value: Any) -> str:
    """A setting as Python writes it; of a Keras optimizer, the arguments that were changed."""
    if not isinstance(value, keras.optimizers.Optimizer):
        return repr(value)
    usual, words = type(value)().get_config(), []
    for key, given in value.get_config().items():
        if key != "name" and given != usual[key]:
            words.append(f"{key}={given:.6g}" if isinstance(given, float) else f"{key}={given!r}")
    return f"keras.optimizers.{type(value).__name__}({', '.join(words)})"


def formulas() -> dict[str, str]:
    """{name: the text under it} of each preset."""
    found = {}
    for path in (ROOT / "neural_style" / "presets").glob("*.py"):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        for value, text in itertools.pairwise(body):
            if isinstance(value, ast.AnnAssign) and isinstance(text, ast.Expr):
                found[value.target.id] = text.value.value
    return found


def overview() -> None:
    """Write the page of the names of neural_style itself, with links to where each is described."""
    objects = public_objects("neural_style")
    rows = [
        f"| [`{each}`][{place(value)}] | {(inspect.getdoc(value) or '').splitlines()[0]} |"
        for each, value in objects.items()
        if value.__module__ != "neural_style.plotting"
    ]
    plots = [
        f"::: {place(v)}\n" for v in objects.values() if v.__module__ == "neural_style.plotting"
    ]
    write("neural_style", ["# neural_style", "", "| | |", "|---|---|", *rows, "", *plots])


def place(value: Any) -> str:
    """Where an object is written: module and name."""
    return f"{value.__module__}.{value.__qualname__}"


def write(name: str, lines: list[str]) -> None:
    path = SOURCE / "reference" / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
