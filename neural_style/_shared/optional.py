"""Packages that only a part of the library needs."""

import importlib
import importlib.util
from types import ModuleType

#: Module -> (the package's name for people, what pip installs). setup.py's extras have the same.
REQUIREMENTS = {
    "av": ("PyAV", "av>=15"),
    "cv2": ("OpenCV", "opencv-python-headless>=4.9"),
    "matplotlib": ("matplotlib", "matplotlib>=3.8"),
    "pillow_heif": ("pillow-heif", "pillow-heif>=1.0"),
    "pygame": ("pygame", "pygame-ce>=2.5"),
    "pymatting": ("PyMatting", "pymatting>=1.1.13"),
    "tensorboard": ("TensorBoard", "tensorboard>=2.16"),
}


def load(module: str) -> ModuleType:
    """Import an optional package.

    Raises:
        ImportError: the package is missing; the message is the command that installs it.
    """
    if importlib.util.find_spec(module) is None:
        raise ImportError(missing(module))
    return importlib.import_module(module)


def missing(module: str) -> str:
    """What to say where an optional package is missing."""
    name, requirement = REQUIREMENTS[module]
    return f'this needs {name}: pip install "{requirement}"'
