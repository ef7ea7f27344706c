"""What JAX alone needs: compilations that serve other pictures of the same size."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax

from .._shared.types import Tensor


def jitted(function: Callable[..., Any], static: tuple[int, ...]) -> Callable[..., Any]:
    """Compile a function of tensors at its first call for each shape.

    The arrays that the function closes over, the network's weights and the targets of the losses,
    become arguments of what is compiled. So JAX's cache on disk (JAX_COMPILATION_CACHE_DIR) knows
    the compilation again when another photo of that size is painted in another style.

    Args:
        function: Of tensors, or nested structures of them.
        static: Places of arguments that are tuples of int.
    """
    made: dict[Any, Callable[..., Any]] = {}

    def run(*arguments: Any) -> Any:
        fixed = {place: arguments[place] for place in static}
        rest = [one for place, one in enumerate(arguments) if place not in fixed]
        leaves, structure = jax.tree.flatten(rest)
        kinds = tuple((tuple(leaf.shape), str(leaf.dtype)) for leaf in leaves)
        key = kinds, structure, tuple(fixed.items())
        if key not in made:

            def of_leaves(*leaves: Tensor) -> Any:
                ahead = iter(jax.tree.unflatten(structure, leaves))
                return function(
                    *(fixed[place] if place in fixed else next(ahead) for place in range(count))
                )

            count = len(arguments)
            made[key] = _open(of_leaves, leaves)
        return made[key](leaves)

    return run


def _open(function: Callable[..., Any], leaves: list[Any]) -> Callable[..., Any]:
    """A compiled function of a list of tensors, with its constants as arguments."""
    closed, shapes = jax.make_jaxpr(function, return_shape=True)(*leaves)
    structure, constants, jaxpr = jax.tree.structure(shapes), closed.consts, closed.jaxpr

    @jax.jit
    def compiled(constants: list[Any], leaves: list[Any]) -> list[Any]:
        return jax.core.eval_jaxpr(jaxpr, constants, *leaves)

    return lambda leaves: jax.tree.unflatten(structure, compiled(constants, leaves))


@lru_cache(maxsize=1)
def with_row() -> Callable[..., Any]:
    """(buffer, row, values) -> the buffer with another row, in its place in memory."""
    return jax.jit(lambda buffer, row, values: buffer.at[row].set(values), donate_argnums=0)
