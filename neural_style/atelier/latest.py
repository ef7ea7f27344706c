"""A thread that does what was asked for last."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any


class Latest:
    """Does what was asked for last, in a thread of its own; what has not begun before is dropped.

    The thread lives as long as there is work.

    Args:
        work: A generator function of a request. It does a part of its work, yields the seconds
            that it waits before the next part, and so on. Where something else is asked for
            meanwhile, the rest is left undone. It may look at `waiting` within a part.
    """

    def __init__(self, work: Callable[[Any], Iterator[float]]) -> None:
        self._work = work
        self._change = threading.Condition()
        self._asked: list[Any] = []  # the request that waits, if there is one
        self._dropped = False
        self._thread: threading.Thread | None = None

    def ask(self, request: Any) -> None:
        """Do this next, in place of all that waits.

        Args:
            request: What `work` takes.
        """
        with self._change:
            self._asked, self._dropped = [request], False
            self._change.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()

    def drop(self) -> None:
        """Leave undone what waits, and the rest of what is being done."""
        with self._change:
            self._asked, self._dropped = [], True
            self._change.notify_all()

    @property
    def asked(self) -> bool:
        """Whether something else was asked for."""
        return bool(self._asked)

    @property
    def waiting(self) -> bool:
        """Whether what is being done should end here: drop() was called, or else ask()."""
        return self.asked or self._dropped

    @property
    def idle(self) -> bool:
        """Whether nothing is being done."""
        return self._thread is None

    def join(self, seconds: float | None = None) -> bool:
        """Wait until all is done.

        Args:
            seconds: The longest time; None: as long as it takes.

        Returns:
            Whether all is done.
        """
        with self._change:
            return self._change.wait_for(lambda: self._thread is None, seconds)

    def _run(self) -> None:
        while True:
            with self._change:
                if not self._asked:
                    self._thread = None
                    self._change.notify_all()
                    return
                request, self._asked = self._asked[0], []
            parts = self._work(request)
            for rest in parts:
                with self._change:
                    if self._change.wait_for(lambda: self.waiting, rest):
                        break
            parts.close()  # type: ignore[attr-defined]
