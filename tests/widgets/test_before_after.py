"""The before/after view: what the page gets, and what is shown where no kernel runs."""

import io

import numpy as np
import pytest
from helpers import picture
from PIL import Image

from neural_style import widgets
from neural_style._shared import optional

pytest.importorskip("anywidget")
BEFORE, AFTER = picture(30, 40, 1), picture(60, 80, 2)


def opened(data):
    return np.asarray(Image.open(io.BytesIO(data)), int)


def test_both_pictures_go_to_the_page_in_one_size():
    view = widgets.BeforeAfter(
        BEFORE, AFTER, ("the photo", "the painting"), width=300, position=0.3
    )
    assert opened(view.before).shape == opened(view.after).shape == (60, 80, 3)
    assert np.abs(opened(view.after) - AFTER).mean() < 8  # a JPEG of noise
    state = view.get_state()
    assert (state["before_label"], state["after_label"]) == ("the photo", "the painting")
    assert (state["width"], state["position"]) == (300, 0.3)
    for name in ("position", "before_label", "after_label", "width"):
        assert f'"{name}"' in state["_esm"] or f"change:{name}" in state["_esm"]
    assert "ns-before-after" in state["_esm"] and "ns-before-after" in state["_css"]


def test_a_result_a_path_and_a_picture_will_do(tmp_path):
    class Result:
        image = Image.fromarray(AFTER)

    Image.fromarray(BEFORE).save(tmp_path / "before.png")
    view = widgets.BeforeAfter(tmp_path / "before.png", Result())
    other = widgets.BeforeAfter(Image.fromarray(BEFORE), AFTER)
    assert (view.before, view.after) == (other.before, other.after)


def test_without_a_kernel_there_are_both_halves():
    view = widgets.BeforeAfter(np.zeros((40, 80, 3), "uint8"), np.full((40, 80, 3), 255, "uint8"))
    data, _ = view._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    still = opened(data["image/jpeg"])
    assert still.shape == (40, 80, 3)
    assert still[:, :36].max() < 10 and still[:, 44:].min() > 245
    view.position = 1.0
    assert np.asarray(view.halves()).max() < 10


def test_show_changes_the_pictures_and_not_the_divider():
    view = widgets.BeforeAfter(BEFORE, AFTER, position=0.8)
    first = view.before
    view.show(AFTER, BEFORE)
    assert view.before != first and opened(view.before).shape == (30, 40, 3)
    assert view.position == 0.8


@pytest.mark.parametrize(
    "arguments,error,words",
    [
        ({"position": 1.5}, ValueError, "position must be"),
        ({"position": float("nan")}, ValueError, "position must be"),
        ({"width": 0}, ValueError, "width must be"),
        ({"labels": ("one",)}, ValueError, "labels must be two texts"),
        ({"labels": (1, 2)}, ValueError, "labels must be two texts"),
        ({"before": "missing.png"}, FileNotFoundError, "missing.png"),
        ({"after": 3}, TypeError, "Received"),
    ],
)
def test_bad_input(arguments, error, words):
    arguments = {"before": BEFORE, "after": AFTER, **arguments}
    with pytest.raises(error, match=words):
        widgets.BeforeAfter(**arguments)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(optional.importlib.util, "find_spec", lambda module: None)
    with pytest.raises(ImportError, match='pip install "anywidget'):
        optional.load("anywidget")
