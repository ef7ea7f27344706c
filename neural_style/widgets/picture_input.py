"""One picture that one drops in: the photo."""

from __future__ import annotations

from typing import Any

from .tray import Tray


class PictureInput(Tray):
    """A place of a notebook where one drops a picture, or chooses one.

        photo = PictureInput("photo.jpg")
        photo.observe(lambda change: print(photo.value), "entries")

    Args:
        picture: The first one: a path, a PIL.Image or an array; None: none yet.
        label: What it is for, above it.

    Raises:
        ImportError: anywidget is missing; the message names the command that installs it.
        ValueError, TypeError, FileNotFoundError: A picture that cannot be read.
    """

    noun = "photo"

    def __init__(self, picture: Any = None, label: str = "photo") -> None:
        super().__init__([] if picture is None else [picture], label, single=True)

    @property
    def value(self) -> Any:
        """The picture as it was given, or the PIL.Image that was dropped in; None: none yet."""
        return self.entries[0].picture if self.entries else None
