"""The thread that does what was asked for last."""

import threading
import time

from neural_style.atelier.latest import Latest


def test_what_has_not_begun_is_dropped():
    done, begun, go = [], threading.Event(), threading.Event()

    def work(request):
        begun.set()
        go.wait(10)
        done.append(request)
        yield 0.0

    latest = Latest(work)
    latest.ask(0)
    assert begun.wait(10)
    for request in range(1, 5):
        latest.ask(request)
    assert latest.waiting
    go.set()
    assert latest.join(10) and done == [0, 4]


def test_a_rest_is_cut_short_by_the_next_request():
    done, rests = [], threading.Event()

    def work(request):
        done.append((request, "first"))
        rests.set()
        yield 0.0 if request == "b" else 60.0
        done.append((request, "second"))

    latest = Latest(work)
    latest.ask("a")
    assert rests.wait(10)
    started = time.monotonic()
    latest.ask("b")
    assert latest.join(10) and time.monotonic() - started < 5
    assert done == [("a", "first"), ("b", "first"), ("b", "second")]


def test_drop_ends_all_and_the_thread():
    parts, rests = [], threading.Event()

    def work(request):
        parts.append("one")
        rests.set()
        try:
            yield 60.0
            parts.append("two")
        finally:
            parts.append("closed")

    latest = Latest(work)
    latest.ask(None)
    assert rests.wait(10)
    latest.drop()
    assert latest.join(10) and latest.waiting and parts == ["one", "closed"]
    assert latest.idle
    rests.clear()
    latest.ask(None)  # and it works again
    assert rests.wait(10) and not latest.idle and not latest.waiting
    latest.drop()
    assert latest.join(10) and latest.idle


def test_join_tells_whether_all_is_done():
    go = threading.Event()

    def work(request):
        go.wait(10)
        yield 0.0

    latest = Latest(work)
    assert latest.join(0)
    latest.ask(None)
    assert not latest.join(0.1)
    go.set()
    assert latest.join(10)
