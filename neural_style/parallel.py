"""Many transfers: over any concurrent.futures executor (processes here, a cluster that Dask or MPI runs), or over a grid."""
import inspect
import logging
import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed

logger = logging.getLogger("neural_style")

_ONE_AT_A_TIME = threading.Lock()


def map_transfer(jobs, executor=None, threads=None):
    """Run many transfers; yield (number of the job, its future) as they finish.

        for number, future in map_transfer([{"content": photo, "style": "painting.jpg"} for photo in photos]):
            future.result().save(f"{number}.png")       # a TransferResult; a job that failed raises its error here

    Args:
        jobs: dicts of transfer()'s arguments. Paths are read where the job runs. progress is off unless asked for.
        executor: a concurrent.futures.Executor: ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")),
            dask.distributed's client.get_executor(), mpi4py's MPIPoolExecutor. It stays open. None: processes of our own on
            this machine, one for every four cores.
        threads: cores that TensorFlow uses in a worker. None: those of the machine shared evenly among our own processes;
            one each with an executor of yours, which alone knows how many workers stand side by side. A worker plans with
            the like share of its machine's memory.

    Yields:
        (int, concurrent.futures.Future), in the order of finishing. Leaving the loop early cancels what has not begun.

    Raises:
        TypeError: jobs that are no dicts, or with names that transfer() does not have, before any of them starts.

    A forked process cannot use the TensorFlow of its parent; ours are spawned, so a script needs `if __name__ == "__main__":`.
    Jobs that share a process (threads of a Dask worker) run one after the other.
    """
    jobs = [*jobs]
    for number, job in enumerate(jobs):
        _check(number, job)
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise TypeError(f"executor must have submit(), like those of concurrent.futures. Received: {type(executor).__name__}")
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise ValueError(f"threads must be a positive integer or None. Received: threads={threads!r}")
    return _finished(jobs, executor, threads)


def sweep(content, style, *, height=1.7, **settings):
    """Run transfer() over a grid of one or two of its arguments and draw the labelled contact sheet.

        sheet, results = sweep(photo, painting, style_weight=[5, 50, 500], size=256)

    Args:
        content, style: as for transfer().
        settings: transfer()'s arguments. One or two of them are lists of values to try (for style_layers,
            content_layers and masks a list of lists or dicts); the first goes down where there are two, else across.
        height: of a picture on the sheet, in inches.

    Returns:
        (Figure, results): results[i] for one list, results[i][j] for two. After Ctrl-C, the cells there are, with the best
        picture so far in the last.
    """
    nested = ("style_layers", "content_layers", "masks")
    if isinstance(settings.get("callback"), list):
        settings["callback"] = tuple(settings["callback"])
    axes = {name: values for name, values in settings.items()
            if isinstance(values, list) and (name not in nested or values and isinstance(values[0], (list, dict)))}
    if not 1 <= len(axes) <= 2 or not all(axes.values()):
        raise ValueError("sweep needs one or two arguments that are lists of values, each with at least one. "
                         f"Received lists for: {', '.join(axes) or 'none'}")
    from .optimizers import INTERRUPTED
    from .plotting import contact_sheet, pyplot
    from .iterative import transfer
    pyplot()  # if it is missing, say so now
    fixed = {"progress": False, **{name: value for name, value in settings.items() if name not in axes}}
    (down, rows), (across, columns) = [("", [None])] * (2 - len(axes)) + list(axes.items())
    results, interrupted = [], False
    for row in rows:
        results.append([])
        for column in columns:
            results[-1].append(transfer(content, style, **fixed, **({down: row} if down else {}), **{across: column}))
            if interrupted := results[-1][-1].message.startswith(INTERRUPTED):
                break
        if interrupted:
            break
    sheet = contact_sheet(results, [f"{down}={row}" for row in rows[:len(results)]] if down else None,
                          [f"{across}={column}" for column in columns[:len(results[0])]], height=height)
    return sheet, results if down else results[0]


def _check(number, job):
    from .iterative import transfer
    if not isinstance(job, dict):
        raise TypeError(f"a job must be a dict of transfer()'s arguments. Received: job {number}, {type(job).__name__}")
    try:
        inspect.signature(transfer).bind(**job)
    except TypeError as error:
        raise TypeError(f"job {number}: {error}") from None


def _finished(jobs, executor, threads):
    ours = None
    if executor is None:
        cores = os.cpu_count() or 1
        workers = min(max(1, cores // 4), max(1, len(jobs)))
        executor = ours = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
        threads = threads or max(1, cores // workers)
    futures = {}
    try:
        for number, job in enumerate(jobs):
            futures[executor.submit(_work, {"progress": False, **job}, threads or 1)] = number
        for future in as_completed(futures):
            yield futures[future], future
    finally:
        for future in futures:
            future.cancel()
        if ours:
            ours.shutdown()


def _work(job, threads):
    """A job, in the process that runs it."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", str(threads))  # SciPy's, where it is not loaded yet
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _ONE_AT_A_TIME:
        import tensorflow as tf
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        except RuntimeError:
            logger.warning("this worker has used TensorFlow before, with other threads than %d; they cannot be changed", threads)
        from .iterative import transfer
        return transfer(**job)
