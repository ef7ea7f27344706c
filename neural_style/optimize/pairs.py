"""What L-BFGS remembers, on the device, and the direction that it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from .._shared.types import Tensor
from .autodiff import with_row
from .objective import Point
from .vectors import blocks, joined, part

#: The arrays that Pairs.reader gives.
STATE = ("free", "stiffness", "slots", "rows", "sy", "yy", "products", "pending")


class Pairs:
    """L-BFGS's memory: the last m pairs of changes, s of x and y of the gradient.

    The direction is -H g, with H in its compact form (Byrd, Nocedal and Schnabel 1994, equation
    3.1), so a step reads the memory twice whole rather than pair by pair:

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
        self._rows: list[Tensor] = []  # 2m x N, in blocks
        self._changes = 0
        self._most = corrections if state is None else len(state["sy"])
        self.forget()
        if state is not None and len(state["slots"]):
            self.slots = [int(slot) for slot in state["slots"]]
            rows = state["rows"]
            self._rows = [ops.convert_to_tensor(rows[:, block]) for block in blocks(rows.shape[1])]
            self._sy, self._yy = np.array(state["sy"]), np.array(state["yy"])
            self._products, self._pending = np.array(state["products"]), bool(state["pending"])

    def forget(self) -> None:
        """Forget all pairs."""
        self.slots, self._rows = [], []
        self._sy, self._yy = np.zeros((2, self._most, self._most))
        self._products = np.zeros(2 * self._most)  # of the rows with the last gradient
        self._pending = False  # whether the last pair's products with the others are to be found
        self._changes += 1

    def remember(self, step: float, direction: Tensor, before: Point, after: Point) -> None:
        """Remember a pair, in the place of the oldest where all are taken.

        Args:
            step: How far x went along the direction.
            direction: Where to, N numbers: direction(before.grad).
            before: Where from.
            after: Where to; its `slope` and `before` are those of this direction.
        """
        m = self._most
        if not m:
            return
        kind, cut = after.grad.dtype, blocks(after.grad.shape[0])
        if not self._rows:
            self._rows = [ops.zeros((2 * m, one.stop - one.start), dtype=kind) for one in cut]
        slot = self.slots.pop(0) if len(self.slots) == m else len(self.slots)
        self._changes += 1
        squares = []
        for number, block in enumerate(cut):
            rows = with_row(self._rows[number], slot, step * part(direction, block))
            y = part(after.grad, block) - part(before.grad, block)
            squares.append(ops.sum(y * y))
            self._rows[number] = with_row(rows, m + slot, y)
        self.slots.append(slot)
        self._sy[slot, slot] = step * (after.slope - after.before)
        self._yy[slot, slot] = float(sum(squares))
        self._pending = True

    def direction(self, grad: Tensor) -> Tensor:
        """-H g; plainly -g without memory.

        Args:
            grad: g, N numbers: the gradient where the last pair ended.
        """
        if not self.slots:
            return -grad
        m, slots = self._most, self.slots
        grads = [part(grad, block) for block in blocks(grad.shape[0])]
        products = self._times(grads)
        if self._pending:
            self._complete(products - self._products)
        self._products = products
        at = np.ix_(slots, slots)
        last = slots[-1]
        gamma = self._sy[last, last] / self._yy[last, last]
        s_g, y_g = products[slots], products[[m + slot for slot in slots]]
        R = np.triu(self._sy[at])
        D = np.diag(np.diag(R))
        inner = np.linalg.solve(R, s_g)
        coefficients = np.zeros(2 * m)
        coefficients[slots] = np.linalg.solve(R.T, (D + gamma * self._yy[at]) @ inner - gamma * y_g)
        coefficients[[m + slot for slot in slots]] = -gamma * inner
        along = ops.convert_to_tensor(-coefficients.astype(_kind(grad)))
        return joined(
            [ops.matmul(along, rows) - gamma * one for rows, one in zip(self._rows, grads)]
        )

    def _times(self, grads: Sequence[Tensor]) -> np.ndarray:
        """All rows times a vector in blocks: 2m numbers, added up in float64."""
        found = [ops.matmul(rows, one) for rows, one in zip(self._rows, grads)]
        return ops.convert_to_numpy(ops.stack(found)).astype("float64").sum(axis=0)

    def _complete(self, changes: np.ndarray) -> None:
        """Take the last pair's products with the others.

        For y = g - g_before, row y = row g - row g_before; the latter are known from the direction
        that led to g. So the memory need not be read for them.

        Args:
            changes: All rows times y; that of the last pair's own rows does not count.
        """
        m, (*others, last) = self._most, self.slots
        self._sy[others, last] = changes[others]
        self._yy[others, last] = self._yy[last, others] = changes[[m + slot for slot in others]]
        self._pending = False

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
            rows = [ops.convert_to_numpy(rows) for rows in self._rows] or [np.zeros((0, 0))]
            return {
                "free": np.array(ops.convert_to_numpy(free)),
                "stiffness": np.float64(np.nan if stiffness is None else stiffness),
                "slots": np.array(self.slots, "int64"),
                "rows": np.concatenate(rows, axis=1),
                "sy": self._sy.copy(),
                "yy": self._yy.copy(),
                "products": self._products.copy(),
                "pending": np.bool_(self._pending),
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
        and state["products"].shape == (2 * corrections,)
        and state["pending"].shape == ()
        and state["pending"].dtype == np.bool_
        and state["slots"].dtype == np.int64
        and sorted(slots) == sorted({*slots} & {*range(corrections)})
        and (not slots or rows.shape == (2 * corrections, size))
        and all(
            array.dtype in (np.float32, np.float64) and bool(np.isfinite(array).all())
            for array in (state["free"], rows, *(state[name] for name in ("sy", "yy", "products")))
        )
        and all(state["sy"][slot, slot] > 0 < state["yy"][slot, slot] for slot in slots)
    )
