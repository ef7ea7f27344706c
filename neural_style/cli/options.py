"""Options of a command, made from the parameters of the function that the command calls."""

import argparse
import ast
import re
from collections.abc import Container, Mapping
from typing import Any

from .forms import NONE, Form, forms_of
from .signatures import MISSING, Parameter, parameters

#: How long a help text may grow by further sentences after the first.
HELP_LENGTH = 600


def add_options(
    command: argparse._ActionsContainer,
    module: str,
    function: str,
    *,
    leave_out: Container[str] = (),
    types: Mapping[str, str] | None = None,
    forms: Mapping[str, Form] | None = None,
    texts: Mapping[str, str] | None = None,
) -> None:
    """Add an option for each parameter of a function: --style-weight for style_weight.

    An option that is not given does not appear among the arguments, so the function's own default
    holds.

    Args:
        command: The command's parser, or a group of options in it.
        module: The module of the function within this package, such as "iterative.transfer".
        function: The function's name.
        leave_out: Parameters that get no option.
        types: {parameter: annotation} for those whose own annotation no text can give.
        forms: {parameter: Form} for those that are written in a way of their own.
        texts: {parameter: help} for those to which the command gives another meaning or default.

    Raises:
        TypeError: A parameter's annotation, and `types`, tell of no form in which to write it.
    """
    types, forms, texts = types or {}, forms or {}, texts or {}
    for name, parameter in parameters(module, function).items():
        if name in leave_out:
            continue
        own = forms.get(name)
        options = _typed(parameter, types.get(name)) if own is None else _written([own])
        option = f"--{name.replace('_', '-')}"
        action = command.add_argument(option, default=argparse.SUPPRESS, **options)
        # BooleanOptionalAction would add words of its own to a help that add_argument() is given.
        action.help = texts.get(name, help_of(parameter)).replace("%", "%%")


def help_of(parameter: Parameter) -> str:
    """Make the help of an option from the parameter's entry in the docstring and its default.

    Args:
        parameter: The parameter.

    Returns:
        The first sentences, and the default where there is one to show.
    """
    text = re.sub(r"\bNone\b", "none", parameter.text.replace("`", ""))
    if isinstance(parameter.default, bool):
        name = parameter.name.replace("_", "-")
        text = re.sub(r"\bTrue\b", f"--{name}", re.sub(r"\bFalse\b", f"--no-{name}", text))
    first, *others = re.split(r"(?<=\.) (?=[A-Z\"'])", text)
    for sentence in others:
        if len(first) + len(sentence) > HELP_LENGTH:
            break
        first = f"{first} {sentence}"
    default = _shown(parameter.default)
    text = first[:1].upper() + first[1:].removesuffix(".")
    return f"{text} (default: {default})".strip() if default else text


def _shown(default: Any) -> str:
    """Return a default as the user would write it; an empty text where it says nothing."""
    if default is MISSING or default in (None, "", ()):
        return ""
    if isinstance(default, bool):
        return "yes" if default else "no"
    if isinstance(default, (list, tuple)):
        return ", ".join(map(_shown, default))
    if isinstance(default, dict):
        return ", ".join(f"{name}={_shown(value)}" for name, value in default.items())
    return f"{default:g}" if isinstance(default, float) else str(default)


def _typed(parameter: Parameter, otherwise: str | None) -> dict[str, Any]:
    """Return add_argument()'s options for a parameter by its annotation, or else by `otherwise`."""
    annotations = [parameter.annotation, *([_parsed(otherwise)] if otherwise else [])]
    for annotation in filter(None, annotations):
        if isinstance(annotation, ast.Name) and annotation.id == "bool":
            return {"action": argparse.BooleanOptionalAction}
        forms = forms_of(annotation, parameter.file)
        if any(form is not NONE for form in forms):
            return _written(forms)
    raise TypeError(
        "the command line needs a parameter whose type a text can give. Received:"
        f" {parameter.name} in {parameter.file}"
    )


def _parsed(annotation: str) -> ast.expr:
    """Return the syntax tree of an annotation."""
    return ast.parse(annotation, mode="eval").body


def _written(forms: list[Form]) -> dict[str, Any]:
    """Return add_argument()'s options for values in one of these forms."""
    ranked = sorted(forms, key=lambda form: form.rank)
    shown = sorted(forms, key=lambda form: form is NONE)
    *others, last = [form.words for form in shown]
    words = f"{', '.join(others)} or {last}" if others else last

    def read(text: str) -> Any:
        for form in ranked:
            try:
                return form.read(text)
            except (KeyError, ValueError):
                pass
        raise argparse.ArgumentTypeError(f"expected {words}. Received: {text!r}")

    return {"type": read, "metavar": "|".join(form.sign for form in shown)}
