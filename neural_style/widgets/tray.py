"""What the input of a photo and the mixer of paintings share: pictures that one drops in."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from .._shared.optional import load
from ..images.load import load_image

anywidget, traitlets = load("anywidget"), load("traitlets")

HERE = Path(__file__).parent

#: Longer side of the small pictures that a page gets, in pixels.
THUMBNAIL = 120


@dataclass(frozen=True)
class Entry:
    """A picture of a tray.

    Attributes:
        picture: What was given: a path, a PIL.Image or an array; of a file that was dropped in, a
            PIL.Image.
        name: Its name for people.
        dropped: Whether it was dropped in, so that there is no path to it.
    """

    picture: Any
    name: str
    dropped: bool = False


class Tray(anywidget.AnyWidget):  # type: ignore[misc, name-defined]
    """Pictures that can be dropped in, chosen and removed.

    Args:
        pictures: The first ones: paths, PIL.Images or arrays.
        label: What the tray is for, above it.

    Attributes:
        entries: A tuple of Entry; a traitlet that can be observed.
        trouble: Why the last picture was not taken; "" if it was.
    """

    _esm = HERE / "tray.js"
    _css = HERE / "tray.css"
    label = traitlets.Unicode().tag(sync=True)
    single = traitlets.Bool(False).tag(sync=True)
    mixes = traitlets.Bool(False).tag(sync=True)
    cards = traitlets.List().tag(sync=True)
    shares = traitlets.List(traitlets.Float()).tag(sync=True)
    trouble = traitlets.Unicode().tag(sync=True)
    entries = traitlets.Tuple()

    #: What one of its pictures is called where it has no file.
    noun = "picture"

    def __init__(self, pictures: Sequence[Any], label: str, **more: Any) -> None:
        super().__init__(label=label, **more)
        self._taken = 0
        self._set([self._entry(picture) for picture in pictures])
        self.on_msg(self._told)

    def add(self, picture: Any, name: str | None = None, dropped: bool = False) -> None:
        """Take one more picture; where there is room for one only, it takes the other's place.

        Args:
            picture: A path, a PIL.Image or an array.
            name: Its name for people. None: that of its file.
            dropped: Whether there is no path to it.

        Raises:
            ValueError, TypeError, FileNotFoundError: It is no picture.
        """
        entry = self._entry(picture, name, dropped)
        self._set([entry] if self.single else [*self.entries, entry])

    def remove(self, number: int) -> None:
        """Take a picture away.

        Args:
            number: Its place, from 0.
        """
        self._set([entry for place, entry in enumerate(self.entries) if place != number])

    def _entry(self, picture: Any, name: str | None = None, dropped: bool = False) -> Entry:
        """A picture with its name: that of its file, or its number."""
        self._taken += 1
        if isinstance(picture, (str, Path)):
            return Entry(picture, name or Path(picture).name, dropped)
        number = "" if self.single else f" {self._taken}"
        return Entry(picture, name or f"{self.noun}{number}", dropped)

    def _set(self, entries: Sequence[Entry]) -> None:
        """Show these pictures, and then tell who observes them."""
        known = {id(entry): card for entry, card in zip(self.entries, self.cards)}
        cards = [
            known.get(id(entry)) or {"name": entry.name, "picture": _thumbnail(entry.picture)}
            for entry in entries
        ]
        with self.hold_trait_notifications():
            self.trouble = ""
            self.shares = self._shares_of(entries)
            self.cards = cards
            self.entries = tuple(entries)

    def _shares_of(self, entries: Sequence[Entry]) -> list[float]:
        """Those that stay keep their share; new ones have 1."""
        known = {id(entry): share for entry, share in zip(self.entries, self.shares)}
        return [known.get(id(entry), 1.0) for entry in entries]

    def _told(self, _: Any, content: Any, buffers: Sequence[Any]) -> None:
        """The page tells of a picture that was dropped in or removed."""
        if content.get("kind") == "remove":
            self.remove(int(content["number"]))
        elif content.get("kind") == "add":
            name = str(content.get("name") or "picture")
            try:
                self.add(_picture(bytes(buffers[0])), name, dropped=True)
            except (ValueError, ImportError, MemoryError) as error:
                self.trouble = f"{name} was not taken: {error}"


def _picture(data: bytes) -> Image.Image:
    """The picture of a file's bytes, by the same door as all files of strangers."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "picture")
        path.write_bytes(data)
        try:
            return Image.fromarray(load_image(path))
        except ValueError as error:
            raise ValueError(str(error).replace(repr(str(path)), "it")) from None


def _thumbnail(picture: Any) -> bytes:
    """A small JPEG of a picture."""
    data = io.BytesIO()
    small = Image.fromarray(load_image(picture, THUMBNAIL))
    small.save(data, "JPEG", quality=85)
    return data.getvalue()
