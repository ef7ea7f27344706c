import matplotlib
import matplotlib.figure
import pytest
from helpers import picture
from PIL import Image

from neural_style import TransferResult, compare, contact_sheet, plotting

matplotlib.use("Agg")


def test_the_curves_are_the_history():
    history = {"total": [3.0, 2.0, 1.5], "style": [2.0, 1.0, 0.5]}
    result = TransferResult(Image.new("RGB", (4, 4)), history, "done", 1.0, {})
    figure = result.plot()
    assert isinstance(figure, matplotlib.figure.Figure)
    lines = {line.get_label(): list(line.get_ydata()) for line in figure.axes[0].lines}
    assert lines == history and figure.axes[0].get_yscale() == "log"
    assert not matplotlib.pyplot.get_fignums()  # a notebook must not show it twice


def test_borders_are_drawn_and_the_legend_is_off_the_curves():
    history = {"total": [3.0, 2.0, 1.5, 1.0], "style": [2.0, 1.0, 0.5, 0.4]}
    result = TransferResult(Image.new("RGB", (4, 4)), history, "", 1.0, {}, borders=(1, 3))
    figure = result.plot()
    [axes] = figure.axes
    vertical = [line.get_xdata() for line in axes.lines if len(line.get_ydata()) == 2]
    assert vertical == [[1.5, 1.5], [3.5, 3.5]]  # between the last step and the first
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["total", "style", "another size"]
    figure.canvas.draw()
    assert axes.get_legend().get_window_extent().x0 >= axes.get_window_extent().x1


def test_compare_shows_each_picture_with_its_caption(tmp_path):
    Image.fromarray(picture(20, 30)).save(tmp_path / "a.png")
    result = TransferResult(Image.new("RGB", (9, 4)), {}, "done", 1.0, {})
    figure = compare([tmp_path / "a.png", picture(10, 10), result], ["one", "two", "three"])
    assert [axis.get_title() for axis in figure.axes] == ["one", "two", "three"]
    assert [axis.images[0].get_array().shape[:2] for axis in figure.axes] == [
        (20, 30),
        (10, 10),
        (4, 9),
    ]
    with pytest.raises(ValueError, match="1 pictures, 2 captions"):
        compare([picture(4, 4)], ["one", "two"])


def test_two_pictures_with_a_slider():
    widgets = pytest.importorskip("neural_style.widgets.before_after", exc_type=ImportError)
    before, after = picture(20, 30, 1), picture(20, 30, 2)
    view = compare([before, after], ["photo", "painted"], slider=True)
    assert (view.before_label, view.after_label) == ("photo", "painted")
    assert view.before == widgets.BeforeAfter(before, after).before
    result = TransferResult(Image.fromarray(after), {}, "", 0.0, {})
    assert result.before_after(before).after == view.after
    for pictures, captions in ([before], None), ([before, after], ["one"]):
        with pytest.raises(ValueError, match="slider needs two pictures"):
            compare(pictures, captions, slider=True)


def test_contact_sheet_labels_rows_columns_and_pictures():
    grid = [
        [picture(8, 12, seed) for seed in range(3)],
        [picture(8, 12), TransferResult(Image.new("RGB", (12, 8)), {}, "", 1.0, {})],
    ]
    figure = contact_sheet(
        grid, rows=["a", "b"], columns=["x", "y", "z"], captions=["1", "2", "3", "4", "5"]
    )
    assert [axis.get_title() for axis in figure.axes] == ["x\n1", "y\n2", "z\n3", "4", "5", ""]
    assert [axis.get_ylabel() for axis in figure.axes] == ["a", "", "", "b", "", ""]
    assert [len(axis.images) for axis in figure.axes] == [1, 1, 1, 1, 1, 0]
    assert (figure.axes[2].images[0].get_array() == grid[0][2]).all()
    for bad, words in [
        ({"grid": []}, "Received: rows of"),
        ({"grid": [grid[0][:1], grid[1]]}, r"rows of \[1, 2\]"),
        ({"grid": grid, "rows": ["a"]}, "rows must have 2"),
        ({"grid": grid, "captions": "abc"}, "must have 5"),
    ]:
        with pytest.raises(ValueError, match=words):
            contact_sheet(**bad)


def test_a_missing_matplotlib_names_the_extra(monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match='pip install "matplotlib>=3.8"$'):
        plotting.plot_losses({"total": [1.0]})
