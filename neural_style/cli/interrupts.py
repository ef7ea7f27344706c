"""Ctrl-C and SIGTERM in the command line: the picture so far or one line, wherever they find the
program; never a traceback.

A script or a notebook has Python's own KeyboardInterrupt, which transfer() and the others know.
"""

import contextlib
import os
import signal
import socket
import sys
import threading

STARTING, WORKING, STEPPING, SAVING = range(4)


class Interrupts:
    """What an interrupt does depends on the phase of the program:

        STARTING    libraries are loading: the process ends at once, with a line
        WORKING     KeyboardInterrupt, where the program is; what it has so far is kept as each command can
        STEPPING    steps are made: KeyboardInterrupt at the end of this step, from check()
        SAVING      it is remembered, and what is being written is written

    A second one ends the process at once, in each phase, also while a library computes and Python's
    handlers have to wait. Where the process was started with SIGINT ignored (in the background, by
    nohup), it stays ignored.

    Args:
        last: the process is ours, and ends after this: interrupts are ignored from then on.
            Otherwise no interrupt ends the process: at the start, and the second time, it is a
            KeyboardInterrupt, and the handlers are set back.
    """

    #: transfer() may give it its own intermediate result.
    only_looks = True

    def __init__(self, last=False):
        self.phase, self.received = STARTING, None
        self._last, self._before, self._hook, self._stderr, self._told = last, {}, None, None, None

    def __enter__(self):
        _open_standard_files()
        self._stderr = os.dup(
            2
        )  # also where another takes its place for a while, to keep libraries quiet
        self._hook, sys.unraisablehook = sys.unraisablehook, self._unraisable
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) not in (
                    signal.SIG_IGN,
                    None,
                ):  # None: a handler that is not Python's
                    self._before[number] = signal.signal(number, self._handle)
            if self._last:
                signals, self._told = socket.socketpair()
                self._told.setblocking(False)
                signal.set_wakeup_fd(self._told.fileno(), warn_on_full_buffer=False)
                threading.Thread(target=self._watch, args=(signals,), daemon=True).start()
        except ValueError:  # signals come to the main thread alone
            pass
        return self

    def __exit__(self, kind, error, trace):
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_IGN if self._last else handler)
        if not self._last:
            sys.unraisablehook = self._hook
            os.close(self._stderr)

    def __call__(self, intermediate_result):
        """As a callback of transfer(): from the first step on, an interrupt waits for the end of a
        step.
        """
        self.phase = STEPPING
        self.check()

    def check(self):
        """Raise the KeyboardInterrupt that was remembered."""
        if self.received is not None:
            raise KeyboardInterrupt

    @property
    def code(self):
        """The exit code of the process that was interrupted."""
        return 128 + (self.received or signal.SIGINT)

    def _handle(self, number, frame):
        again, self.received = self.received is not None, self.received or number
        if self._last and self.phase == STARTING:
            self._end(number, b"; nothing was written")
        if self.phase in (STARTING, WORKING) or (again and not self._last):
            raise KeyboardInterrupt

    def _watch(self, signals):
        """End the process at the second interrupt: in a thread of its own, which the system tells
        of each signal as it comes.
        """
        seen = 0
        while number := signals.recv(1):
            seen += number[0] in self._before
            if seen == 2:
                self._end(number[0], b" again")

    def _end(self, number, words):
        with contextlib.suppress(OSError):
            os.write(self._stderr, b"neural-style: interrupted" + words + b"\n")
        os._exit(128 + number)

    def _unraisable(self, what):
        """An interrupt that finds Python in a destructor cannot be raised there; it is remembered,
        and check() will raise it.
        """
        if not issubclass(what.exc_type, KeyboardInterrupt):
            self._hook(what)


def _open_standard_files():
    """Standard input, output and error that are closed (2>&-) become the null device: else the next
    file would get their number, and all that libraries write there."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(
                os.open(os.devnull, os.O_RDWR), True
            )  # the lowest number that is free: this one
