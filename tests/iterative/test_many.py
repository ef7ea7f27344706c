"""map_transfer over processes and over a Dask cluster: results as they finish, failures kept apart."""

import multiprocessing
import os
import threading
import weakref
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest
from helpers import QUICK_JOB as QUICK
from helpers import picture, with_one_killed

from neural_style import TransferResult, map_transfer, sweep, transfer
from neural_style.iterative.many import _work

JOBS = [
    {"content": picture(36, 48, 1), "style": picture(48, 40, 2), "steps": 12, **QUICK},
    {"content": "nowhere.jpg", "style": picture(48, 40, 2), "steps": 2, **QUICK},
    {"content": picture(48, 36, 3), "style": picture(48, 40, 4), "steps": 2, **QUICK},
]


@pytest.fixture(scope="module")
def expected():
    return {number: np.asarray(transfer(**JOBS[number], progress=False).image) for number in (0, 2)}


def check(found, expected):
    assert [number for number, _ in found].count(0) == 1 and {number for number, _ in found} == {
        0,
        1,
        2,
    }
    futures = dict(found)
    with pytest.raises(FileNotFoundError, match="nowhere.jpg"):
        futures[1].result()
    for number, image in expected.items():
        result = futures[number].result()
        assert isinstance(result, TransferResult)
        assert (
            np.abs(np.asarray(result.image).astype(int) - image).mean() < 0.5
        )  # other threads add up in another order


@pytest.mark.slow
def test_our_own_processes(expected):
    check([*map_transfer(JOBS)], expected)


@pytest.mark.slow
def test_a_job_that_is_killed_fails_alone():
    assert with_one_killed() == [
        "all steps done",
        "BrokenProcessPool",
        "all steps done",
        "all steps done",
    ]


@pytest.mark.slow
def test_an_executor_that_forks_is_refused_once_tensorflow_was_used(expected):
    forks = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork"))
    refused = pytest.raises(
        ValueError, match="executor must spawn its processes.*Received: one that forks"
    )
    with forks as executor, refused:
        map_transfer(JOBS, executor)


def test_results_are_not_held(monkeypatch):
    """Of an executor of one's own and of ours, here with threads in place of processes: a result is
    gone when its reader lets go of it.
    """
    monkeypatch.setattr("neural_style.iterative.many._work", lambda job, threads: np.zeros(9))
    monkeypatch.setattr("neural_style.iterative.many._pool", lambda: ThreadPoolExecutor(1))
    for executor in (ThreadPoolExecutor(1), None):
        seen = []
        for _number, future in map_transfer([JOBS[0]] * 5, executor, threads=1):
            result = future.result()
            assert [there() for there in seen[:-1]] == [None] * len(
                seen[:-1]
            )  # the last one may be held until the next has come
            seen.append(weakref.ref(result))
            del future, result
        assert len(seen) == 5


def test_a_worker_that_is_killed_between_two_jobs_is_replaced(monkeypatch):
    class Dead(ThreadPoolExecutor):
        def submit(self, *work):
            raise BrokenProcessPool

    pools = [Dead(1), ThreadPoolExecutor(1)]
    monkeypatch.setattr("neural_style.iterative.many._work", lambda job, threads: "done")
    monkeypatch.setattr("neural_style.iterative.many._pool", lambda: pools.pop(0))
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert [(number, future.result()) for number, future in map_transfer([JOBS[0]])] == [
        (0, "done")
    ] and not pools


@pytest.mark.slow
def test_an_executor_that_is_given_stays_open_and_its_workers_use_the_threads_told(expected):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        check([*map_transfer(JOBS, executor, threads=2)], expected)
        assert executor.submit(_threads).result() == (2, 1)
        assert executor.submit(os.getpid).result() != os.getpid()


def _threads():
    import tensorflow as tf

    return (
        tf.config.threading.get_intra_op_parallelism_threads(),
        tf.config.threading.get_inter_op_parallelism_threads(),
    )


@pytest.mark.slow
def test_a_dask_cluster(expected):
    from dask.distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        with client.get_executor() as executor:
            found = [*map_transfer(JOBS, executor)]
            check(found, expected)
        assert set(client.run(_threads).values()) == {(1, 1)}


class Later:
    """An executor that finishes its jobs, unrun, in the order it is told to."""

    def __init__(self, order):
        self.order, self.futures = order, []

    def submit(self, function, *arguments):
        self.futures.append(Future())
        if len(self.futures) == len(self.order):
            for number in self.order:
                self.futures[number].set_result(number)
        return self.futures[-1]


def test_each_job_keeps_its_number():
    executor = Later([2, 0, 1])
    assert {number: future.result() for number, future in map_transfer(JOBS, executor)} == {
        0: 0,
        1: 1,
        2: 2,
    }


def test_leaving_early_cancels_the_rest():
    executor = Later([0])
    executor.order = [None] * 9  # never all there
    found = map_transfer(JOBS, executor)
    threading.Timer(0.2, lambda: executor.futures[1].set_result("done")).start()
    assert next(found)[0] == 1
    found.close()
    assert executor.futures[0].cancelled() and executor.futures[2].cancelled()


@pytest.mark.slow
def test_jobs_of_one_process_run_one_after_another():
    seen, results = [], []
    job = {
        **JOBS[2],
        "steps": 4,
        "callback": lambda intermediate_result: seen.append(threading.get_ident()),
    }
    runs = [threading.Thread(target=lambda: results.append(_work(job, 1))) for _ in range(2)]
    [run.start() for run in runs]
    [run.join() for run in runs]
    assert len(seen) == 8 and len(set(seen[:4])) == len(set(seen[4:])) == 1
    assert results[0].image.tobytes() == results[1].image.tobytes()


@pytest.mark.parametrize(
    "arguments,error,words",
    [
        (([{"content": "a.jpg"}],), TypeError, "job 0: missing a required argument: 'style'"),
        (
            (
                [
                    {"content": "a.jpg", "style": "b.jpg"},
                    {"content": "a.jpg", "style": "b.jpg", "color": 1},
                ],
            ),
            TypeError,
            "job 1: .*'color'",
        ),
        ((["a.jpg"],), TypeError, "must be a dict.*job 0, str"),
        (([], "dask"), TypeError, "submit.*Received: str"),
        (([], None, 0), ValueError, "threads=0"),
    ],
)
def test_bad_jobs_are_told_before_any_starts(arguments, error, words):
    with pytest.raises(error, match=words):
        map_transfer(*arguments)


def test_no_jobs_no_results():
    assert [*map_transfer([])] == []


@pytest.mark.slow
def test_a_sweep_over_two_arguments_and_over_one():
    settings = {name: value for name, value in QUICK.items() if name != "style_layers"}
    sheet, results = sweep(
        picture(36, 48, 1),
        picture(48, 40, 2),
        style_weight=[5.0, 500.0],
        style_layers=[["conv1_1"], ["conv2_1"], ["conv1_1", "conv2_1"]],
        steps=2,
        **settings,
    )
    assert [len(row) for row in results] == [3, 3] and isinstance(results[1][2], TransferResult)
    assert results[1][2].settings["style_weight"] == 500 and results[1][2].settings[
        "style_layers"
    ] == ["conv1_1", "conv2_1"]
    assert [axis.get_ylabel() for axis in sheet.axes][::3] == [
        "style_weight=5.0",
        "style_weight=500.0",
    ]
    assert [axis.get_title() for axis in sheet.axes][:3] == [
        "style_layers=['conv1_1']",
        "style_layers=['conv2_1']",
        "style_layers=['conv1_1', 'conv2_1']",
    ]
    sheet, results = sweep(
        picture(36, 48, 1),
        [picture(48, 40, 2)],
        seed=[1, 2],
        init="noise",
        style_layers=["conv1_1"],
        steps=1,
        **settings,
    )
    assert [result.settings["seed"] for result in results] == [1, 2] and sheet.axes[
        1
    ].get_title() == "seed=2"


@pytest.mark.slow
def test_an_interrupted_sweep_ends_with_the_cells_there_are():
    calls = []

    def stop(here):
        calls.append(here)
        if len(calls) == 8:  # in the second cell of the second row
            raise KeyboardInterrupt

    settings = {name: value for name, value in QUICK.items() if name != "style_layers"}
    sheet, results = sweep(
        picture(36, 48, 1),
        picture(48, 40, 2),
        style_weight=[5.0, 500.0],
        seed=[0, 1],
        style_layers=["conv1_1"],
        masks=[np.ones((36, 48))],
        steps=2,
        callback=stop,
        **settings,
    )
    assert (
        [len(row) for row in results] == [2, 2]
        and results[1][1].message == "interrupted"
        and len(calls) == 8
    )
    calls[:] = [None] * 5  # in the second cell of the first
    sheet, results = sweep(
        picture(36, 48, 1),
        picture(48, 40, 2),
        style_weight=[5.0, 500.0],
        seed=[0, 1, 2],
        style_layers=["conv1_1"],
        steps=2,
        callback=stop,
        **settings,
    )
    assert [len(row) for row in results] == [2] and len(sheet.axes) == 2


def settings_of_a_sweep(**more):
    return {
        **{name: value for name, value in QUICK.items() if name != "style_layers"},
        "style_layers": ["conv1_1"],
        "steps": 1,
        **more,
    }


@pytest.mark.slow
def test_a_cell_of_a_sweep_that_fails_is_left_blank(caplog):
    content, style = picture(36, 48, 1), picture(48, 40, 2)
    sheet, results = sweep(
        content, style, style_weight=[5.0, -1.0], seed=[0, 1], **settings_of_a_sweep()
    )
    assert [[result is None for result in row] for row in results] == [[False, False], [True, True]]
    assert len(caplog.messages) == 2 and caplog.messages[0].startswith(
        "the cell style_weight=-1.0, seed=0 failed: style_weight must be"
    )
    pictures = [axis.images[0].get_array() for axis in sheet.axes]
    assert [bool((of_cell == 255).all()) for of_cell in pictures] == [False, False, True, True]
    with pytest.raises(ValueError, match="style_weight=-2"):
        sweep(content, style, style_weight=[-1.0, -2.0], **settings_of_a_sweep())


@pytest.mark.slow
def test_a_sweep_that_is_interrupted_before_a_cells_first_step_keeps_the_others(monkeypatch):
    from neural_style.vgg import feature_network

    real, calls = feature_network.vgg_weights, []

    def load(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(feature_network, "vgg_weights", load)
    sheet, results = sweep(
        picture(36, 48, 1), picture(48, 40, 2), seed=[0, 1, 2], **settings_of_a_sweep()
    )
    assert [result is None for result in results] == [False, True] and len(sheet.axes) == 2
    calls[:] = [None]
    with pytest.raises(KeyboardInterrupt):
        sweep(picture(36, 48, 1), picture(48, 40, 2), seed=[0, 1, 2], **settings_of_a_sweep())
