"""Ways to keep the content's colors: what the network sees, and what the result gets back.

Gatys, Bethge, Hertzmann and Shechtman 2016, "Preserving Color in Neural Artistic Style Transfer".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from .color import (
    gray,
    luminance_of,
    match_color,
    match_histogram,
    match_luminance,
    transfer_luminance,
)


class ColorMode(Protocol):
    """A way to keep the content's colors. One of your own needs these three methods.

    A frozen dataclass is best: the record of a run then has its name and its fields.
    """

    def style(self, style: np.ndarray, content: np.ndarray) -> np.ndarray:
        """The style image as the network sees it; uint8 RGB, H x W x 3."""

    def content(self, content: np.ndarray) -> np.ndarray:
        """The content image as the network sees it; uint8 RGB, H x W x 3."""

    def result(self, picture: np.ndarray, content: np.ndarray) -> np.ndarray:
        """The finished picture, from what was painted and the content image; RGB, H x W x 3.

        Called with uint8, and with float32 (0 to 255, not rounded) for 16 bits a channel: the
        result has the type of `picture`.
        """


@dataclass(frozen=True)
class Luminance:
    """Paint luma alone: the result keeps the content's chroma (section 5)."""

    def style(self, style: np.ndarray, content: np.ndarray) -> np.ndarray:
        return match_luminance(style, content)

    def content(self, content: np.ndarray) -> np.ndarray:
        return gray(content)

    def result(self, picture: np.ndarray, content: np.ndarray) -> np.ndarray:
        if picture.dtype == np.uint8:
            return transfer_luminance(picture, content)
        return luminance_of(picture, content).astype("float32")


@dataclass(frozen=True)
class Match:
    """Give the style image the content's color mean and covariance first (section 4).

    Attributes:
        form: The matrix, "symmetric" or "cholesky"; see color_transform.
    """

    form: Literal["symmetric", "cholesky"] = "symmetric"

    def style(self, style: np.ndarray, content: np.ndarray) -> np.ndarray:
        return match_color(style, content, self.form)

    def content(self, content: np.ndarray) -> np.ndarray:
        return content

    def result(self, picture: np.ndarray, content: np.ndarray) -> np.ndarray:
        return picture


@dataclass(frozen=True)
class Histogram:
    """Give the style image the content's histograms first, channel by channel in CIE L*a*b*."""

    def style(self, style: np.ndarray, content: np.ndarray) -> np.ndarray:
        return match_histogram(style, content)

    def content(self, content: np.ndarray) -> np.ndarray:
        return content

    def result(self, picture: np.ndarray, content: np.ndarray) -> np.ndarray:
        return picture


COLOR_MODES: dict[str, ColorMode] = {
    "luminance": Luminance(),
    "match": Match(),
    "match_cholesky": Match("cholesky"),
    "histogram": Histogram(),
}


def color_mode(preserve_color: Any) -> ColorMode | None:
    """The ColorMode that `preserve_color` stands for: a name, an object, or None.

    Raises:
        ValueError: An unknown name, or an object without the three methods.
    """
    if preserve_color is None:
        return None
    if isinstance(preserve_color, str) and preserve_color in COLOR_MODES:
        return COLOR_MODES[preserve_color]
    methods = ("style", "content", "result")
    lacking = [name for name in methods if not callable(getattr(preserve_color, name, None))]
    if lacking or isinstance(preserve_color, (str, type)):
        raise ValueError(
            f"preserve_color must be None, one of {tuple(COLOR_MODES)}, or an object with the"
            f" methods {', '.join(methods)}. Received: preserve_color={preserve_color!r:.200}"
        )
    return preserve_color
