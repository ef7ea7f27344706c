"""A picture that was made in a studio: how to make it again, and how to keep it."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from .._shared.types import Path
from ..iterative.result import TransferResult
from ..provenance.record import save_with_record
from ..provenance.stylize_record import make_stylize_record
from .choice import Choice


@dataclass(frozen=True)
class Made:
    """A picture that was made in a studio.

    Attributes:
        choice: What was set.
        image: The picture.
        result: transfer()'s result; None: it was painted in one pass.
        steps: Where the run was stopped; None: it was not.
    """

    choice: Choice
    image: Image.Image
    result: TransferResult | None = None
    steps: int | None = None

    @property
    def code(self) -> str:
        """The lines of Python that make it."""
        return self.choice.code(self.steps, refined=self.result is not None)

    def save(self, path: Path) -> None:
        """Write the picture with its record.

        Args:
            path: Where to.

        Raises:
            FileNotFoundError, PermissionError, ValueError, OSError: What was expected and what
                came.
        """
        if self.result is not None:
            self.result.save(path)
            return
        styles = [(one.picture, share) for one, share in self.choice.styles]
        record = make_stylize_record(self.choice.photo.picture, styles, self.choice.one_pass)
        save_with_record(self.image, path, record)
