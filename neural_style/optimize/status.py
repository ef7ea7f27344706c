"""Why an optimization ended."""

INTERRUPTED = "interrupted"


STOPPED = "stopped by the callback"
