"""The code that a studio shows: it is the call that makes the picture."""

import inspect

import numpy as np
import pytest
from PIL import Image

from neural_style import stylize, transfer
from neural_style.atelier.choice import STARTS, STYLE_WEIGHT, Choice
from neural_style.widgets.tray import Entry

PHOTO, A, B = (Entry(f"{name}.jpg", f"{name}.jpg") for name in ("photo", "a", "b"))


def called(code, functions, **names):
    """What the code calls: [(function, positional arguments, keyword arguments)]."""
    calls = []

    def recorder(name):
        def record(*given, **options):
            calls.append((name, given, options))
            return f"what {name} made"

        return record

    lines = [line for line in code.splitlines() if not line.startswith("from neural_style import")]
    exec("\n".join(lines), {**{name: recorder(name) for name in functions}, **names})
    return calls


def test_the_defaults_are_short():
    code = Choice(PHOTO, [(A, 1.0)]).code()
    assert code.splitlines() == [
        "from neural_style import stylize",
        "",
        'result = stylize("photo.jpg", "a.jpg", size=512)',
    ]


def test_all_that_is_set_is_in_the_code():
    choice = Choice(PHOTO, [(A, 0.7), (B, 0.3)], 0.8, 0.5, True, 384)
    [(_, given, options)] = called(choice.code(), ["stylize"])
    assert given == ("photo.jpg", [("a.jpg", 0.7), ("b.jpg", 0.3)])
    assert options == {
        "size": 384,
        "strength": 0.8,
        "style_scale": 0.5,
        "preserve_color": "luminance",
    }


def test_refined_from_this_picture():
    choice = Choice(PHOTO, [(A, 1.0)], strength=0.5)
    one, two = called(choice.code(steps=7, refined=True), ["stylize", "transfer"])
    assert one == ("stylize", ("photo.jpg", "a.jpg"), {"size": 512, "strength": 0.5})
    assert two[2] == {
        "size": 512,
        "start_size": None,
        "steps": 7,
        "style_weight": STYLE_WEIGHT / 2,
        "init": "what stylize made",
    }


def test_refined_from_noise():
    choice = Choice(PHOTO, [(A, 1.0)], start=STARTS[1], seed=3)
    [(name, _, options)] = called(choice.code(refined=True), ["transfer"])
    assert name == "transfer" and options == {"size": 512, "seed": 3, "init": "noise"}


def test_pictures_without_a_path():
    dropped = Entry(Image.new("RGB", (4, 4)), "my dog.jpg", dropped=True)
    array = Entry(np.zeros((4, 4, 3), "uint8"), "painting 1")
    code = Choice(dropped, [(array, 1.0)]).code()
    assert "# my dog.jpg was dropped in: put the file beside the notebook" in code
    [(_, given, _)] = called(code, ["stylize"], painting_1="the array")
    assert given == ("my dog.jpg", "the array")


@pytest.mark.parametrize("path", ['a"b.jpg', "C:\\new\\a.jpg", "a'b.jpg", "a\"'b\\c.jpg"])
def test_a_path_of_any_letters(path):
    [(_, given, _)] = called(Choice(PHOTO, [(Entry(path, path), 1.0)]).code(), ["stylize"])
    assert given[1] == path


def test_its_arguments_are_those_of_the_functions():

    choice = Choice(PHOTO, [(A, 1.0)], 0.5, 0.5, True, 384, STARTS[1], 3)
    assert {*choice.one_pass} <= {*inspect.signature(stylize).parameters}
    assert {*choice.refined(3)} <= {*inspect.signature(transfer).parameters}
    assert inspect.signature(transfer).parameters["style_weight"].default == STYLE_WEIGHT
