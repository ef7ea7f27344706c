"""Many transfers over an executor: processes here, or a cluster that Dask or MPI runs."""

from __future__ import annotations

import inspect
import logging
import multiprocessing
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any

from .._shared.checks import count
from .._shared.devices import use_threads

if TYPE_CHECKING:
    from .result import TransferResult

logger = logging.getLogger("neural_style")

_ONE_AT_A_TIME = threading.Lock()


def map_transfer(
    jobs: Iterable[dict[str, Any]], executor: Any = None, threads: int | None = None
) -> Iterator[tuple[int, Future[TransferResult]]]:
    """Run many transfers; yield (number of the job, its future) as they finish.

        jobs = [{"content": photo, "style": "painting.jpg"} for photo in photos]
        for number, future in map_transfer(jobs):
            future.result().save(f"{number}.png")

    future.result() is a TransferResult; for a job that failed, it raises the job's error.

    Our own processes are spawned, so a script needs `if __name__ == "__main__":`. Jobs that share a
    process (threads of a Dask worker) run one after the other.

    Args:
        jobs: Dicts of transfer()'s arguments. Paths are read where the job runs. progress is off
            unless it is asked for.
        executor: A concurrent.futures.Executor:
            ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")), dask.distributed's
            client.get_executor(), mpi4py's MPIPoolExecutor. It stays open. None: processes of our
            own on this machine, one for every four cores. Where one of ours is killed, its own job
            fails alone, with BrokenProcessPool, and another process takes its place; a
            ProcessPoolExecutor of yours fails all jobs that were waiting.
        threads: Cores that Keras' backend uses in a worker. None: those of the machine, shared
            evenly among our own processes; one each with an executor of yours, which alone knows
            how many workers stand side by side. A worker plans with the like share of its machine's
            memory.

    Yields:
        (int, concurrent.futures.Future), in the order of finishing. Leaving the loop early cancels
        what has not begun.

    Raises:
        TypeError: Jobs that are no dicts, or with names that transfer() does not have, before any
            of them starts.
        ValueError: An executor that forks this process after Keras' backend was used in it: its
            workers would wait for ever.
    """
    jobs = [*jobs]
    for number, job in enumerate(jobs):
        _check(number, job)
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise TypeError(
            "executor must have submit(), like those of concurrent.futures. Received:"
            f" {type(executor).__name__}"
        )
    threads = threads if threads is None else count("threads", threads)
    if (
        isinstance(executor, ProcessPoolExecutor)
        and executor._mp_context.get_start_method() == "fork"  # type: ignore[union-attr]
        and _backend_was_used()
    ):
        raise ValueError(
            "executor must spawn its processes, for Keras' backend was used in this one:"
            " ProcessPoolExecutor(mp_context=multiprocessing.get_context('spawn')). Received: one"
            " that forks"
        )
    return _finished(jobs, executor, threads)


def _check(number: int, job: Any) -> None:
    """Raise a TypeError unless a job is a dict of transfer()'s arguments."""
    from .transfer import transfer

    if not isinstance(job, dict):
        raise TypeError(
            f"a job must be a dict of transfer()'s arguments. Received: job {number},"
            f" {type(job).__name__}"
        )
    try:
        inspect.signature(transfer).bind(**job)
    except TypeError as error:
        raise TypeError(f"job {number}: {error}") from None


def _finished(
    jobs: Sequence[dict[str, Any]], executor: Any, threads: int | None
) -> Iterator[tuple[int, Future[TransferResult]]]:
    if executor is None:
        cores = os.cpu_count() or 1
        workers = min(max(1, cores // 4), max(1, len(jobs)))
        yield from _in_our_processes(jobs, workers, threads or max(1, cores // workers))
        return
    futures = {}
    try:
        for number, job in enumerate(jobs):
            futures[executor.submit(_work, {"progress": False, **job}, threads or 1)] = number
        for future in as_completed([*futures]):
            yield futures.pop(future), future  # popped: a result is not kept once it was handed on
    finally:
        for future in futures:
            future.cancel()


def _in_our_processes(
    jobs: Sequence[dict[str, Any]], workers: int, threads: int
) -> Iterator[tuple[int, Future[TransferResult]]]:
    """Each worker is a pool of one process, so that one that dies takes no other job with it."""
    idle, waiting = [_pool() for _ in range(workers)], list(enumerate(jobs))[::-1]
    running: dict[Future[TransferResult], tuple[int, ProcessPoolExecutor]] = {}
    try:
        while waiting or running:
            while waiting and idle:
                (number, job), pool = waiting.pop(), idle.pop()
                work: Any = _work, {"progress": False, **job}, threads
                try:
                    future = pool.submit(*work)
                except BrokenProcessPool:  # killed between two jobs
                    pool.shutdown()
                    pool = _pool()
                    future = pool.submit(*work)
                running[future] = number, pool
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                number, pool = running.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    pool.shutdown()
                    pool = _pool()
                idle.append(pool)
                yield number, future
            done.clear()  # a result is not kept once it was handed on
            future = work = None  # type: ignore[assignment]
    finally:
        for pool in [*idle, *(pool for _, pool in running.values())]:
            pool.shutdown(cancel_futures=True)


def _pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


def _backend_was_used() -> bool:
    """Whether threads of Keras' backend run in this process.

    A forked process would have their locks, and not the threads.
    """
    if "tensorflow" not in sys.modules:
        return "jax" in sys.modules or "torch" in sys.modules
    try:
        from tensorflow.python.eager import context

        return context.context()._context_handle is not None
    except (ImportError, AttributeError):  # another version, which keeps it elsewhere
        return True


def _work(job: dict[str, Any], threads: int) -> TransferResult:
    """Run a job, in the process that runs it."""
    os.environ.setdefault(
        "OPENBLAS_NUM_THREADS", str(threads)
    )  # SciPy's, where it is not loaded yet
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _ONE_AT_A_TIME:
        if not use_threads(threads):
            logger.warning(
                "this worker has used TensorFlow before, with other threads than %d; they cannot be"
                " changed",
                threads,
            )
        # not at the top: a worker reads this file before its threads are set
        from .transfer import transfer

        return transfer(**job)
