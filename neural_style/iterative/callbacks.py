"""Callbacks: what they must be, and those that come ready.

A callback is any function of an IntermediateResult. Raising StopIteration ends the run and keeps
the picture. Any other exception is a warning, and the run goes on. A callback that has a method
close() is told when the run is over, whatever ended it.
"""

from __future__ import annotations

import inspect
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from .._shared.checks import count, number
from .._shared.types import Path as PathLike
from ..images.save import save_image
from .checkpoint import Checkpoint
from .intermediate import IntermediateResult


@dataclass(frozen=True)
class SaveEvery:
    """Save the picture every few steps, as 00010.png and so on: frames of the run.

    Attributes:
        steps: How many steps lie between two pictures.
        folder: Where to; made where it is missing.
    """

    steps: int
    folder: PathLike
    only_looks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        count("steps", self.steps)
        Path(self.folder).mkdir(parents=True, exist_ok=True)

    def __call__(self, intermediate_result: IntermediateResult) -> None:
        if intermediate_result.step % self.steps == 0:
            path = Path(self.folder, f"{intermediate_result.step:05d}.png")
            save_image(intermediate_result.image, path)


@dataclass(frozen=True)
class StopWhen:
    """End the run where the last steps of the last stage hardly lowered the loss.

    Attributes:
        patience: How many steps.
        change: The part of the loss by which they must lower it, or the run ends.
    """

    patience: int = 10
    change: float = 0.01
    only_looks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        count("patience", self.patience)
        number("change", self.change, above=True)

    def __call__(self, intermediate_result: IntermediateResult) -> None:
        here = intermediate_result
        losses = here.history["total"][-min(self.patience + 1, here.done) :]
        if (
            here.stage == here.stages
            and len(losses) > self.patience
            and losses[0] - losses[-1] < self.change * losses[0]
        ):
            raise StopIteration


@dataclass(frozen=True)
class TimeLimit:
    """End the run after a time: as good a picture as it buys.

    Attributes:
        seconds: Of this call. What a run that is resumed took before does not count.
    """

    seconds: float
    only_looks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        number("seconds", self.seconds, above=True)

    def __call__(self, intermediate_result: IntermediateResult) -> None:
        if intermediate_result.elapsed >= self.seconds:
            raise StopIteration


def check_callbacks(
    callback: Any, checkpoint: Any, resume: Any
) -> tuple[list[Any], Checkpoint | None]:
    """([callback, ...], Checkpoint or None) of transfer()'s arguments.

    Args:
        callback: As for transfer().
        checkpoint: As for transfer().
        resume: As for transfer().

    Raises:
        TypeError, ValueError: What was expected and what came.
    """
    callbacks = list(callback) if isinstance(callback, (list, tuple)) else [callback]
    callbacks = [] if callback is None else callbacks
    for one in callbacks:
        if isinstance(one, Checkpoint):
            raise TypeError("a Checkpoint is given as checkpoint=, not among the callbacks")
        if not callable(one):
            raise TypeError(
                "callback must be a function or a list of functions. Received:"
                f" {type(one).__name__}"
            )
        _check_takes_one(one)
    if not isinstance(resume, (bool, np.bool_)):
        raise ValueError(f"resume must be True or False. Received: resume={resume!r}")
    if checkpoint is not None and not isinstance(checkpoint, Checkpoint):
        if not isinstance(checkpoint, (str, os.PathLike)):
            raise TypeError(
                f"checkpoint must be a path or a Checkpoint. Received: {type(checkpoint).__name__}"
            )
        checkpoint = Checkpoint(checkpoint)
    return callbacks, checkpoint


def _check_takes_one(callback: Any) -> None:
    try:
        signature = inspect.signature(callback, follow_wrapped=False)
    except (TypeError, ValueError):  # Python does not know a built-in function's
        return
    try:
        signature.bind(None)
    except TypeError as error:
        raise TypeError(
            "callback must take one argument, the intermediate result. Received:"
            f" {callback!r:.100}, {error}"
        ) from None
