"""Read a record and repeat its run.

A record may come from a stranger. So it is read by known names of known types alone. A file that
it names is opened only if the record gives its SHA-256 too, it is an ordinary file, and what is
read is that file.
"""

import json
import os
import pathlib
from collections.abc import Callable
from typing import Any

from PIL import Image

from .._shared.files import file_digest, is_regular
from .._shared.types import Path
from ..images.masks import Region
from ..vgg.weights import Weights, vgg_weights
from .objects import OBJECTS, made_again
from .record import KEY, MOST_BYTES, _sidecar
from .schema import SETTINGS, checked


class Record(dict[str, Any]):
    """A record that was read.

    Attributes:
        folder: Where it was; the files that it names may lie there too.
    """

    folder: pathlib.Path | None = None


def read_record(path: Path) -> Record:
    """The record of a saved picture.

    Args:
        path: The picture, or the record's own file beside it.

    Raises:
        FileNotFoundError: There is no such picture.
        ValueError: It has no record.
    """
    path = pathlib.Path(path)
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


def arguments_of(record: Any, **replacements: Any) -> dict[str, Any]:
    """transfer()'s arguments that repeat the run of a record, its inputs verified.

    They repeat the whole run, also where it was stopped. The record of a picture of one pass, which
    a studio saves, has stylize()'s arguments.

    Args:
        record: From read_record, or the path of the picture. Files that it names are looked for
            beside the picture and in the current folder; and at their own paths, where it has
            these.
        replacements: Arguments of transfer() in place of the record's: objects of your own, which a
            record cannot make again (a function, a network), or other values.

    Raises:
        ValueError: No record of a run; an input that was no file, or that has changed since; other
            weights than the run's; an object that must be given.
        FileNotFoundError: An input that is not there.
        TypeError: A replacement that is no setting.
    """
    strange = set(replacements) - {*SETTINGS, "content", "style"}
    if strange:
        raise TypeError(f"transfer() has no setting {', '.join(sorted(strange))} in its record")
    if isinstance(record, (str, os.PathLike)):
        record = read_record(record)
    folder = getattr(record, "folder", None)
    try:
        known = checked(record)
    except Exception as error:
        raise ValueError(f"this is no record of a run of neural_style: {error}") from error

    def found(identity: Any) -> Any:
        return None if identity is None else _find(identity, folder)

    if known.get("function") == "stylize":
        if replacements:
            raise TypeError("a record of stylize() takes no replacements")
        net = [(found(identity), share) for identity, share in known["style"]]
        return {"source": found(known["content"]), "net": net, **known["settings"]}
    settings = _settings(known["settings"], replacements, found)
    given: dict[str, Any] = {
        name: replacements[name] for name in ("content", "style") if name in replacements
    }
    if "style" not in given:
        style = known["style"]
        given["style"] = style and [(found(identity), share) for identity, share in style]
    if "content" not in given:
        given["content"] = found(known["content"])
    if {"network", "weights"} & set(replacements):
        return {**settings, **given}
    return {**settings, **given, "weights": _weights(known, settings)}


def _settings(
    recorded: dict[str, Any], replacements: dict[str, Any], found: Callable[[Any], Any]
) -> dict[str, Any]:
    """The settings of a record as transfer() takes them."""
    settings = {**recorded, **replacements}
    for name in set(settings) - set(replacements):
        value = settings[name]
        if name in OBJECTS:
            settings[name] = made_again(name, value)
        elif name in ("init", "weights") and isinstance(value, dict):
            settings[name] = pathlib.Path(found(value))
        elif name == "steps" and isinstance(value, list):
            settings[name] = [tuple(stage) for stage in value]
        elif name in ("masks", "content_map"):
            settings[name] = _given_again(value, found)
    return settings


def _weights(known: dict[str, Any], settings: dict[str, Any]) -> Weights:
    """The weights of the run; a ValueError where these are others by now."""
    weights = vgg_weights(settings.get("network", "vgg16"), settings.get("weights", "imagenet"))
    if weights.sha256 != known["weights"]["sha256"]:
        raise ValueError(
            f"the weights are not those of the run: it had {known['weights']['source']}'s of"
            f" SHA-256 {known['weights']['sha256'][:12]}..., and these are {weights.source}'s,"
            f" {weights.sha256[:12]}..."
        )
    return weights


def _find(identity: dict[str, Any], folder: pathlib.Path | None) -> str:
    """The path of the file that a record names.

    It is beside the picture, in the current folder, or at the path that the record gives.
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


def _given_again(value: Any, found: Callable[[Any], Any]) -> Any:
    """masks or a map as transfer() takes them, from the record."""
    if isinstance(value, list):
        return [_given_again(item, found) for item in value]
    if isinstance(value, dict) and "sha256" in value:
        return found(value)
    if isinstance(value, dict):
        given = {name: _given_again(item, found) for name, item in value.items()}
        return Region(**given) if "image" in given else given
    return value
