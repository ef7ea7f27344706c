"""Loss and gradient of the pixels, in the form that SciPy's optimisers ask for. The only autodiff on pixels."""
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf


class Evaluator:
    """Total loss and its gradient with respect to the pixels of the generated picture.

        evaluator(x) -> (loss, grad)           scipy.optimize.minimize(evaluator, x, jac=True, method="L-BFGS-B")
        evaluator.loss(x), evaluator.grads(x)  fmin_l_bfgs_b(evaluator.loss, x, fprime=evaluator.grads, maxfun=20)

    x is a flat vector; whatever its type, the network sees float32 and SciPy gets float64. Network, losses and gradient
    are one compiled function, and loss, grads and terms read one cache keyed on x: any order, no second evaluation.

    Args:
        extractor: preprocessed pictures -> features, from feature_extractor (or any differentiable function).
        losses: {name: a loss}; a loss takes features and returns a number.
        loss_weights: {name: its weight}, for the same names. Equation 7 of the paper: alpha content + beta style.
        shape: of the picture x stands for, 1 x H x W x 3.

    Attributes:
        terms: {name: weight times loss} at the last x; they sum to the loss.
    """

    def __init__(self, extractor, losses, loss_weights, shape):
        if keras.backend.backend() != "tensorflow":
            raise RuntimeError("Evaluator needs Keras on TensorFlow; set KERAS_BACKEND=tensorflow. "
                               f"Received: {keras.backend.backend()}")
        if not losses or set(losses) != set(loss_weights):
            raise ValueError("losses and loss_weights must have the same names, at least one. "
                             f"Received: {sorted(losses)} and {sorted(loss_weights)}")
        self.shape = tuple(shape)
        self.terms = {}
        self._x = self._loss = self._grad = None
        self._evaluate = self._compile(extractor, losses, loss_weights)

    def _compile(self, extractor, losses, loss_weights):
        """x, float32 of self.shape -> ({name: weighted term}, their sum, its gradient)."""
        def evaluate(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                features = extractor(x)
                terms = {name: loss_weights[name] * loss(features) for name, loss in losses.items()}
                total = sum(terms.values())
            return terms, total, tape.gradient(total, x)

        # a concrete function: TensorFlow warns of "retracing" where one process makes many Evaluators of tf.functions
        return tf.function(evaluate).get_concrete_function(tf.TensorSpec(self.shape, tf.float32))

    def __call__(self, x):
        """(loss: float, grad: float64 vector) at x."""
        if self._x is None or not np.array_equal(x, self._x):
            x = np.array(x, "float64")  # a copy: SciPy changes its x in place
            with graph_as_written():
                terms, total, grad = self._evaluate(tf.constant(x.reshape(self.shape), tf.float32))
            self.terms = {name: float(term) for name, term in terms.items()}
            self._x, self._loss, self._grad = x, float(total), np.asarray(grad).astype("float64").ravel()
            if not np.isfinite(self._loss) or not np.isfinite(self._grad).all():
                raise FloatingPointError(f"the loss or its gradient is not finite; weighted terms: {self.terms}")
        return self._loss, self._grad.copy()

    def loss(self, x):
        """The loss at x."""
        return self(x)[0]

    def grads(self, x):
        """The gradient at x."""
        return self(x)[1]


@contextmanager
def graph_as_written():
    """Run a tf.function without TensorFlow's graph optimiser.

    On large pictures it has gradients added up in the order in which they happen to be ready, so that the same x gives
    another gradient in the last bit, and the same transfer() another picture. It gains this graph no time.
    """
    before = tf.config.optimizer.get_experimental_options().get("disable_meta_optimizer", False)
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": before})
