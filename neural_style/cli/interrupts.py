"""Ctrl-C and SIGTERM in the command line: the picture so far or one line, never a traceback.

A script or a notebook has Python's own KeyboardInterrupt, which transfer() and the others handle.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

STARTING, WORKING, STEPPING, SAVING = range(4)


class Interrupts:
    """What an interrupt does depends on the phase of the program:

        STARTING    libraries are loading: the process ends at once, with a line
        WORKING     KeyboardInterrupt, where the program is; each command keeps what it has so far
        STEPPING    steps are made: KeyboardInterrupt at the end of this step, from check()
        SAVING      the interrupt is remembered, and the file that is being written is completed

    A second interrupt ends the process at once, in each phase, also while a library computes and
    Python's handlers have to wait. Where the process was started with SIGINT ignored (in the
    background, by nohup), SIGINT stays ignored.

    Args:
        last: True if the process ends after this: interrupts are ignored from then on. If False, no
            interrupt ends the process: at the start, and the second time, an interrupt raises
            KeyboardInterrupt, and the handlers of before are set back at the end.

    Attributes:
        phase: One of the four phases.
        received: The number of the first signal; None before there was one.
    """

    #: As a callback of transfer(), it does not change the intermediate result, so it needs no copy.
    only_looks = True

    def __init__(self, last: bool = False) -> None:
        self.phase = STARTING
        self.received: int | None = None
        self._last = last
        self._before: dict[int, Any] = {}
        self._unraisable: Callable[[sys.UnraisableHookArgs], Any] = sys.unraisablehook
        self._excepthook: Callable[..., Any] = sys.excepthook
        self._stderr = -1
        self._told: socket.socket | None = None

    def __enter__(self) -> "Interrupts":
        """Take over SIGINT and SIGTERM, unless they are ignored."""
        _open_standard_files()
        # A copy, for another file may take the place of standard error, to keep libraries quiet.
        self._stderr = os.dup(2)
        self._unraisable, sys.unraisablehook = sys.unraisablehook, self._not_raised
        self._excepthook, sys.excepthook = sys.excepthook, self._printed
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                # getsignal() gives None for a handler that is not Python's.
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._handle)
            if self._last:
                signals, self._told = socket.socketpair()
                self._told.setblocking(False)
                signal.set_wakeup_fd(self._told.fileno(), warn_on_full_buffer=False)
                threading.Thread(target=self._watch, args=(signals,), daemon=True).start()
        except ValueError:  # Only the main thread may set handlers of signals.
            pass
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Set the handlers back, or ignore interrupts where the process ends now."""
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_IGN if self._last else handler)
        if not self._last:
            sys.unraisablehook, sys.excepthook = self._unraisable, self._excepthook
            os.close(self._stderr)

    def __call__(self, intermediate_result: Any) -> None:
        """As a callback of transfer(): let interrupts wait for the end of a step.

        Args:
            intermediate_result: What transfer() gives a callback; not used.

        Raises:
            KeyboardInterrupt: There was an interrupt.
        """
        self.phase = STEPPING
        self.check()

    def check(self) -> None:
        """Raise the interrupt that was remembered, if there was one.

        Raises:
            KeyboardInterrupt: There was an interrupt.
        """
        if self.received is not None:
            raise KeyboardInterrupt

    @property
    def code(self) -> int:
        """The exit code of a process that was interrupted."""
        return 128 + (self.received or signal.SIGINT)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        """Remember an interrupt, and end the process or raise where the phase asks for it."""
        again, self.received = self.received is not None, self.received or number
        if self._last and self.phase == STARTING:
            self._end(number, b"; nothing was written")
        if self.phase in (STARTING, WORKING) or (again and not self._last):
            raise KeyboardInterrupt

    def _watch(self, signals: socket.socket) -> None:
        """End the process at the second interrupt.

        This runs in a thread of its own, to which the system reports each signal at once.
        """
        seen = 0
        while number := signals.recv(1):
            seen += number[0] in self._before
            if seen == 2:
                self._end(number[0], b" again")

    def _end(self, number: int, words: bytes) -> None:
        """End the process at once, with a line on standard error."""
        with contextlib.suppress(OSError):
            os.write(self._stderr, b"neural-style: interrupted" + words + b"\n")
        os._exit(128 + number)

    def _not_raised(self, what: "sys.UnraisableHookArgs") -> None:
        """Say nothing of an interrupt that finds Python in a destructor, which cannot raise it.

        The interrupt is remembered, and check() will raise it.
        """
        if not self._comes_of_interrupt(what.exc_value):
            self._unraisable(what)

    def _printed(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Say nothing of an interrupt that a library prints, because its C code cannot raise it.

        Within C code the KeyboardInterrupt may have become a SystemError.
        """
        if not self._comes_of_interrupt(error):
            self._excepthook(kind, error, trace)

    def _comes_of_interrupt(self, error: BaseException | None) -> bool:
        """Whether an error is the interrupt, or what C code made of it."""
        came = self.received is not None
        return came and isinstance(error, KeyboardInterrupt | SystemError)


def _open_standard_files() -> None:
    """Open the null device in place of standard input, output and error that are closed (2>&-).

    Otherwise the next file would get their number, and all that libraries write there.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # The system gives the lowest number that is free, which is this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
