import numpy as np

from neural_style import match_color
from neural_style.color import color_statistics
from conftest import picture


def test_statistics_by_hand():
    image = np.array([[[0, 0, 0], [2, 4, 6]]], "uint8")
    mean, covariance = color_statistics(image)
    assert mean.tolist() == [1, 2, 3]
    assert covariance.tolist() == [[1, 2, 3], [2, 4, 6], [3, 6, 9]]


def test_mean_and_covariance_become_the_references():
    image, reference = picture(60, 50, 1), (picture(40, 70, 2) // 3 + 80).astype("uint8")  # far from 0 and 255: nothing is cut
    before = image.copy()
    matched = match_color(image, reference)
    assert matched.dtype == np.uint8 and matched.shape == image.shape
    np.testing.assert_array_equal(image, before)
    for ours, theirs in zip(color_statistics(matched), color_statistics(reference)):
        np.testing.assert_allclose(ours, theirs, rtol=0.03, atol=1.0)
    np.testing.assert_array_equal(match_color(image, color_statistics(reference)), matched)


def test_a_picture_matched_to_itself_stays():
    image = picture(30, 30)
    assert abs(match_color(image, image).astype(int) - image).max() <= 1


def test_a_single_colour_is_moved_and_not_blown_up():
    flat = np.full((10, 10, 3), (200, 30, 90), "uint8")
    reference = picture(20, 20)
    matched = match_color(flat, reference)
    np.testing.assert_allclose(matched.reshape(-1, 3), np.tile(reference.reshape(-1, 3).mean(axis=0), (100, 1)), atol=1)
    assert (match_color(reference, flat) == flat[0, 0]).all()
