"""Judges of a stylized picture that no transfer optimizes; one file each.

Each takes (photo, painting, result), pictures as load_image takes them, and gives a number that is
0 at best. Content: how far the result is from the photo. Style: how far it is from the painting.

    lpips        content  LPIPS on AlexNet: what one sees at the same place.      See alexnet.py
    lpips_gray   content  The same on gray pictures: new colors cost nothing.     See alexnet.py
    dists        content  Structure, with textures that may move.                 See dists.py
    structure    content  Which parts of the picture are alike.                   See structure.py
    gram         style    Gram matrices on AlexNet: how much of what.             See alexnet.py
    frechet      style    Mean and covariance on AlexNet.                         See alexnet.py
    colors       style    The histogram of colors.                                See colors.py
    copied       neither  The share of the result that is copied from one place of the painting.
                                                                                  See copied.py
"""

from typing import Any

import numpy as np

from neural_style import load_image
from neural_style.images.resize import resize

from . import alexnet, colors, copied, dists, structure

#: {name: function of (photo, painting, result)}.
JUDGES = {
    "lpips": alexnet.lpips,
    "lpips_gray": alexnet.lpips_gray,
    "dists": dists.dists,
    "structure": structure.structure,
    "gram": alexnet.gram,
    "frechet": alexnet.frechet,
    "colors": colors.colors,
    "copied": copied.copied,
}


def judged(photo: Any, painting: Any, result: Any, width: int = 512) -> dict[str, float]:
    """What each judge says.

    Args:
        photo: Whatever load_image takes.
        painting: The same.
        result: The same.
        width: Width in pixels to which all three are scaled.
    """
    pictures = scaled(photo, painting, result, width)
    return {name: float(judge(*pictures)) for name, judge in JUDGES.items()}


def scaled(photo: Any, painting: Any, result: Any, width: int) -> list[np.ndarray]:
    """The three pictures at one width; the result with the photo's proportions.

    Args:
        photo: Whatever load_image takes.
        painting: The same.
        result: The same.
        width: In pixels.
    """
    found = []
    for picture, like in ((photo, photo), (painting, painting), (result, photo)):
        height, wide = load_image(like).shape[:2]
        size = width, max(1, round(width * height / wide))
        found.append(np.asarray(resize(load_image(picture), size)))
    return found
