"""What happens after each step: callbacks in SciPy's way, callback(intermediate_result), and those
that come ready.

A callback is any function of an IntermediateResult; raising StopIteration ends the run and keeps
the picture. Whatever else it raises is a warning, and the run goes on. One that has a method
close() is told when the run is over, whatever ended it.
"""

from dataclasses import dataclass
from pathlib import Path

from .._shared.checks import count, number
from ..images.save import save_image


@dataclass(frozen=True)
class SaveEvery:
    """Save the picture every `steps` steps into `folder`, as 00010.png: frames of the run."""

    steps: int
    folder: str
    only_looks = True

    def __post_init__(self):
        count("steps", self.steps)
        Path(self.folder).mkdir(parents=True, exist_ok=True)

    def __call__(self, intermediate_result):
        if intermediate_result.step % self.steps == 0:
            save_image(
                intermediate_result.image, Path(self.folder, f"{intermediate_result.step:05d}.png")
            )


@dataclass(frozen=True)
class StopWhen:
    """End the run where the last `patience` steps of the last stage lowered the loss by less than
    `change` of it.
    """

    patience: int = 10
    change: float = 0.01
    only_looks = True

    def __post_init__(self):
        count("patience", self.patience)
        number("change", self.change, above=True)

    def __call__(self, intermediate_result):
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
    """End the run after so many seconds of this call: as good a picture as they buy. What a resumed
    run had taken before does not count.
    """

    seconds: float
    only_looks = True

    def __post_init__(self):
        number("seconds", self.seconds, above=True)

    def __call__(self, intermediate_result):
        if intermediate_result.elapsed >= self.seconds:
            raise StopIteration
