"""The record of a run: all that is needed to make its picture again, kept in the picture's own file or beside it."""

import json
import os
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from .._shared.files import check_name_length, file_digest, whole_or_not
from .._version import __version__
from ..images.masks import Region
from ..images.save import save_image
from ..vgg.weights import Weights
from .identity import _identity
from .objects import OBJECTS, described

#: Of records as they are written now. Those without one, of earlier versions, are read too.
SCHEMA = 2


#: The key of a PNG's text chunk, and the most bytes that a sidecar may have.
KEY, MOST_BYTES = "neural_style", 16 << 20


#: What save(record=...) takes: whether inputs are named by file name or by path, or nothing is
#: written.
RECORDS = (True, "paths", False)


#: weights= and init= that are no files.
NAMED_WEIGHTS = ("imagenet", "torchvision")


NAMED_STARTS = ("recolored", "content", "style", "noise")


def make_record(content, style, settings, weights):
    """What is known before a run: {"schema", "content", "style", "settings", "weights",
    "versions"}, ready for JSON.

    Args:
        content, style, settings: as transfer() got them. Pictures become {"path": ..., "sha256":
            ...}, without a path where they were arrays or PIL.Images.
        weights: weights.Weights, for the network's and file's identity.

    Raises:
        TypeError: a setting that JSON has no form for.
    """
    styles = (
        None
        if style is None
        else [
            pair if isinstance(pair, (list, tuple)) else (pair, 1.0)
            for pair in (style if isinstance(style, (list, tuple)) else [style])
        ]
    )
    versions = {
        name: _version(name) for name in ("tensorflow", "keras", "scipy", "numpy", "pillow")
    }
    record = {
        "schema": SCHEMA,
        "content": _identity(content),
        "style": styles and [[_identity(image), _plain(share)] for image, share in styles],
        "settings": {name: _setting(name, value) for name, value in settings.items()},
        "weights": {"network": weights.network, "source": weights.source, "sha256": weights.sha256},
        "versions": {"neural_style": __version__, "python": platform.python_version(), **versions},
    }
    json.dumps(record)  # an error now, not after minutes of work
    return record


def inputs_of(record):
    """The paths of all files that a run of this record read."""
    return [one["path"] for one in _identities(record) if one.get("path")]


def save_with_record(image, path, record, keep=True, **options):
    """save_image, with the record in a PNG's text chunk, or in a file of its own beside another
    format: out.jpg.json.

    keep: True: the record names its inputs by their file names alone; "paths": by their whole
    paths; False: no record is written.
    """
    path = Path(path)
    if keep not in RECORDS or (isinstance(keep, int) and not isinstance(keep, bool)):
        raise ValueError(f"record must be one of {RECORDS}. Received: record={keep!r}")
    if keep is False:
        save_image(image, path, **options)
        return
    record = record if keep == "paths" else _without_folders(record)
    if path.suffix.lower() == ".png":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt(KEY, json.dumps(record, indent=1))
        save_image(image, path, **options)
    else:
        check_name_length(_sidecar(path))
        save_image(image, path, **options)
        with whole_or_not(_sidecar(path)) as file:
            file.write(
                json.dumps({**record, "picture": {"sha256": file_digest(path)}}, indent=1).encode()
            )


def check_sidecar(path, keep=True):
    """Raise a ValueError if the name of the record's file, beside the picture `path`, would be too
    long.
    """
    if keep is not False and Path(path).suffix.lower() != ".png":
        check_name_length(_sidecar(Path(path)))


def _setting(name, value):
    """A setting of transfer() as JSON has it."""
    if name in OBJECTS:
        return described(value)
    if name == "weights":
        if isinstance(value, Weights):
            named = {"keras": "imagenet", "torchvision": "torchvision", "random": None}
            return named.get(value.source, {"path": value.path, "sha256": value.sha256})
        return value if value is None or value in NAMED_WEIGHTS else _identity(Path(value))
    return _plain(_paths(value) if name in ("masks", "content_map") else value)


def _paths(value):
    """Strings as paths, also those within masks."""
    if isinstance(value, str):
        return Path(value)
    if isinstance(value, Region):
        return {name: _paths(item) for name, item in vars(value).items()}
    if isinstance(value, dict):
        return {name: _paths(item) for name, item in value.items()}
    return [_paths(item) for item in value] if isinstance(value, (list, tuple)) else value


def _plain(value):
    """A value as JSON has it."""
    if isinstance(value, (np.ndarray, Image.Image, os.PathLike)):
        return _identity(value)
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {key: _plain(item) for key, item in value.items()}
        return [[_plain(key), _plain(item)] for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _identities(value):
    """All {"path", "sha256"} within a record."""
    if isinstance(value, dict) and set(value) == {"path", "sha256"}:
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [identity for item in items for identity in _identities(item)]


def _without_folders(value):
    """The record with file names in place of paths."""
    if isinstance(value, dict) and set(value) == {"path", "sha256"}:
        return {"name": value["path"] and Path(value["path"]).name, "sha256": value["sha256"]}
    if isinstance(value, dict):
        return {name: _without_folders(item) for name, item in value.items()}
    return [_without_folders(item) for item in value] if isinstance(value, list) else value


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:  # tensorflow-cpu and its like are modules of another name
        return getattr(sys.modules.get(name), "__version__", "unknown")


def _sidecar(path):
    return path.with_name(path.name + ".json")
