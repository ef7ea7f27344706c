"""The record of a run: all that is needed to make its picture again, kept in the picture's own file
or beside it.

A record may come from a stranger. So it is read by known names of known types alone, SETTINGS; and
a file that it names is opened only if the record gives its SHA-256 too, it is an ordinary file, and
what is read is that file.
"""

import hashlib
import json
import os
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from . import __version__
from .checks import is_count, is_finite
from .files import check_name_length, file_digest, is_regular, whole_or_not
from .images import save_image
from .masks import Region
from .weights import Weights, load_weights

#: Of records as they are written now. Those without one, of earlier versions, are read too.
SCHEMA = 1
#: The key of a PNG's text chunk, and the most bytes that a sidecar may have.
KEY, MOST_BYTES = "neural_style", 16 << 20
#: What save(record=...) takes: whether inputs are named by file name or by path, or nothing is
#: written.
RECORDS = (True, "paths", False)

#: weights= and init= that are no files.
NAMED_WEIGHTS = ("imagenet", "torchvision")
NAMED_STARTS = ("recolored", "content", "style", "noise")


# ---- Made
# ------------------------------------------------------------------------------------------------------------


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


# ---- Read
# ------------------------------------------------------------------------------------------------------------


class Record(dict):
    """A record that was read; .folder is where, for the files that it names may lie there too."""

    folder = None


def read_record(path):
    """The record of a saved picture, or of its sidecar; a Record.

    Raises:
        FileNotFoundError, ValueError: no such picture, or one without a record.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"no picture at {str(path)!r}")
    try:
        if path.suffix.lower() == ".png":
            with open(path, "rb") as file, Image.open(file, formats=["PNG"]) as picture:
                text = picture.text[KEY]
        else:
            sidecar = path if path.suffix == ".json" else _sidecar(path)
            with open(sidecar, "rb") as file:
                text = file.read(MOST_BYTES + 1)
            if len(text) > MOST_BYTES:
                raise ValueError("larger than a record")
        record = Record(checked(json.loads(text)))
    except Exception as error:  # Pillow, zlib and json each have their own
        raise ValueError(f"{str(path)!r} has no record of a run of neural_style") from error
    picture = path.with_suffix("") if path.suffix == ".json" else path
    if (
        "picture" in record
        and picture.is_file()
        and file_digest(picture) != record["picture"]["sha256"]
    ):
        raise ValueError(
            f"the record beside {str(picture)!r} is of another picture, which had that name before"
        )
    record.folder = path.parent
    return record


def arguments_of(record):
    """transfer()'s arguments that repeat the run of a record, its inputs verified: the whole run,
    also where it was stopped.

    Args:
        record: from read_record, or the path of the picture. Files that it names are looked for
            beside the picture and in the current folder; and at their own paths, where it has
            these.

    Raises:
        ValueError: no record of a run; an input that was no file, or that has changed since; other
            weights than the run's.
        FileNotFoundError: an input that is not there.
    """
    if isinstance(record, (str, os.PathLike)):
        record = read_record(record)
    folder = getattr(record, "folder", None)
    try:
        known = checked(record)
    except Exception as error:
        raise ValueError(f"this is no record of a run of neural_style: {error}") from error

    def found(identity):
        return None if identity is None else _find(identity, folder)

    settings = dict(known["settings"])
    for name in ("init", "weights"):
        if isinstance(settings.get(name), dict):
            settings[name] = Path(found(settings[name]))
    if isinstance(settings.get("steps"), list):
        settings["steps"] = {side: steps for side, steps in settings["steps"]}
    for name in ("masks", "content_map"):
        if name in settings:
            settings[name] = _given_again(settings[name], found)
    style = known["style"] and [(found(identity), share) for identity, share in known["style"]]
    content = found(known["content"])
    weights = load_weights(settings.get("network", "vgg16"), settings.get("weights", "imagenet"))
    if weights.sha256 != known["weights"]["sha256"]:
        raise ValueError(
            f"the weights are not those of the run: it had {known['weights']['source']}'s of"
            f" SHA-256 {known['weights']['sha256'][:12]}..., and these are {weights.source}'s,"
            f" {weights.sha256[:12]}..."
        )
    return {"content": content, "style": style, **settings, "weights": weights}


def checked(record):
    """The record, if it is one: known names of known types, and nothing else that arguments_of
    would hand on. A ValueError otherwise.
    """
    _expect(isinstance(record, dict), "a record is an object")
    schema = record.get("schema", 0)
    _expect(
        schema in range(SCHEMA + 1) and not isinstance(schema, bool),
        f"its schema must be at most {SCHEMA}",
    )
    missing = {"content", "style", "settings", "weights"} - set(record)
    _expect(not missing, f"it has no {', '.join(sorted(missing))}")
    content, style, settings, weights = (
        record[name] for name in ("content", "style", "settings", "weights")
    )
    _expect(content is None or _is_identity(content), "its content must be a file or None")
    _expect(
        style is None
        or (
            isinstance(style, list)
            and style
            and all(
                isinstance(pair, list)
                and len(pair) == 2
                and _is_identity(pair[0])
                and _is_share(pair[1])
                for pair in style
            )
        ),
        "its style must be a list of files and shares",
    )
    _expect(isinstance(settings, dict), "its settings must be an object")
    for name, value in settings.items():
        _expect(name in SETTINGS, f"it has an unknown setting, {name!r:.40}")
        _expect(SETTINGS[name](value), f"its setting {name} is of another type")
    _expect(
        isinstance(weights, dict)
        and _is_digest(weights.get("sha256"))
        and _is_text(weights.get("source")),
        "its weights lack a digest",
    )
    picture = record.get("picture", {"sha256": "0" * 64})
    _expect(
        isinstance(picture, dict) and _is_digest(picture.get("sha256")),
        "its picture lacks a digest",
    )
    return record


def _expect(true, words):
    if not true:
        raise ValueError(words)


def _is_text(value):
    return isinstance(value, str) and len(value) < 1000


def _is_digest(value):
    return isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")


def _is_identity(value):
    """{"path" or "name": text or None, "sha256": digest}."""
    return (
        isinstance(value, dict)
        and set(value) in ({"path", "sha256"}, {"name", "sha256"})
        and _is_digest(value["sha256"])
        and (value.get("path") is None or isinstance(value["path"], str))
        and (value.get("name") is None or isinstance(value["name"], str))
    )


def _is_share(value):
    return is_finite(value) or _is_layers(value)


def _is_layers(value):
    if isinstance(value, dict):
        return all(map(is_finite, value.values()))
    return isinstance(value, list) and all(map(_is_text, value))


def _is_masks(value):
    if isinstance(value, dict):
        style = value.get("style")
        return (
            {"content", "style"} <= set(value) <= {"content", "style", "inside"}
            and _is_identity(value["content"])
            and all(map(_is_identity, style if isinstance(style, list) else [style]))
            and isinstance(value.get("inside", False), bool)
        )
    return isinstance(value, list) and all(map(_is_mask, value))


def _is_mask(value):
    if isinstance(value, dict) and "image" in value:
        return (
            set(value) == set(Region.__dataclass_fields__)
            and _is_identity(value["content"])
            and (value["style"] is None or _is_identity(value["style"]))
            and is_count(value["image"], 0)
            and isinstance(value["inside"], bool)
        )
    if isinstance(value, list):
        return (
            len(value) == 2
            and _is_identity(value[0])
            and (value[1] is None or _is_identity(value[1]))
        )
    return _is_identity(value)


def _or_none(check):
    return lambda value: value is None or check(value)


def _is_tv_options(value):
    return (
        isinstance(value, dict)
        and set(value) <= {"exponent", "reduction", "separate"}
        and all(is_finite(one) or isinstance(one, bool) or _is_text(one) for one in value.values())
    )


def _is_steps(value):
    return is_count(value) or (
        isinstance(value, list)
        and all(
            isinstance(pair, list) and len(pair) == 2 and all(map(is_count, pair)) for pair in value
        )
    )


#: What of transfer()'s arguments a record holds, and what each may be; transfer() checks the
#: values. All others are of the caller: where files are written, what is called on the way.
SETTINGS = {
    **dict.fromkeys(
        ("network", "pooling", "optimizer", "precision", "style_loss", "alpha"), _is_text
    ),
    **dict.fromkeys(("content_weight", "style_weight", "tv_weight", "style_scale"), is_finite),
    **dict.fromkeys(("noise_std", "learning_rate"), _or_none(is_finite)),
    **dict.fromkeys(("normalize", "bounds"), lambda value: isinstance(value, bool)),
    **dict.fromkeys(("content_layers", "style_layers"), _is_layers),
    "preserve_color": _or_none(_is_text),
    "size": is_count,
    "start_size": _or_none(is_count),
    "steps": _or_none(_is_steps),
    "seed": lambda value: is_count(value, 0),
    "tile": lambda value: value in ("auto", None) or is_count(value),
    "photorealism_weight": lambda value: (
        is_finite(value) or (isinstance(value, list) and all(map(is_finite, value)))
    ),
    "error": lambda value: (
        _is_text(value)
        or (
            isinstance(value, dict)
            and set(value) == {"content", "style"}
            and all(map(_is_text, value.values()))
        )
    ),
    "tv_options": _or_none(_is_tv_options),
    "weights": lambda value: (
        value is None or value in NAMED_WEIGHTS
        if not isinstance(value, dict)
        else _is_identity(value)
    ),
    "init": lambda value: (
        value is None or value in NAMED_STARTS
        if not isinstance(value, dict)
        else _is_identity(value)
    ),
    "masks": _or_none(_is_masks),
    "content_map": _or_none(_is_identity),
}


def _find(identity, folder):
    """The path of the file that a record names; beside the picture, in the current folder, or at
    the path that it gives.
    """
    path = identity.get("path") or identity.get("name")
    if not path:
        raise ValueError("the record's inputs were not files, so they cannot be found again")
    if path.startswith(("//", "\\\\")) or "\0" in path:
        raise ValueError(f"the record names a file of another machine: {path!r:.200}")
    name = path.replace("\\", "/").rpartition("/")[2]
    places = [path] if identity.get("path") else []
    places += (
        [str(place / name) if place is not None else name for place in (folder, None)]
        if name not in ("", ".", "..")
        else []
    )
    there = [
        place for place in places if is_regular(place) and os.stat(place).st_size
    ]  # a file of the system's own has size 0
    for place in there:
        if file_digest(place) == identity["sha256"]:
            return place
    if there:
        raise ValueError(f"{there[0]!r} is not the file it was when the record was made")
    raise FileNotFoundError(
        f"the record names {name!r}, which is neither beside its picture nor in the current folder"
    )


def _given_again(value, found):
    """masks or a map as transfer() takes them, from the record."""
    if isinstance(value, list):
        return [_given_again(item, found) for item in value]
    if isinstance(value, dict) and "sha256" in value:
        return found(value)
    if isinstance(value, dict):
        given = {name: _given_again(item, found) for name, item in value.items()}
        return Region(**given) if "image" in given else given
    return value


# ---- Values
# ----------------------------------------------------------------------------------------------------------


def _setting(name, value):
    """A setting of transfer() as JSON has it."""
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


def _identity(image):
    """{"path", "sha256"}: of a file's bytes, or of the pixels where it is no file."""
    if image is None:
        return None
    if isinstance(image, (str, os.PathLike)):
        if not is_regular(image):
            raise FileNotFoundError(f"no picture at {str(image)!r}")
        return {"path": str(image), "sha256": file_digest(image)}
    array = np.ascontiguousarray(image)
    return {
        "path": None,
        "sha256": (
            hashlib.sha256(f"{array.shape} {array.dtype}".encode() + array.tobytes()).hexdigest()
        ),
    }


def digest(source):
    """What tells pictures, films and networks from others: SHA-256 of a file's bytes, of pixels or
    of weights; anything else as it is.
    """
    if isinstance(source, dict):
        return {str(name): digest(item) for name, item in source.items()}
    if isinstance(source, (list, tuple)):
        return [digest(item) for item in source]
    if isinstance(source, (str, os.PathLike)) and is_regular(source):
        return file_digest(source)
    if hasattr(source, "get_weights"):
        return hashlib.sha256(
            b"".join(np.ascontiguousarray(w).tobytes() for w in source.get_weights())
        ).hexdigest()
    if isinstance(source, (Image.Image, np.ndarray)):
        return _identity(source)["sha256"]
    return source if isinstance(source, (float, int, type(None))) else str(source)
