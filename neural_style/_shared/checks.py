"""Checks of single arguments: each returns the value as Python's own type, or says what was
expected and what came.

NumPy's scalars are numbers like any others. They leave as Python's: in a loss, NumPy's float64
would make float64 of all it multiplies.
"""

import math
import os
from collections.abc import Iterable, Iterator, Mapping

import numpy as np


def is_number(value):
    """Whether `value` is a real number, not a bool."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(
        value, (bool, np.bool_)
    )


def is_finite(value):
    """Whether `value` is a number that a float can hold: not NaN, not infinite, not 10**400."""
    try:
        return is_number(value) and math.isfinite(float(value))
    except OverflowError:
        return False


def is_count(value, least=1):
    """Whether `value` is an integer, at least `least`."""
    return is_number(value) and isinstance(value, (int, np.integer)) and value >= least


def number(name, value, least=0.0, most=math.inf, above=False):
    """A finite float from `least` (or above it) to `most`."""
    if not is_finite(value) or not least <= value <= most or (above and value == least):
        bounds = f"above {least:g}" if above else f"at least {least:g}"
        bounds += f" and at most {most:g}" if most < math.inf else ""
        raise ValueError(
            f"{name} must be a finite number, {bounds}. Received: {name}={_shown(value)}"
        )
    return float(value)


def count(name, value, least=1, most=None):
    """An int from `least` to `most`."""
    if not is_count(value, least) or (most is not None and value > most):
        kind = "a positive integer" if least == 1 else f"an integer, at least {least}"
        kind += "" if most is None else f", at most {most:,}"
        raise ValueError(f"{name} must be {kind}. Received: {name}={_shown(value)}")
    return int(value)


def flag(name, value):
    """True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} must be True or False. Received: {name}={_shown(value)}")
    return bool(value)


def choice(name, value, known):
    """One of the known names."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be one of {tuple(known)}. Received: {name}={_shown(value)}")
    return value


def layers(name, value):
    """Names of layers as a list, or {name: weight} as a dict of floats; of any collection of names."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, Mapping):
        for layer, weight in value.items():
            if not is_finite(weight) or weight < 0:
                raise ValueError(
                    "the weight of a layer must be a finite number, at least 0. Received:"
                    f" {name}={{{layer}: {_shown(weight)}}}"
                )
        named = {str(layer): float(weight) for layer, weight in value.items()}
    elif isinstance(value, Iterable) and not isinstance(value, (Iterator, bytes)):
        named = sorted(value, key=str) if isinstance(value, (set, frozenset)) else list(value)
        if not all(isinstance(layer, str) for layer in named):
            raise TypeError(f"{name} must name layers by text. Received: {name}={_shown(value)}")
        named = list(dict.fromkeys(named))
    else:
        raise TypeError(
            f"{name} must be a list of layer names or {{name: weight}}. Received:"
            f" {type(value).__name__}"
        )
    if not named:
        raise ValueError(f"{name} must name at least one layer. Received: none")
    return named


def file_name(name, value):
    """A name that stays in its folder: no path, no name that the system keeps for itself."""
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


def _shown(value):
    """The value in a message of one line and bounded length."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**40:
        return "an integer of more than 40 digits"
    text = " ".join(repr(value).split())
    return text if len(text) <= 200 else text[:200] + "..."
