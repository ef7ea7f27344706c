"""Pictures of one pass, as often as a slider moves: what can be kept between two is kept."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from ..feedforward.paint import paint
from ..images.load import load_image
from ..universal.one_pass import OnePass
from ..universal.passes import moments_of
from ..universal.tiles import automatic_tile
from ..vgg.preprocessing import preprocess
from ..widgets.tray import Entry
from .choice import Choice

#: Pictures and moments that are kept. A slider of strokes makes new moments with each move.
KEPT = 16

#: Longer sides of previews in pixels.
LEAST, MOST = 96, 512

#: Side of a picture whose seconds tell what others take.
TRIAL = 192


class Previews:
    """Paints in one pass at any size, and keeps loaded pictures and the paintings' moments."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def photo(self, choice: Choice, size: int) -> np.ndarray:
        """The photo, uint8 RGB, H x W x 3.

        Args:
            choice: What is set.
            size: Longer side in pixels.
        """
        return self._picture(choice.photo, size)

    def painted(self, choice: Choice, size: int | None = None) -> np.ndarray:
        """The picture that stylize() makes, uint8 RGB, H x W x 3.

        Args:
            choice: What is set.
            size: Longer side in pixels; None: that of the choice.
        """
        photo = self.photo(choice, choice.size if size is None else size)
        longest = max(1, round(max(photo.shape[:2]) * choice.style_scale))
        styles = [(self._moments(one, longest), share) for one, share in choice.styles]
        painter = OnePass(styles, strength=choice.strength)
        return paint(painter, photo[None], preserve_color=choice.preserve_color)[0]

    def size_within(self, choice: Choice, seconds: float) -> int:
        """The longer side of the largest preview that takes no longer than so many seconds.

        Args:
            choice: What is set; it is painted three times.
            seconds: The time.
        """
        self.painted(choice, TRIAL)  # the first one also compiles
        times = []
        for _ in range(2):
            started = time.perf_counter()
            self.painted(choice, TRIAL)
            times.append(time.perf_counter() - started)
        side = TRIAL * (seconds / min(times)) ** 0.5  # time is in proportion to pixels
        return min(choice.size, max(LEAST, min(MOST, int(side) // 16 * 16)))

    def _picture(self, entry: Entry, size: int) -> np.ndarray:
        return self._known((entry, size), lambda: load_image(entry.picture, size))

    def _moments(self, entry: Entry, longest: int) -> Any:
        def make() -> Any:
            x = preprocess(load_image(entry.picture, longest))[0]
            return moments_of(x, None, automatic_tile(x.shape))

        return self._known((entry, longest, "moments"), make)

    def _known(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """What was made before, or is made now; the oldest is given up.

        The key has the entry itself, so that its id() is not given to another meanwhile.
        """
        place = (id(key[0]), *key[1:])
        if place not in self._kept:
            self._kept[place] = (key[0], make())
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(place)
        return self._kept[place][1]
