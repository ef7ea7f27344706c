"""One picture over another, with a divider that moves."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .._shared.checks import count, number
from .._shared.optional import load
from ..images.load import load_image
from ..images.resize import resize

anywidget, traitlets = load("anywidget"), load("traitlets")

HERE = Path(__file__).parent

#: Quality of the JPEGs that the page gets.
QUALITY = 90


class BeforeAfter(anywidget.AnyWidget):  # type: ignore[misc, name-defined]
    """Two pictures in one place of a notebook: a divider shows more of the one or of the other.

        BeforeAfter("photo.jpg", result)

    The divider follows the mouse, a finger and the arrow keys. Where a notebook is shown without a
    kernel, there is a picture of both halves in its place. Set `before` and `after` by show().

    Args:
        before: The picture at the left: a path, a PIL.Image, an array or a TransferResult.
        after: The picture at the right. Where the sizes differ, the first is scaled to the second.
        labels: Names of the two, for those who listen to a page.
        width: The largest width in pixels; a narrow page takes less.
        position: Where the divider is, from 0, all of `after`, to 1, all of `before`.

    Raises:
        ImportError: anywidget is missing; the message names the command that installs it.
        ValueError, TypeError, FileNotFoundError: A picture that cannot be read, or an argument that
            cannot be right.
    """

    _esm = HERE / "before_after.js"
    _css = HERE / "before_after.css"
    before = traitlets.Bytes().tag(sync=True)
    after = traitlets.Bytes().tag(sync=True)
    before_label = traitlets.Unicode().tag(sync=True)
    after_label = traitlets.Unicode().tag(sync=True)
    position = traitlets.Float(0.5, min=0.0, max=1.0).tag(sync=True)
    width = traitlets.Int(640, min=1).tag(sync=True)

    def __init__(
        self,
        before: Any,
        after: Any,
        labels: tuple[str, str] = ("before", "after"),
        width: int = 640,
        position: float = 0.5,
    ) -> None:
        if len(labels) != 2 or not all(isinstance(label, str) for label in labels):
            raise ValueError(f"labels must be two texts. Received: labels={labels!r}")
        super().__init__(
            **self._pictures(before, after),
            before_label=labels[0],
            after_label=labels[1],
            width=count("width", width),
            position=number("position", position, most=1),
        )

    def show(self, before: Any, after: Any) -> None:
        """Show two other pictures; the divider stays where it is.

        Args:
            before: The picture at the left.
            after: The picture at the right.
        """
        with self.hold_sync():
            for name, picture in self._pictures(before, after).items():
                setattr(self, name, picture)

    def show_after(self, after: Any) -> None:
        """Show another picture at the right, of any size; the one at the left stays.

        Args:
            after: The picture at the right.
        """
        self.after = _jpeg(_image(after))

    @staticmethod
    def _pictures(before: Any, after: Any) -> dict[str, bytes]:
        """Both as JPEGs of one size."""
        one, other = (_image(picture) for picture in (before, after))
        if one.size != other.size:
            one = resize(one, other.size)
        return {"before": _jpeg(one), "after": _jpeg(other)}

    def still(self) -> bytes:
        """halves() as a JPEG."""
        return _jpeg(self.halves())

    def halves(self) -> Image.Image:
        """What one sees without moving anything: left of the divider before, right of it after."""
        before, after = (Image.open(io.BytesIO(data)) for data in (self.before, self.after))
        at = round(self.position * after.width)
        left, right = (np.asarray(one) for one in (resize(before, after.size), after))
        return Image.fromarray(np.concatenate([left[:, :at], right[:, at:]], axis=1))

    def _repr_mimebundle_(self, **options: Any) -> Any:
        found = super()._repr_mimebundle_(**options)
        if found is None:
            return None
        data, more = found
        return {**data, "image/jpeg": self.still()}, more


def _image(picture: Any) -> Image.Image:
    return Image.fromarray(load_image(getattr(picture, "image", picture)))


def _jpeg(image: Image.Image) -> bytes:
    data = io.BytesIO()
    image.convert("RGB").save(data, "JPEG", quality=QUALITY, subsampling=0)
    return data.getvalue()
