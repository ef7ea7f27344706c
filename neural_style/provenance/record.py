"""The record of a run: everything that is needed to make its picture again.

The record is kept in the picture's own file (PNG) or in a JSON file beside it.
"""

import json
import logging
import os
import pathlib
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

import numpy as np
from PIL import Image, PngImagePlugin

from .._shared.files import check_name_length, file_digest, whole_or_not
from .._shared.types import Path, Picture
from .._version import __version__
from ..images.region import Region
from ..images.save import save_image
from ..vgg.weights import Weights
from .identity import _identity
from .objects import OBJECTS, described

logger = logging.getLogger("neural_style")

#: The schema of records as they are written now. Records of earlier versions, which name no schema,
#: can be read too.
SCHEMA = 2

#: The key of a PNG's text chunk, and the most bytes that a sidecar may have.
KEY, MOST_BYTES = "neural_style", 16 << 20

#: What save(record=...) accepts: name inputs by file name, name inputs by path, or write no record.
RECORDS = (True, "paths", False)

#: The values of weights= and of init= that are not files.
NAMED_WEIGHTS = ("imagenet", "torchvision")
NAMED_STARTS = ("recolored", "one_pass", "content", "style", "noise")


def make_record(
    content: Picture | None, style: Any, settings: Mapping[str, Any], weights: Weights
) -> dict[str, Any]:
    """Write down what is known before a run.

    A picture becomes {"path": ..., "sha256": ...}. The path is None if the picture was an array or
    a PIL.Image.

    Args:
        content: transfer()'s argument `content`.
        style: transfer()'s argument `style`.
        settings: transfer()'s other arguments.
        weights: the network's weights.

    Returns:
        {"schema", "content", "style", "settings", "weights", "versions"}, ready for JSON.

    Raises:
        TypeError: JSON cannot hold one of the settings.
        FileNotFoundError: there is no picture at a path.
    """
    styles = (
        None
        if style is None
        else [
            pair if isinstance(pair, (list, tuple)) else (pair, 1.0)
            for pair in (style if isinstance(style, (list, tuple)) else [style])
        ]
    )
    record = {
        "schema": SCHEMA,
        "content": _identity(content),
        "style": styles and [[_identity(image), _plain(share)] for image, share in styles],
        "settings": {name: _setting(name, value) for name, value in settings.items()},
        "weights": {"network": weights.network, "source": weights.source, "sha256": weights.sha256},
        "versions": versions(),
    }
    json.dumps(record)  # raise an error now, not after minutes of work
    return record


def inputs_of(record: Mapping[str, Any]) -> list[str]:
    """List the paths of all files that a run read.

    Args:
        record: the run's record, from make_record.
    """
    return [one["path"] for one in _identities(record) if one.get("path")]


def save_with_record(
    image: Image.Image | np.ndarray,
    path: Path,
    record: dict[str, Any],
    keep: bool | Literal["paths"] = True,
    **options: Any,
) -> None:
    """Save a picture and its record.

    The record goes into a text chunk of a PNG. For another format, the record goes into a file
    beside the picture: out.jpg.json for out.jpg.

    Args:
        image: the picture, as for save_image.
        path: the picture's file.
        record: the record, from make_record.
        keep: True names the inputs in the record by their file names alone, "paths" by their whole
            paths; False writes no record.
        **options: further options of save_image.

    Raises:
        ValueError: `keep` is none of these, or one of save_image's errors.
        FileNotFoundError: as save_image.
        PermissionError: as save_image.
    """
    path = pathlib.Path(path)
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


def check_sidecar(path: Path, keep: bool | Literal["paths"] = True) -> None:
    """Raise a ValueError if the name of the record's file, beside the picture, would be too long.

    Args:
        path: the picture's file.
        keep: as for save_with_record.
    """
    if keep is not False and pathlib.Path(path).suffix.lower() != ".png":
        check_name_length(_sidecar(pathlib.Path(path)))


def _setting(name: str, value: Any) -> Any:
    """Convert one of transfer()'s settings to a value for JSON."""
    if name in OBJECTS:
        found = described(value)
        for one in found if isinstance(found, list) else [found]:
            if isinstance(one, dict) and one.get("class") and one["arguments"] is None:
                logger.warning(
                    "%s is no dataclass: the record of this run cannot make it again", one["class"]
                )
        return found
    if name == "weights":
        if isinstance(value, Weights):
            named = {"keras": "imagenet", "torchvision": "torchvision", "random": None}
            return named.get(value.source, {"path": value.path, "sha256": value.sha256})
        return value if value is None or value in NAMED_WEIGHTS else _identity(pathlib.Path(value))
    return _plain(_paths(value) if name in ("masks", "content_map") else value)


def _paths(value: Any) -> Any:
    """Convert strings to paths, also those in lists, dicts and Regions."""
    if isinstance(value, str):
        return pathlib.Path(value)
    if isinstance(value, Region):
        return {name: _paths(item) for name, item in vars(value).items()}
    if isinstance(value, dict):
        return {name: _paths(item) for name, item in value.items()}
    return [_paths(item) for item in value] if isinstance(value, (list, tuple)) else value


def _plain(value: Any) -> Any:
    """Convert a value to one that JSON can hold: pictures and paths become their identities."""
    if isinstance(value, (np.ndarray, Image.Image, os.PathLike)):
        return _identity(value)
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {key: _plain(item) for key, item in value.items()}
        return [[_plain(key), _plain(item)] for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _identities(value: Any) -> list[dict[str, Any]]:
    """List all {"path", "sha256"} in a record."""
    if isinstance(value, dict) and set(value) == {"path", "sha256"}:
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [identity for item in items for identity in _identities(item)]


def _without_folders(value: Any) -> Any:
    """Replace the paths in a record by file names."""
    if isinstance(value, dict) and set(value) == {"path", "sha256"}:
        return {
            "name": value["path"] and pathlib.Path(value["path"]).name,
            "sha256": value["sha256"],
        }
    if isinstance(value, dict):
        return {name: _without_folders(item) for name, item in value.items()}
    return [_without_folders(item) for item in value] if isinstance(value, list) else value


def versions() -> dict[str, str]:
    """The versions of this library, of Python and of the packages that a run depends on."""
    others = {name: _version(name) for name in ("tensorflow", "keras", "scipy", "numpy", "pillow")}
    return {"neural_style": __version__, "python": platform.python_version(), **others}


def _version(name: str) -> str:
    """Find the version of an installed package."""
    try:
        return version(name)
    except PackageNotFoundError:  # a package like tensorflow-cpu has a module of another name
        return getattr(sys.modules.get(name), "__version__", "unknown")


def _sidecar(path: pathlib.Path) -> pathlib.Path:
    """Return the path of the record's file beside a picture."""
    return path.with_name(path.name + ".json")
