"""The record of a run: all that is needed to make its picture again, kept in the picture's own file or beside it."""
import hashlib
import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin, UnidentifiedImageError

from . import __version__
from .files import whole_or_not
from .images import save_image
from .masks import Region

#: Settings that hold pictures, so that a string among them is a path.
PICTURES = ("masks", "content_map")
#: The key of a PNG's text chunk.
KEY = "neural_style"


def make_record(content, style, settings, weights):
    """What is known before a run: {"content", "style", "settings", "weights", "versions"}, ready for JSON.

    Args:
        content, style, settings: as transfer() got them. Pictures become {"path": ..., "sha256": ...}, without a path where
            they were arrays or PIL.Images.
        weights: weights.Weights, for the network's and file's identity.
    """
    styles = None if style is None else [pair if isinstance(pair, (list, tuple)) else (pair, 1.0)
                                         for pair in (style if isinstance(style, (list, tuple)) else [style])]
    versions = {name: _version(name) for name in ("tensorflow", "keras", "scipy", "numpy", "pillow")}
    return {"content": _identity(content), "style": styles and [[_identity(image), _plain(share)] for image, share in styles],
            "settings": {name: _plain(_paths(value) if name in PICTURES else value) for name, value in settings.items()},
            "weights": {"network": weights.network, "source": weights.source, "sha256": weights.sha256},
            "versions": {"neural_style": __version__, "python": platform.python_version(), **versions}}


def save_with_record(image, path, record, **options):
    """save_image, with the record in a PNG's text chunk, or in a file of its own beside another format: out.jpg.json."""
    path = Path(path)
    text = json.dumps(record, indent=1)
    if path.suffix.lower() == ".png":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt(KEY, text)
        save_image(image, path, **options)
    else:
        save_image(image, path, **options)
        with whole_or_not(_sidecar(path)) as file:
            file.write(text.encode())


def read_record(path):
    """The record of a saved picture, or of its sidecar.

    Raises:
        FileNotFoundError, ValueError: no such picture, or one without a record.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"no picture at {str(path)!r}")
    try:
        if path.suffix.lower() == ".png":
            with Image.open(path) as picture:
                text = picture.text[KEY]
        else:
            text = (path if path.suffix == ".json" else _sidecar(path)).read_text()
        record = json.loads(text)
        return {name: record[name] for name in ("content", "style", "settings", "weights")} | record
    except (KeyError, ValueError, TypeError, OSError, AttributeError, UnidentifiedImageError) as error:
        raise ValueError(f"{str(path)!r} has no record of a run of neural_style") from error


def arguments_of(record):
    """transfer()'s arguments that repeat the run of a record, its inputs verified: the whole run, also where it was stopped.

    Raises:
        ValueError: an input that was no file, or that has changed since.
    """
    def path_of(identity):
        if identity is None:
            return None
        if not identity.get("path"):
            raise ValueError("the record's inputs were not files, so they cannot be found again")
        if _identity(identity["path"])["sha256"] != identity["sha256"]:
            raise ValueError(f"{identity['path']!r} is not the file it was when the record was made")
        return identity["path"]

    settings = dict(record["settings"])
    if isinstance(settings["init"], dict):
        settings["init"] = Path(path_of(settings["init"]))
    if isinstance(settings["weights"], dict):
        settings["weights"] = Path(path_of(settings["weights"]))
    if isinstance(settings["steps"], list):
        settings["steps"] = {side: steps for side, steps in settings["steps"]}
    for name in PICTURES:
        settings[name] = _given_again(settings.get(name), path_of)
    style = record["style"] and [(path_of(identity), share) for identity, share in record["style"]]
    return {"content": path_of(record["content"]), "style": style, **settings}


def _paths(value):
    """Strings as paths, also those within masks."""
    if isinstance(value, str):
        return Path(value)
    if isinstance(value, Region):
        return {name: _paths(item) for name, item in vars(value).items()}
    if isinstance(value, dict):
        return {name: _paths(item) for name, item in value.items()}
    return [_paths(item) for item in value] if isinstance(value, (list, tuple)) else value


def _given_again(value, path_of):
    """masks or a map as transfer() takes them, from the record."""
    if isinstance(value, list):
        return [_given_again(item, path_of) for item in value]
    if isinstance(value, dict) and set(value) == {"path", "sha256"}:
        return path_of(value)
    if isinstance(value, dict):
        given = {name: _given_again(item, path_of) for name, item in value.items()}
        return Region(**given) if "image" in given else given
    return value


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:  # tensorflow-cpu and its like are modules of another name
        return getattr(sys.modules.get(name), "__version__", "unknown")


def _sidecar(path):
    return path.with_name(path.name + ".json")


def _identity(image):
    """{"path", "sha256"}: of a file's bytes, or of the pixels where it is no file."""
    if image is None:
        return None
    if isinstance(image, (str, os.PathLike)):
        if not Path(image).is_file():
            raise FileNotFoundError(f"no picture at {str(image)!r}")
        return {"path": str(image), "sha256": hashlib.sha256(Path(image).read_bytes()).hexdigest()}
    array = np.ascontiguousarray(image)
    return {"path": None, "sha256": hashlib.sha256(f"{array.shape} {array.dtype}".encode() + array.tobytes()).hexdigest()}


def digest(source):
    """What tells pictures, films and networks from others: SHA-256 of a file's bytes, of pixels or of weights; anything else as it is."""
    if isinstance(source, dict):
        return {str(name): digest(item) for name, item in source.items()}
    if isinstance(source, (list, tuple)):
        return [digest(item) for item in source]
    if isinstance(source, (str, os.PathLike)) and Path(source).is_file():
        result = hashlib.sha256()
        with open(source, "rb") as file:
            while piece := file.read(1 << 20):
                result.update(piece)
        return result.hexdigest()
    if hasattr(source, "get_weights"):
        return hashlib.sha256(b"".join(np.ascontiguousarray(w).tobytes() for w in source.get_weights())).hexdigest()
    if isinstance(source, (Image.Image, np.ndarray)):
        return _identity(source)["sha256"]
    return source if isinstance(source, (float, int, type(None))) else str(source)


def _plain(value):
    """A setting as JSON has it."""
    if isinstance(value, (np.ndarray, Image.Image, os.PathLike)):
        return _identity(value)
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value):
            return {key: _plain(item) for key, item in value.items()}
        return [[_plain(key), _plain(item)] for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value
