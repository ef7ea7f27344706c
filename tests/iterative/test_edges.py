"""The edges of a result are painted as its middle is."""

from pathlib import Path

import numpy as np
import pytest
from helpers import random_weights

from neural_style import presets, transfer

IMAGES = Path(__file__).parents[2] / "images"


def colorfulness(image, outer, inner):
    """Mean distance of the pixels from gray, of those that lie `outer` to `inner` pixels from the
    edge."""
    colors = image.astype("float64")
    chroma = np.linalg.norm(colors - colors.mean(axis=-1, keepdims=True), axis=-1)
    rows, columns = (np.minimum(np.arange(n), np.arange(n)[::-1]) for n in chroma.shape)
    distance = np.minimum(rows[:, None], columns)
    return chroma[(outer <= distance) & (distance < inner)].mean()


@pytest.mark.network
@pytest.mark.slow
def test_no_fringe_of_wrong_colors():
    """VGG's zeros around the picture make its outermost two pixels more colorful than those beside
    them; the mirror leaves at most half of the excess."""
    excess = {}
    for padding in ("zeros", "reflect"):
        image = np.asarray(
            transfer(
                IMAGES / "dog.jpg",
                IMAGES / "starry_night.jpg",
                size=192,
                start_size=None,
                steps=60,
                precision="float32",
                padding=padding,
                progress=False,
            ).image
        )
        excess[padding] = colorfulness(image, 0, 2) / colorfulness(image, 2, 6) - 1
    assert excess["zeros"] > 0.05
    assert abs(excess["reflect"]) < 0.5 * excess["zeros"]


def test_presets_keep_their_programs_padding():
    paddings = {name: presets.get(name)["padding"] for name in presets.NAMES}
    assert (paddings.pop("crowsonkb"), paddings.pop("in_place")) == ("replicate", "reflect")
    assert {*paddings.values()} == {"zeros"}


def test_a_picture_too_small_for_the_mirror_is_refused():
    tiny = np.zeros((3, 40, 3), "uint8")
    options = dict(
        content_layers=["conv2_1"], style_layers=["conv1_1"], weights=random_weights(), steps=1
    )
    with pytest.raises(ValueError, match="4"):
        transfer(tiny, tiny, size=40, start_size=None, progress=False, **options)
