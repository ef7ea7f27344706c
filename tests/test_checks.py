"""Checks of single arguments: what they take, what leaves them, and what they say; and where packages come from."""
import math
import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from neural_style import checks, extras


@pytest.mark.parametrize("value", [5, 5.0, np.float16(5), np.float32(5), np.float64(5), np.longdouble(5), np.int8(5), np.uint64(5)])
def test_numbers_of_numpy_leave_as_python_s(value):
    assert type(checks.number("size", value)) is float and checks.number("size", value) == 5
    if isinstance(value, (int, np.integer)):
        assert type(checks.count("size", value)) is int and checks.count("size", value) == 5
    else:
        with pytest.raises(ValueError, match="size must be a positive integer. Received: size="):
            checks.count("size", value)


@pytest.mark.parametrize("value", [True, np.True_, "5", b"5", None, [5], np.array(5.0), np.array([5]), 5j, Decimal(5), math.nan, math.inf, np.float32("nan"),
                                   -1, np.int64(-1), 10 ** 400, -10 ** 400, np.datetime64("2020-01-01")], ids=repr)
def test_what_is_no_number_is_refused_by_name(value):
    for check in (checks.number, checks.count):
        with pytest.raises(ValueError, match="^weight must be .*Received: weight=|more than 40 digits$") as caught:
            check("weight", value)
        assert len(str(caught.value)) < 300 and "\n" not in str(caught.value)


def test_bounds_are_told_and_belong_to_what_is_taken_or_not():
    assert checks.number("a", 0) == 0 and checks.number("a", 1, most=1) == 1 and checks.count("a", 0, 0) == 0 and checks.count("a", 9, most=9) == 9
    assert checks.count("seed", 2 ** 200) == 2 ** 200
    for call, words in [(lambda: checks.number("a", 0, above=True), "above 0. Received: a=0"), (lambda: checks.number("a", 1.5, most=1), "at least 0 and at most 1."),
                        (lambda: checks.count("a", 0), "a must be a positive integer. Received: a=0"),
                        (lambda: checks.count("a", 1, 2), "an integer, at least 2."), (lambda: checks.count("a", 10_000, 1, 9999), "at most 9,999.")]:
        with pytest.raises(ValueError, match=words):
            call()


def test_flags_and_names():
    for value in (True, False, np.True_, np.False_):
        assert type(checks.flag("inside", value)) is bool and checks.flag("inside", value) == value
    for value in (1, 0, "yes", None, np.array(True)):
        with pytest.raises(ValueError, match="inside must be True or False. Received: inside="):
            checks.flag("inside", value)
    assert checks.choice("mode", "a", {"a": 1, "b": 2}) == "a"
    for value in ("c", ["a"], None, {"a"}, np.array(["a", "b"])):
        with pytest.raises(ValueError, match=r"mode must be one of \('a', 'b'\). Received: mode="):
            checks.choice("mode", value, ("a", "b"))


def test_layers_of_any_collection():
    for value in (["b", "a", "b"], ("b", "a"), {"b": None, "a": None}.keys(), np.array(["b", "a"])):
        assert checks.layers("layers", value) == ["b", "a"]
    assert checks.layers("layers", {"b", "a"}) == ["a", "b"]  # sets have no order of their own: the same run each time
    assert checks.layers("layers", "a") == ["a"]
    weights = checks.layers("layers", {"a": np.float32(2), "b": 0})
    assert weights == {"a": 2.0, "b": 0.0} and all(type(weight) is float for weight in weights.values())
    for value, error in [(None, TypeError), (3, TypeError), ((name for name in "ab"), TypeError), (b"a", TypeError), ([1, 2], TypeError), ([["a"]], TypeError),
                         (np.array(3), TypeError), (np.eye(2), TypeError), ([], ValueError), ({}, ValueError), ({"a": -1}, ValueError),
                         ({"a": math.nan}, ValueError), ({"a": True}, ValueError), ({"a": 10 ** 400}, ValueError)]:
        with pytest.raises(error, match="layers"):
            checks.layers("layers", value)


def test_file_names_stay_in_their_folder():
    for name in ("poppies", "a b", "写真", ".hidden", "a..b", Path("poppies")):
        assert checks.file_name("name", name) == str(name)
    for name in ("", ".", "..", "../up", "/etc/passwd", "a/b", "a\\b", "C:name", "a\0b", None, 3, b"poppies", Path("a/b")):
        with pytest.raises(ValueError, match="name must be a plain file name"):
            checks.file_name("name", name)


def test_values_are_shown_in_one_short_line():
    class Bad:
        def __repr__(self):
            raise RuntimeError
    assert checks.shown("a\nb") == "'a\\nb'" and checks.shown(np.eye(2)) == "array([[1., 0.], [0., 1.]])" and checks.shown(Bad()) == "Bad"
    for value in (10 ** 5000, [10 ** 5000], "x" * 10 ** 6, np.zeros((100, 100))):
        assert len(checks.shown(value)) < 250 and "\n" not in checks.shown(value)


def test_missing_packages_are_asked_for_as_setup_does(monkeypatch):
    """By their own names: on PyPI, neural-style is another project."""
    setup = (Path(__file__).parents[1] / "setup.py").read_text(encoding="utf-8")
    assert all(f'"{requirement}"' in setup for requirement in extras.REQUIREMENTS.values())
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(extras.__file__).parent.glob("*.py"))
    asked = {*re.findall(r'\bload\("(\w+)", "', sources)}
    assert {"cv2", "av", "pymatting"} <= asked <= {*extras.REQUIREMENTS}
    monkeypatch.setattr(extras.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match='this needs OpenCV: pip install "opencv-python-headless>='):
        extras.load("cv2", "OpenCV", "masks")
