"""Packages that only a part of the library needs."""

import importlib
import importlib.util
from types import ModuleType

#: {module: (the package's name for people, what pip installs)}. The extras in setup.py have the
#: same requirements.
REQUIREMENTS = {
    "anywidget": ("anywidget", "anywidget>=0.9"),
    "av": ("PyAV", "av>=15"),
    "cv2": ("OpenCV", "opencv-python-headless>=4.9"),
    "ipywidgets": ("anywidget", "anywidget>=0.9"),
    "matplotlib": ("matplotlib", "matplotlib>=3.8"),
    "pillow_heif": ("pillow-heif", "pillow-heif>=1.0"),
    "pygame": ("pygame", "pygame-ce>=2.5"),
    "pymatting": ("PyMatting", "pymatting>=1.1.13"),
    "tensorboard": ("TensorBoard", "tensorboard>=2.16"),
    "traitlets": ("anywidget", "anywidget>=0.9"),
}


def load(module: str) -> ModuleType:
    """Import an optional package.

    Args:
        module: the name to import, one of REQUIREMENTS.

    Returns:
        The module.

    Raises:
        ImportError: the package is missing; the message is the command that installs the package.
    """
    if importlib.util.find_spec(module) is None:
        raise ImportError(missing(module))
    return importlib.import_module(module)


def missing(module: str) -> str:
    """Return the message for a missing optional package: the command that installs the package.

    Args:
        module: the name to import, one of REQUIREMENTS.
    """
    name, requirement = REQUIREMENTS[module]
    return f'this needs {name}: pip install "{requirement}"'
