"""Figures of benchmarks: how they are kept, and that the pages show what is kept."""

import argparse
import json
import re
import sys
from pathlib import Path

import pytest

from benchmarks import report, results, tables
from benchmarks.knobs import KNOBS, STRIPS, strip_name


def test_the_pages_show_what_is_kept():
    """python -m benchmarks.report would change nothing."""
    stale = [
        path.name for path in report.pages() if report.filled(path.read_text()) != path.read_text()
    ]
    assert not stale, f"run python -m benchmarks.report: {stale}"


def test_each_table_stands_in_a_page():
    text = "".join(path.read_text() for path in report.pages())
    named = {found[1] for found in report.BLOCK.findall(text)}
    assert named == set(tables.TABLES)


def test_a_page_is_filled_between_its_marks(monkeypatch):
    monkeypatch.setitem(tables.TABLES, "gpu", lambda: "| new |\n")
    text = "before\n<!-- report: gpu -->\nold\n<!-- end -->\nafter\n"
    assert report.filled(text) == "before\n<!-- report: gpu -->\n\n| new |\n\n<!-- end -->\nafter\n"
    assert report.filled(report.filled(text)) == report.filled(text)


def test_figures_are_kept_with_where_they_come_from(tmp_path, monkeypatch):
    monkeypatch.setattr(
        sys, "argv", ["/some/where/methods.py", "a/folder", "512x15/30", "--size", "64", "-o", "x"]
    )
    parser = argparse.ArgumentParser()
    results.add_option(parser, "quality")
    assert parser.parse_args([]).json == results.RESULTS / "quality.json"
    results.keep(tmp_path / "new" / "x.json", [{"content": 0.5}])
    kept = json.loads((tmp_path / "new" / "x.json").read_text())
    assert kept["command"] == "python -m benchmarks.methods FOLDER 512x15/30 --size 64"
    assert kept["rows"] == [{"content": 0.5}]
    assert kept["cores"] > 0 and "keras" in kept["versions"] and len(kept["date"]) == 10


def test_what_is_kept_says_nothing_of_the_machine_but_its_kind():
    for path in results.RESULTS.glob("*.json"):
        kept = json.loads(path.read_text())
        command = re.sub(r"(?<=\d)/(?=\d)", "", kept["command"])  # of a schedule, 512x15/30
        assert re.fullmatch(r"python -m benchmarks\.\w+[^/\\]*", command), path
        assert "+" not in kept["commit"], f"{path}: measured with changes that no commit has"


def test_each_knob_has_its_strip():
    assert {path.name for path in STRIPS.iterdir()} == {strip_name(knob.name) for knob in KNOBS}


def test_each_program_is_listed():
    listed = (Path(results.ROOT) / "benchmarks" / "README.md").read_text()
    for path in (Path(results.ROOT) / "benchmarks").glob("*.py"):
        if "def main" in path.read_text() and path.stem != "report":
            assert f"| {path.stem} |" in listed, path


@pytest.mark.parametrize(
    "rows,expected", [([], "| a |\n| --- |\n"), ([["1"]], "| a |\n| --- |\n| 1 |\n")]
)
def test_a_grid(rows, expected):
    from benchmarks.markdown import grid

    assert grid(["a"], rows) == expected
