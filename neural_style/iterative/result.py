"""What transfer() returns."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from PIL import Image

from .._shared.types import Path, Picture
from ..images.load import on_white
from ..optimize.status import Status
from ..provenance.record import inputs_of, save_with_record


@dataclass(frozen=True)
class TransferResult:
    """A run that is over: finished, stopped, interrupted or failed.

    Attributes:
        image: The picture: PIL.Image, RGB; RGBA with alpha="keep".
        history: {"total" and each term: the weighted loss after each step}.
        message: Why the run ended, for people.
        seconds: How long it took.
        settings: transfer()'s keyword arguments.
        record: All that is needed to make the picture again, ready for JSON; see provenance.
        pixels: The picture before it was rounded: float32, H x W x 3, 0 to 255; with alpha="keep"
            H x W x 4.
        status: Why the run ended, for programs.
        borders: The numbers of steps after which another size began.
    """

    image: Image.Image
    history: dict[str, list[float]] = field(repr=False)
    message: str
    seconds: float
    settings: dict[str, Any] = field(repr=False)
    record: dict[str, Any] = field(repr=False, default_factory=dict)
    pixels: np.ndarray | None = field(repr=False, default=None, compare=False)
    status: Status = Status.DONE
    borders: tuple[int, ...] = field(repr=False, default=())

    def save(
        self,
        path: Path,
        record: bool | Literal["paths"] = True,
        bits: int = 8,
        overwrite: bool = False,
        **options: Any,
    ) -> None:
        """Write the picture to `path`, whole or not at all, with its record.

        The record is in a PNG's text, or beside another format, as out.jpg.json.

        Args:
            path: Where to. The suffix sets the format, one of images.formats.WRITABLE.
            record: True: the record names the run's inputs by their file names alone. "paths": by
                their whole paths. False: no record.
            bits: 8, or 16 for a channel, in PNG and TIFF: from the pixels before they were rounded
                (needs OpenCV).
            overwrite: Let `path` be one of the run's inputs, such as the photo itself.
            options: Passed to PIL.Image.save.

        Raises:
            FileNotFoundError, PermissionError, ValueError, OSError: What was expected and what
                came.
        """
        picture = self.pixels if bits == 16 else self.image
        if picture is None:
            raise ValueError(
                "bits=16 needs the pixels of a run of this process. Received: a result without them"
            )
        save_with_record(
            picture,
            path,
            self.record,
            record,
            bits=bits,
            inputs=inputs_of(self.record),
            overwrite=overwrite,
            **options,
        )

    def plot(self) -> Any:
        """Draw the loss curves, a line where another size began: a matplotlib Figure."""
        from ..plotting import plot_losses

        return plot_losses(self.history, self.borders)

    def before_after(self, photo: Picture) -> Any:
        """Lay the result over a picture, with a divider that moves: a widgets.BeforeAfter.

        Args:
            photo: The content image, or another picture.

        Raises:
            ImportError: anywidget is missing; the message names the command that installs it.
        """
        from ..widgets.before_after import BeforeAfter

        return BeforeAfter(photo, self)

    @property
    def facts(self) -> str:
        """A line: size, steps, last losses, seconds, why it ended."""
        losses = ", ".join(
            f"{name} {values[-1]:.4g}" for name, values in self.history.items() if values
        )
        return (
            f"{self.image.width} x {self.image.height}, {len(self.history.get('total', ()))} steps,"
            f" {losses}, {self.seconds:.0f} s, {self.message}"
        )

    def _repr_jpeg_(self) -> bytes:
        buffer = io.BytesIO()
        on_white(self.image).save(buffer, "JPEG", quality=90)
        return buffer.getvalue()

    def _ipython_display_(self) -> None:
        """A notebook shows the result as its picture and a line of facts."""
        from IPython.display import Image as Picture
        from IPython.display import display

        display(Picture(data=self._repr_jpeg_()))
        print(self.facts)
