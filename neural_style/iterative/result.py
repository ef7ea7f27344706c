"""What transfer() returns."""

import io
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from ..images.load import on_white
from ..provenance.record import inputs_of, save_with_record


@dataclass(frozen=True)
class TransferResult:
    """A finished, stopped or interrupted run.

    image: PIL.Image, RGB; RGBA with alpha="keep". history: {"total", "content", "style", "tv": a
    list of the weighted loss after each step}. message: why the run ended. seconds: how long it
    took. settings: transfer()'s keyword arguments. record: all that is needed to make the picture
    again, ready for JSON; see record.py. pixels: the picture before it was rounded, float32, H x W
    x 3, 0 to 255; with alpha="keep" H x W x 4.
    """

    image: Image.Image
    history: dict = field(repr=False)
    message: str
    seconds: float
    settings: dict = field(repr=False)
    record: dict = field(repr=False, default_factory=dict)
    pixels: np.ndarray | None = field(repr=False, default=None, compare=False)

    def save(self, path, record=True, bits=8, overwrite=False, **options):
        """Write the picture to `path`, whole or not at all, with its record: in a PNG's text, or
        beside it as out.jpg.json.

        Args:
            path: where to; the suffix sets the format, one of images.WRITABLE.
            record: True: the record names the run's inputs by their file names alone. "paths": by
                their whole paths. False: no record.
            bits: 8, or 16 for a channel, in PNG and TIFF: from the pixels before they were rounded
                (needs OpenCV).
            overwrite: let `path` be one of the run's inputs, such as the photo itself.
            options: passed to PIL.Image.save.

        Raises:
            FileNotFoundError, PermissionError, ValueError, OSError: what was expected and what
                came.
        """
        if bits == 16 and self.pixels is None:
            raise ValueError(
                "bits=16 needs the pixels of a run of this process. Received: a result without them"
            )
        save_with_record(
            self.pixels if bits == 16 else self.image,
            path,
            self.record,
            record,
            bits=bits,
            inputs=inputs_of(self.record),
            overwrite=overwrite,
            **options,
        )

    def plot(self):
        """Draw the loss curves (needs matplotlib)."""
        from ..plotting import plot_losses

        return plot_losses(self.history)

    @property
    def facts(self):
        """A line: size, steps, last losses, seconds, why it ended."""
        losses = ", ".join(
            f"{name} {values[-1]:.4g}" for name, values in self.history.items() if values
        )
        return (
            f"{self.image.width} x {self.image.height}, {len(self.history.get('total', ()))} steps,"
            f" {losses}, {self.seconds:.0f} s, {self.message}"
        )

    def _repr_jpeg_(self):
        buffer = io.BytesIO()
        on_white(self.image).save(buffer, "JPEG", quality=90)
        return buffer.getvalue()

    def _ipython_display_(self):
        """A notebook shows the result as its picture and a line of facts."""
        from IPython.display import Image as Picture
        from IPython.display import display

        display(Picture(data=self._repr_jpeg_()))
        print(self.facts)
