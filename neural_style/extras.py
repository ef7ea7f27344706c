"""Packages that only a part of the library needs."""
import importlib
import importlib.util

#: Module -> what pip installs it from: a requirement of setup.py's.
REQUIREMENTS = {"av": "av>=15", "cv2": "opencv-python-headless>=4.9", "matplotlib": "matplotlib>=3.8", "pillow_heif": "pillow-heif>=1.0",
                "pygame": "pygame-ce>=2.5", "pymatting": "pymatting>=1.1.13", "tensorboard": "tensorboard>=2.16"}


def load(module, package, extra):
    """An optional package's module, or an ImportError that says what to install."""
    if importlib.util.find_spec(module) is None:
        raise ImportError(f"this needs {package}: {advice(module, extra)}")
    return importlib.import_module(module)


def advice(module, extra):
    """How to install a module. By the package's own name: on PyPI, neural-style is another project."""
    return f'pip install "{REQUIREMENTS[module]}" (of the extra neural-style[{extra}])'
