"""The sliders and buttons of a studio."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from .._shared.optional import load
from .choice import STARTS, Choice

anywidget, traitlets = load("anywidget"), load("traitlets")

HERE = Path(__file__).parent

#: Longer sides of the whole picture that can be chosen, in pixels.
SIZES = (256, 384, 512, 768, 1024, 1536)


def slider(value: float, least: float, most: float, step: float, text: str) -> Any:
    """A number to be moved; a move asks for a new picture.

    Args:
        value: At the start.
        least: The smallest.
        most: The largest.
        step: From one to the next.
        text: What the page says.
    """
    looks = {"kind": "slider", "text": text, "least": least, "most": most, "step": step}
    return traitlets.Float(value, min=least, max=most).tag(sync=True, looks=looks, repaints=True)


class Controls(anywidget.AnyWidget):  # type: ignore[misc, name-defined]
    """Sliders, fields and buttons.

    A trait that is tagged with `looks` is a control; the page shows them in this order. If it is a
    setting of a picture, Choice has a field of the same name.

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
    strength = slider(1.0, 0.0, 1.0, 0.01, "strength")
    style_scale = slider(1.0, 0.25, 2.0, 0.05, "size of strokes")
    keep_colors = traitlets.Bool(False).tag(
        sync=True, looks={"kind": "checkbox", "text": "keep the photo's colors"}, repaints=True
    )
    size = traitlets.Int(512, min=16).tag(
        sync=True, looks={"kind": "select", "text": "longer side", "unit": " px"}, repaints=True
    )
    start = traitlets.Enum(STARTS, STARTS[0]).tag(
        sync=True, looks={"kind": "select", "text": "refine from", "options": [*STARTS]}
    )
    seed = traitlets.Int(0, min=0).tag(
        sync=True, looks={"kind": "number", "text": "seed of the noise", "only": ["start", "noise"]}
    )
    file = traitlets.Unicode("painted.png").tag(
        sync=True, looks={"kind": "text", "text": "save as"}
    )
    looks = traitlets.List(traitlets.Dict()).tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    trouble = traitlets.Unicode().tag(sync=True)
    running = traitlets.Bool(False).tag(sync=True)
    ready = traitlets.Bool(False).tag(sync=True)
    code = traitlets.Unicode().tag(sync=True)

    def __init__(self, size: int, pressed: Any) -> None:
        traits = Controls.class_traits(looks=bool)
        looks = {  # in the order of their lines above
            name: {"name": name, **traits[name].metadata["looks"]}
            for name in vars(Controls)
            if name in traits
        }
        looks["size"]["options"] = sorted({*SIZES, size})
        super().__init__(size=size, looks=[*looks.values()])
        self._open: set[str] = set()
        self._pressed = pressed
        self.on_msg(self._told)

    @property
    def settings(self) -> dict[str, Any]:
        """{name: value} of the controls that are settings of a picture."""
        names = [one.name for one in dataclasses.fields(Choice) if self.has_trait(one.name)]
        values = {name: getattr(self, name) for name in names}
        return {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in values.items()
        }

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
