"""A line search for the strong Wolfe conditions, in numbers alone."""

import math
from typing import NamedTuple

#: The loss must fall by this part of what the first slope promises, and the slope flatten to this
#: part of the first one: SciPy's numbers for L-BFGS-B.
DECREASE, CURVATURE = 1e-3, 0.9

#: Evaluations before a search gives up, as in SciPy.
MOST = 20

#: A step that is not long enough is made at least and at most so many times as long.
LONGER = (1.1, 4.0)

#: A new step keeps this part of the bracket away from its ends.
MARGIN = 0.05

#: A bracket that shrinks to no less than this part is halved next.
SHRINK = 0.66


class Trial(NamedTuple):
    """What is known of one step.

    Attributes:
        step: Its length, in directions.
        value: The loss there.
        slope: The loss's derivative along the direction there.
    """

    step: float
    value: float
    slope: float


class LineSearch:
    """Search for a step along a direction (Nocedal and Wright 2006, algorithms 3.5 and 3.6).

        value(step) <= value(0) + DECREASE step slope(0)
        |slope(step)| <= CURVATURE |slope(0)|

    It goes further until the minimum lies between two steps, then tries the minimum of the cubic
    through their values and slopes, and halves the bracket where that converges slowly.

    Args:
        value: The loss at step 0.
        slope: The derivative at step 0, below 0.
        step: The first step to try.

    Attributes:
        step: The next step to try.
        found: Whether the last step that was tried is good.
        failed: Whether the search gave up.
    """

    def __init__(self, value: float, slope: float, step: float) -> None:
        self.step = step
        self.found = self.failed = False
        self._start = Trial(0.0, value, slope)
        self._before = self._low = self._start
        self._high: Trial | None = None
        self._width = math.inf
        self._left = MOST

    def take(self, value: float, slope: float) -> None:
        """Take value and slope at `step`, and choose the next one.

        Args:
            value: The loss; where it is not finite, the step is too long.
            slope: Its derivative.
        """
        trial, start, low = Trial(self.step, value, slope), self._start, self._low
        falls = value <= start.value + DECREASE * trial.step * start.slope
        if falls and abs(slope) <= CURVATURE * abs(start.slope):
            self.found = True
            return
        self._left -= 1
        if not falls or value >= low.value:
            self._high = trial
        else:
            ahead = math.inf if self._high is None else self._high.step - low.step
            if slope * ahead >= 0:
                self._high = low
            self._before, self._low = low, trial
        self.step = self._further() if self._high is None else self._between(self._high)
        self.failed = self._left == 0 or self.step in (self._low.step, trial.step)

    def _further(self) -> float:
        """A longer step: the minimum is not passed yet."""
        before, low = self._before, self._low
        least, most = (low.step + factor * (low.step - before.step) for factor in LONGER)
        lowest = _lowest(before, low)
        return most if lowest is None or lowest <= low.step else min(max(lowest, least), most)

    def _between(self, high: Trial) -> float:
        """A step between the two that enclose the minimum."""
        low = self._low
        left, right = sorted((low.step, high.step))
        width = right - left
        lowest = _lowest(low, high) if math.isfinite(high.value + high.slope) else None
        if not math.isfinite(high.value + high.slope):
            lowest = low.step + (high.step - low.step) / 10
        elif lowest is None or not left < lowest < right or width > SHRINK * self._width:
            lowest = (left + right) / 2
        self._width = width
        return min(max(lowest, left + MARGIN * width), right - MARGIN * width)


def _lowest(a: Trial, b: Trial) -> float | None:
    """Where the cubic with these values and slopes is lowest; None where it has no minimum."""
    mean = a.slope + b.slope - 3 * (a.value - b.value) / (a.step - b.step)
    square = mean * mean - a.slope * b.slope
    if not square >= 0:
        return None
    root = math.copysign(math.sqrt(square), b.step - a.step)
    bottom = b.slope - a.slope + 2 * root
    return b.step - (b.step - a.step) * (b.slope + root - mean) / bottom if bottom else None
