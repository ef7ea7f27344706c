"""Whether bfloat16 pays on this machine."""

import functools
import pathlib
import re
import time
from concurrent.futures import ThreadPoolExecutor

from keras import ops

from .._shared.devices import has_gpu

#: Flags of processors that have instructions for bfloat16, in Linux's words.
INSTRUCTIONS = r"^flags.*\b(avx512_bf16|amx_bf16)\b|^Features.*\bbf16\b"

#: Side of the square matrices of the trial, and how often they are multiplied.
SIDE, TIMES = 1024, 5

#: bfloat16 counts as faster where float32 takes more than so many times its seconds. The ratios
#: that were measured are near 2 or near 1/2.
GAIN = 1.2


def fast_bfloat16() -> bool:
    """Tell whether this machine multiplies bfloat16 faster than float32.

    A GPU does. A processor has to have instructions for it, of which Linux tells, and to win a
    trial: some with AVX512-BF16 but without AMX take twice as long as in float32. If nothing can be
    found out, the answer is True.
    """
    return _multiplies_bfloat16() is not False


def best_precision() -> str:
    """The faster precision here: "bfloat16" on a GPU, and on a processor that is known to multiply
    it faster, else "float32".
    """
    return "bfloat16" if _multiplies_bfloat16() else "float32"


def _multiplies_bfloat16() -> bool | None:
    """Whether the machine does; None where nothing can be found out."""
    if has_gpu():
        return True
    try:
        flags = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return None
    return re.search(INSTRUCTIONS, flags, re.MULTILINE) is not None and _wins()


@functools.cache
def _wins() -> bool:
    """Whether a product of matrices is faster in bfloat16 by GAIN; tried once, for 0.1 s.

    In a thread of its own, where no backend is in the middle of tracing a function.
    """
    with ThreadPoolExecutor(1) as thread:
        seconds = thread.submit(_seconds).result()
    return seconds["float32"] > GAIN * seconds["bfloat16"]


def _seconds() -> dict[str, float]:
    """{kind of number: the least seconds that the cores work on a product of two matrices}.

    The kinds take turns, and seconds in which the cores work for other programs do not count: so
    the answer is the same on a machine that is busy. The first turn, which may compile, does not
    count.
    """
    seconds: dict[str, list[float]] = {"float32": [], "bfloat16": []}
    matrices = {kind: ops.ones((SIDE, SIDE), dtype=kind) for kind in seconds}
    for _ in range(1 + TIMES):
        for kind, matrix in matrices.items():
            started = time.process_time()
            float(ops.matmul(matrix, matrix)[0, 0])
            seconds[kind].append(time.process_time() - started)
    return {kind: min(times[1:]) for kind, times in seconds.items()}
