"""Parameters read from source text, held against what Python itself says of the same functions."""

import ast
import importlib
import inspect
import subprocess
import sys
import textwrap

import pytest

from neural_style.cli import signatures
from neural_style.cli.signatures import MISSING, constant, definition, entries, parameters

FUNCTIONS = [
    ("iterative.transfer", "transfer"),
    ("feedforward.training", "train_transform_net"),
    ("feedforward.stylize", "stylize"),
    ("video.film", "stylize_video"),
    ("video.camera", "stylize_camera"),
    ("images.matting", "estimate_alpha"),
    ("images.matting", "trimap_from_mask"),
    ("vgg.weights", "vgg_weights"),
]


@pytest.mark.parametrize("module,function", FUNCTIONS)
def test_names_and_defaults_are_those_that_python_sees(module, function):
    found = inspect.signature(getattr(importlib.import_module(f"neural_style.{module}"), function))
    expected = {
        name: parameter.default
        for name, parameter in found.parameters.items()
        if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    }
    read = {name: parameter.default for name, parameter in parameters(module, function).items()}
    assert read == expected and [*read] == [*expected]


def test_nothing_is_imported_for_it():
    program = (
        "import sys; from neural_style.cli.main import command_parser; command_parser();"
        "print([name for name in ('keras', 'tensorflow', 'numpy', 'PIL', 'scipy')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n", done


def test_constants_and_aliases_are_found_where_they_are_imported_from(tmp_path, monkeypatch):
    """Through a package's stub, under another name, and under `if TYPE_CHECKING:`."""
    files = {
        "rooms/__init__.pyi": "from .deep import SIDES as SIDES\n",
        "rooms/deep.py": "SIDES: tuple[int, ...] = (1, 2)\nHow = str | None\nMADE = tuple([1])\n",
        "use.py": (
            "from typing import TYPE_CHECKING\n"
            "from .rooms import SIDES as SOME\n"
            "from elsewhere import OTHER\n"
            "if TYPE_CHECKING:\n"
            "    from .rooms.deep import How, MADE\n"
            "def paint(a, /, b: How, *rest, c=SOME, d=MADE, e=OTHER, f=-1e-5, **more): ...\n"
        ),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(signatures, "PACKAGE", tmp_path)
    parameters.cache_clear()
    found = parameters("use", "paint")
    assert {name: parameter.default for name, parameter in found.items()} == {
        "a": MISSING,
        "b": MISSING,
        "c": (1, 2),
        "d": MISSING,
        "e": MISSING,
        "f": -1e-5,
    }
    node, file = definition("How", tmp_path / "use.py")
    assert (ast.unparse(node), file) == ("str | None", tmp_path / "rooms" / "deep.py")
    assert constant("use", "SOME") == (1, 2) and constant("use", "OTHER") is MISSING
    with pytest.raises(LookupError, match=r"use\.py must define draw\(\)"):
        parameters("use", "draw")
    parameters.cache_clear()


def test_entries_of_a_docstring():
    docstring = textwrap.dedent(
        """\
        Paint a picture.

            Args: not those.

        Args:
            size: Longer side, in pixels.
            steps (int): Steps at `size`. None:
                25,600 / side:
                at each.

                And more.
            width, height: Both sides.
            **options: The rest.

        Returns:
            result: Not a parameter.
        """
    )
    expected = {
        "size": "Longer side, in pixels.",
        "steps": "Steps at `size`. None: 25,600 / side: at each. And more.",
        "width": "Both sides.",
        "height": "Both sides.",
        "options": "The rest.",
    }
    assert entries(docstring) == expected
    assert entries("One line.") == entries("") == {}
