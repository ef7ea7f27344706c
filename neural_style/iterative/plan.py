"""How a stage is evaluated, by the memory that is free: whole or in tiles, by which optimizer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._shared.memory import free_memory
from ..optimize.objective import CORRECTIONS
from ..optimize.tiling import Tiling

#: Peak memory of an evaluation, in activations of the network, which the backward pass needs beside
#: temporaries of its own: of a whole picture, and of a tile, where two compiled functions take
#: turns. Measured by benchmarks/memory.py.
PEAK_WHOLE, PEAK_TILE = 1.3, 2.0


#: Bytes for a number of the picture that live beside an evaluation: x and the gradient, and the
#: picture that is made of them in the end.
BESIDE = 24


#: Bytes that an optimizer takes for a number of the picture: for each correction that it remembers,
#: and besides. Ours works in float32, SciPy's in float64. Measured by benchmarks/memory.py.
WORK = {"lbfgs": (8, 36), "scipy": (16, 176)}


#: The same for Adam, SGD and what Keras has.
WORK_DESCENT = 56


#: L-BFGS remembers at least so many corrections, however little memory there is.
LEAST_CORRECTIONS = 3


@dataclass(frozen=True)
class Plan:
    """How a stage is evaluated.

    Attributes:
        tiling: How the picture is cut.
        corrections: The number that L-BFGS remembers.
        bytes: Memory that the run needs, beside what the process has.
        optimizer: As asked for, or "adam" where L-BFGS would not fit.
        takeover: Whether Adam takes over from L-BFGS, for lack of memory.
        exact: Whether pictures can be cut into tiles with the same result.
    """

    tiling: Tiling
    corrections: int
    bytes: float
    optimizer: Any = "lbfgs"
    takeover: bool = False
    exact: bool = True


def plan(
    height: int,
    width: int,
    geometry: tuple[Mapping[str, int], int],
    activation_bytes: float,
    tile: Any = "auto",
    corrections: int = CORRECTIONS,
    optimizer: Any = "lbfgs",
    free: float | None = None,
    extra: float = 0,
    cut: bool = True,
) -> Plan:
    """Choose tiles and L-BFGS's memory so that a run at height x width fits what is free.

    Args:
        height: Of the picture in pixels.
        width: Of the picture in pixels.
        geometry: (strides, halo), from FeatureNetwork.geometry.
        activation_bytes: Bytes of the network's activations for a pixel.
        tile: "auto": no tiles where the whole picture fits, else the largest that do. Or None, or
            an int.
        corrections: The number that L-BFGS would like to remember; each takes two pictures.
        optimizer: "lbfgs" or "scipy": Adam takes over where even the shortest memory does not fit.
            Or another.
        free: Bytes; None for free_memory().
        extra: Bytes for a pixel that something else takes.
        cut: Whether the picture can be cut into tiles.

    Raises:
        MemoryError: Not even the smallest tiles would fit, or the whole picture where it cannot be
            cut; the message names a size that would.
    """
    free = free_memory() if free is None else free
    pixels = height * width
    smallest = Tiling(None, *geometry).smallest

    def needed(side: int | None, m: int, optimizer: Any = optimizer) -> float:
        evaluated = PEAK_WHOLE * pixels if side is None else PEAK_TILE * min(pixels, side * side)
        each, besides = WORK[optimizer] if is_lbfgs(optimizer) else (0, WORK_DESCENT)
        own = 3 * pixels * (m * each + besides + BESIDE)
        return activation_bytes * evaluated + own + extra * pixels

    least = min(LEAST_CORRECTIONS, corrections) if is_lbfgs(optimizer) else corrections
    tiles = [*range(2048, smallest, -64), smallest] if cut else []
    sides: list[Any] = [None, *tiles] if tile == "auto" else [tile]
    for enough in (corrections, least):  # smaller tiles before a shorter memory
        for side in sides:
            if needed(side, enough) <= free:
                m = max(m for m in range(enough, corrections + 1) if needed(side, m) <= free)
                return Plan(Tiling(side, *geometry), m, needed(side, m), optimizer)
    for side in sides:
        if is_lbfgs(optimizer) and needed(side, 0, "adam") <= free:
            return Plan(Tiling(side, *geometry), 0, needed(side, 0, "adam"), "adam", takeover=True)
    if tile == "auto":
        total = needed(sides[-1], 0, "adam")
        fixed = PEAK_TILE * activation_bytes * min(pixels, smallest**2) if cut else 0.0
        fits = int(max(height, width) * (max(0, free - fixed) / (total - fixed)) ** 0.5) // 16 * 16
        raise MemoryError(
            f"{width} x {height} pixels need about {total / 1e9:.1f} GB"
            f" {'even in tiles' if cut else 'in one piece'}, and {free / 1e9:.1f} GB are free; a"
            f" longer side of about {fits} pixels would fit"
        )
    # as asked for: it may yet fit
    return Plan(Tiling(tile, *geometry), least, needed(tile, least), optimizer)


def is_lbfgs(optimizer: Any) -> bool:
    """Whether it is one of the two kinds of L-BFGS."""
    return isinstance(optimizer, str) and optimizer in WORK
