"""Decoders for random VGG16 weights, in the place of those of the package."""

import numpy as np
import pytest

from neural_style.universal import codec as codecs
from neural_style.universal import moments_file, passes
from neural_style.universal.decoder import DECODERS, ENCODER, Decoders, build_decoder
from neural_style.vgg.architecture import conv_layers
from neural_style.vgg.weights import vgg_weights


@pytest.fixture(scope="session")
def random_decoders():
    means = {name: np.full(conv_layers("vgg16")[name][-1], 0.5, "float32") for name in ENCODER}
    record = {"weights": {"source": "random", "sha256": vgg_weights("vgg16", None).sha256}}
    networks = {level: build_decoder(level, 1) for level in DECODERS}
    for network in networks.values():  # so that most of their pixels are between black and white
        weights = network.get_weights()
        weights[-2] *= 0.02
        network.set_weights(weights)
    return Decoders(networks, means, record)


@pytest.fixture
def one_pass_offline(random_decoders, monkeypatch):
    """One pass without a download: random VGG16 and decoders that have learned nothing; and the
    passes without relu4_1, whose 512 channels take most of the time.
    """
    Pass = passes.Pass
    quick = (Pass("relu3_1", 1, 1.0), Pass("relu2_1", 0, 0.5), Pass("relu1_1"))
    for module in (passes, moments_file):
        monkeypatch.setattr(module, "PASSES", quick)
    monkeypatch.setattr(codecs, "packaged_decoders", lambda: random_decoders)
    codecs.codec.cache_clear()
    yield
    codecs.codec.cache_clear()
