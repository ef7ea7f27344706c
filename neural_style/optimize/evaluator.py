"""Loss and gradient of the pixels, in the form that SciPy's optimizers ask for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from keras import KerasTensor, ops

from .._shared.types import Features, Tensor
from ..losses.loss import Loss
from .autodiff import check_backend, compiled, memory_error, specs_of, value_and_grad
from .layer_statistics import Maps, layer_statistics
from .loss_checks import check_layers_of, weighted


class Evaluator:
    """Total loss and its gradient with respect to the pixels of the generated picture.

        loss, grad = evaluator(x)
        scipy.optimize.minimize(evaluator, x, jac=True, method="L-BFGS-B")
        scipy.optimize.fmin_l_bfgs_b(evaluator.loss, x, fprime=evaluator.grads, maxfun=20)
        (loss, terms), grad = evaluator.on_device(x)

    x is a flat vector. Whatever its type, the network sees float32 and SciPy gets float64. Network,
    losses and gradient are one compiled function. loss, grads and terms read one cache keyed on x
    in float32: call them in any order, and nothing is evaluated twice. on_device takes and returns
    tensors.

    Args:
        extractor: Preprocessed pictures -> features, from feature_extractor, or any differentiable
            function.
        losses: {name: a loss}. A loss takes features and returns a number. A losses.Loss takes less
            memory; see layer_statistics.
        loss_weights: {name: its weight}, for the same names. Equation 7 of the paper: alpha content
            + beta style.
        shape: The shape of the picture that x stands for, 1 x H x W x 3.

    Attributes:
        terms: {name: weight times loss} at the last x. They sum to the loss.

    Raises:
        RuntimeError: Keras is on a backend without gradients.
        ValueError: losses and loss_weights differ in their names, or are empty; a loss needs a
            layer that the network does not give.
    """

    #: What keeps a map from one evaluation to the next.
    _held = staticmethod(ops.convert_to_tensor)

    def __init__(
        self,
        extractor: Callable[[Tensor], Features],
        losses: Mapping[str, Callable[[Features], Tensor]],
        loss_weights: Mapping[str, float],
        shape: Sequence[int],
    ) -> None:
        check_backend()
        if not losses or set(losses) != set(loss_weights):
            names = f"{sorted(losses)} and {sorted(loss_weights)}"
            raise ValueError(
                f"losses and loss_weights must have the same names, at least one. Received: {names}"
            )
        check_layers_of(losses, extractor)
        self.shape = tuple(shape)
        self._names = list(losses)
        self.terms: dict[str, float] = {}
        self._x: Any = None
        self._loss, self._grad = np.nan, np.empty(0)
        self._in_halves = all(isinstance(loss, Loss) for loss in losses.values())
        self._maps = self._hold(
            {name: loss.maps for name, loss in losses.items() if isinstance(loss, Loss)}
            if self._in_halves
            else {}
        )
        self._evaluate = self._compile(extractor, losses, loss_weights)

    def retarget(self, maps: Maps) -> None:
        """Take other maps in place of the losses' own, such as those of a film's next frame.

        Nothing is compiled anew.

        Args:
            maps: {loss: {layer: 1 x h x w x C}}.

        Raises:
            ValueError: The losses, layers or shapes differ from those that there were.
        """
        held = self._hold(maps)
        now, before = (
            {
                (name, layer): tuple(m.shape)
                for name, of_loss in some.items()
                for layer, m in of_loss.items()
            }
            for some in (held, self._maps)
        )
        if now != before:
            raise ValueError(f"the maps must have the shapes they had, {before}. Received: {now}")
        self._maps, self._x = held, None

    def _hold(self, maps: Maps) -> dict[str, dict[str, Any]]:
        return {
            name: {layer: self._held(m) for layer, m in of_loss.items()}
            for name, of_loss in maps.items()
            if of_loss
        }

    def _compile(self, extractor: Any, losses: Any, loss_weights: Mapping[str, float]) -> Any:
        """(x, maps) -> ((total, {name: weighted term}), the total's gradient)."""

        def total(x: Tensor, maps: Any) -> tuple[Tensor, dict[str, Tensor]]:
            if self._in_halves:
                sums = layer_statistics(extractor, x, losses, maps)
                values = {name: loss.value(sums[name]) for name, loss in losses.items()}
            else:
                features = extractor(x)
                values = {name: loss(features) for name, loss in losses.items()}
            terms = {
                name: weighted(name, loss_weights[name], value) for name, value in values.items()
            }
            return sum(terms.values()), terms

        specs = KerasTensor(self.shape, "float32"), specs_of(self._maps)
        return compiled(value_and_grad(total), *specs)

    def on_device(self, x: Tensor) -> tuple[tuple[Tensor, dict[str, Tensor]], Tensor]:
        """((loss, {name: weighted term}), gradient) as tensors; nothing is checked or kept.

        Args:
            x: float32, of `shape`.
        """
        with memory_error(self.shape):
            (loss, terms), grad = self._evaluate(x, self._maps)
        return (loss, {name: terms[name] for name in self._names}), grad  # JAX sorts them

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """(loss: float, grad: float64 vector) at x."""
        x = np.array(x, "float32").ravel()  # a copy: SciPy changes its x in place
        if self._x is None or not np.array_equal(x, self._x):
            (loss, terms), grad = self.on_device(x.reshape(self.shape))
            self.terms = {name: float(term) for name, term in terms.items()}
            self._x, self._loss = x, float(loss)
            self._grad = ops.convert_to_numpy(grad).ravel()
            if not np.isfinite(self._loss) or not np.isfinite(self._grad).all():
                raise FloatingPointError(self._not_finite())
        return self._loss, self._grad.astype("float64")

    def _not_finite(self) -> str:
        """What is not finite, and the likely cause."""
        if not np.isfinite(self._x).all():
            return (
                "the pixels are not finite any more: a learning_rate that is too large for this"
                " loss, or a callback that changed x"
            )
        wrong = [name for name, term in self.terms.items() if not np.isfinite(term)]
        if not wrong:
            return (
                f"the gradient is not finite, though the loss is, {self._loss:.4g}: a loss whose"
                " slope is infinite somewhere, such as a total variation with an exponent below"
                " its limits"
            )
        return (
            f"the {' and '.join(wrong)} loss is not finite: a weight too large for float32, pixels"
            " far outside 0-255 (a learning_rate that is too large), or weights of the network"
            f" that are not finite. Weighted terms: {self.terms}"
        )

    def loss(self, x: np.ndarray) -> float:
        """The loss at x."""
        return self(x)[0]

    def grads(self, x: np.ndarray) -> np.ndarray:
        """The gradient at x."""
        return self(x)[1]
