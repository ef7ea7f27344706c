"""What a record may hold: known names of known types."""

from collections.abc import Callable
from typing import Any

from .._shared.checks import is_count, is_finite
from ..images.masks import Region
from .objects import is_described
from .record import NAMED_STARTS, NAMED_WEIGHTS, SCHEMA

#: Settings that had another name in records of schema 1.
RENAMED = {"error": "scale", "style_loss": "statistic"}


def migrated(record: dict[str, Any]) -> dict[str, Any]:
    """A record of an earlier version with the names and the settings that there are by now."""
    settings = {RENAMED.get(name, name): value for name, value in record["settings"].items()}
    if isinstance(settings.get("network"), str):  # VGG, which always had zeros before
        settings.setdefault("padding", "zeros")
    return {**record, "settings": settings}


def checked(record: Any) -> dict[str, Any]:
    """The record, if it is one, with the names that its settings have by now.

    A record has known names of known types, and nothing else that arguments_of would hand on.

    Args:
        record: From a file.

    Raises:
        ValueError: It is no record.
    """
    _expect(isinstance(record, dict), "a record is an object")
    schema = record.get("schema", 0)
    _expect(
        schema in range(SCHEMA + 1) and not isinstance(schema, bool),
        f"its schema must be at most {SCHEMA}",
    )
    one_pass = record.get("function") == "stylize"
    missing = {"content", "style", "settings", *([] if one_pass else ["weights"])} - set(record)
    _expect(not missing, f"it has no {', '.join(sorted(missing))}")
    content, style, settings = (record[name] for name in ("content", "style", "settings"))
    _expect(content is None or _is_identity(content), "its content must be a file or None")
    _expect(style is None or _is_style(style), "its style must be a list of files and shares")
    _expect(isinstance(settings, dict), "its settings must be an object")
    _expect(not one_pass or (content and style), "one pass has a photo and a painting")
    record = record if one_pass else migrated(record)
    known = STYLIZE if one_pass else SETTINGS
    for name, value in record["settings"].items():
        _expect(name in known, f"it has an unknown setting, {name!r:.40}")
        _expect(known[name](value), f"its setting {name} is of another type")
    weights = record.get("weights")
    _expect(
        one_pass
        or (
            isinstance(weights, dict)
            and _is_digest(weights.get("sha256"))
            and _is_text(weights.get("source"))
        ),
        "its weights lack a digest",
    )
    picture = record.get("picture", {"sha256": "0" * 64})
    _expect(
        isinstance(picture, dict) and _is_digest(picture.get("sha256")),
        "its picture lacks a digest",
    )
    return record


def _expect(true: Any, words: str) -> None:
    if not true:
        raise ValueError(words)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) < 1000


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")


def _is_identity(value: Any) -> bool:
    """{"path" or "name": text or None, "sha256": digest}."""
    return (
        isinstance(value, dict)
        and set(value) in ({"path", "sha256"}, {"name", "sha256"})
        and _is_digest(value["sha256"])
        and (value.get("path") is None or isinstance(value["path"], str))
        and (value.get("name") is None or isinstance(value["name"], str))
    )


def _is_style(value: Any) -> bool:
    """[[identity, share], ...], at least one."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(pair, list)
            and len(pair) == 2
            and _is_identity(pair[0])
            and _is_share(pair[1])
            for pair in value
        )
    )


def _is_share(value: Any) -> bool:
    return is_finite(value) or _is_layers(value)


def _is_layers(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(is_finite, value.values()))
    return isinstance(value, list) and all(map(_is_text, value))


def _is_masks(value: Any) -> bool:
    if isinstance(value, dict):
        style = value.get("style")
        return (
            {"content", "style"} <= set(value) <= {"content", "style", "inside"}
            and _is_identity(value["content"])
            and all(map(_is_identity, style if isinstance(style, list) else [style]))
            and isinstance(value.get("inside", False), bool)
        )
    return isinstance(value, list) and all(map(_is_mask, value))


def _is_mask(value: Any) -> bool:
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


def _or_none(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A check that takes None too."""
    return lambda value: value is None or check(value)


def _is_tv_options(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) <= {"exponent", "reduction", "separate"}
        and all(is_finite(one) or isinstance(one, bool) or _is_text(one) for one in value.values())
    )


def _is_steps(value: Any) -> bool:
    return is_count(value) or (
        isinstance(value, list)
        and all(
            isinstance(pair, list) and len(pair) == 2 and all(map(is_count, pair)) for pair in value
        )
    )


#: What of transfer()'s arguments a record holds, and what each may be; transfer() checks the
#: values. All others are of the caller: where files are written, what is called on the way.
SETTINGS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("pooling", "padding", "precision", "alpha"), _is_text),
    **dict.fromkeys(
        ("content_weight", "style_weight", "tv_weight", "style_scale", "coarse_weight"), is_finite
    ),
    **dict.fromkeys(("noise_std", "learning_rate"), _or_none(is_finite)),
    **dict.fromkeys(("normalize", "bounds"), lambda value: isinstance(value, bool)),
    **dict.fromkeys(("content_layers", "style_layers"), _is_layers),
    **dict.fromkeys(
        ("network", "optimizer", "statistic"), lambda value: _is_text(value) or is_described(value)
    ),
    "preserve_color": _or_none(lambda value: _is_text(value) or is_described(value)),
    "terms": is_described,
    "size": is_count,
    "start_size": _or_none(is_count),
    "steps": _or_none(_is_steps),
    "seed": lambda value: is_count(value, 0),
    "tile": lambda value: value in ("auto", None) or is_count(value),
    "photorealism_weight": lambda value: (
        is_finite(value) or (isinstance(value, list) and all(map(is_finite, value)))
    ),
    "scale": lambda value: (
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

#: The same of stylize(), for paintings.
STYLIZE: dict[str, Callable[[Any], Any]] = {
    "size": is_count,
    **dict.fromkeys(("strength", "style_scale"), is_finite),
    "preserve_color": _or_none(_is_text),
}
