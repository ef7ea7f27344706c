"""Why an optimization ended."""

from dataclasses import dataclass
from enum import Enum


class Status(Enum):
    """Why a run ended.

    DONE: All steps were made. CONVERGED: No lower loss was to be found. STOPPED: A callback raised
    StopIteration. INTERRUPTED: Ctrl-C. FAILED: An exception ended the run.
    """

    DONE = "done"
    CONVERGED = "converged"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    FAILED = "failed"

    @property
    def early(self) -> bool:
        """Whether the run is over before its last stage."""
        return self in (Status.STOPPED, Status.INTERRUPTED, Status.FAILED)


@dataclass(frozen=True)
class Outcome:
    """How an optimization ended.

    Attributes:
        status: A Status, for programs.
        message: A line, for people.
    """

    status: Status
    message: str


DONE = Outcome(Status.DONE, "all steps done")
STOPPED = Outcome(Status.STOPPED, "stopped by the callback")
INTERRUPTED = Outcome(Status.INTERRUPTED, "interrupted")
