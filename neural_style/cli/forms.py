"""The ways in which the values of a type are written on the command line."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .signatures import definition
from .values import layers


@dataclass(frozen=True)
class Form:
    """One way to write a value.

    Attributes:
        rank: Forms of a low rank are tried first.
        words: What is expected, for error messages.
        sign: What stands for the value in the usage.
        read: Turns the text into the value; raises ValueError for a text of another form.
    """

    rank: int
    words: str
    sign: str
    read: Callable[[str], Any]


def forms_of(annotation: ast.expr, file: Path) -> list[Form]:
    """Find how the values of a type can be written.

    Args:
        annotation: The syntax tree of an annotation. Members of a union that no text can give, such
            as keras.Model, are left out.
        file: The file in which the annotation stands.

    Returns:
        The forms, in the annotation's order; none where no value can be written.
    """
    return list(dict.fromkeys(_forms(annotation, file)))


def _forms(node: ast.expr, file: Path) -> list[Form]:
    """Return the forms of an annotation, of which some may be the same."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [*_forms(node.left, file), *_forms(node.right, file)]
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            return _forms(ast.parse(node.value, mode="eval").body, file)
        return [NONE] if node.value is None else []
    if isinstance(node, ast.Subscript):
        return _subscripted(node)
    name = _last_name(node)
    if name in SIMPLE:
        return [SIMPLE[name]]
    if name in MAPPINGS:
        return [_mapping(TEXT, ANYTHING)]
    found = definition(name, file) if isinstance(node, ast.Name) else None
    return [] if found is None else _forms(*found)


def _subscripted(node: ast.Subscript) -> list[Form]:
    """Return the forms of Literal[...], Sequence[...], Mapping[..., ...] and their like."""
    name = _last_name(node.value)
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name == "Literal":
        return [_literal(ast.literal_eval(value)) for value in inner]
    items = [SIMPLE.get(_last_name(item)) for item in inner]
    if name in SEQUENCES and items[0] is not None:
        return [_sequence(items[0], SEQUENCES[name])]
    if name in MAPPINGS and items[0] is not None:
        return [_mapping(items[0], items[-1] or ANYTHING)]
    return [PATH] if name == "PathLike" else []


def _literal(value: Any) -> Form:
    """Return the form of one value that is written as it is."""
    return Form(1, str(value), str(value), lambda text: {str(value): value}[text])


def _sequence(item: Form, kind: Callable[..., Any]) -> Form:
    """Return the form of several values with commas between."""
    return Form(
        6,
        f"several of {item.sign} with commas between",
        f"{item.sign},...",
        lambda text: kind(item.read(part) for part in text.split(",")),
    )


def _mapping(key: Form, value: Form) -> Form:
    """Return the form of KEY=VALUE,KEY=VALUE,..."""

    def read(text: str) -> dict[Any, Any]:
        pairs = [item.partition("=") for item in text.split(",")]
        if not all(sign for _, sign, _ in pairs):
            raise ValueError(text)
        return {key.read(name): value.read(content) for name, _, content in pairs}

    pair = f"{key.sign}={value.sign}"
    return Form(4, f"{pair} with commas between", f"{pair},...", read)


def _none(text: str) -> None:
    """Read "none" as None."""
    if text not in ("none", "None"):
        raise ValueError(text)


def _anything(text: str) -> Any:
    """Read a number as such, "true" and "false" as bools, and any other text as itself."""
    bools = {"true": True, "True": True, "false": False, "False": False}
    for read in (int, float, bools.__getitem__):
        try:
            return read(text)
        except (KeyError, ValueError):
            pass
    return text


def _last_name(node: ast.expr) -> str:
    """Return the last part of a type's name, such as "PathLike" of os.PathLike; "" for no name."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


NONE = Form(0, "none", "none", _none)
TEXT = Form(5, "a name", "NAME", str)
PATH = Form(5, "a path", "PATH", str)
ANYTHING = Form(5, "a value", "VALUE", _anything)

#: Types that have a form by their name alone.
SIMPLE: Mapping[str, Form] = {
    "int": Form(2, "an integer", "N", int),
    "float": Form(3, "a number", "X", float),
    "str": TEXT,
    "Path": PATH,
    "PathLike": PATH,
    "Picture": PATH,
    "Layers": Form(4, "LAYER or LAYER=WEIGHT with commas between", "LAYER[=W],...", layers),
}

#: Sequences, and what a text that gives one is made into.
SEQUENCES: Mapping[str, Callable[..., Any]] = {
    "Sequence": list,
    "Iterable": list,
    "list": list,
    "tuple": tuple,
}

MAPPINGS = ("Mapping", "dict")
