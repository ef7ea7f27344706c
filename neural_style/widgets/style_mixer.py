"""Paintings and their shares."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from .._shared.checks import number
from .tray import Entry, Tray


class StyleMixer(Tray):
    """Paintings with a slider each: how much of each makes the style.

        mixer = StyleMixer(["starry_night.jpg", "great_wave.jpg"], shares=[0.7, 0.3])
        stylize("photo.jpg", mixer.value)

    More paintings can be dropped in. observe(function, ["entries", "shares"]) tells of changes.

    Args:
        paintings: The first ones: a path, a PIL.Image or an array, or a list of these.
        shares: A number for each, at least 0; None: equal shares.
        label: What they are for, above them.

    Raises:
        ImportError: anywidget is missing; the message names the command that installs it.
        ValueError, TypeError, FileNotFoundError: A picture that cannot be read, or shares that
            cannot be right.
    """

    noun = "painting"

    def __init__(
        self, paintings: Any = (), shares: Sequence[float] | None = None, label: str = "paintings"
    ) -> None:
        if isinstance(paintings, (str, os.PathLike, Image.Image, np.ndarray)):
            paintings = [paintings]
        if shares is not None and len(shares) != len(paintings):
            raise ValueError(
                f"shares must be a number for each of {len(paintings)} paintings. Received:"
                f" shares={shares!r}"
            )
        given = None if shares is None else [number("shares", share) for share in shares]
        super().__init__(paintings, label, mixes=True)
        if given is not None:
            top = max([*given, 1e-9])
            self.shares = [share / top for share in given]

    @property
    def parts(self) -> list[tuple[Entry, float]]:
        """[(Entry, share)] of the shares above 0, which add up to 1; empty: there is none."""
        whole = sum(self.shares)
        return [
            (entry, share / whole) for entry, share in zip(self.entries, self.shares) if share > 0
        ]

    @property
    def value(self) -> list[tuple[Any, float]]:
        """The same with the paintings as they were given, for stylize() and transfer()."""
        return [(entry.picture, share) for entry, share in self.parts]
