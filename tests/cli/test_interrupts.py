"""Ctrl-C at random moments of the command line: the whole picture or one line, exit code 130, and
never a traceback.
"""

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers import COMMANDS, interrupt, picture, start

import neural_style
from neural_style import save_image
from neural_style.__main__ import main
from neural_style.cli import interrupts
from neural_style.cli.interrupts import Interrupts

pytestmark = pytest.mark.skipif(
    not os.path.exists("/proc/self/status"),
    reason="only /proc tells when a process has its handlers",
)


@pytest.fixture(scope="module")
def environment():
    return {**os.environ, "PYTHONPATH": str(Path(neural_style.__file__).parent.parent)}


@pytest.mark.slow
@pytest.mark.parametrize("name,times", [("transfer", 30), ("stylize", 5)])
def test_an_interrupt_at_a_random_moment_is_a_whole_picture_or_one_line(
    name, times, tmp_path, environment
):
    started = time.monotonic()
    whole = start(COMMANDS[name], tmp_path / "whole", environment)
    started = time.monotonic()
    assert whole.communicate()[1] == "" and whole.returncode == 0
    took = time.monotonic() - started
    chance = random.Random(name)
    delays = [
        chance.uniform(0, 1.1 * took) for _ in range(times)
    ]  # two at a time take longer than one
    with ThreadPoolExecutor(2) as threads:
        wrong = [
            *filter(
                None,
                threads.map(
                    lambda number: interrupt(
                        name, tmp_path / str(number), environment, delays[number]
                    ),
                    range(times),
                ),
            )
        ]
    assert not wrong, "\n".join(wrong)


LONG = """
import hashlib, sys
from neural_style.cli.interrupts import Interrupts
with Interrupts(last=True) as interrupts:
    interrupts.phase = int(sys.argv[1])
    print("ready", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 10 ** 9)  # minutes in C, where Python's handlers wait
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "phase", [interrupts.STARTING, interrupts.WORKING, interrupts.STEPPING, interrupts.SAVING]
)
def test_a_second_interrupt_ends_the_process_at_once_whatever_it_does(phase, environment):
    with subprocess.Popen(
        [sys.executable, "-c", LONG, str(phase)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(1)  # until it computes, also on a busy machine
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        process.send_signal(signal.SIGTERM)
        assert (
            process.communicate(timeout=3) == ("", "neural-style: interrupted again\n")
            and process.returncode == 143
        )


def test_where_sigint_is_ignored_it_stays_so(monkeypatch):
    """A job in the background, or under nohup."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interrupts():
            signal.raise_signal(signal.SIGINT)
            assert (
                signal.getsignal(signal.SIGINT) == signal.SIG_IGN
                and signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
            )
    finally:
        signal.signal(signal.SIGINT, before)


def test_phases_within_a_process_of_others():
    handler, hook = signal.getsignal(signal.SIGINT), sys.unraisablehook
    with Interrupts() as here:
        for phase in (interrupts.STARTING, interrupts.WORKING):
            here.phase, here.received = phase, None
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        for phase in (interrupts.STEPPING, interrupts.SAVING):
            here.phase, here.received = phase, None
            signal.raise_signal(signal.SIGTERM)
            assert here.code == 143
            with pytest.raises(KeyboardInterrupt):
                here.check()
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)  # the second
    assert signal.getsignal(signal.SIGINT) is handler and sys.unraisablehook is hook


def test_an_interrupt_within_a_destructor_is_not_lost(capfd):
    class Closed:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    with Interrupts() as here:
        here.phase = interrupts.WORKING
        Closed()
        with pytest.raises(KeyboardInterrupt):
            here(None)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("hook", ["excepthook", "unraisablehook"])
def test_what_c_code_makes_of_an_interrupt_is_not_printed(hook, monkeypatch):
    """A library's C code hands an error that it cannot raise to one of these hooks."""
    printed = []

    def before(*what):
        printed.append(what)

    def hand(error):
        if hook == "excepthook":
            sys.excepthook(type(error), error, None)
        else:
            sys.unraisablehook(SimpleNamespace(exc_type=type(error), exc_value=error))
        return len(printed)

    monkeypatch.setattr(sys, hook, before)
    with Interrupts() as here:
        assert hand(SystemError("of a library")) == 1
        here.received = signal.SIGINT
        assert hand(SystemError("of the interrupt")) == hand(KeyboardInterrupt()) == 1
        assert hand(ZeroDivisionError("ours")) == 2
    assert getattr(sys, hook) is before


@pytest.mark.parametrize(
    "writes,line", [(False, "nothing was written"), (True, "what was done so far is in out.png")]
)
def test_the_line_says_what_is_there(writes, line, tmp_path, monkeypatch, capfd):
    def stylize(source, net, output, **options):
        if writes:
            save_image(picture(8, 8), output)
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    save_image(picture(9, 9), "out.png")
    monkeypatch.setattr("neural_style.feedforward.stylize.stylize", stylize)
    assert main(["stylize", "content.png", "-o", "out.png", "--style", "poppies"]) == 130
    assert capfd.readouterr().err == f"neural-style: interrupted; {line}\n"
