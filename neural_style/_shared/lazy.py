"""Names of a package that are loaded when they are first used (PEP 562)."""

import ast
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any


def attach(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list]:
    """`__getattr__`, `__dir__` and `__all__` of a package, from the stub beside its `__init__.py`.

    The stub, `__init__.pyi`, is the one list of the package's names: editors and type checkers read
    it, and so does this function. It has lines of the forms `from .module import name as name` and
    `from . import module as module`.

    Args:
        package: the package's `__name__`.
        file: the package's `__file__`.
    """
    homes: dict[str, str | None] = {}
    stub = Path(file).with_suffix(".pyi").read_text(encoding="utf-8")
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
