"""A grid of transfers over one or two arguments, on a contact sheet."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..optimize.status import Status
from ..plotting import contact_sheet, pyplot
from .result import TransferResult
from .transfer import transfer

logger = logging.getLogger("neural_style")

#: Arguments whose single value may be a list already.
NESTED = ("style_layers", "content_layers", "masks", "terms")


def sweep(
    content: Any, style: Any, *, height: float = 1.7, **settings: Any
) -> tuple[Any, list[Any]]:
    """Run transfer() over a grid of one or two of its arguments, and draw the contact sheet.

        sheet, results = sweep(photo, painting, style_weight=[5, 50, 500], size=256)

    Args:
        content: As for transfer().
        style: As for transfer().
        height: Of a picture on the sheet, in inches.
        settings: transfer()'s arguments. One or two of them are lists of values to try (for
            style_layers, content_layers, masks and terms a list of lists or dicts). Of two, the
            first goes down; one goes across.

    Returns:
        (Figure, results): `results[i]` for one list, `results[i][j]` for two. After Ctrl-C, the
        cells there are, with the best picture so far in the last. A cell without a picture is None
        in the results and blank on the sheet; an error is a warning.

    Raises:
        ValueError: No argument, or more than two, are lists.
        Exception: The last cell's, where all fail.
    """
    if isinstance(settings.get("callback"), list):
        settings["callback"] = tuple(settings["callback"])
    axes = {name: values for name, values in settings.items() if _is_axis(name, values)}
    if not 1 <= len(axes) <= 2 or not all(axes.values()):
        raise ValueError(
            "sweep needs one or two arguments that are lists of values, each with at least one. "
            f"Received lists for: {', '.join(axes) or 'none'}"
        )
    pyplot()  # if it is missing, say so now
    fixed = {name: value for name, value in settings.items() if name not in axes}
    (down, rows), (across, columns) = [("", [None])] * (2 - len(axes)) + list(axes.items())
    cells = [
        [{**({down: row} if down else {}), across: column} for column in columns] for row in rows
    ]
    results = _painted(content, style, {"progress": False, **fixed}, cells)
    blank = np.full((1, 1, 3), 255, "uint8")
    sheet = contact_sheet(
        [[blank if result is None else result for result in row] for row in results],
        [f"{down}={row}" for row in rows[: len(results)]] if down else None,
        [f"{across}={column}" for column in columns[: len(results[0])]],
        height=height,
    )
    return sheet, results if down else results[0]


def _is_axis(name: str, values: Any) -> bool:
    """Whether an argument is a list of values to try."""
    if not isinstance(values, list):
        return False
    return name not in NESTED or bool(values and isinstance(values[0], (list, dict)))


def _painted(
    content: Any, style: Any, fixed: dict[str, Any], cells: Sequence[Sequence[dict[str, Any]]]
) -> list[list[TransferResult | None]]:
    """The results of the cells, row by row, up to an interrupt."""
    results: list[list[TransferResult | None]] = []
    failure: Exception | None = None
    made = 0
    for row in cells:
        results.append([])
        for settings in row:
            result, interrupted = None, False
            try:
                result = transfer(content, style, **fixed, **settings)
                interrupted = result.status is Status.INTERRUPTED
            except KeyboardInterrupt:  # before this cell's first step
                if not made:
                    raise
                interrupted = True
            except Exception as error:
                failure, result = error, getattr(error, "result", None)
                cell = ", ".join(f"{name}={value}" for name, value in settings.items())
                logger.warning("the cell %s failed: %s", cell, error)
            results[-1].append(result)
            made += result is not None
            if interrupted:
                return results
    if failure is not None and not made:
        raise failure
    return results
