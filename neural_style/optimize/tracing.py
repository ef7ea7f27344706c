"""What TensorFlow alone needs: functions traced once and run as written, gradients in order."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from .._shared.types import Tensor


def traced(
    function: Callable[..., Any], specs: tuple[Any, ...], static: tuple[int, ...]
) -> Callable[..., Any]:
    """Compile a function of tensors: a concrete function, its gradients within.

    A tf.function that is not concrete warns of "retracing" where one process makes many of them.

    Args:
        function: Of tensors, or nested structures of them.
        specs: A KerasTensor for each tensor.
        static: Places of arguments that are tuples of int; they become int32 vectors, so that one
            graph serves all of them.
    """
    wanted = [
        tf.TensorSpec((len(spec),), tf.int32)
        if place in static
        else tf.nest.map_structure(lambda one: tf.TensorSpec(one.shape, one.dtype), spec)
        for place, spec in enumerate(specs)
    ]

    # of tensors only: at each call, TensorFlow compares nested arguments with what it wants, and
    # writes all of their numbers into an error that it then drops, in 4 ms
    def of_tensors(*tensors: Tensor) -> Any:
        return function(*tf.nest.pack_sequence_as(wanted, tensors))

    graph: Any = _concrete(of_tensors, tf.nest.flatten(wanted))

    def run(*arguments: Any) -> Any:
        flat = [
            tf.constant(argument, tf.int32) if place in static else argument
            for place, argument in enumerate(arguments)
        ]
        with graph_as_written():
            return graph(*(tf.convert_to_tensor(one) for one in tf.nest.flatten(flat)))

    return run


def upper_gradient_first(f: Tensor, sums: Any) -> tuple[Tensor, Any]:
    """f and sums unchanged; on the way back, the gradient of the sums waits for that of f."""

    @tf.custom_gradient
    def gate(f: Tensor, *flat: Tensor) -> Any:
        def gradient(df: Tensor, *dflat: Tensor) -> Any:
            with tf.control_dependencies([df]):
                return df, *(tf.identity(d) for d in dflat)

        return (tf.identity(f), *(tf.identity(s) for s in flat)), gradient

    f, *flat = gate(f, *tf.nest.flatten(sums))
    return f, tf.nest.pack_sequence_as(sums, flat)


_TRACING = threading.Lock()


def _concrete(function: Callable[..., Any], specs: list[Any]) -> Callable[..., Any]:
    """The concrete function for these specs.

    TensorFlow keeps each custom gradient (upper_gradient_first, statistics.gram_matrix's) for the
    life of the process, and with it the graph and the network's weights: 80 MB for a transfer().
    Once the function is traced, nobody asks for it any more, so it is taken out of TensorFlow's
    registry again.
    """
    with _TRACING:
        try:
            return tf.function(function, autograph=False).get_concrete_function(*specs)
        finally:
            for name in [name for name, entry in _custom_gradients().items() if _is_ours(entry)]:
                _custom_gradients().pop(name, None)


def _custom_gradients() -> dict[str, Any]:
    """TensorFlow's registry, {name: {"type": function}}; a version that keeps it elsewhere keeps
    its memory too.
    """
    from tensorflow.python.framework import ops as framework

    return getattr(getattr(framework, "gradient_registry", None), "_registry", {})


def _is_ours(entry: Any) -> bool:
    """Whether a registered gradient is of this package: what TensorFlow registers is wrapped around
    it, closure in closure.
    """
    functions = [entry.get("type")] if isinstance(entry, dict) else []
    for _ in range(3):
        functions = [
            cell.cell_contents
            for function in functions
            for cell in getattr(function, "__closure__", None) or ()
        ]
        if any(
            str(getattr(function, "__module__", "")).startswith("neural_style.")
            for function in functions
            if callable(function)
        ):
            return True
    return False


_LOCK = threading.Lock()


_users, _before = 0, False


@contextmanager
def graph_as_written() -> Iterator[None]:
    """Run a tf.function without TensorFlow's graph optimizer.

    On large pictures it has gradients added up in the order in which they happen to be ready, so
    that the same x gives another gradient in the last bit, and the same transfer() another picture.
    It gains this graph no time. The option is the whole process's: of several threads, the first
    one in sets it, and the last one out sets it back.
    """
    global _users, _before
    options = tf.config.optimizer
    with _LOCK:
        if _users == 0:
            _before = options.get_experimental_options().get("disable_meta_optimizer", False)
            options.set_experimental_options({"disable_meta_optimizer": True})
        _users += 1
    try:
        yield
    finally:
        with _LOCK:
            _users -= 1
            if _users == 0:
                options.set_experimental_options({"disable_meta_optimizer": _before})
