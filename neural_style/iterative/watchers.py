"""The callbacks of a run, called so that one that fails takes nothing else with it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from .intermediate import IntermediateResult

logger = logging.getLogger("neural_style")


class Watchers:
    """Calls several callbacks after each step.

    A callback that fails takes neither the run nor the others with it: its first failure is a
    warning, and the last one tells how many there were. Each callback gets an IntermediateResult of
    its own. Those of this library change nothing, have `only_looks`, and share one.

    Args:
        callbacks: Functions of an IntermediateResult.
    """

    def __init__(self, callbacks: Sequence[Any]) -> None:
        self._callbacks = callbacks
        self._failures: dict[int, int] = {}

    def __call__(self, here: IntermediateResult) -> None:
        for callback in self._callbacks:
            try:
                callback(here if getattr(callback, "only_looks", False) else here.of_its_own())
            except StopIteration:
                raise
            except Exception as error:
                self._failed(callback, here.step, error)

    def _failed(self, callback: Any, step: int, error: Exception) -> None:
        self._failures[id(callback)] = self._failures.get(id(callback), 0) + 1
        if self._failures[id(callback)] == 1:
            logger.warning(
                "after step %d, %s failed, and the run goes on: %r", step, _name(callback), error
            )

    def close(self, interrupted: bool) -> None:
        """Tell the callbacks that the run is over.

        One that fails then takes neither the others nor the result with it, and neither does a
        Ctrl-C. But after a first Ctrl-C ended the run, this is the second one, and stops hard.

        Args:
            interrupted: Whether a first Ctrl-C ended the run.
        """
        for callback in self._callbacks:
            failures = self._failures.get(id(callback), 0)
            if failures > 1:
                logger.warning("%s failed after %d steps", _name(callback), failures)
            try:
                getattr(callback, "close", lambda: None)()
            except (Exception, KeyboardInterrupt) as error:
                if interrupted and isinstance(error, KeyboardInterrupt):
                    raise
                interrupted = interrupted or isinstance(error, KeyboardInterrupt)
                logger.warning(
                    "at the end of the run, %s failed: %s",
                    _name(callback),
                    str(error) or type(error).__name__,
                )


def _name(callback: Any) -> str:
    return getattr(callback, "__qualname__", type(callback).__name__)
