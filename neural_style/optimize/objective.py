"""What an optimizer minimizes, on the device: the loss within bounds, and where it stands."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import KerasTensor, ops
from scipy.optimize import OptimizeResult

from .._shared.types import Bounds, Objective, Tensor
from .autodiff import compiled, specs_of
from .vectors import blocks, clipped, dot, joined, measured, moved, part

#: Corrections that L-BFGS remembers, at most; each takes two copies of the picture. With 20, the
#: loss is 0.3 % lower after 50 steps.
CORRECTIONS = 10


#: Root mean square, in gray levels, of the first step that L-BFGS tries.
FIRST_STEP = 2.0


#: A pixel one gray level out of its bounds is pulled back as hard as this part of the average
#: pixel's first gradient.
STIFFNESS = 0.25


@dataclass(frozen=True)
class Point:
    """The objective at one x.

    Attributes:
        free: The free vector, N numbers on the device.
        grad: The gradient of `value`, N numbers on the device.
        value: The loss and the penalty for what is out of bounds.
        loss: The loss.
        terms: {name: weighted term} of the loss.
        slope: grad times the direction that led here.
        before: The gradient before times that direction.
        square: grad times itself.
    """

    free: Tensor
    grad: Tensor
    value: float
    loss: float
    terms: Mapping[str, float]
    slope: float
    before: float
    square: float


class Problem:
    """evaluator(x) for x within bounds, as a function of a free vector z.

        f(clip(z)) + mu/2 |z - clip(z)|^2

    Its minimum is the bounded one's, and no pixel that the evaluator or a callback sees is ever out
    of bounds. All but a few numbers stay on the device; they are read together, once for each
    point.

    Args:
        evaluator: An Evaluator, or a function x -> (loss, gradient).
        shape: The picture's, 1 x H x W x 3; any shape for a function.
        bounds: (lower, upper), each broadcast to x, or None.

    Attributes:
        stiffness: mu; from the first gradient, unless it is set before.
    """

    def __init__(self, evaluator: Objective, shape: tuple[int, ...], bounds: Bounds) -> None:
        self._evaluator = evaluator
        self._shape = shape
        self._stays = hasattr(evaluator, "on_device")  # or it asks for NumPy's float64
        self._evaluate = self._on_device if self._stays else self._by_numpy
        self._bounds = None
        if bounds is not None:
            rows = [np.broadcast_to(bound, shape[-2:]).ravel() for bound in bounds]
            self._bounds = [self.tensor(row) for row in rows]
        self._move: Callable[..., Any] | None = None
        self._measure: Callable[..., Any] | None = None
        self.stiffness: float | None = None

    def tensor(self, array: Any) -> Tensor:
        """The array on the device: float32 for an Evaluator, else float64 where there is that."""
        kind = "float32" if self._stays else "float64"
        return ops.convert_to_tensor(np.asarray(array, kind))

    def clip(self, z: Tensor) -> Tensor:
        """z with each number moved into its bounds."""
        return z if self._bounds is None else clipped(z, *self._bounds)

    def ahead(self, here: Point, step: float, direction: Tensor) -> Point:
        """The objective so far along a direction.

        Args:
            here: Where from.
            step: How many directions.
            direction: Where to, N numbers on the device.

        Raises:
            FloatingPointError: The loss of an Evaluator or its gradient is not finite.
        """
        arguments = here.free, direction, self.tensor(step), *(self._bounds or ())
        if self._move is None:
            self._move = compiled(moved, *specs_of(arguments))
        z, x = self._move(*arguments)
        return self._point(z, x, direction, here.grad)

    def point(self, z: Tensor) -> Point:
        """The objective at z, N numbers on the device.

        Raises:
            FloatingPointError: The loss of an Evaluator or its gradient is not finite.
        """
        return self._point(z, self.clip(z))

    def _point(
        self, z: Tensor, x: Tensor, direction: Tensor = None, before: Tensor = None
    ) -> Point:
        """The objective at z, whose pixels are x, and the slopes along a direction."""
        loss, terms, grad = self._evaluate(x)
        if self.stiffness is None:
            bounded = self._bounds is not None
            self.stiffness = STIFFNESS * float(dot(grad, grad)) ** 0.5 if bounded else 0.0
            self.stiffness /= math.prod(z.shape) ** 0.5
        if direction is None:
            direction = before = grad
        grad, sums, (loss, *told) = self._measured(
            [z, x, grad, direction, before], [loss, *terms.values()]
        )
        outside, square, slope, slope_before = sums
        value = loss + self.stiffness / 2 * outside
        if not math.isfinite(value + square + slope) and self._stays:
            self._evaluator(_pixels(x))  # it says what is not finite
            raise FloatingPointError("the loss or its gradient is not finite")
        return Point(z, grad, value, loss, dict(zip(terms, told)), slope, slope_before, square)

    def _measured(
        self, vectors: Sequence[Tensor], values: list[Tensor]
    ) -> tuple[Tensor, list[float], list[float]]:
        """vectors.measured in blocks: (gradient, sums, values), the numbers read at once.

        Args:
            vectors: z, x, gradient, direction and the gradient before.
            values: The loss and each term.
        """
        rest = self.tensor(self.stiffness), values
        grads, numbers = [], []
        for block in blocks(vectors[0].shape[0]):
            arguments = *(part(vector, block) for vector in vectors), *rest
            if self._measure is None:
                length = [KerasTensor((None,), one.dtype) for one in specs_of(vectors)]
                self._measure = compiled(measured, *length, *specs_of(rest))
            of_block, of_numbers = self._measure(*arguments)
            grads.append(of_block)
            numbers.append(of_numbers)
        found = ops.convert_to_numpy(ops.stack(numbers)).astype("float64")
        return joined(grads), found[:, :4].sum(axis=0).tolist(), found[0, 4:].tolist()

    def _on_device(self, x: Tensor) -> tuple[Tensor, Mapping[str, Tensor], Tensor]:
        (loss, terms), grad = self._evaluator.on_device(  # type: ignore[attr-defined]
            ops.reshape(x, self._shape)
        )
        return loss, terms, ops.reshape(grad, (-1,))

    def _by_numpy(self, x: Tensor) -> tuple[Tensor, Mapping[str, Tensor], Tensor]:
        loss, grad = self._evaluator(_pixels(x))
        return self.tensor(np.asarray(loss)), {}, self.tensor(np.ravel(grad))

    def told(self, point: Point, **more: Any) -> Here:
        """What a callback is told of a point.

        Args:
            point: The point.
            more: Further {name: value}.
        """
        known, free = {"fun": point.loss, "terms": point.terms, **more}, point.free
        return Here(known, read=lambda: self.pixels(free))  # the gradient need not live on

    def pixels(self, z: Tensor) -> np.ndarray:
        """z within the bounds, as a vector of its own: float32 for an Evaluator, else float64."""
        return np.array(ops.convert_to_numpy(self.clip(z)))


def _pixels(x: Tensor) -> np.ndarray:
    return np.array(ops.convert_to_numpy(x), "float64")


class Here(OptimizeResult):
    """SciPy's result of a step, whose .x is read from the device when it is first asked for.

    Args:
        values: {name: value}.
        read: What reads .x; None where x is among the values.
        more: Further values.
    """

    def __init__(
        self,
        values: Mapping[str, Any] = {},
        read: Callable[[], np.ndarray] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(values, **more)
        object.__setattr__(self, "_read", read)

    def __missing__(self, name: str) -> Any:
        if name != "x" or self._read is None:
            raise KeyError(name)
        self["x"] = self._read()
        return self["x"]


def start_within(x: np.ndarray, bounds: Bounds) -> np.ndarray:
    """A float64 copy of x within its bounds, of its shape."""
    x = np.array(x, "float64")
    return x if bounds is None else np.clip(x, *bounds)


def first_step(point: Point) -> float:
    """The first step down a gradient: FIRST_STEP gray levels, root mean square."""
    count = math.prod(point.free.shape)
    return FIRST_STEP * (count / point.square) ** 0.5
