"""A grid of transfers over one or two arguments, on a contact sheet."""

import logging

import numpy as np

logger = logging.getLogger("neural_style")


def sweep(content, style, *, height=1.7, **settings):
    """Run transfer() over a grid of one or two of its arguments and draw the labelled contact
    sheet.

        sheet, results = sweep(photo, painting, style_weight=[5, 50, 500], size=256)

    Args:
        content, style: as for transfer().
        settings: transfer()'s arguments. One or two of them are lists of values to try (for
            style_layers, content_layers and masks a list of lists or dicts); the first goes down
            where there are two, else across.
        height: of a picture on the sheet, in inches.

    Returns:
        (Figure, results): results[i] for one list, results[i][j] for two. After Ctrl-C, the cells
        there are, with the best picture so far in the last. A cell without a picture is None in the
        results and blank on the sheet; an error is a warning.

    Raises:
        Exception: the last cell's, where all fail.
    """
    nested = ("style_layers", "content_layers", "masks")
    if isinstance(settings.get("callback"), list):
        settings["callback"] = tuple(settings["callback"])
    axes = {
        name: values
        for name, values in settings.items()
        if isinstance(values, list)
        and (name not in nested or (values and isinstance(values[0], (list, dict))))
    }
    if not 1 <= len(axes) <= 2 or not all(axes.values()):
        raise ValueError(
            "sweep needs one or two arguments that are lists of values, each with at least one. "
            f"Received lists for: {', '.join(axes) or 'none'}"
        )
    from ..optimize.status import INTERRUPTED
    from ..plotting import contact_sheet, pyplot
    from .transfer import transfer

    pyplot()  # if it is missing, say so now
    fixed = {
        "progress": False,
        **{name: value for name, value in settings.items() if name not in axes},
    }
    (down, rows), (across, columns) = [("", [None])] * (2 - len(axes)) + list(axes.items())
    results, made, interrupted, failure = [], 0, False, None
    for row in rows:
        results.append([])
        for column in columns:
            result = None
            try:
                result = transfer(
                    content, style, **fixed, **({down: row} if down else {}), **{across: column}
                )
                interrupted = result.message.startswith(INTERRUPTED)
            except KeyboardInterrupt:  # before this cell's first step
                if not made:
                    raise
                interrupted = True
            except Exception as error:
                failure, result = error, getattr(error, "result", None)
                cell = ", ".join(
                    f"{name}={value}" for name, value in ((down, row), (across, column)) if name
                )
                logger.warning("the cell %s failed: %s", cell, error)
            results[-1].append(result)
            made += result is not None
            if interrupted:
                break
        if interrupted:
            break
    if not made:
        raise failure
    blank = np.full((1, 1, 3), 255, "uint8")
    sheet = contact_sheet(
        [[blank if result is None else result for result in row] for row in results],
        [f"{down}={row}" for row in rows[: len(results)]] if down else None,
        [f"{across}={column}" for column in columns[: len(results[0])]],
        height=height,
    )
    return sheet, results if down else results[0]
