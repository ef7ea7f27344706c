"""This library's own settings beside transfer()'s defaults. They are loaded when asked for, as they
hold terms."""

from typing import Any

from ..iterative.neighbors import Neighbors

in_place: dict[str, Any] = {
    "network": "vgg16",
    "pooling": "avg",
    "normalize": False,
    "padding": "reflect",
    "content_weight": 0.0,
    "style_weight": 3.0,
    "terms": [Neighbors(weight=5.0)],
}
"""Neighbors for where, Gram matrices for how much: large things stay where they belong.

5 mean_i (1 - cos(h_i, t_i)) + 3 style + tv: the loss of the term Neighbors (Kolkin et al. 2022)
beside the defaults' style loss and total variation, and no content loss. A Gram matrix alone may
put the painting's boat on a mountain. Neighbors alone are pale, since a cosine sees no contrast.
Together each part of the photo keeps its place and has the painting's colors and strokes. With a
style_weight of 6 there is more of the painting. With much more, or from a first size below an
eighth of the last, its objects come back. Such a run is not cut into tiles.
"""
