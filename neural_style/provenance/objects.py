"""Settings that are objects: how a record names them, and how they are made again."""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from .identity import digest

#: transfer()'s arguments that may be objects of the caller's.
OBJECTS = ("network", "optimizer", "preserve_color", "statistic", "terms")

#: Modules of this package whose classes are settings: they are loaded when a record names them.
OWN_MODULES = (
    "neural_style.images.color_modes",
    "neural_style.iterative.terms",
    "neural_style.losses.statistics",
)

#: What a class must have to be made again for a setting: nothing else of this process is called.
METHODS = {
    "preserve_color": ("style", "content", "result"),
    "statistic": ("sums", "describe", "distance"),
    "terms": ("loss",),
}


def described(value: Any) -> Any:
    """An object as JSON has it; texts, numbers and None unchanged.

    A dataclass becomes {"class": its name, "arguments": its fields}, and an optimizer of Keras its
    class and configuration. A function becomes {"function": its name}, a keras.Model {"model": its
    name}; any other object {"class": its name, "arguments": None}.

    Args:
        value: A setting, or a list of objects.
    """
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, (list, tuple)):
        return [described(one) for one in value]
    name = _name(type(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return {"class": name, "arguments": {key: _plain(v) for key, v in fields.items()}}
    if _is_keras_optimizer(value):
        found = {"class": f"keras.optimizers.{type(value).__name__}"}
        return {**found, "arguments": json.loads(json.dumps(value.get_config(), default=str))}
    if hasattr(value, "get_weights") and hasattr(value, "output"):
        return {"model": str(value.name)}
    if callable(value) and hasattr(value, "__qualname__"):
        return {"function": f"{value.__module__}.{value.__qualname__}"}
    return {"class": name, "arguments": None}


def is_described(value: Any) -> bool:
    """Whether a value of a record is an object's description."""
    if isinstance(value, list):
        return all(map(is_described, value))
    if not isinstance(value, dict):
        return False
    if set(value) in ({"function"}, {"model"}):
        return all(isinstance(text, str) for text in value.values())
    return (
        set(value) == {"class", "arguments"}
        and isinstance(value["class"], str)
        and (value["arguments"] is None or isinstance(value["arguments"], dict))
    )


def made_again(setting: str, value: Any) -> Any:
    """The object of a description; other values unchanged.

    A record may come from a stranger, so it never imports code: a class must be a dataclass that
    this process has loaded and that has the methods of its setting, or an optimizer of Keras.

    Args:
        setting: The name of the argument.
        value: From a record.

    Raises:
        ValueError: An object that cannot be made again. The message says what to do.
    """
    if isinstance(value, list):
        return [made_again(setting, one) for one in value]
    if not isinstance(value, dict):
        return value
    name, arguments = value.get("class"), value.get("arguments")
    if name is None or arguments is None:
        given = name or value.get("function") or value.get("model")
        raise ValueError(
            f"the record's {setting} was {given!r}, an object that a record cannot make again;"
            f" give it: arguments_of(record, {setting}=...)"
        )
    if name.startswith("keras.optimizers."):
        return _keras_optimizer(name.removeprefix("keras.optimizers."), arguments)
    module, _, kind = name.rpartition(".")
    if module in OWN_MODULES:
        importlib.import_module(module)
    found = getattr(sys.modules.get(module), kind, None)
    methods = METHODS.get(setting, ("nothing",))
    if not (
        isinstance(found, type)
        and dataclasses.is_dataclass(found)
        and all(callable(getattr(found, method, None)) for method in methods)
    ):
        if module == "__main__":
            raise ValueError(
                f"the record's {setting} has the class {kind!r}, which was written in a script or"
                f" a notebook; give the object: arguments_of(record, {setting}=...). Its arguments"
                f" were {arguments}"
            )
        raise ValueError(
            f"the record's {setting} has the class {name!r}, which is no such dataclass that"
            f" this process has loaded; import {module} first (a record imports no code), or give"
            f" the object: arguments_of(record, {setting}=...)"
        )
    names = {f.name for f in dataclasses.fields(found) if f.init}
    if set(arguments) - names:
        raise ValueError(
            f"the record's {name!r} has other fields, {sorted(arguments)}, than the class has by"
            f" now, {sorted(names)}"
        )
    return found(**{key: _given_again(setting, item) for key, item in arguments.items()})


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _plain(value: Any) -> Any:
    """A field as JSON has it. Pictures, arrays and networks are told by their SHA-256."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (np.ndarray, Image.Image)) or hasattr(value, "get_weights"):
        return {"sha256": digest(value)}
    return described(value)


def _given_again(setting: str, value: Any) -> Any:
    """A field from its form in JSON; lists as tuples, so that a frozen dataclass is hashable.

    Raises:
        ValueError: A field that a record only tells: a picture, a function, another object.
    """
    if isinstance(value, list):
        return tuple(_given_again(setting, item) for item in value)
    if isinstance(value, dict) and set(value) & {"sha256", "function", "model", "class"}:
        raise ValueError(
            f"the record's {setting} has a part that a record cannot make again, {value}; give the"
            f" object: arguments_of(record, {setting}=...)"
        )
    return value


def _is_keras_optimizer(value: Any) -> bool:
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(value, keras.optimizers.Optimizer)


def _keras_optimizer(name: str, config: dict[str, Any]) -> Any:
    import keras

    kind = getattr(keras.optimizers, name, None)
    if not isinstance(kind, type) or not issubclass(kind, keras.optimizers.Optimizer):
        raise ValueError(f"the record's optimizer {name!r} is not one of keras.optimizers")
    if not all(isinstance(one, (str, int, float, bool, type(None))) for one in config.values()):
        raise ValueError(
            "the record's optimizer has a learning rate schedule, which a record cannot make"
            " again; give it: arguments_of(record, optimizer=...)"
        )
    found: Any = kind
    return found.from_config(config)
