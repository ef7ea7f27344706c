"""Packages that only a part of the library needs."""

import importlib.util


def load(module, package, extra):
    """An optional package's module, or an ImportError that says what to install."""
    if importlib.util.find_spec(module) is None:
        raise ImportError(f'this needs {package}: pip install "neural-style[{extra}]"')
    return importlib.import_module(module)
