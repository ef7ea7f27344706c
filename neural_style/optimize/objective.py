"""What an optimizer minimizes, on the device: the loss within bounds, and where it stands."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops
from scipy.optimize import OptimizeResult

from .._shared.types import Bounds, Objective, Tensor
from .autodiff import compiled, specs_of

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
        self._measure: Callable[..., Any] | None = None
        self.stiffness: float | None = None

    def tensor(self, array: Any) -> Tensor:
        """The array on the device: float32 for an Evaluator, else float64 where there is that."""
        kind = "float32" if self._stays else "float64"
        return ops.convert_to_tensor(np.asarray(array, kind))

    def clip(self, z: Tensor) -> Tensor:
        """z with each number moved into its bounds."""
        if self._bounds is None:
            return z
        lower, upper = self._bounds
        rows = ops.reshape(z, (-1, lower.shape[0]))
        return ops.reshape(ops.clip(rows, lower, upper), (-1,))

    def point(self, z: Tensor, direction: Tensor = None, before: Tensor = None) -> Point:
        """The objective at z.

        Args:
            z: N numbers on the device.
            direction: What led from the last point to this one.
            before: The last point's gradient.

        Raises:
            FloatingPointError: The loss of an Evaluator or its gradient is not finite.
        """
        x = self.clip(z)
        loss, terms, grad = self._evaluate(x)
        if self.stiffness is None:
            bounded = self._bounds is not None
            self.stiffness = STIFFNESS * float(_dot(grad, grad)) ** 0.5 if bounded else 0.0
            self.stiffness /= math.prod(z.shape) ** 0.5
        if direction is None:
            direction = before = grad
        values, stiffness = list(terms.values()), self.tensor(self.stiffness)
        arguments = z, x, loss, values, grad, direction, before, stiffness
        if self._measure is None:
            self._measure = compiled(_measured, *specs_of(arguments))
        grad, numbers = self._measure(*arguments)
        value, loss, square, slope, slope_before, *told = map(float, ops.convert_to_numpy(numbers))
        if not math.isfinite(value + square + slope) and self._stays:
            self._evaluator(_pixels(x))  # it says what is not finite
            raise FloatingPointError("the loss or its gradient is not finite")
        return Point(z, grad, value, loss, dict(zip(terms, told)), slope, slope_before, square)

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
        known = {"fun": point.loss, "terms": point.terms, **more}
        return Here(known, read=lambda: self.pixels(point))

    def pixels(self, point: Point) -> np.ndarray:
        """The pixels of a point, within the bounds, as a float64 vector of its own."""
        return _pixels(self.clip(point.free))


def _pixels(x: Tensor) -> np.ndarray:
    return np.array(ops.convert_to_numpy(x), "float64")


def _measured(
    z: Tensor,
    x: Tensor,
    loss: Tensor,
    terms: list[Tensor],
    grad: Tensor,
    direction: Tensor,
    before: Tensor,
    stiffness: Tensor,
) -> tuple[Tensor, Tensor]:
    """(gradient, numbers of a Point and its terms), the penalty for what is out of bounds added."""
    outside = z - x
    value = loss + stiffness / 2 * _dot(outside, outside)
    grad = ops.where(outside == 0, grad, stiffness * outside)
    numbers = [value, loss, _dot(grad, grad), _dot(grad, direction), _dot(before, direction)]
    return grad, ops.stack([ops.cast(one, grad.dtype) for one in (*numbers, *terms)])


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return ops.sum(a * b)


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
