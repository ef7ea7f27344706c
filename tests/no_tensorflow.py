"""Under KERAS_BACKEND=jax or torch, the tests run as where TensorFlow is not installed."""

import importlib.abc
import importlib.machinery
import os
import sys


class NoTensorflow(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes the import of TensorFlow fail."""

    def find_spec(self, name, *_):
        return importlib.machinery.ModuleSpec(name, self) if name == "tensorflow" else None

    def exec_module(self, module):
        raise ModuleNotFoundError("No module named 'tensorflow'", name="tensorflow")


HIDDEN = os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow"
if HIDDEN:
    sys.meta_path.insert(0, NoTensorflow())
