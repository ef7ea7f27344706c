"""Plot loss curves and show pictures side by side, with matplotlib (extra `notebooks`)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from ._shared.optional import load
from .images.load import load_image


def plot_losses(history: Mapping[str, Sequence[float]], borders: Sequence[int] = ()) -> Any:
    """Plot each weighted loss term over the steps, on a logarithmic scale.

    Args:
        history: a TransferResult's history: {name of the term: its value at each step}.
        borders: a TransferResult's borders: a dashed line after each of these steps.

    Returns:
        A matplotlib Figure; a notebook shows it.

    Raises:
        ImportError: matplotlib is missing; the message names the command that installs it.
    """
    figure, axes = pyplot().subplots(figsize=(7, 3), layout="constrained")
    _curves(axes, history, borders)
    return _closed(figure)


def compare(
    pictures: Iterable[Any],
    captions: Iterable[str] | None = None,
    height: float = 3.0,
    slider: bool = False,
) -> Any:
    """Show pictures side by side at one height, or two in one place with a divider.

    Args:
        pictures: paths, PIL.Images, arrays or TransferResults.
        captions: a text for each picture.
        height: the height of the pictures, in inches.
        slider: show two pictures as a BeforeAfter (extra `widgets`), whose divider moves.

    Returns:
        A matplotlib Figure, or a BeforeAfter; a notebook shows it.

    Raises:
        ValueError: there is no picture, the number of captions differs from that of pictures, or a
            slider is to stand between other than two.
        ImportError: matplotlib or anywidget is missing; the message names the command that installs
            it.
    """
    if slider:
        return _with_slider([*pictures], captions)
    images = [_shown(picture) for picture in pictures]
    captions = [""] * len(images) if captions is None else list(captions)
    if not images or len(captions) != len(images):
        raise ValueError(
            "compare needs at least one picture and a caption for each. "
            f"Received: {len(images)} pictures, {len(captions)} captions"
        )
    ratios = [image.shape[1] / image.shape[0] for image in images]
    figure, axes = pyplot().subplots(
        1,
        len(images),
        figsize=(height * sum(ratios), height + 0.3),
        squeeze=False,
        width_ratios=ratios,
        layout="constrained",
    )
    for axis, image, caption in zip(axes[0], images, captions):
        axis.imshow(image)
        axis.set_title(caption, fontsize=10)
        axis.axis("off")
    return _closed(figure)


def _with_slider(pictures: Sequence[Any], captions: Iterable[str] | None) -> Any:
    """Two pictures as a BeforeAfter."""
    from .widgets.before_after import BeforeAfter

    labels = ["before", "after"] if captions is None else [*captions]
    if len(pictures) != 2 or len(labels) != 2:
        raise ValueError(
            "compare with a slider needs two pictures and a caption for each. "
            f"Received: {len(pictures)} pictures, {len(labels)} captions"
        )
    return BeforeAfter(pictures[0], pictures[1], (labels[0], labels[1]))


def contact_sheet(
    grid: Iterable[Iterable[Any]],
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    captions: Sequence[str] | None = None,
    height: float = 1.7,
) -> Any:
    """Show rows of pictures as a grid, with labels.

    Args:
        grid: a list of rows of pictures (as for compare). All rows have the same length, but the
            last row may be shorter.
        rows: a label for each row.
        columns: a label for each column.
        captions: a label for each picture, in reading order.
        height: the height of a picture, in inches.

    Returns:
        A matplotlib Figure; a notebook shows it.

    Raises:
        ValueError: there is no picture, the rows' lengths differ, or the number of labels is wrong.
        ImportError: matplotlib is missing; the message names the command that installs it.
    """
    images = [[_shown(picture) for picture in row] for row in grid]
    count = sum(map(len, images))
    if (
        not count
        or any(len(row) != len(images[0]) for row in images[:-1])
        or len(images[-1]) > len(images[0])
    ):
        raise ValueError(
            "grid must be a list of rows of pictures, all of one length but the last, which may be"
            f" shorter. Received: rows of {[len(row) for row in images]}"
        )
    for name, labels, expected in (
        ("rows", rows, len(images)),
        ("columns", columns, len(images[0])),
        ("captions", captions, count),
    ):
        if labels is not None and len(labels) != expected:
            raise ValueError(f"{name} must have {expected} labels. Received: {len(labels)}")
    ratio = max(image.shape[1] / image.shape[0] for row in images for image in row)
    figure, axes = pyplot().subplots(
        len(images),
        len(images[0]),
        squeeze=False,
        layout="constrained",
        figsize=(height * ratio * len(images[0]), (height + 0.2) * len(images)),
    )
    for i, axis in enumerate(axes.ravel()):
        row, column = divmod(i, len(images[0]))
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
        if i >= count:
            continue
        axis.imshow(images[row][column])
        title = [
            labels[j]
            for labels, j in ((columns if row == 0 else None, column), (captions, i))
            if labels is not None
        ]
        axis.set_title("\n".join(title), fontsize=9)
        if column == 0 and rows is not None:
            axis.set_ylabel(rows[row], fontsize=9)
    return _closed(figure)


def preview(
    image: Image.Image | np.ndarray,
    history: Mapping[str, Sequence[float]],
    caption: str,
    borders: Sequence[int] = (),
) -> Any:
    """Show the unfinished picture beside its loss curves. LivePreview redraws this during a run.

    Args:
        image: the picture so far.
        history: {name of the loss term: its value at each step}.
        caption: the text above both.
        borders: the steps after which another size began.

    Returns:
        A matplotlib Figure.
    """
    figure, (left, right) = pyplot().subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    left.imshow(image)
    left.axis("off")
    _curves(right, history, borders)
    figure.suptitle(caption, fontsize=9)
    return _closed(figure)


def _shown(picture: Any) -> np.ndarray:
    """Load a picture, or take the picture of a TransferResult."""
    return load_image(getattr(picture, "image", picture))


def _curves(axes: Any, history: Mapping[str, Sequence[float]], borders: Sequence[int]) -> None:
    """Draw the loss curves on matplotlib's axes, and their legend beside them."""
    for name, values in history.items():
        axes.plot(
            range(1, len(values) + 1), values, label=name, linewidth=2 if name == "total" else 1
        )
    for number, border in enumerate(borders):
        label = "" if number else "another size"
        axes.axvline(border + 0.5, color="gray", linestyle="--", linewidth=1, label=label)
    axes.set(xlabel="step", ylabel="weighted loss", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))


def pyplot() -> Any:
    """Import matplotlib.pyplot, or raise an ImportError that names the command to install it."""
    load("matplotlib")
    import matplotlib.pyplot

    return matplotlib.pyplot


def _closed(figure: Any) -> Any:
    """Close a figure, which pyplot would show a second time at the end of a notebook cell."""
    pyplot().close(figure)
    return figure
