"""Gradients and compiled functions on Keras' backends: TensorFlow, JAX and PyTorch."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import keras
from keras import KerasTensor, ops, tree

from .._shared.types import Tensor

#: Keras' names of the backends that have gradients, and their own.
BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}


def check_backend() -> None:
    """Raise a RuntimeError unless Keras computes on a backend that has gradients."""
    if keras.backend.backend() not in BACKENDS:
        raise RuntimeError(
            f"Keras must compute on one of {tuple(BACKENDS)}; set KERAS_BACKEND. Received:"
            f" {keras.backend.backend()}"
        )


def value_and_grad(function: Callable[..., tuple[Tensor, Any]]) -> Callable[..., Any]:
    """(x, *rest) -> ((value, more), the value's gradient with respect to x).

    Args:
        function: (x, *rest) -> (value, more). x may be a nested structure of tensors.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.value_and_grad(function, has_aux=True)

    def both(x: Any, *rest: Any) -> Any:
        if backend == "torch":
            import torch

            x = tree.map_structure(lambda one: one.detach().requires_grad_(), x)
            with torch.enable_grad():
                value, more = function(x, *rest)
                grad = _torch_gradient([value], x, None)
            return tree.map_structure(_detached, (value, more)), grad
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(x)
            value, more = function(x, *rest)
        return (value, more), tape.gradient(value, x, unconnected_gradients="zero")

    return both


def pullback(function: Callable[..., Any]) -> Callable[..., Tensor]:
    """(x, upstream, *rest) -> the gradient of <upstream, function(x, *rest)> with respect to x.

    Args:
        function: (x, *rest) -> a nested structure of tensors; `upstream` has the same structure.
    """
    backend = keras.backend.backend()

    def back(x: Tensor, upstream: Any, *rest: Any) -> Tensor:
        if backend == "jax":
            import jax

            return jax.vjp(lambda one: function(one, *rest), x)[1](upstream)[0]
        if backend == "torch":
            import torch

            x = x.detach().requires_grad_()
            with torch.enable_grad():
                found = tree.flatten(function(x, *rest))
                return _torch_gradient(found, x, tree.flatten(upstream))
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(x)
            found = function(x, *rest)
        return tape.gradient(found, x, upstream, unconnected_gradients="zero")

    return back


def _torch_gradient(found: list[Any], x: Any, upstream: list[Any] | None) -> Any:
    """PyTorch's gradient of what depends on x, zero where nothing does."""
    import torch

    counting = [number for number, one in enumerate(found) if _follows(one)]
    if not counting:
        return tree.map_structure(torch.zeros_like, x)
    grads = torch.autograd.grad(
        [found[number] for number in counting],
        tree.flatten(x),
        upstream and [upstream[number] for number in counting],
        allow_unused=True,
        materialize_grads=True,
    )
    return tree.pack_sequence_as(x, list(grads))


def _follows(tensor: Any) -> bool:
    return bool(getattr(tensor, "requires_grad", False))


def _detached(tensor: Any) -> Any:
    return tensor.detach() if _follows(tensor) else tensor


def compiled(
    function: Callable[..., Any], *specs: Any, static: tuple[int, ...] = (), once: bool = False
) -> Callable[..., Any]:
    """Compile a function of tensors; the result takes arrays and tensors.

    TensorFlow traces it now, JAX at its first call for each shape, PyTorch runs it as it is.

    Args:
        function: Of tensors, or nested structures of them.
        specs: A keras.KerasTensor for each tensor; None in its shape for a side of any length.
        static: Places of arguments that are tuples of int.
        once: Whether it will be called once. Then TensorFlow runs it as it is, too: to trace it
            would take longer.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow" and not once:
        from .tracing import traced

        return traced(function, specs, static)
    if backend == "jax":
        from .jitting import jitted

        return jitted(function, static)

    def run(*arguments: Any) -> Any:
        with _no_gradients():
            return function(
                *(
                    one if place in static else tree.map_structure(ops.convert_to_tensor, one)
                    for place, one in enumerate(arguments)
                )
            )

    return run


def _no_gradients() -> AbstractContextManager[Any]:
    """PyTorch does not keep what gradients would need; TensorFlow keeps it for a tape alone."""
    if keras.backend.backend() != "torch":
        return nullcontext()
    import torch

    return torch.no_grad()  # type: ignore[no-any-return, no-untyped-call]


def specs_of(tensors: Any) -> Any:
    """A KerasTensor for each tensor of a nested structure."""
    return tree.map_structure(
        lambda one: KerasTensor(tuple(one.shape), keras.backend.standardize_dtype(one.dtype)),
        tensors,
    )


def upper_gradient_first(f: Tensor, sums: Any) -> tuple[Tensor, Any]:
    """f and sums unchanged; TensorFlow makes the gradient of the sums wait for that of f.

    The other backends go back layer by layer by themselves.
    """
    if keras.backend.backend() != "tensorflow":
        return f, sums
    from .tracing import upper_gradient_first as gate

    return gate(f, sums)


def with_row(buffer: Tensor, row: int, values: Tensor) -> Tensor:
    """The buffer with another row, written in place: the one that was given is used up.

    Args:
        buffer: R x N.
        row: Which one.
        values: N numbers.
    """
    backend = keras.backend.backend()
    if backend == "torch":
        buffer[row] = values
        return buffer
    if backend == "jax":
        from .jitting import with_row as jax_with_row

        return jax_with_row()(buffer, row, values)
    import tensorflow as tf

    return tf.raw_ops.InplaceUpdate(x=buffer, i=[row], v=values[None])


#: What the backends raise where there is no memory. oneDNN's layers, in TensorFlow, abort.
_NO_MEMORY = ("ResourceExhaustedError", "AbortedError", "OutOfMemoryError")

#: What is in the messages of those that have no class for it, JAX and PyTorch on a CPU.
_NO_MEMORY_WORDS = ("RESOURCE_EXHAUSTED", "can't allocate memory")


@contextmanager
def memory_error(shape: Sequence[int]) -> Iterator[None]:
    """Turn a backend's out-of-memory error into a MemoryError of one line.

    Args:
        shape: The picture's, 1 x H x W x 3.
    """
    try:
        yield
    except Exception as error:
        known = type(error).__name__ in _NO_MEMORY or (
            isinstance(error, RuntimeError) and any(word in str(error) for word in _NO_MEMORY_WORDS)
        )
        if not known:
            raise
        backend = BACKENDS[keras.backend.backend()]
        raise MemoryError(
            f"{backend} ran out of memory at {shape[2]} x {shape[1]} pixels; use a smaller size,"
            " or tile="
        ) from error
