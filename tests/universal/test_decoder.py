"""Decoders: shapes, what they learn, and files that may be damaged."""

import numpy as np
import pytest
from keras import ops

from neural_style.universal.decoder import (
    CHANNELS,
    DECODERS,
    ENCODER,
    STRIDES,
    Decoders,
    build_decoder,
    load_decoders,
    save_decoders,
)


@pytest.fixture(scope="module")
def decoders():
    means = {name: np.full(count, 0.5, "float32") for name, count in zip(ENCODER, COUNTS)}
    networks = {level: build_decoder(level, seed=3) for level in DECODERS}
    return Decoders(networks, means, {"steps": 0, "weights": {"source": "random", "sha256": "0"}})


COUNTS = (64, 64, 128, 128, 256, 256, 256, 512)


@pytest.mark.parametrize("level", DECODERS)
def test_a_decoder_makes_a_picture_of_the_layer_s_stride(level, decoders):
    f = np.random.default_rng(0).uniform(size=(2, 3, 5, CHANNELS[level])).astype("float32")
    x = ops.convert_to_numpy(decoders.networks[level](f))
    assert x.shape == (2, 3 * STRIDES[level], 5 * STRIDES[level], 3)
    assert np.isfinite(x).all()


def test_the_first_weights_follow_the_seed():
    one, same, other = (build_decoder("relu2_1", seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same))
    assert not np.array_equal(one[0], other[0])


def test_a_file_keeps_kernels_to_a_half_of_127th_of_each_filter_s_largest_weight(
    decoders, tmp_path
):
    save_decoders(decoders, tmp_path / "d.npz")
    read = load_decoders(tmp_path / "d.npz")
    assert read.record == decoders.record
    for level, network in decoders.networks.items():
        for ours, theirs in zip(read.networks[level].get_weights(), network.get_weights()):
            if ours.ndim == 4:
                allowed = np.abs(theirs).max(axis=(0, 1, 2)) / 127 / 2
                assert (np.abs(ours - theirs) <= 1.001 * allowed).all()
            else:
                np.testing.assert_array_equal(ours, theirs)
    for name, mean in decoders.means.items():
        np.testing.assert_array_equal(read.means[name], mean)


def changed(path, **arrays):
    with np.load(path) as file:
        kept = {name: file[name] for name in file.files}
    np.savez(path, **{**kept, **arrays})


@pytest.mark.parametrize(
    "arrays,words",
    [
        ({"relu3_1/0": np.zeros((3, 3, 256, 1), "int8")}, "relu3_1/0 must have the shape"),
        ({"relu3_1/1": np.full(128, np.nan, "float32")}, "not all finite"),
        ({"means/block1_conv1": np.full(64, -1, "float32")}, "mean activations"),
        ({"record": np.array("[]")}, "no record"),
        ({"record": np.array("{")}, "no record"),
    ],
)
def test_a_damaged_file_is_refused(arrays, words, decoders, tmp_path):
    save_decoders(decoders, tmp_path / "d.npz")
    changed(tmp_path / "d.npz", **arrays)
    with pytest.raises(ValueError, match=words):
        load_decoders(tmp_path / "d.npz")


def test_what_is_no_file_of_decoders_is_refused(tmp_path):
    (tmp_path / "d.npz").write_bytes(b"PK\x03\x04")
    with pytest.raises(ValueError, match="cannot be read as .npz"):
        load_decoders(tmp_path / "d.npz")
    with pytest.raises(FileNotFoundError):
        load_decoders(tmp_path / "none.npz")
