"""What TensorFlow alone needs of us."""

import gc
import threading
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from neural_style import Evaluator, feature_extractor
from neural_style.losses import style_loss
from neural_style.optimize.tiled_evaluator import TiledEvaluator
from neural_style.optimize.tiling import Tiling
from neural_style.optimize.tracing import _custom_gradients, graph_as_written
from neural_style.vgg.layers import tile_geometry


def option():
    return tf.config.optimizer.get_experimental_options().get("disable_meta_optimizer", False)


@pytest.mark.parametrize("before", [False, True])
def test_threads_leave_tensorflows_option_as_it_was(before):
    """A in, B in, A out, B still without the optimizer; afterwards all is as before."""
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": before})
    a_in, b_in, a_out, seen = threading.Event(), threading.Event(), threading.Event(), []

    def a():
        with graph_as_written():
            a_in.set()
            b_in.wait(9)
        a_out.set()

    def b():
        a_in.wait(9)
        with graph_as_written():
            b_in.set()
            a_out.wait(9)
            seen.append(option())

    threads = [threading.Thread(target=target) for target in (a, b)]
    try:
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert seen == [True] and option() == before
    finally:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})


@pytest.mark.slow
@pytest.mark.parametrize("tile", [None, 64])
def test_an_evaluator_that_is_gone_takes_its_network_with_it(tile):
    """TensorFlow's registry of custom gradients would keep both."""
    before = len(_custom_gradients())
    assert before > 100  # TensorFlow's own gradients: it is the registry

    def make():
        extractor = feature_extractor(["conv1_1", "conv2_1"], weights=None, normalize=False)
        losses = {
            "style": style_loss(
                extractor(np.ones((1, 96, 96, 3), "float32")), ["conv1_1", "conv2_1"]
            )
        }
        shape = (1, 96, 96, 3)
        evaluator = (
            Evaluator(extractor, losses, {"style": 1.0}, shape)
            if tile is None
            else TiledEvaluator(
                extractor,
                losses,
                {"style": 1.0},
                shape,
                Tiling(tile, *tile_geometry(["conv1_1", "conv2_1"], "vgg16")),
            )
        )
        loss, grad = evaluator(np.zeros(96 * 96 * 3))
        assert loss > 0 and np.isfinite(grad).all()
        return weakref.ref(extractor.layers[-1].kernel)

    kernels = [make() for _ in range(3)]
    keras.backend.clear_session()
    gc.collect()
    assert len(_custom_gradients()) == before and all(kernel() is None for kernel in kernels)
