"""What transfer() does after its last stage: the picture in its colors, its record, the result."""

from __future__ import annotations

import numpy as np
from PIL import Image

from ..images.color_modes import color_mode
from ..images.resize import resize, resize_pixels
from ..optimize.status import Outcome
from .prepare import Run
from .result import TransferResult
from .stage import Picture


def finish(
    run: Run,
    picture: Picture,
    outcome: Outcome,
    history: dict[str, list[float]],
    borders: list[int],
    seconds: float,
) -> TransferResult:
    """The result of a run.

    A run that was stopped at a coarse stage has a smaller picture: it is enlarged.

    Args:
        run: The run.
        picture: Its last picture.
        outcome: How it ended.
        history: {"total" and each term: the weighted loss after each step}.
        borders: The numbers of steps after which another size began.
        seconds: How long it took.
    """
    size = run.inputs.full.shape[1], run.inputs.full.shape[0]
    image, pixels = resize(picture.image, size), resize_pixels(picture.pixels, size)
    mode, colors = color_mode(run.settings.preserve_color), run.inputs.colors
    if mode is not None and colors is not None:
        image = Image.fromarray(mode.result(np.asarray(image), colors))
        pixels = mode.result(pixels, colors)
    if run.inputs.alpha is not None:
        image, pixels = image.copy(), np.dstack([pixels, run.inputs.alpha]).astype("float32")
        image.putalpha(Image.fromarray(run.inputs.alpha))
    ended = {"seconds": seconds, "message": outcome.message, "steps": len(history["total"])}
    return TransferResult(
        image,
        history,
        outcome.message,
        seconds,
        run.settings.as_dict(),
        {**run.record, **ended},
        pixels,
        outcome.status,
        tuple(borders),
    )
