"""Ctrl-C and SIGTERM in the command line: the picture so far or one line, wherever they find the program; never a traceback.

A script or a notebook has Python's own KeyboardInterrupt, which transfer() and the others know.
"""
import os
import signal
import sys

STARTING, WORKING, STEPPING, SAVING = range(4)


class Interrupts:
    """What an interrupt does depends on the phase of the program:

        STARTING    libraries are loading: the process ends at once, with a line
        WORKING     KeyboardInterrupt, where the program is; what it has so far is kept as each command can
        STEPPING    steps are made: KeyboardInterrupt at the end of this step, from check()
        SAVING      it is remembered, and what is being written is written

    A second one ends the process at once, in each phase. Where the process was started with SIGINT ignored (in the background, by nohup), it
    stays ignored.

    Args:
        last: the process ends after this, so interrupts are ignored from then on; otherwise the handlers are set back.
    """
    #: transfer() may give it its own intermediate result.
    only_looks = True

    def __init__(self, last=False):
        self.phase, self.received, self._last, self._before, self._hook = STARTING, None, last, {}, None

    def __enter__(self):
        _open_standard_files()
        self._hook, sys.unraisablehook = sys.unraisablehook, self._unraisable
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._handle)
        except ValueError:  # signals come to the main thread alone
            pass
        return self

    def __exit__(self, kind, error, trace):
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_IGN if self._last else handler)
        if not self._last:
            sys.unraisablehook = self._hook

    def __call__(self, intermediate_result):
        """As a callback of transfer(): from the first step on, an interrupt waits for the end of a step."""
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
        if again or self.phase == STARTING:
            os.write(2, b"neural-style: interrupted; nothing was written\n" if not again else b"neural-style: interrupted again; it stops here\n")
            os._exit(128 + number)
        if self.phase == WORKING:
            raise KeyboardInterrupt

    def _unraisable(self, what):
        """An interrupt that finds Python in a destructor cannot be raised there; check() will raise it."""
        if not issubclass(what.exc_type, KeyboardInterrupt):
            self._hook(what)


def _open_standard_files():
    """Standard input, output and error that are closed (2>&-) become the null device: else the next file would get their number, and all that
    libraries write there."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
