"""What is set in a studio, and the call of the library that makes the same picture."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..widgets.tray import Entry

#: Where refining starts.
STARTS = ("this picture", "noise")

#: transfer()'s own weight of the style. Strength takes its share of it.
STYLE_WEIGHT = 50.0


@dataclass(frozen=True)
class Choice:
    """What is set in a studio.

    Attributes:
        photo: The photo.
        styles: Paintings and their shares, which add up to 1.
        strength: See stylize.
        style_scale: See stylize.
        keep_colors: Whether the photo's chroma stays.
        size: Longer side of the whole picture in pixels.
        start: Where refining starts, one of STARTS.
        seed: Seeds the noise.
    """

    photo: Entry
    styles: Sequence[tuple[Entry, float]]
    strength: float = 1.0
    style_scale: float = 1.0
    keep_colors: bool = False
    size: int = 512
    start: str = STARTS[0]
    seed: int = 0

    @property
    def preserve_color(self) -> Literal["luminance"] | None:
        """stylize()'s and transfer()'s argument."""
        return "luminance" if self.keep_colors else None

    @property
    def one_pass(self) -> dict[str, Any]:
        """stylize()'s keyword arguments, those that are not its defaults."""
        return {
            "size": self.size,
            **({"strength": self.strength} if self.strength != 1 else {}),
            **self._common,
        }

    def refined(self, steps: int | None = None) -> dict[str, Any]:
        """transfer()'s keyword arguments, those that are not its defaults, without `init`.

        Args:
            steps: The steps that were made, where the run was stopped.
        """
        weight = STYLE_WEIGHT * self.strength
        return {
            "size": self.size,
            **({"start_size": None} if self.start == STARTS[0] else {"seed": self.seed}),
            **({"steps": steps} if steps is not None else {}),
            **({"style_weight": weight} if self.strength != 1 else {}),
            **self._common,
        }

    @property
    def _common(self) -> dict[str, Any]:
        scale = {"style_scale": self.style_scale} if self.style_scale != 1 else {}
        return {**scale, **({"preserve_color": self.preserve_color} if self.keep_colors else {})}

    def code(self, steps: int | None = None, refined: bool = False) -> str:
        """The lines of Python that make this picture.

        Args:
            steps: As for refined().
            refined: Whether it is transfer()'s picture or that of one pass.
        """
        entries = {id(entry): entry for entry in (self.photo, *(one for one, _ in self.styles))}
        lines = [remark for entry in entries.values() for remark in _remarks(entry)]
        photo, styles = _expression(self.photo), self._styles()
        if not refined:
            call = _call("stylize", photo, styles, self.one_pass)
            return "\n".join(["from neural_style import stylize", "", *lines, f"result = {call}"])
        if self.start == STARTS[0]:
            names, init = "stylize, transfer", "start"
            lines.append(f"start = {_call('stylize', photo, styles, self.one_pass)}")
        else:
            names, init = "transfer", '"noise"'
        call = _call("transfer", photo, styles, self.refined(steps), init=init)
        return "\n".join([f"from neural_style import {names}", "", *lines, f"result = {call}"])

    def _styles(self) -> str:
        """The paintings as Python writes them."""
        if len(self.styles) == 1:
            return _expression(self.styles[0][0])
        pairs = ", ".join(f"({_expression(one)}, {share!r})" for one, share in self.styles)
        return f"[{pairs}]"


def _call(function: str, photo: str, styles: str, options: dict[str, Any], **names: str) -> str:
    """A call as Python writes it."""
    given = [f"{name}={_quoted(value)}" for name, value in options.items()]
    given += [f"{name}={value}" for name, value in names.items()]
    return f"{function}({', '.join([photo, styles, *given])})"


def _quoted(value: Any) -> str:
    """A value as Python writes it; JSON has the same double quotes."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _expression(entry: Entry) -> str:
    """A picture as Python writes it: its path, or the name of a variable."""
    if entry.dropped:
        return _quoted(entry.name)
    if isinstance(entry.picture, (str, os.PathLike)):
        return _quoted(os.fspath(entry.picture))
    return entry.name.replace(" ", "_")


def _remarks(entry: Entry) -> list[str]:
    if entry.dropped:
        return [f"# {entry.name} was dropped in: put the file beside the notebook"]
    if isinstance(entry.picture, (str, os.PathLike)):
        return []
    return [f"# {_expression(entry)}: the picture that the studio was given"]
