"""What a callback is told after each step."""

from __future__ import annotations

import numpy as np

from ..optimize.objective import Here
from ..vgg.preprocessing import deprocess


class IntermediateResult(Here):
    """Where a run stands: SciPy's .x and .fun, and more.

    Attributes:
        x: The pixels as a flat vector, a copy; read from the device when it is asked for.
        fun: The loss.
        image: The picture so far, H x W x 3, uint8 RGB; made when it is asked for.
        shape: The shape of x, 1 x H x W x 3.
        step: Steps done in the whole run.
        steps: Steps of the whole run.
        stage: Which size, from 1.
        stages: The number of sizes.
        before: The picture that the stage before left, uint8 RGB, or None.
        done: Steps done at this size.
        terms: The weighted loss terms now.
        history: The weighted loss terms after each step.
        borders: The numbers of steps after which another size began.
        seconds: Since the start of the run.
        left: About how many seconds are left.
        elapsed: Seconds since this call began: less than `seconds` in a run that was resumed.
    """

    @property
    def image(self) -> np.ndarray:
        return deprocess(self.x, self.shape)

    def of_its_own(self) -> IntermediateResult:
        """A copy that shares nothing that can be changed."""
        history = {name: [*values] for name, values in self.history.items()}
        own = {name: value for name, value in self.items() if name != "memory"}
        return IntermediateResult(
            {
                **own,
                "x": self.x.copy(),
                "terms": dict(self.terms),
                "history": history,
                "borders": [*self.borders],
            }
        )
