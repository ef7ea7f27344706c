"""Loss and gradient of the pixels, in the form that SciPy's optimizers ask for."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from .._shared.types import Features, Tensor
from ..losses.loss import Loss
from .autodiff import graph_as_written, memory_error, traced, upper_gradient_first
from .loss_checks import check_layers_of, weighted

#: Targets with positions: {loss: {layer: 1 x h x w x C}}.
Maps: TypeAlias = Mapping[str, Mapping[str, Any]]


class Evaluator:
    """Total loss and its gradient with respect to the pixels of the generated picture.

        loss, grad = evaluator(x)
        scipy.optimize.minimize(evaluator, x, jac=True, method="L-BFGS-B")
        scipy.optimize.fmin_l_bfgs_b(evaluator.loss, x, fprime=evaluator.grads, maxfun=20)

    x is a flat vector. Whatever its type, the network sees float32 and SciPy gets float64. Network,
    losses and gradient are one compiled function. loss, grads and terms read one cache keyed on x
    in float32: call them in any order, and nothing is evaluated twice.

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
        RuntimeError: Keras is on another backend than TensorFlow.
        ValueError: losses and loss_weights differ in their names, or are empty; a loss needs a
            layer that the network does not give.
    """

    #: What keeps a map from one evaluation to the next.
    _held = staticmethod(tf.convert_to_tensor)

    def __init__(
        self,
        extractor: Callable[[Tensor], Features],
        losses: Mapping[str, Callable[[Features], Tensor]],
        loss_weights: Mapping[str, float],
        shape: Sequence[int],
    ) -> None:
        if keras.backend.backend() != "tensorflow":
            raise RuntimeError(
                "Evaluator needs Keras on TensorFlow; set KERAS_BACKEND=tensorflow. "
                f"Received: {keras.backend.backend()}"
            )
        if not losses or set(losses) != set(loss_weights):
            raise ValueError(
                "losses and loss_weights must have the same names, at least one. "
                f"Received: {sorted(losses)} and {sorted(loss_weights)}"
            )
        check_layers_of(losses, extractor)
        self.shape = tuple(shape)
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
        """(x, float32; maps) -> ({name: weighted term}, their sum, its gradient)."""
        in_halves = self._in_halves

        def evaluate(x: Tensor, maps: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(x)
                if in_halves:
                    sums = layer_statistics(extractor, x, losses, maps)
                    terms = {
                        name: weighted(name, loss_weights[name], loss.value(sums[name]))
                        for name, loss in losses.items()
                    }
                else:
                    features = extractor(x)
                    terms = {
                        name: weighted(name, loss_weights[name], loss(features))
                        for name, loss in losses.items()
                    }
                total = sum(terms.values())
            return terms, total, tape.gradient(total, x)

        # a concrete function: TensorFlow warns of "retracing" where one process makes many
        # Evaluators of tf.functions
        evaluate = traced(
            evaluate,
            tf.TensorSpec(self.shape, tf.float32),
            tf.nest.map_structure(lambda m: tf.TensorSpec(m.shape, m.dtype), self._maps),
        )
        return lambda x, maps: evaluate(*tf.nest.flatten((tf.constant(x), maps)))

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """(loss: float, grad: float64 vector) at x."""
        x = np.array(x, "float32")  # a copy: SciPy changes its x in place
        if self._x is None or not np.array_equal(x, self._x):
            with graph_as_written(), memory_error(self.shape):
                terms, total, grad = self._evaluate(x.reshape(self.shape), self._maps)
            self.terms = {name: float(term) for name, term in terms.items()}
            self._x, self._loss, self._grad = x, float(total), np.asarray(grad).ravel()
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


def layer_statistics(
    extractor: Any,
    x: Tensor,
    losses: Mapping[str, Loss],
    maps: Maps,
    core: Callable[[str, Tensor], Tensor] = lambda layer, f: f,
) -> dict[str, dict[str, Any]]:
    """{loss: {layer: its sums}}, taken along the way through the network.

    Backwards, a layer's gradient from its own sums is as large as its features, and depends on
    nothing but the losses' values. TensorFlow would make those of all layers at once, and hold them
    until the way back has come to each. Here each waits for the gradient from the layers above,
    which takes a third off the peak memory.

    Args:
        extractor: A keras.Model from feature_extractor. Any other function of x will do, without
            that saving.
        x: Preprocessed pictures, B x H x W x 3.
        losses: {name: a Loss}.
        maps: {loss: {layer: its part of the loss's map}}, of the losses that have any.
        core: (layer, features) -> the features to count.
    """
    found: dict[str, dict[str, Any]] = {name: {} for name in losses}

    def take(layers: list[str], f: Tensor) -> Tensor:
        """Put the sums of f, known as `layers`, into found; return f."""
        sums = {
            (name, layer): loss.layer_sums(layer, core(layer, f), maps.get(name, {}).get(layer))
            for layer in layers
            for name, loss in losses.items()
            if layer in loss.sums
        }
        f, sums = upper_gradient_first(f, sums) if sums else (f, sums)
        for (name, layer), of_layer in sums.items():
            found[name][layer] = of_layer
        return f

    chain = _chain(extractor)
    if chain is None:
        for layer, f in extractor(x).items():
            take([layer], f)
    for operation, layers in chain or ():
        x = take(layers, x if isinstance(operation, keras.layers.InputLayer) else operation(x))
    return found


def _chain(extractor: Any) -> list[tuple[Any, list[str]]] | None:
    """[(layer, its names among the outputs)] of a keras.Model in which one layer follows another.

    None for any other model or function.
    """
    layers = getattr(extractor, "layers", [])
    if (
        not layers
        or not isinstance(extractor.output, dict)
        or any(
            not isinstance(b.input, keras.KerasTensor) or b.input is not a.output
            for a, b in itertools.pairwise(layers)
        )
    ):
        return None
    return [
        (layer, [name for name, output in extractor.output.items() if output is layer.output])
        for layer in layers
    ]
