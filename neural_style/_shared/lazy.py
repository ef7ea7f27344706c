"""Names of a package that are loaded when they are first used (PEP 562)."""

import ast
import importlib
import pathlib
from collections.abc import Callable
from typing import Any


def attach(
    package: str, file: str
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Make a package load each of its public names when the name is first used.

    The stub `__init__.pyi`, beside the package's `__init__.py`, is the only list of the package's
    names. Editors and type checkers read the stub, and so does this function. The stub has lines of
    the forms `from .module import name as name` and `from . import module as module`.

    Args:
        package: the package's `__name__`.
        file: the package's `__file__`.

    Returns:
        The package's `__getattr__`, `__dir__` and `__all__`.
    """
    homes: dict[str, str | None] = {}
    stub = pathlib.Path(file).with_suffix(".pyi").read_text(encoding="utf-8")
    for node in ast.parse(stub).body:
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            homes.update((alias.name, node.module) for alias in node.names)

    def getattr_(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home = homes[name]
        if home is None:
            return importlib.import_module(f"{package}.{name}")
        return getattr(importlib.import_module(f"{package}.{home}"), name)

    def dir_() -> list[str]:
        return sorted(homes)

    return getattr_, dir_, sorted(homes)
