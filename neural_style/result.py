"""What transfer() returns."""
import io
from dataclasses import dataclass, field

from PIL import Image

from .record import save_with_record


@dataclass(frozen=True)
class TransferResult:
    """A finished, stopped or interrupted run.

    image: PIL.Image. history: {"total", "content", "style", "tv": a list of the weighted loss after each step}.
    message: why the run ended. seconds: how long it took. settings: transfer()'s keyword arguments. record: all that is
    needed to make the picture again, ready for JSON; see record.py.
    """
    image: Image.Image
    history: dict = field(repr=False)
    message: str
    seconds: float
    settings: dict = field(repr=False)
    record: dict = field(repr=False, default_factory=dict)

    def save(self, path, **options):
        """Write the picture to `path`, whole or not at all, with its record: in a PNG's text, or beside it as out.jpg.json."""
        save_with_record(self.image, path, self.record, **options)

    def plot(self):
        """Draw the loss curves (needs matplotlib: pip install "neural-style[notebooks]")."""
        from .plotting import plot_losses
        return plot_losses(self.history)

    @property
    def facts(self):
        """A line: size, steps, last losses, seconds, why it ended."""
        losses = ", ".join(f"{name} {values[-1]:.4g}" for name, values in self.history.items() if values)
        return (f"{self.image.width} x {self.image.height}, {len(self.history.get('total', ()))} steps, {losses}, "
                f"{self.seconds:.0f} s, {self.message}")

    def _repr_jpeg_(self):
        buffer = io.BytesIO()
        self.image.save(buffer, "JPEG", quality=90)
        return buffer.getvalue()

    def _ipython_display_(self):
        """A notebook shows the result as its picture and a line of facts."""
        from IPython.display import Image as Picture, display
        display(Picture(data=self._repr_jpeg_()))
        print(self.facts)
