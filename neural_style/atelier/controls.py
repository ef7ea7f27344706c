"""The sliders and buttons of a studio."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .._shared.optional import load
from .choice import STARTS

anywidget, traitlets = load("anywidget"), load("traitlets")

HERE = Path(__file__).parent

#: Longer sides of the whole picture that can be chosen, in pixels.
SIZES = (256, 384, 512, 768, 1024, 1536)

#: What the sliders say; a change of one of these asks for a new picture.
SETTINGS = ("strength", "style_scale", "keep_colors", "size")


class Controls(anywidget.AnyWidget):  # type: ignore[misc, name-defined]
    """Sliders, fields and buttons.

    Args:
        size: Longer side of the whole picture in pixels.
        pressed: A function of the name of a button that was pressed: "refine", "stop", "save",
            "code"; and of "opened" and "closed", when a page shows these controls and no longer.

    Attributes:
        status: What is being done, in a line.
        trouble: What went wrong, in a line.
        running: Whether transfer() runs.
        ready: Whether there is a picture.
        code: The call that makes the picture; "" shows none.
    """

    _esm = HERE / "controls.js"
    _css = HERE / "controls.css"
    strength = traitlets.Float(1.0, min=0.0, max=1.0).tag(sync=True)
    style_scale = traitlets.Float(1.0, min=0.25, max=2.0).tag(sync=True)
    keep_colors = traitlets.Bool(False).tag(sync=True)
    size = traitlets.Int(512, min=16).tag(sync=True)
    sizes = traitlets.List(traitlets.Int()).tag(sync=True)
    start = traitlets.Enum(STARTS, STARTS[0]).tag(sync=True)
    starts = traitlets.List(traitlets.Unicode(), [*STARTS]).tag(sync=True)
    seed = traitlets.Int(0, min=0).tag(sync=True)
    file = traitlets.Unicode("painted.png").tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    trouble = traitlets.Unicode().tag(sync=True)
    running = traitlets.Bool(False).tag(sync=True)
    ready = traitlets.Bool(False).tag(sync=True)
    code = traitlets.Unicode().tag(sync=True)

    def __init__(self, size: int, pressed: Any) -> None:
        super().__init__(size=size, sizes=sorted({*SIZES, size}))
        self._open: set[str] = set()
        self._pressed = pressed
        self.on_msg(self._told)

    def _told(self, _: Any, content: Any, buffers: Any) -> None:
        """The page tells of a button, or that it shows these controls, or no longer."""
        kind = content.get("kind")
        if kind == "opened":
            self._open.add(str(content.get("view")))
        elif kind == "closed":
            self._open.discard(str(content.get("view")))
            if not self._open:
                self._pressed("closed")
        elif kind in ("refine", "stop", "save", "code"):
            self._pressed(kind)
