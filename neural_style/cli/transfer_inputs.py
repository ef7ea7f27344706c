"""transfer()'s arguments, from the command line or from the record of a picture."""

import os
from collections.abc import Iterable
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from .regions import regions, strokes_and_shapes

#: Options that do not change the picture, so they go with --from-record.
BESIDE_RECORD = ("progress", "checkpoint", "resume")


def transfer_inputs(options: dict[str, Any]) -> dict[str, Any]:
    """Make transfer()'s arguments from the options on the command line.

    Args:
        options: The options that were given.

    Returns:
        The arguments.

    Raises:
        ValueError: Options that do not go together, or an unknown preset.
    """
    from .. import presets

    _check_pictures(options)
    _check_resume(options)
    if "preset" in options:
        options = {**presets.get(options.pop("preset")), **options}
    style, shares = options.pop("style"), options.pop("blend", None)
    if shares is not None and len(shares) != len(style):
        raise ValueError(
            f"--blend needs a share for each STYLE. Received: {len(shares)} shares, {len(style)}"
            " styles"
        )
    options["content"] = None if options["content"] == "none" else options["content"]
    masks = regions(options, len(style))
    if masks is not None:
        options["masks"] = masks
    if "strokes_from" in options:
        options["style"] = strokes_and_shapes(options.pop("strokes_from"), style, options)
    elif style == ["none"]:
        options["style"] = None
    else:
        options["style"] = list(zip(style, shares)) if shares else style
    if Path(options.get("init") or "").suffix:
        options["init"] = Path(options["init"])
    return options


def repeated_inputs(record: str, options: dict[str, Any]) -> dict[str, Any]:
    """Make transfer()'s arguments from the record of a picture.

    Args:
        record: The path of the picture.
        options: The options that were given beside --from-record.

    Returns:
        The arguments.

    Raises:
        ValueError: No record, changed inputs, or an option that would change the picture.
    """
    from ..provenance.read import arguments_of, read_record

    _check_resume(options)
    kept = {name: options.pop(name) for name in BESIDE_RECORD if name in options}
    given = [name for name, value in options.items() if value not in (None, [])]
    if given:
        raise ValueError(
            f"--from-record repeats a run as it was. Received besides: {', '.join(given)}"
        )
    known = read_record(record)
    if known.get("function") == "stylize":
        raise ValueError(f"{record} was painted in one pass, by stylize() and not by transfer()")
    return {**arguments_of(known), **kept}


def texts_in(options: Any) -> list[str | os.PathLike[str]]:
    """List all texts and paths among the options, for each may name a file.

    Args:
        options: Options, or the value of an option; regions are searched too.

    Returns:
        The texts and paths.
    """
    if isinstance(options, (str, os.PathLike)):
        return [options]
    within: Iterable[Any] = ()
    if isinstance(options, (list, tuple)):
        within = options
    elif isinstance(options, dict):
        within = options.values()
    elif is_dataclass(options):
        within = vars(options).values()
    return [text for item in within for text in texts_in(item)]


def _check_pictures(options: dict[str, Any]) -> None:
    """Raise a clear error if CONTENT or STYLE is missing, and name the option that took it."""
    if options.get("content") is not None and options.get("style"):
        return
    greedy = [
        f"--{name.replace('_', '-')}"
        for name in ("masks", "style_masks", "labels")
        if name in options
    ]
    raise ValueError(
        "transfer needs CONTENT and STYLE, or --from-record"
        + (
            f"; {' and '.join(greedy)} took every name after it: put CONTENT and STYLE before it"
            if greedy
            else ""
        )
    )


def _check_resume(options: dict[str, Any]) -> None:
    """Raise a clear error if --resume is given and there is no checkpoint to go on from."""
    if options.get("resume") and options.get("checkpoint") is None:
        raise ValueError("--resume needs a checkpoint. Received: no --checkpoint")
