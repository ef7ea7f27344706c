"""What L-BFGS remembers, on the device, and the direction that it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from .._shared.types import Tensor
from .autodiff import with_row

#: The arrays that Pairs.reader gives.
STATE = ("free", "stiffness", "slots", "rows", "sy", "yy")


class Pairs:
    """L-BFGS's memory: the last m pairs of changes, s of x and y of the gradient.

    The direction is -H g, with H in its compact form (Byrd, Nocedal and Schnabel 1994, equation
    3.1), so a step reads the memory three times whole rather than pair by pair:

        H = gamma I + [S  gamma Y] [ R^-T (D + gamma Y^T Y) R^-1   -R^-T ] [ S^T       ]
                                   [ -R^-1                             0 ] [ gamma Y^T ]

    R is the upper triangle of S^T Y, D its diagonal, gamma = s y / y y of the last pair.

    Args:
        corrections: m, for an empty memory.
        state: From reader(), or None for an empty memory.

    Attributes:
        slots: The rows' numbers, oldest pair first.
    """

    def __init__(self, corrections: int, state: Mapping[str, np.ndarray] | None = None) -> None:
        self.slots: list[int] = []
        self._rows: Tensor = None
        self._changes = 0
        self._most = corrections if state is None else len(state["sy"])
        self.forget()
        if state is not None and len(state["slots"]):
            self.slots = [int(slot) for slot in state["slots"]]
            self._rows = ops.convert_to_tensor(state["rows"])
            self._sy, self._yy = np.array(state["sy"]), np.array(state["yy"])

    def forget(self) -> None:
        """Forget all pairs."""
        self.slots, self._rows = [], None
        self._sy, self._yy = np.zeros((2, self._most, self._most))
        self._changes += 1

    def remember(self, step: float, direction: Tensor, before: Tensor, after: Tensor) -> None:
        """Remember a pair, in the place of the oldest where all are taken.

        Args:
            step: How far x went along the direction.
            direction: Where to, N numbers.
            before: The gradient before.
            after: The gradient after.
        """
        m = self._most
        if not m:
            return
        if self._rows is None:
            self._rows = ops.zeros((2 * m, after.shape[0]), dtype=after.dtype)
        slot = self.slots.pop(0) if len(self.slots) == m else len(self.slots)
        self._changes += 1
        self._rows = with_row(self._rows, slot, step * direction)
        y = after - before
        self._rows = with_row(self._rows, m + slot, y)
        self.slots.append(slot)
        products = self._times(y)
        self._sy[:, slot] = products[:m]
        self._yy[:, slot] = self._yy[slot] = products[m:]

    def direction(self, grad: Tensor) -> Tensor:
        """-H g; plainly -g without memory.

        Args:
            grad: g, N numbers.
        """
        if not self.slots:
            return -grad
        m, slots = self._most, self.slots
        at = np.ix_(slots, slots)
        last = slots[-1]
        gamma = self._sy[last, last] / self._yy[last, last]
        products = self._times(grad)
        s_g, y_g = products[slots], products[[m + slot for slot in slots]]
        R = np.triu(self._sy[at])
        D = np.diag(np.diag(R))
        inner = np.linalg.solve(R, s_g)
        coefficients = np.zeros(2 * m)
        coefficients[slots] = np.linalg.solve(R.T, (D + gamma * self._yy[at]) @ inner - gamma * y_g)
        coefficients[[m + slot for slot in slots]] = -gamma * inner
        moved = ops.matmul(ops.convert_to_tensor(-coefficients.astype(_kind(grad))), self._rows)
        return moved - gamma * grad

    def _times(self, vector: Tensor) -> np.ndarray:
        """All rows times a vector."""
        return ops.convert_to_numpy(ops.matmul(self._rows, vector)).astype("float64")

    def reader(self, free: Tensor, stiffness: float | None) -> Callable[[], Any]:
        """A function that reads the memory as it is now, for a run that goes on from here.

        It gives None once the memory has changed.

        Args:
            free: The free vector.
            stiffness: Of the bounds.
        """
        changes = self._changes

        def read() -> dict[str, np.ndarray] | None:
            if changes != self._changes:
                return None
            rows = np.zeros((0, 0)) if self._rows is None else ops.convert_to_numpy(self._rows)
            return {
                "free": np.array(ops.convert_to_numpy(free)),
                "stiffness": np.float64(np.nan if stiffness is None else stiffness),
                "slots": np.array(self.slots, "int64"),
                "rows": np.array(rows),
                "sy": self._sy.copy(),
                "yy": self._yy.copy(),
            }

        return read


def _kind(tensor: Tensor) -> str:
    return keras.backend.standardize_dtype(tensor.dtype)


def is_state(state: Mapping[str, np.ndarray]) -> bool:
    """Whether arrays, such as those of a file, can be what Pairs.reader gives."""
    corrections, size = len(state["sy"]), state["free"].size
    slots, rows = state["slots"].tolist(), state["rows"]
    return (
        state["free"].shape == (size,)
        and state["stiffness"].shape == ()
        and state["stiffness"].dtype == np.float64
        and not (state["stiffness"] < 0 or np.isinf(state["stiffness"]))
        and state["sy"].shape == state["yy"].shape == (corrections, corrections)
        and state["slots"].dtype == np.int64
        and sorted(slots) == sorted({*slots} & {*range(corrections)})
        and (not slots or rows.shape == (2 * corrections, size))
        and all(
            array.dtype in (np.float32, np.float64) and bool(np.isfinite(array).all())
            for array in (state["free"], rows, state["sy"], state["yy"])
        )
        and all(state["sy"][slot, slot] > 0 < state["yy"][slot, slot] for slot in slots)
    )
