"""Vectors in blocks: the same run as whole, and sums that stay exact in float32."""

import keras
import numpy as np
import pytest
from helpers import needs_float64, picture
from scipy.optimize import rosen, rosen_der

from neural_style import Evaluator, preprocess
from neural_style.losses import style_loss
from neural_style.optimize import vectors
from neural_style.optimize.lbfgs import lbfgs
from neural_style.optimize.pairs import Pairs


@pytest.mark.parametrize("count, starts", [(5, [0]), (10, [0]), (11, [0, 10]), (30, [0, 10, 20])])
def test_blocks_are_the_vector_cut(count, starts, monkeypatch):
    monkeypatch.setattr(vectors, "BLOCK", 10)
    vector = keras.ops.arange(count, dtype="float32")
    parts = [vectors.part(vector, block) for block in vectors.blocks(count)]
    assert [int(part[0]) for part in parts] == starts
    np.testing.assert_array_equal(vectors.joined(parts), np.arange(count))


@needs_float64
def test_a_run_in_blocks_is_the_run_as_a_whole(monkeypatch):
    start, bounds = np.random.default_rng(0).normal(size=20), (np.full(20, -1.5), np.full(20, 0.9))
    runs = []
    for block in (1 << 20, 7):
        monkeypatch.setattr(vectors, "BLOCK", block)
        seen, memories = [], []

        def keep(here, seen=seen, memories=memories):
            seen.append(here.x)
            memories.append(here.memory())

        lbfgs(lambda x: (rosen(x), rosen_der(x)), start, 25, bounds, keep)
        runs.append((seen, memories))
    (whole, remembered), (cut, cut_memories) = runs
    np.testing.assert_allclose(cut[:9], whole[:9], atol=2e-6)  # Keras' torch.matmul is float32
    np.testing.assert_allclose(cut_memories[5]["rows"], remembered[5]["rows"], rtol=1e-3, atol=1e-5)
    # a checkpoint of one goes on in the other
    again = []
    lbfgs(lambda x: (rosen(x), rosen_der(x)), cut[5], 3, bounds, again.append, memory=remembered[5])
    np.testing.assert_allclose([here.x for here in again], whole[6:9], atol=2e-6)


def test_an_evaluators_run_in_blocks_is_alike(tiny, monkeypatch):
    style = tiny.model(preprocess(picture(32, 24, 1)))
    losses = {"style": style_loss(style, tiny.layers)}
    evaluator = Evaluator(tiny.model, losses, {"style": 1.0}, (1, 24, 32, 3))
    x, bounds = preprocess(picture(24, 32, 2)), (np.full(3, -120.0), np.full(3, 130.0))
    losses_after = []
    for block in (1 << 20, 500):
        monkeypatch.setattr(vectors, "BLOCK", block)
        told = []
        lbfgs(evaluator, x, 12, bounds, told.append)
        losses_after.append([here.fun for here in told])
        assert told[-1].terms["style"] == pytest.approx(told[-1].fun, rel=1e-5)
    np.testing.assert_allclose(losses_after[1], losses_after[0], rtol=2e-3)


def test_products_of_millions_of_numbers_are_exact(monkeypatch):
    """A matrix product over all of them at once, added up in float32, is off by 1e-4 here."""
    rng = np.random.default_rng(0)
    g = rng.uniform(0.5, 1.5, 6_000_000).astype("float32")
    row = rng.uniform(0.5, 1.5, g.size).astype("float32")
    pairs = Pairs(1)
    pairs._rows = [
        keras.ops.convert_to_tensor(np.stack([row[block], g[block]]))
        for block in vectors.blocks(g.size)
    ]
    grads = [keras.ops.convert_to_tensor(g[block]) for block in vectors.blocks(g.size)]
    exact = [row.astype("float64") @ g, g.astype("float64") @ g]
    np.testing.assert_allclose(pairs._times(grads), exact, rtol=1e-5)
