import os

import numpy as np
import pytest
from conftest import IMAGES
from helpers import picture

from neural_style import load_image
from neural_style.images import match_color, match_histogram, match_luminance, transfer_luminance
from neural_style.images.color import FORMS, YCC, color_statistics, color_transform
from neural_style.images.lab import lab_to_rgb, rgb_to_lab

PHOTO, PAINTING = (
    load_image(os.path.join(IMAGES, name), 200)
    for name in ("neuschwanstein.jpg", "starry_night.jpg")
)


def test_statistics_by_hand():
    image = np.array([[[0, 0, 0], [2, 4, 6]]], "uint8")
    mean, covariance = color_statistics(image)
    assert mean.tolist() == [1, 2, 3]
    assert covariance.tolist() == [[1, 2, 3], [2, 4, 6], [3, 6, 9]]


def test_mean_and_covariance_become_the_references():
    image, reference = (
        picture(60, 50, 1),
        (picture(40, 70, 2) // 3 + 80).astype("uint8"),
    )  # far from 0 and 255: nothing is cut
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


def test_a_single_color_is_moved_and_not_blown_up():
    flat = np.full((10, 10, 3), (200, 30, 90), "uint8")
    reference = picture(20, 20)
    matched = match_color(flat, reference)
    np.testing.assert_allclose(
        matched.reshape(-1, 3), np.tile(reference.reshape(-1, 3).mean(axis=0), (100, 1)), atol=1
    )
    assert (match_color(reference, flat) == flat[0, 0]).all()


@pytest.mark.parametrize("form", FORMS)
def test_in_lab_mean_and_covariance_become_the_references(form):
    image, reference = picture(60, 50, 1), (picture(40, 70, 2) // 4 + 96).astype("uint8")
    matched = rgb_to_lab(match_color(image, reference, form, "lab")).reshape(-1, 3)
    target = rgb_to_lab(reference).reshape(-1, 3)
    np.testing.assert_allclose(matched.mean(axis=0), target.mean(axis=0), atol=0.5)
    np.testing.assert_allclose(
        np.cov(matched.T), np.cov(target.T), atol=0.05 * np.cov(target.T).max()
    )
    with pytest.raises(ValueError, match="space must be one of"):
        match_color(image, reference, space="hsv")
    with pytest.raises(ValueError, match="must be a picture"):
        match_color(image, color_statistics(reference), space="lab")


@pytest.mark.parametrize("form", FORMS)
def test_the_transform_gives_the_mean_and_covariance_exactly(form):
    """Of a real painting and photo: before rounding and cutting, to 1e-3."""
    matrix, offset = color_transform(PAINTING, PHOTO, form)
    pixels = PAINTING.reshape(-1, 3) @ matrix.T + offset
    mean, covariance = color_statistics(PHOTO)
    np.testing.assert_allclose(pixels.mean(axis=0), mean, rtol=1e-3)
    np.testing.assert_allclose(np.cov(pixels, rowvar=False, bias=True), covariance, rtol=1e-3)
    if form == "cholesky":
        np.testing.assert_allclose(np.triu(matrix, 1), 0, atol=1e-9)


def test_luminance_keeps_the_chroma_and_takes_the_luma():
    image, content = picture(40, 50, 1), PHOTO[:40, :50]
    result = transfer_luminance(image, content)
    exact = transfer_luminance.__globals__["_with_luma"](image @ YCC[0], content.astype("float64"))
    np.testing.assert_allclose(exact @ YCC[1:].T, content @ YCC[1:].T, atol=1e-10)
    assert exact.min() >= -1e-9 and exact.max() <= 255 + 1e-9
    np.testing.assert_array_equal(result, np.rint(exact))
    gray = np.full((40, 50, 3), 128, "uint8")  # no chroma: any luma fits
    np.testing.assert_allclose(transfer_luminance(image, gray) @ YCC[0], image @ YCC[0], atol=0.5)
    with pytest.raises(ValueError, match="one size"):
        transfer_luminance(image, PHOTO)


def test_luma_by_its_standard():
    """White, and the primaries in JFIF's 8 bits: R'G'B' (255, 0, 0) is Y' 76.2, C_B 84.97 - 128,
    C_R 255.5 - 128.
    """
    np.testing.assert_allclose(YCC @ [255, 255, 255], [255, 0, 0], atol=1e-12)
    np.testing.assert_allclose(YCC @ [255, 0, 0], [76.245, -43.028, 127.5], atol=1e-3)


def test_matched_luminance_has_the_mean_and_deviation():
    matched = match_luminance(PAINTING, (PHOTO // 2 + 60).astype("uint8"))
    assert matched.shape == PAINTING.shape and (matched[..., 0] == matched[..., 2]).all()
    target = (PHOTO // 2 + 60) @ YCC[0]
    assert (
        abs(matched[..., 0].mean() - target.mean()) < 0.1
        and abs(matched[..., 0].std() / target.std() - 1) < 0.01
    )


def test_lab_by_hand_and_back():
    """CIE's figures for sRGB's white, red and blue; and there and back."""
    for rgb, lab in {
        (255, 255, 255): (100, 0, 0),
        (255, 0, 0): (53.24, 80.09, 67.20),
        (0, 0, 255): (32.30, 79.19, -107.86),
    }.items():
        np.testing.assert_allclose(
            rgb_to_lab(rgb), lab, atol=0.03
        )  # published with a matrix of more digits
    colors = picture(30, 30, 3)
    np.testing.assert_allclose(lab_to_rgb(rgb_to_lab(colors)), colors, atol=1e-2)


def test_histograms_agree():
    """Quantiles of L*, a* and b* to one gray level, L* on the scale 0 to 255."""
    image, reference = picture(90, 80, 1), (picture(70, 100, 2) // 2 + 60).astype("uint8")
    matched = match_histogram(image, reference)
    assert matched.dtype == np.uint8 and matched.shape == image.shape
    quantiles = np.linspace(0.01, 0.99, 50)
    ours, theirs = (
        np.quantile(rgb_to_lab(p) * [2.55, 1, 1], quantiles, axis=(0, 1))
        for p in (matched, reference)
    )
    assert abs(ours - theirs).max() <= 1
    real = match_histogram(PAINTING, PHOTO)  # where sRGB lacks some of the colors, less exact in b*
    ours, theirs = (np.quantile(rgb_to_lab(p)[..., 0] * 2.55, quantiles) for p in (real, PHOTO))
    assert abs(ours - theirs).mean() <= 1


def test_bad_colors_are_told():
    with pytest.raises(ValueError, match="form must be one of"):
        match_color(PHOTO, PAINTING, form="diagonal")
    with pytest.raises(TypeError, match="uint8"):
        match_histogram(PHOTO / 255, PAINTING)
    with pytest.raises(ValueError, match="H x W x 3"):
        match_luminance(PHOTO[..., 0], PAINTING)
