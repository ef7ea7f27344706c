"""The record of a picture that paintings made in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._shared.types import Picture
from .identity import _identity
from .record import SCHEMA, versions


def make_stylize_record(
    photo: Picture, styles: Sequence[tuple[Picture, float]], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Write down what stylize() was given.

    arguments_of(record) has its arguments again.

    Args:
        photo: The photo.
        styles: Paintings with their shares.
        settings: stylize()'s other arguments, of those in schema.STYLIZE.

    Returns:
        {"schema", "function", "content", "style", "settings", "versions"}, ready for JSON.

    Raises:
        FileNotFoundError: There is no picture at a path.
    """
    return {
        "schema": SCHEMA,
        "function": "stylize",
        "content": _identity(photo),
        "style": [[_identity(painting), share] for painting, share in styles],
        "settings": dict(settings),
        "versions": versions(),
    }
