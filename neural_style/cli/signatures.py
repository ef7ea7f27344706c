"""What the source text of a function says of its parameters: types, defaults and descriptions.

The function is read, never imported, so --help does not wait for Keras and TensorFlow.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]

#: The default of a parameter that has none, or none that the source text alone can tell.
MISSING = inspect.Parameter.empty

#: A line that begins an entry: `name: text`, `name (type): text` or `name, name: text`.
ENTRY = re.compile(r" {4}(?P<names>\*{0,2}\w+(?:, \w+)*)(?: \(.*?\))?: ?(?P<text>.*)")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a function, as the source text describes it.

    Attributes:
        name: The parameter's name.
        annotation: The syntax tree of its annotation; None where it has no annotation.
        default: Its default value; MISSING where it has none that is a literal.
        text: Its entry in the docstring, in one line; empty where it has no entry.
        file: The file of the function, where names in the annotation have their meaning.
    """

    name: str
    annotation: ast.expr | None
    default: Any
    text: str
    file: Path


@cache
def parameters(module: str, function: str) -> dict[str, Parameter]:
    """Read the parameters of a function, in order, without *args and **kwargs.

    Args:
        module: The module within this package, such as "iterative.transfer".
        function: The name of a function in that module.

    Returns:
        {name: Parameter}.

    Raises:
        LookupError: The module has no such function.
    """
    file = PACKAGE.joinpath(*module.split(".")).with_suffix(".py")
    for node in _statements(file):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            texts = entries(ast.get_docstring(node) or "")
            return {
                argument.arg: Parameter(
                    argument.arg,
                    argument.annotation,
                    MISSING if default is None else _value(default, file),
                    texts.get(argument.arg, ""),
                    file,
                )
                for argument, default in _arguments(node.args)
            }
    raise LookupError(f"{file} must define {function}()")


def constant(module: str, name: str) -> Any:
    """Read the literal that a module's constant has, also where the module imports the constant.

    Args:
        module: The module within this package, such as "video.frames".
        name: The name of the constant.

    Returns:
        The value; MISSING where the source text does not tell it.
    """
    file = PACKAGE.joinpath(*module.split(".")).with_suffix(".py")
    return _value(ast.Name(name), file)


def definition(name: str, file: Path) -> tuple[ast.expr, Path] | None:
    """Find what a name at the top of a file stands for, also where the file imports the name.

    Args:
        name: The name of a constant or of an alias of types.
        file: The file that uses the name.

    Returns:
        The syntax tree of its value and the file that has it; None where this package does not
        assign it.
    """
    for node in _statements(file):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                source = _imported(node, file) if (alias.asname or alias.name) == name else None
                if source is not None:
                    return definition(alias.name, source)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                return node.value, file
    return None


def entries(docstring: str) -> dict[str, str]:
    """Read the section "Args:" of a docstring in Google style.

    Args:
        docstring: The docstring, with or without the indentation of its function.

    Returns:
        {parameter: its text, in one line}.
    """
    found: dict[str, str] = {}
    names: list[str] = []
    inside = False
    for line in inspect.cleandoc(docstring).splitlines():
        if line and not line.startswith(" "):
            inside = line == "Args:"
        elif inside and (entry := ENTRY.fullmatch(line)):
            names = [name.lstrip("*") for name in entry["names"].split(", ")]
            found.update(dict.fromkeys(names, entry["text"]))
        elif inside:
            found.update({name: f"{found[name]} {line.strip()}".strip() for name in names})
    return found


def _arguments(node: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    """Yield each parameter with the syntax tree of its default, or None."""
    positional = [*node.posonlyargs, *node.args]
    without = [None] * (len(positional) - len(node.defaults))
    yield from zip(positional, [*without, *node.defaults])
    yield from zip(node.kwonlyargs, node.kw_defaults)


def _value(node: ast.expr, file: Path) -> Any:
    """Return the value of a literal, or of a name that stands for a literal; else MISSING."""
    if isinstance(node, ast.Name):
        found = definition(node.id, file)
        return MISSING if found is None else _value(*found)
    try:
        return ast.literal_eval(node)
    except ValueError:
        return MISSING


@cache
def _statements(file: Path) -> tuple[ast.stmt, ...]:
    """Return the statements at the top of a file, those under `if TYPE_CHECKING:` among them."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    guarded = [inner for node in body if isinstance(node, ast.If) for inner in node.body]
    return (*body, *guarded)


def _imported(node: ast.ImportFrom, file: Path) -> Path | None:
    """Return the file of this package that a relative import names; None for any other import."""
    if not node.level:
        return None
    place = file.parents[node.level - 1].joinpath(*(node.module or "").split("."))
    candidates = (place.with_suffix(".py"), place / "__init__.pyi", place / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)
