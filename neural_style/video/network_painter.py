"""Paint the frames of a film in one pass."""

from typing import TypeAlias

import numpy as np

from ..feedforward.network import TransformNet
from ..feedforward.paint import paint
from ..universal.one_pass import OnePass

#: What is known of a frame: [(an earlier result moved to it, uint8; where it holds: 0 or 1)], the
#: nearest first.
Known: TypeAlias = list[tuple[np.ndarray, np.ndarray]]


class NetworkPainter:
    """Paints frames by a network, and mixes a share of the last result into each one.

    Args:
        net: The network, or paintings.
        smooth: The share of the last result, moved along the flow, where the flow holds: 0 to 1.
    """

    def __init__(self, net: TransformNet | OnePass, smooth: float) -> None:
        self.net, self.smooth = net, smooth

    def __call__(self, image: np.ndarray, known: Known) -> np.ndarray:
        """Paint a frame.

        Args:
            image: The frame, uint8 RGB, H x W x 3.
            known: What is known of the frame from earlier ones; the nearest of them counts.

        Returns:
            The painted frame, uint8 RGB, H x W x 3.
        """
        result = paint(self.net, image[None])[0]
        for warped, holds in known[:1]:
            share = self.smooth * holds[..., None]  # H x W x 1
            result = np.rint((1 - share) * result + share * warped).astype("uint8")
        return result
