"""What a piece of Python code uses of neural_style: names, and keywords of calls."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

import neural_style
from neural_style import transfer


def found(module: str, attribute: str) -> Any:
    """`from module import attribute`; an AssertionError where there is no such name."""
    home = importlib.import_module(module)
    if hasattr(home, attribute):
        return getattr(home, attribute)
    try:
        return importlib.import_module(f"{module}.{attribute}")
    except ModuleNotFoundError:
        raise AssertionError(f"{module} has no {attribute}") from None


def dotted(path: str) -> Any:
    """The object of a dotted name within neural_style; of a bare name, in any of its folders."""
    modules = ["neural_style"]
    if "." in path:
        folder, _, path = path.rpartition(".")
        modules = [f"neural_style.{folder}"]
    elif path not in neural_style.__all__:
        found_here = pkgutil.iter_modules(neural_style.__path__)
        modules = [f"neural_style.{each.name}" for each in found_here if each.ispkg]
    homes = [home for home in map(importlib.import_module, modules) if path in dir(home)]
    assert homes, f"neural_style has no {path}"
    return getattr(homes[0], path)


def found_in(holder: Any, part: str) -> Any:
    """An attribute, or a module of a package."""
    if inspect.ismodule(holder):
        return found(holder.__name__, part)
    assert hasattr(holder, part), f"{holder} has no {part}"
    return getattr(holder, part)


def keywords_of(function: Callable[..., Any]) -> set[str]:
    """The keywords that a function takes; where it passes others on, transfer()'s too."""
    parameters = inspect.signature(function).parameters
    names = {*parameters}
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        names |= {*inspect.signature(transfer).parameters}
    return names


class Uses(ast.NodeVisitor):
    """The names of neural_style that a piece of code imports or reads, and calls with keywords.

    Attributes:
        names: {name in the code: the object of neural_style}.
        calls: [(name of a function, the function, a keyword)].
    """

    def __init__(self) -> None:
        self.names: dict[str, Any] = {each: None for each in neural_style.__all__}
        self.calls: list[tuple[str, Any, str]] = []
        self._dicts: dict[str, list[str]] = {}

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name.split(".")[0] == "neural_style":
                self.names[alias.asname or "neural_style"] = importlib.import_module(alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            local = alias.asname or alias.name
            if node.module and node.module.split(".")[0] == "neural_style":
                self.names[local] = found(node.module, alias.name)
            else:
                self.names.pop(local, None)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.names.pop(node.name, None)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.names.pop(target.id, None)
                self._dicts[target.id] = self._keywords(node.value)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id in self.names:
            value = self._object(node.value.id)
            if inspect.ismodule(value):
                found_in(value, node.attr)

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        function = node.func
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            holder = self._object(function.value.id)
            called = found_in(holder, function.attr) if inspect.ismodule(holder) else None
        else:
            called = self._object(function.id) if isinstance(function, ast.Name) else None
        if callable(called):
            self.calls += [(ast.unparse(function), called, word) for word in self._keywords(node)]

    def _object(self, local: str) -> Any:
        """What a name of the code stands for; None where that is not of neural_style."""
        if local in self.names and self.names[local] is None:
            self.names[local] = getattr(neural_style, local)
        return self.names.get(local)

    def _keywords(self, node: ast.AST) -> list[str]:
        """The keywords of a call, and those of a dict that it is given with **."""
        if isinstance(node, ast.Dict):
            keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
            spread = [value for key, value in zip(node.keys, node.values) if key is None]
        elif isinstance(node, ast.Call):
            keys = [keyword.arg for keyword in node.keywords if keyword.arg]
            spread = [keyword.value for keyword in node.keywords if keyword.arg is None]
        else:
            return self._dicts.get(node.id, []) if isinstance(node, ast.Name) else []
        return [*map(str, keys), *(word for value in spread for word in self._keywords(value))]


def uses(code: str) -> Uses:
    """The Uses of a piece of code; an AssertionError where a name does not exist."""
    seen = Uses()
    seen.visit(ast.parse(code))
    return seen


def wrong_keywords(code: str) -> list[str]:
    """Keywords that the functions called do not take."""
    calls = uses(code).calls
    return [f"{name}({word}=)" for name, called, word in calls if word not in keywords_of(called)]
