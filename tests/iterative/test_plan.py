"""Plans against the memory there is, and what transfer() says and refuses before it starts."""

import re
import sys
from dataclasses import replace

import pytest
from helpers import needs_tensorflow, picture, random_weights

from neural_style import feature_extractor, transfer
from neural_style._shared.memory import free_memory
from neural_style.iterative.estimate import estimate
from neural_style.iterative.plan import plan
from neural_style.iterative.schedule import StageSettings
from neural_style.iterative.terms import Content
from neural_style.iterative.transfer import CONTENT_LAYERS, STYLE_LAYERS
from neural_style.optimize.objective import CORRECTIONS
from neural_style.vgg.feature_network import FeatureNetwork
from neural_style.vgg.layers import activation_bytes, tile_geometry

LAYERS = (*CONTENT_LAYERS, *STYLE_LAYERS)


def test_the_plan_follows_the_memory_there_is():
    geometry, bytes_per_pixel = tile_geometry(LAYERS, "vgg16"), activation_bytes(LAYERS, "vgg16")
    plans = [
        plan(2048, 2048, geometry, bytes_per_pixel, free=gigabytes * 1e9)
        for gigabytes in (64, 7, 5.2)
    ]
    tiles, corrections = [p.tiling.tile for p in plans], [p.corrections for p in plans]
    assert (
        tiles[0] is None
        and tiles[1] > tiles[2] >= 144
        and corrections[0] == 10 >= corrections[1] >= corrections[2] >= 3
    )
    with pytest.raises(
        MemoryError,
        match=(
            "2048 x 2048 pixels need about .* GB even in tiles, and 1.0 GB are free; a longer side"
        ),
    ):
        plan(2048, 2048, geometry, bytes_per_pixel, free=1e9)
    size = int(str(_message(2048, geometry, bytes_per_pixel)).split("about ")[2].split()[0])
    assert plan(
        size, size, geometry, bytes_per_pixel, free=1e9
    ).tiling.tile  # the size that the message names does fit
    assert plan(512, 512, geometry, bytes_per_pixel, tile=192, free=64e9).tiling.tile == 192
    assert plan(512, 512, geometry, bytes_per_pixel, tile=None, free=1e8).tiling.tile is None
    assert free_memory() > 1e8


def test_adam_takes_over_where_l_bfgs_would_not_fit():
    geometry, bytes_per_pixel = tile_geometry(LAYERS, "vgg16"), activation_bytes(LAYERS, "vgg16")
    large = plan(4096, 4096, geometry, bytes_per_pixel, free=4.15e9)
    assert (
        large.optimizer == "adam"
        and large.takeover
        and large.tiling.tile >= 144
        and large.bytes < 4.15e9
    )
    assert plan(4096, 4096, geometry, bytes_per_pixel, free=20e9).optimizer == "lbfgs"
    assert (
        plan(4096, 4096, geometry, bytes_per_pixel, optimizer="sgd", free=20e9).optimizer == "sgd"
    )


@pytest.mark.slow
def test_a_run_that_adam_took_over_goes_on_and_says_so(monkeypatch, capsys):
    real = sys.modules["neural_style.iterative.prepare"].plan

    def short(height, width, *arguments, **keywords):
        found = real(height, width, *arguments, **keywords)
        return (
            replace(found, optimizer="adam", corrections=0, takeover=True)
            if max(height, width) == 96
            else found
        )

    monkeypatch.setattr(sys.modules["neural_style.iterative.prepare"], "plan", short)
    options = dict(
        weights=random_weights(),
        size=96,
        start_size=48,
        steps=20,
        style_layers=["conv1_1", "conv2_1"],
        content_layers=["conv2_2"],
    )
    result = transfer(picture(72, 96), picture(60, 60, 2), **options)
    assert result.message == (
        "all steps done; switched to Adam at this size: not enough memory for L-BFGS"
    )
    assert "by Adam, where L-BFGS would not fit" in capsys.readouterr().out
    assert result.history["total"][-1] < result.history["total"][40]  # 40 steps of L-BFGS before


def _message(size, geometry, bytes_per_pixel):
    try:
        plan(size, size, geometry, bytes_per_pixel, free=1e9)
    except MemoryError as error:
        return error


def test_a_picture_too_large_is_refused_before_any_step(monkeypatch):
    monkeypatch.setattr("neural_style.iterative.plan.free_memory", lambda: 2e8)
    steps = []
    with pytest.raises(MemoryError, match="a longer side of about .* pixels would fit"):
        transfer(
            picture(30, 30).repeat(100, axis=0).repeat(100, axis=1),
            picture(40, 40),
            weights=random_weights(),
            size=3000,
            progress=False,
            callback=steps.append,
        )
    assert not steps


@pytest.mark.slow
def test_the_line_before_a_run_says_time_memory_tiles_and_history(monkeypatch, capsys):
    extractor = feature_extractor(["conv1_1", "conv2_1"], weights=None, normalize=False)
    geometry, per_pixel = tile_geometry(LAYERS, "vgg16"), activation_bytes(LAYERS, "vgg16")
    plans = [
        plan(side, side, geometry, per_pixel, free=free)
        for side, free in [(128, 8e9), (2048, 6e9), (2048, 1.5e9)]
    ]
    lines = [
        estimate(extractor, [(128, 128, 3)], [StageSettings(128, 100, {})], plans[:1]),
        estimate(extractor, [(2048, 2048, 3)], [StageSettings(2048, 100, {})], plans[1:2]),
        estimate(extractor, [(2048, 2048, 3)], [StageSettings(2048, 100, {})], plans[2:]),
    ]
    assert re.fullmatch(
        r"about \d:\d\d and \d+\.\d GB of memory", lines[0]
    )  # with what the process has by then
    assert f"in tiles of {plans[1].tiling.tile} pixels" in lines[1] and "history" not in lines[1]
    assert (
        f"L-BFGS's history cut to {plans[2].corrections}" in lines[2]
        and plans[2].corrections < CORRECTIONS
    )
    monkeypatch.setattr(
        sys.modules["neural_style.iterative.recorder"],
        "estimate",
        lambda *arguments: "about a while",
    )
    transfer(
        picture(48, 64),
        picture(64, 48),
        weights=random_weights(),
        size=64,
        start_size=None,
        steps=1,
        style_layers=["conv1_1", "conv2_1"],
        content_layers=["conv2_2"],
    )
    assert capsys.readouterr().out.startswith("about a while\n64 x 48")


@pytest.mark.timing
def test_the_estimate_of_time_is_near_the_truth():
    """Within a factor of two and a half: machines are noisy."""
    content, style = picture(160, 160, 1), picture(160, 160, 2)
    extractor = feature_extractor(LAYERS, weights=random_weights(), normalize=False)
    planned = plan(160, 160, tile_geometry(LAYERS, "vgg16"), activation_bytes(LAYERS, "vgg16"))
    minutes, seconds = (
        estimate(extractor, [(160, 160, 3)], [StageSettings(160, 40, {})], [planned])
        .split()[1]
        .split(":")
    )
    told = 60 * int(minutes) + int(seconds)
    took = transfer(
        content,
        style,
        weights=random_weights(),
        size=160,
        start_size=None,
        steps=40,
        progress=False,
    ).seconds
    assert 0.4 < told / took < 2.5


@needs_tensorflow
def test_a_worker_with_half_the_cores_plans_with_half_the_memory(monkeypatch):
    whole = free_memory()
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setattr("tensorflow.config.threading.get_intra_op_parallelism_threads", lambda: 4)
    assert free_memory() == pytest.approx(whole / 2, rel=0.2)


@pytest.mark.parametrize("precision, each", [("float32", 4), ("bfloat16", 2)])
def test_targets_of_the_content_count_with_the_bytes_that_they_take(precision, each):
    """conv3_3 has 256 channels at a quarter of the side, conv4_2 512 at an eighth."""
    content = Content(1.0, {"conv3_3": 1.0, "block4_conv2": 2.0})
    network = FeatureNetwork("vgg16", precision=precision)
    assert content.bytes_per_pixel(network) == (256 / 16 + 512 / 64) * each
    assert activation_bytes(["conv1_1"], "vgg16", precision) == (3 + 64) * each
