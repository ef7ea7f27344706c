"""Checks of single arguments.

Each check returns the value as Python's own type, or raises an error that says what was expected
and what was received. NumPy's scalars are accepted as numbers, but they leave as Python's numbers:
a NumPy float64 in a loss would turn everything that it multiplies into float64.
"""

import math
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np


def is_number(value: object) -> bool:
    """Tell whether a value is a real number. A bool is not a number here.

    Args:
        value: the value to look at.
    """
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(
        value, (bool, np.bool_)
    )


def is_finite(value: Any) -> bool:
    """Tell whether a value is a number that a float can hold: not NaN, infinity or 10**400.

    Args:
        value: the value to look at.
    """
    try:
        return is_number(value) and math.isfinite(float(value))
    except OverflowError:
        return False


def is_count(value: Any, least: float = 1) -> bool:
    """Tell whether a value is an integer that is at least `least`.

    Args:
        value: the value to look at.
        least: the smallest integer to accept.
    """
    return is_number(value) and isinstance(value, (int, np.integer)) and bool(value >= least)


def number(
    name: str, value: Any, least: float = 0.0, most: float = math.inf, above: bool = False
) -> float:
    """Check that an argument is a finite number within bounds.

    Args:
        name: the argument's name, for the error message.
        value: the argument's value.
        least: the lower bound.
        most: the upper bound, which is always accepted.
        above: refuse `least` itself.

    Returns:
        The value as a Python float.

    Raises:
        ValueError: the value is not a finite number, or it is out of bounds.
    """
    if not is_finite(value) or not least <= value <= most or (above and value == least):
        bounds = f"above {least:g}" if above else f"at least {least:g}"
        bounds += f" and at most {most:g}" if most < math.inf else ""
        raise ValueError(
            f"{name} must be a finite number, {bounds}. Received: {name}={_shown(value)}"
        )
    return float(value)


def count(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """Check that an argument is an integer within bounds.

    Args:
        name: the argument's name, for the error message.
        value: the argument's value.
        least: the smallest integer to accept.
        most: the largest integer to accept; None accepts all above `least`.

    Returns:
        The value as a Python int.

    Raises:
        ValueError: the value is not an integer, or it is out of bounds.
    """
    if not is_count(value, least) or (most is not None and value > most):
        kind = "a positive integer" if least == 1 else f"an integer, at least {least}"
        kind += "" if most is None else f", at most {most:,}"
        raise ValueError(f"{name} must be {kind}. Received: {name}={_shown(value)}")
    return int(value)


def shares(given: Sequence[Any]) -> list[float]:
    """Check shares in a mixture, and divide them by their sum.

    Args:
        given: the shares.

    Returns:
        Python floats, whose sum is 1.

    Raises:
        ValueError: a share is negative or no finite number, or none is above 0.
    """
    if not given or not all(is_finite(share) and share >= 0 for share in given):
        raise ValueError(f"shares must be finite numbers, at least 0. Received: {_shown(given)}")
    total = sum(map(float, given))
    if not 0 < total < math.inf:
        raise ValueError(
            f"shares must have one above 0, and a finite sum. Received: {_shown(given)}"
        )
    return [float(share) / total for share in given]


def flag(name: str, value: Any) -> bool:
    """Check that an argument is True or False.

    Args:
        name: the argument's name, for the error message.
        value: the argument's value.

    Returns:
        The value as a Python bool.

    Raises:
        ValueError: the value is neither True nor False.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} must be True or False. Received: {name}={_shown(value)}")
    return bool(value)


def choice(name: str, value: Any, known: Collection[str]) -> str:
    """Check that an argument is one of the known names.

    Args:
        name: the argument's name, for the error message.
        value: the argument's value.
        known: the names to accept, in the order in which the error message lists them.

    Returns:
        The value.

    Raises:
        ValueError: the value is none of the known names.
    """
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be one of {tuple(known)}. Received: {name}={_shown(value)}")
    return value


def layers(name: str, value: Any) -> list[str] | dict[str, float]:
    """Check that an argument names layers.

    Args:
        name: the argument's name, for the error message.
        value: one layer name, any collection of layer names, or {name: weight}.

    Returns:
        A list of names without repetitions, or a dict of floats where weights were given.

    Raises:
        TypeError: the value is not a collection of text.
        ValueError: there is no layer, or a weight is negative or not finite.
    """
    if isinstance(value, str):
        value = [value]
    named: list[str] | dict[str, float]
    if isinstance(value, Mapping):
        for layer, weight in value.items():
            if not is_finite(weight) or weight < 0:
                raise ValueError(
                    "the weight of a layer must be a finite number, at least 0. Received:"
                    f" {name}={{{layer}: {_shown(weight)}}}"
                )
        named = {str(layer): float(weight) for layer, weight in value.items()}
    elif isinstance(value, Iterable) and not isinstance(value, (Iterator, bytes)):
        listed = sorted(value, key=str) if isinstance(value, (set, frozenset)) else list(value)
        if not all(isinstance(layer, str) for layer in listed):
            raise TypeError(f"{name} must name layers by text. Received: {name}={_shown(value)}")
        named = list(dict.fromkeys(listed))
    else:
        raise TypeError(
            f"{name} must be a list of layer names or {{name: weight}}. Received:"
            f" {type(value).__name__}"
        )
    if not named:
        raise ValueError(f"{name} must name at least one layer. Received: none")
    return named


def file_name(name: str, value: Any) -> str:
    """Check that an argument is a plain file name, which cannot lead out of its folder.

    Args:
        name: the argument's name, for the error message.
        value: the argument's value.

    Returns:
        The file name as text.

    Raises:
        ValueError: the value is no text, has folders, or is a name that the system reserves.
    """
    text = os.fspath(value) if isinstance(value, (str, os.PathLike)) else None
    if (
        not isinstance(text, str)
        or text in ("", ".", "..")
        or any(sign in text for sign in ("/", "\\", ":", "\0"))
    ):
        raise ValueError(
            f"{name} must be a plain file name, without folders. Received: {_shown(value)}"
        )
    return text


def _shown(value: Any) -> str:
    """Return a value's text for a message: one line, of bounded length."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**40:
        return "an integer of more than 40 digits"
    text = " ".join(repr(value).split())
    return text if len(text) <= 200 else text[:200] + "..."
