"""studio(): the picture follows the hand that moves a slider."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
from PIL import Image

from .._shared.checks import count
from .._shared.optional import load
from .._shared.types import Path
from ..iterative.result import TransferResult
from ..universal.one_pass import with_shares
from ..widgets.before_after import BeforeAfter
from ..widgets.picture_input import PictureInput
from ..widgets.style_mixer import StyleMixer
from .choice import Choice
from .controls import Controls
from .painter import Painter

ipywidgets = load("ipywidgets")

#: Shown where there is no photo yet.
EMPTY = np.full((3, 4, 3), 235, "uint8")


class Studio(ipywidgets.HBox):  # type: ignore[misc, name-defined]
    """Photo, paintings, sliders and the picture, in a notebook; see studio().

    It works in a thread of its own, so cells can be run meanwhile. Closing the output ends its
    work.

    Args:
        photo: See studio().
        style: See studio().
        size: See studio().

    Attributes:
        photo: A PictureInput.
        mixer: A StyleMixer.
        controls: The sliders and buttons; their values can be set from Python, too.
        view: A BeforeAfter.
        image: The whole picture; None while it is being painted.
        result: What transfer() returned, where the picture was refined; else None.
    """

    def __init__(self, photo: Any = None, style: Any = None, size: int = 512) -> None:
        pairs = [] if style is None else with_shares(style)
        self.photo = PictureInput(photo)
        self.mixer = StyleMixer([one for one, _ in pairs], [share for _, share in pairs])
        self.controls = Controls(count("size", size, 16), self._pressed)
        self.view = BeforeAfter(EMPTY, EMPTY, ("photo", "painting"), width=1024)
        self._painter = Painter(self.controls, self.view)
        if (choice := self._choice()) is not None:
            self._painter.paint_now(choice)  # so that a notebook that is saved has a picture
        panel = ipywidgets.VBox(
            [self.photo, self.mixer, self.controls],
            layout={"flex": "1 1 300px", "max_width": "360px"},
        )
        place = ipywidgets.Box([self.view], layout={"flex": "2 1 400px", "min_width": "0"})
        self.view.layout.width = "100%"  # the same for a preview and for the whole picture
        # On a narrow page the picture stands above the controls: the lines of the row go upward.
        upward = {"flex_flow": "row wrap-reverse", "align_items": "flex-end", "grid_gap": "12px"}
        super().__init__([panel, place], layout=upward)
        self.photo.observe(self._changed, "entries")
        self.mixer.observe(self._changed, ["entries", "shares"])
        self.controls.observe(self._changed, [*self.controls.traits(repaints=True)])

    @property
    def image(self) -> Image.Image | None:
        made = self._painter.made
        return None if made is None else made.image

    @property
    def result(self) -> TransferResult | None:
        made = self._painter.made
        return None if made is None else made.result

    @property
    def code(self) -> str:
        """The lines of Python that make the picture; "" while it is being painted."""
        made = self._painter.made
        return "" if made is None else made.code

    def refine(self) -> None:
        """Run transfer() from the picture, or from noise; the button does the same."""
        if (choice := self._choice()) is not None:
            self._painter.refine(choice)

    def stop(self) -> None:
        """End a run; the best picture so far stays. The button does the same."""
        self._painter.stop()

    def save(self, path: Path | None = None) -> pathlib.Path:
        """Write the picture with its record; the button does the same.

        Args:
            path: Where to. None: the name in the field, or one with a number where there is such
                a file.

        Returns:
            Where it was written.

        Raises:
            RuntimeError: There is no picture yet.
            FileNotFoundError, PermissionError, ValueError, OSError: What was expected and what
                came.
        """
        made = self._painter.made
        if made is None:
            raise RuntimeError("there is no picture to save yet")
        file = _free(pathlib.Path(self.controls.file)) if path is None else pathlib.Path(path)
        made.save(file)
        return file

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the picture is painted, in a script or in a cell.

        Args:
            seconds: The longest time; None: as long as it takes.

        Returns:
            Whether it is.
        """
        return self._painter.join(seconds)

    def close(self) -> None:
        """End the work and take the controls away.

        ipywidgets also calls it for a studio that could not be made.
        """
        if hasattr(self, "_painter"):
            self._painter.stop()
            for widget in (self.photo, self.mixer, self.controls, self.view):
                widget.close()
        super().close()

    def _choice(self) -> Choice | None:
        """What is set; None and a line of text where something is missing."""
        controls, mixer = self.controls, self.mixer
        parts = mixer.parts
        missing = [] if self.photo.entries else ["a photo"]
        missing += [] if mixer.entries else ["a painting"]
        if missing or not parts:
            controls.status = ""
            controls.trouble = (
                f"{' and '.join(missing)} must be dropped in or chosen"
                if missing
                else "the share of at least one painting must be above 0"
            )
            return None
        return Choice(
            self.photo.entries[0],
            [(one, round(share, 4)) for one, share in parts],
            **controls.settings,
        )

    def _changed(self, change: Any) -> None:
        """A slider was moved, or a picture came or went."""
        if (choice := self._choice()) is not None:
            self._painter.paint(choice)

    def _pressed(self, kind: str) -> None:
        """A button was pressed, or the output was closed."""
        if kind == "refine":
            self.refine()
        elif kind in ("stop", "closed"):
            self.stop()
        elif kind == "code":
            self.controls.code = "" if self.controls.code else self.code
        elif kind == "save":
            try:
                self.controls.status = f"saved as {self.save()}"
            except Exception as error:
                self._painter.failed(error)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """With a picture for those who read the notebook without a kernel."""
        data = super()._repr_mimebundle_(**options)
        return {**data, "image/jpeg": self.view.still()}


def studio(photo: Any = None, style: Any = None, size: int = 512) -> Studio:
    """Paint under the hand: sliders for a photo and paintings, in a notebook.

        studio("photo.jpg", ["painting.jpg", "other.jpg"])

    The picture follows each move within 0.3 seconds, small; when the hand rests, it is painted at
    its whole size. Photo and paintings can be dropped in. "refine" runs transfer() from the
    picture, "stop" keeps the best so far, "save" writes it with its record, and "code" shows the
    call that makes it. Nothing is written to the disk before "save".

    Args:
        photo: A path, a PIL.Image or an array; None: one is dropped in.
        style: A painting, or several, also with shares, as stylize() takes them; None: they are
            dropped in.
        size: Longer side of the whole picture in pixels; it can be changed there.

    Returns:
        A Studio; a cell that ends with it shows it.

    Raises:
        ImportError: anywidget is missing; the message names the command that installs it.
        ValueError, TypeError, FileNotFoundError: A picture that cannot be read, or an argument that
            cannot be right.
    """
    return Studio(photo, style, size)


def _free(path: pathlib.Path) -> pathlib.Path:
    """A path where there is no file yet: painted.png, painted-2.png and so on."""
    found, number = path, 1
    while found.exists():
        number += 1
        found = path.with_stem(f"{path.stem}-{number}")
    return found
