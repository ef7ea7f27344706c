"""The decoders that come with the package, with real weights."""

import numpy as np
import pytest
from conftest import IMAGES

from benchmarks.score import Score
from neural_style import deprocess, load_image, preprocess, stylize
from neural_style.universal.codec import codec

pytestmark = pytest.mark.network

#: Photos that none of the decoders was trained on.
PHOTOS = ("chenonceau", "dog", "lemurs", "petra")


@pytest.mark.parametrize(
    "level,decibels", [("relu1_1", 38), ("relu2_1", 29), ("relu3_1", 22), ("relu4_1", 17)]
)
def test_a_photo_is_reconstructed(level, decibels):
    found = []
    for name in PHOTOS:
        image = load_image(f"{IMAGES}/{name}.jpg", 256)
        image = image[: image.shape[0] // 8 * 8, : image.shape[1] // 8 * 8]
        again = deprocess(codec(level).decode(codec(level).encode(preprocess(image)[0])))
        error = np.square(again.astype(float) - image).mean()
        found.append(10 * np.log10(255**2 / error))
    print(level, np.round(np.mean(found), 1))
    assert np.mean(found) > decibels


def test_the_style_comes_nearer_and_the_photo_stays():
    score = Score(256)
    for photo, painting in (("neuschwanstein", "starry_night"), ("petra", "poppies")):
        photo, painting = (f"{IMAGES}/{name}.jpg" for name in (photo, painting))
        image = load_image(photo, 256)
        content, style = score(photo, painting, np.asarray(stylize(image, painting)))
        _, of_photo = score(photo, painting, image)
        print(content, style, of_photo)
        assert style < 0.8 * of_photo and content < 0.6
