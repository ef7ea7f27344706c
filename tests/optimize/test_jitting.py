"""What JAX alone needs: compilations that serve other pictures."""

import keras
import numpy as np
import pytest
from helpers import picture

from neural_style import Evaluator, feature_extractor, preprocess
from neural_style.losses import content_loss, style_loss

pytestmark = pytest.mark.skipif(keras.backend.backend() != "jax", reason="it is JAX's own")


@pytest.fixture
def kept(tmp_path):
    """A folder in which JAX keeps all that it compiles."""
    import jax
    from jax.experimental.compilation_cache import compilation_cache

    options = {
        "jax_compilation_cache_dir": str(tmp_path),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
    }
    before = {name: getattr(jax.config, name) for name in options}
    for name, value in options.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()
    yield tmp_path
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


def test_another_photo_and_painting_of_that_size_need_no_compilation(kept):
    layers = ["block1_conv1", "block2_conv1"]
    extractor = feature_extractor(layers, weights=None, normalize=False)
    counts = []
    for seed in (0, 1, 2):
        content, style = (extractor(preprocess(picture(24, 32, seed + i))) for i in (3, 7))
        losses = {
            "content": content_loss(content, ["block2_conv1"]),
            "style": style_loss(style, ["block1_conv1", "block2_conv1"]),
        }
        evaluator = Evaluator(extractor, losses, {"content": 1.0, "style": 2.0}, (1, 24, 32, 3))
        assert np.isfinite(evaluator(preprocess(picture(24, 32, seed)))[0])
        counts.append(sum(1 for _ in kept.iterdir()))
    assert counts[0] > 0 and counts[1] == counts[2] == counts[0]


def test_static_arguments_and_shapes_are_compiled_apart():
    from neural_style.optimize.jitting import jitted

    cut = jitted(lambda x, sides, more: {"sum": x[: sides[0], : sides[1]].sum() + more["b"]}, (1,))
    x = np.arange(12.0, dtype="float32").reshape(3, 4)
    assert float(cut(x, (2, 2), {"b": np.float32(1)})["sum"]) == 1 + 0 + 1 + 4 + 5
    assert float(cut(x, (1, 3), {"b": np.float32(2)})["sum"]) == 2 + 0 + 1 + 2
    assert float(cut(x[:1], (1, 3), {"b": np.float32(0)})["sum"]) == 3
