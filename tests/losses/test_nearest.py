"""Nearest neighbors and their loss, against transcriptions; gradients against finite differences."""

import numpy as np
import pytest
from helpers import check_gradient, half_pixel, nearest_by_cosine, picture
from keras import ops

from neural_style import Evaluator, preprocess
from neural_style.losses import nearest as module
from neural_style.losses.loss import Loss
from neural_style.losses.nearest import hypercolumns, nearest, nearest_loss, neighbors_of, on_grid
from neural_style.optimize.tiled_evaluator import TiledEvaluator
from neural_style.optimize.tiling import Tiling

LAYERS = ("conv1", "conv2")


@pytest.mark.parametrize("blocks", [(4096, 8192), (7, 5), (100, 1), (1, 60)])
def test_neighbors_in_blocks_are_those_of_the_nearest_by_cosine(monkeypatch, blocks):
    rng = np.random.default_rng(0)
    query, source = (rng.normal(1, 1, (n, 12)).astype("float32") for n in (50, 60))
    monkeypatch.setattr(module, "QUERY_BLOCK", blocks[0])
    monkeypatch.setattr(module, "SOURCE_BLOCK", blocks[1])
    np.testing.assert_array_equal(nearest(query, source), nearest_by_cosine(query, source))


def test_each_is_its_own_nearest_neighbor():
    rows = np.random.default_rng(1).normal(size=(40, 6)).astype("float32")
    np.testing.assert_array_equal(nearest(rows, rows), np.arange(40))


def test_layers_together_or_each_by_itself():
    rng = np.random.default_rng(2)
    query, source = (rng.normal(size=(n, 9)).astype("float32") for n in (30, 40))
    together = neighbors_of(query, source, [4, 5])
    np.testing.assert_array_equal(together, source[nearest_by_cosine(query, source)])
    apart = neighbors_of(query, source, [4, 5], together=False)
    np.testing.assert_array_equal(
        apart[:, :4], source[nearest_by_cosine(query[:, :4], source[:, :4]), :4]
    )
    np.testing.assert_array_equal(
        apart[:, 4:], source[nearest_by_cosine(query[:, 4:], source[:, 4:]), 4:]
    )
    assert np.abs(apart - together).max() > 0.1


def test_a_painting_of_one_color_is_everybodys_neighbor():
    query = np.random.default_rng(3).normal(size=(10, 4)).astype("float32")
    assert set(nearest(query, np.ones((6, 4), "float32"))) == {0}


@pytest.mark.parametrize("side,grid", [(16, 4), (8, 4), (4, 4), (2, 4), (17, 4)])
def test_a_layer_on_the_grid(side, grid):
    f = np.random.default_rng(4).normal(size=(1, side, side + 3, 5)).astype("float32")
    grid = grid, (side + 3) * grid // side
    found = ops.convert_to_numpy(on_grid(f, grid, "bilinear"))
    np.testing.assert_allclose(found, half_pixel(f[0], grid)[None] / 5, atol=1e-6)
    if side == 16:  # cells of 4 x 4
        cells = f[:, :16, :16].reshape(1, 4, 4, 4, 4, 5).mean(axis=(2, 4))
        found = ops.convert_to_numpy(on_grid(f, (4, 4), "mean"))
        np.testing.assert_allclose(found, cells / 5, atol=1e-6)


def cosine_distance(f, t):
    return 1 - (f * t).sum(-1) / np.linalg.norm(f, axis=-1) / np.linalg.norm(t, axis=-1)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_the_loss_against_a_transcription(tiny, together, weighted):
    features = tiny.numpy(preprocess(picture(24, 32, 1)))
    features = {name: features[name].astype("float32") for name in LAYERS}
    grid, rng = (6, 8), np.random.default_rng(5)
    channels = [features[name].shape[-1] for name in LAYERS]
    targets = {
        name: rng.uniform(0, 1, (1, *grid, count)).astype("float32")
        for name, count in zip(LAYERS, channels)
    }
    weights = rng.uniform(0, 2, grid).astype("float32") if weighted else np.ones(grid, "float32")
    columns = hypercolumns(features, LAYERS, grid).astype("float64")
    parts = np.split(columns, np.cumsum(channels)[:-1], axis=-1)
    if together:
        distances = cosine_distance(columns, np.concatenate([*targets.values()], -1)[0])
    else:
        distances = np.mean([cosine_distance(p, targets[n][0]) for n, p in zip(LAYERS, parts)], 0)
    expected = (weights * distances).sum() / weights.sum()
    loss = nearest_loss(targets, together, weights if weighted else None)
    assert isinstance(loss, Loss)
    assert float(loss(features)) == pytest.approx(expected, rel=1e-5)


def test_features_that_are_their_targets_cost_nothing(tiny):
    features = tiny.model(preprocess(picture(24, 32, 1)))
    grid = (6, 8)
    targets = {name: ops.convert_to_numpy(on_grid(features[name], grid)) for name in LAYERS}
    assert float(ops.convert_to_numpy(nearest_loss(targets)(features))) == pytest.approx(
        0, abs=1e-5
    )


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("sampling", ["mean", "bilinear"])
def test_gradients_against_finite_differences(tiny, together, sampling):
    style = tiny.model(preprocess(picture(24, 32, 2)))
    targets = {name: ops.convert_to_numpy(on_grid(style[name], (6, 8))) for name in LAYERS}
    loss = nearest_loss(targets, together, sampling=sampling)
    evaluator = Evaluator(tiny.model, {"nearest": loss}, {"nearest": 1e3}, (1, 24, 32, 3))
    x = preprocess(picture(24, 32, 3)).ravel().astype("float64")
    check_gradient(evaluator, x)


def test_the_loss_is_refused_in_tiles(tiny):
    targets = {"conv1": np.ones((1, 6, 8, 4), "float32")}
    with pytest.raises(ValueError, match="'nearest' needs the whole picture at once"):
        TiledEvaluator(
            tiny.model,
            {"nearest": nearest_loss(targets)},
            {"nearest": 1.0},
            (1, 24, 32, 3),
            Tiling(16, {"conv1": 1}, 1),
        )
