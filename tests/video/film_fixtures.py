"""Fixtures of several test files about films."""

import pytest
from conftest import IMAGES
from helpers import varied

from neural_style import load_image
from neural_style.feedforward import build_transform_net, save_transform_net
from neural_style.video.write import write_video


@pytest.fixture
def clip(tmp_path):
    """Write eight frames of a photo that moves 3 pixels a frame, then four of another photo."""
    frames = []
    for name, count in (("petra.jpg", 8), ("neuschwanstein.jpg", 4)):
        still = load_image(f"{IMAGES}/{name}", 120)
        frames += [still[:64, 3 * i : 3 * i + 80] for i in range(count)]
    write_video(frames, tmp_path / "clip.mp4", 12, quality=5)
    return tmp_path / "clip.mp4"


@pytest.fixture
def net(tmp_path):
    save_transform_net(varied(build_transform_net(4, 1)), tmp_path / "net.keras")
    return tmp_path / "net.keras"
