"""Optical flow between frames: shifts, occlusions, cuts and the warping error."""

import numpy as np
import pytest
from conftest import IMAGES
from helpers import picture
from PIL import Image

from neural_style.images.load import load_image
from neural_style.video.flow import disoccluded, is_cut, optical_flow, reliable, warp, warping_error


def photo(name="petra.jpg", size=240):
    return load_image(f"{IMAGES}/{name}", size)


def moved(image, shift):
    """Cut two crops from a photo, the second shifted by (right, down) pixels."""
    right, down = shift
    height, width = image.shape[0] - 16, image.shape[1] - 16
    return (
        image[8 : 8 + height, 8 : 8 + width],
        image[8 - down : 8 - down + height, 8 - right : 8 - right + width],
    )


def occlusion(ground="chenonceau.jpg", shift=6):
    """Move a square of one photo to the right over another photo.

    Return (last frame, this frame, what was hidden in the last frame: bool).
    """
    ground, subject = photo(ground), photo("red_panda.jpg", 400)[100:160, 150:210]
    frames, places = [], []
    for left in (80, 80 + shift):
        frame = ground.copy()
        frame[50:110, left : left + 60] = subject
        place = np.zeros(frame.shape[:2], bool)
        place[50:110, left : left + 60] = True
        frames.append(frame)
        places.append(place)
    return *frames, places[0] & ~places[1]


@pytest.mark.parametrize("shift", [(3, 0), (0, -4), (5, 2)])
def test_the_flow_of_a_shift(shift):
    first, second = moved(photo(), shift)
    flow = optical_flow(first, second)
    inner = flow[20:-20, 20:-20]
    assert np.abs(np.median(inner, axis=(0, 1)) - shift).max() < 0.1
    assert (np.abs(inner - shift).max(axis=-1) < 0.5).mean() > 0.95


def test_warp_moves_by_the_flow():
    rng = np.random.default_rng(0)
    image = rng.uniform(0, 1, (9, 11, 3)).astype("float32")
    flow = np.zeros((9, 11, 2), "float32")
    flow[..., 0], flow[..., 1] = 2, -1
    expected = image[np.clip(np.arange(9) - 1, 0, 8)][:, np.clip(np.arange(11) + 2, 0, 10)]
    np.testing.assert_allclose(warp(image, flow), expected, atol=1e-6)
    flow[..., 0], flow[..., 1] = 0.5, 0
    np.testing.assert_allclose(
        warp(image, flow)[:, :-1], (image[:, :-1] + image[:, 1:]) / 2, atol=1e-6
    )


def test_the_last_frame_warped_is_this_one():
    last, this = moved(photo(), (5, 2))
    warped = warp(last, optical_flow(this, last))
    assert (
        np.abs(warped.astype(float) - this)[10:-10, 10:-10].mean()
        < 0.2 * np.abs(last.astype(float) - this)[10:-10, 10:-10].mean()
    )


@pytest.mark.parametrize("ground", ["chenonceau.jpg", "petra.jpg", "machu_picchu.jpg"])
@pytest.mark.parametrize("shift", [6, 12])
def test_what_was_hidden(ground, shift):
    """Compare the masks with the known occlusion by intersection over union."""
    last, this, hidden = occlusion(ground, shift)
    back, forth = optical_flow(this, last), optical_flow(last, this)
    found = disoccluded(back, forth)
    # Other pixels come in at the border.
    found[:8] = found[-8:] = found[:, :8] = found[:, -8:] = False
    assert (found & hidden).sum() / (found | hidden).sum() > 0.6
    assert not (reliable(back, forth) & found).any()
    assert reliable(back, forth).mean() > 0.8


def test_exact_flows_give_the_exact_mask():
    _, _, hidden = occlusion()
    back, forth = np.zeros((*hidden.shape, 2), "float32"), np.zeros((*hidden.shape, 2), "float32")
    back[50:110, 86:146, 0], forth[50:110, 80:140, 0] = -6, 6
    assert (disoccluded(back, forth) != hidden).sum() <= 12  # the median rounds the corners
    edge = ~reliable(back, forth) & ~hidden
    assert edge[49:51, 90:140].all() and not edge[60:100, 90:140].any() and not edge[:40].any()


def test_what_came_in_over_the_border_is_not_reliable():
    back = np.full((20, 30, 2), (4, 0), "float32")
    assert np.array_equal(disoccluded(back, -back), ~np.broadcast_to(np.arange(30) < 26, (20, 30)))
    assert np.array_equal(reliable(back, -back), np.broadcast_to(np.arange(30) < 26, (20, 30)))


@pytest.mark.parametrize(
    "other,cut",
    [("shifted", False), ("darker", False), ("neuschwanstein.jpg", True), ("dog.jpg", True)],
)
def test_cuts(other, cut):
    first, second = moved(photo(), (5, 2))
    if other == "darker":
        second = (second * 0.8).astype("uint8")
    elif cut:
        second = np.asarray(Image.fromarray(photo(other)).resize(first.shape[1::-1]))
    assert is_cut(optical_flow(second, first), optical_flow(first, second)) == cut


def test_bad_pictures():
    with pytest.raises(ValueError, match="one size"):
        optical_flow(picture(20, 20), picture(20, 24))
    with pytest.raises(ValueError, match="at least 16"):
        optical_flow(picture(8, 20), picture(8, 20))


def test_the_warping_error_is_that_of_what_was_seen():
    last = picture(20, 24, 1)
    flow = np.zeros((20, 24, 2), "float32")
    flow[..., 0] = 3
    this, seen = np.roll(last, -3, axis=1), np.zeros((20, 24), bool)
    seen[:, :-3] = True
    assert warping_error(last, this, flow, seen) == 0 < warping_error(last, this, 0 * flow, seen)
    # A fifth of the scale lighter, where that is still on the scale.
    this = np.clip(this, 0, 204) + np.uint8(51)
    expected = np.square((this.astype(float) - np.roll(last, -3, axis=1)) / 255)[seen].mean()
    assert warping_error(last, this, flow, seen) == pytest.approx(expected, rel=1e-5)


def test_a_sharp_warp_keeps_what_a_bilinear_one_blurs():
    """Move the picture by half a pixel, and back."""
    image, half = photo(), np.full((*photo().shape[:2], 2), 0.5, "float32")
    errors = [
        np.abs(warp(warp(image, half, sharp), -half, sharp).astype(float) - image)[
            4:-4, 4:-4
        ].mean()
        for sharp in (True, False)
    ]
    assert errors[0] < 0.75 * errors[1]
