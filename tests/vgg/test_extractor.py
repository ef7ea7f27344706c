import os

import keras
import numpy as np
import pytest
from conftest import average_pool, relu_conv
from helpers import picture, random_weights, read_only, small_calibration

import neural_style
from neural_style import feature_extractor, preprocess
from neural_style.vgg import extractor, layers, normalization, vgg_weights

to_numpy = keras.ops.convert_to_numpy


@pytest.fixture(scope="module")
def x():
    return preprocess(picture(45, 38))


def test_layers_are_cut_after_the_deepest_and_named_as_asked(x):
    model = feature_extractor(["conv2_1", "relu2_1", "block1_pool"], weights=None, normalize=False)
    out = model(x)
    assert set(out) == {"conv2_1", "relu2_1", "block1_pool", "image"}
    assert model.layers[-1].name == "block2_conv1"
    np.testing.assert_array_equal(to_numpy(out["image"]), x)
    np.testing.assert_array_equal(to_numpy(out["conv2_1"]), to_numpy(out["relu2_1"]))
    assert out["conv2_1"].shape == (1, 22, 19, 128) and to_numpy(out["conv2_1"]).min() == 0


@pytest.mark.slow
def test_average_pooling_network_against_numpy(x):
    layers = vgg_weights("vgg16", None).layers
    expected = relu_conv(relu_conv(x, *layers["block1_conv1"]), *layers["block1_conv2"])
    expected = relu_conv(average_pool(expected), *layers["block2_conv1"])
    ours = to_numpy(feature_extractor("conv2_1", weights=None, normalize=False)(x)["conv2_1"])
    np.testing.assert_allclose(ours, expected, rtol=1e-3, atol=1e-3 * expected.max())


@pytest.mark.slow
@pytest.mark.parametrize("network", ["vgg16", "vgg19"])
def test_max_pooling_network_is_keras_own(x, network):
    vgg = getattr(keras.applications, network.upper())(weights=None, include_top=False)
    for name, pair in vgg_weights(network, None).layers.items():
        vgg.get_layer(name).set_weights(pair)
    expected = to_numpy(keras.Model(vgg.input, vgg.get_layer("block5_pool").output)(x))
    ours = to_numpy(
        feature_extractor("pool5", network=network, weights=None, pooling="max", normalize=False)(
            x
        )["pool5"]
    )
    np.testing.assert_allclose(ours, expected, rtol=1e-3, atol=1e-4 * expected.max())


@pytest.mark.network
@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_normalization_scales_each_filter_and_nothing_else(x, pooling):
    """The normalized activation is the plain one over the filter's mean on the calibration photos
    (with the floor).
    """
    names = ["block1_conv1", "block2_conv2", "block4_conv2", "block5_conv3"]
    plain = feature_extractor(names, weights="torchvision", pooling=pooling, normalize=False)(x)
    normalized = feature_extractor(names, weights="torchvision", pooling=pooling)(x)
    means = normalization.mean_activations(vgg_weights("vgg16", "torchvision"), pooling)
    for name in names:
        m = np.maximum(means[name], normalization.ACTIVATION_FLOOR * means[name].mean())
        expected = to_numpy(plain[name]) / m
        np.testing.assert_allclose(
            to_numpy(normalized[name]),
            expected,
            rtol=1e-3,
            atol=1e-4 * expected.max(),
            err_msg=name,
        )


@pytest.mark.network
def test_mean_activation_over_the_calibration_photos_is_one():
    folder = os.path.join(os.path.dirname(neural_style.__file__), "calibration")
    model = feature_extractor(["conv1_1", "conv4_2"], weights="torchvision")
    photos = [
        model(preprocess(normalization.load_image(os.path.join(folder, name))))
        for name in sorted(os.listdir(folder))
        if name.endswith(".jpg")
    ]
    means = normalization.mean_activations(vgg_weights("vgg16", "torchvision"), "avg")
    for asked, name in {"conv1_1": "block1_conv1", "conv4_2": "block4_conv2"}.items():
        activations = np.concatenate(
            [to_numpy(photo[asked]).reshape(-1, photo[asked].shape[-1]) for photo in photos]
        )
        firing = means[name] >= normalization.ACTIVATION_FLOOR * means[name].mean()
        np.testing.assert_allclose(activations.mean(axis=0)[firing], 1, rtol=1e-3)
        assert (activations.mean(axis=0)[~firing] < 1).all() and firing.mean() > 0.9


def test_calibration_photos_are_small():
    folder = os.path.join(os.path.dirname(neural_style.__file__), "calibration")
    assert sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder)) < 300_000


@pytest.mark.slow
def test_statistics_are_computed_once_and_a_damaged_cache_is_noticed(
    empty_cache, monkeypatch, caplog
):
    parameters = vgg_weights("vgg16", None)
    loaded = []
    real = normalization.load_image
    monkeypatch.setattr(
        normalization, "load_image", lambda *a: loaded.append(a) or real(*a, size=32)
    )
    first = normalization.mean_activations(parameters, "avg")
    photos = len(loaded)
    assert photos >= 10
    np.testing.assert_array_equal(
        normalization.mean_activations(parameters, "avg")["block3_conv1"], first["block3_conv1"]
    )
    assert len(loaded) == photos and not caplog.messages
    [cached] = os.listdir(empty_cache)
    (empty_cache / cached).write_bytes(b"damaged")
    np.testing.assert_array_equal(
        normalization.mean_activations(parameters, "avg")["block3_conv1"], first["block3_conv1"]
    )
    assert len(loaded) == 2 * photos and "damaged" in caplog.text


def damage(how):
    """A file of mean activations, damaged in one of these ways."""

    def change(path):
        data = path.read_bytes()
        with np.load(path) as file:
            means = dict(file)
        if how == "cut in half":
            path.write_bytes(data[: len(data) // 2])
        elif how == "a byte changed":
            place = data.index(b"block3_conv1.npy") + 300
            path.write_bytes(data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :])
        elif how == "other shapes":
            np.savez(path, **{name: mean[:9] for name, mean in means.items()})
        else:
            np.savez(
                path,
                **{
                    name: np.where(np.arange(len(mean)) == 3, np.nan, mean)
                    for name, mean in means.items()
                },
            )

    return change


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        "a byte changed",
        *(
            pytest.param(how, marks=pytest.mark.slow)
            for how in ("cut in half", "other shapes", "NaN")
        ),
    ],
)
def test_damaged_mean_activations_are_computed_anew_and_written_for_good(
    how, empty_cache, monkeypatch, caplog
):
    with small_calibration():
        parameters = vgg_weights("vgg16", None)
        first, synced = normalization.mean_activations(parameters, "avg"), []
        [cached] = empty_cache.iterdir()
        damage(how)(cached)
        monkeypatch.setattr(
            os, "fsync", lambda handle, real=os.fsync: synced.append(handle) or real(handle)
        )
        again = normalization.mean_activations(parameters, "avg")
        assert (
            len(caplog.messages) == 1
            and f"{cached} is damaged and is computed anew" in caplog.text
            and "\n" not in caplog.messages[0]
        )
        assert synced and list(empty_cache.iterdir()) == [cached]
        third = normalization.mean_activations(parameters, "avg")  # from the file
    assert len(caplog.messages) == 1
    for name, mean in first.items():
        np.testing.assert_array_equal(again[name], mean)
        np.testing.assert_array_equal(third[name], mean)


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="capabilities are Linux's")
def test_a_read_only_cache_costs_a_warning(empty_cache, caplog):
    empty_cache.mkdir(parents=True)
    with read_only(empty_cache), small_calibration():
        parameters = vgg_weights("vgg16", None)
        means = normalization.mean_activations(parameters, "avg")
    assert (
        len(caplog.messages) == 1
        and f"cannot be kept in {empty_cache}" in caplog.text
        and not [*empty_cache.iterdir()]
    )
    with small_calibration():
        np.testing.assert_array_equal(
            normalization.mean_activations(parameters, "avg")["block3_conv1"], means["block3_conv1"]
        )


@pytest.mark.slow
def test_keras_setting_of_the_channels_changes_nothing(x):
    """image_data_format in ~/.keras/keras.json."""
    expected = to_numpy(feature_extractor(["conv2_1"], weights=None, normalize=False)(x)["conv2_1"])
    keras.config.set_image_data_format("channels_first")
    try:
        np.testing.assert_array_equal(
            to_numpy(feature_extractor(["conv2_1"], weights=None, normalize=False)(x)["conv2_1"]),
            expected,
        )
    finally:
        keras.config.set_image_data_format("channels_last")


def test_bfloat16_is_close_to_float32(x):
    full, half = (
        feature_extractor("conv3_1", weights=random_weights(), precision=p)(x)["conv3_1"]
        for p in ("float32", "bfloat16")
    )
    assert keras.backend.standardize_dtype(half.dtype) == "bfloat16"
    difference = to_numpy(keras.ops.cast(half, "float32")) - to_numpy(full)
    assert np.linalg.norm(difference) < 0.03 * np.linalg.norm(to_numpy(full))


def test_smallest_side():
    assert layers.smallest_side(["conv1_2"], "vgg16") == 1
    assert layers.smallest_side(["conv1_1", "conv5_1"], "vgg16") == 16
    assert layers.smallest_side(["pool5"], "vgg19") == 32


@pytest.mark.parametrize(
    "layer,least", [("conv1_1", 2), ("conv2_2", 4), ("pool2", 4), ("conv3_1", 4), ("conv5_1", 16)]
)
def test_a_mirror_needs_two_positions(layer, least):
    """A row beside the edge is there to mirror: the least side, with which the network works."""
    assert layers.smallest_side([layer], "vgg16", "reflect") == least
    model = feature_extractor(layer, weights=None, normalize=False, padding="reflect")
    assert np.isfinite(to_numpy(model(preprocess(picture(least, least)))[layer])).all()


def test_reflection_mirrors_the_input_of_the_first_two_blocks(x):
    """Against NumPy: each of those convolutions sees its input's rows and columns next to the edge once
    more; the third block sees zeros, as ever. Far from the edges nothing changes."""
    parameters = vgg_weights("vgg16", None)
    names = ["conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1"]
    options = dict(weights=parameters, normalize=False)
    mirrored, plain = (
        {
            name: to_numpy(value)
            for name, value in feature_extractor(names, padding=padding, **options)(x).items()
        }
        for padding in ("reflect", "zeros")
    )
    before = x
    for name in names:
        weights = parameters.layers[f"block{name[4]}_{name[:4]}{name[-1]}"]
        edges = ((0, 0), (1, 1), (1, 1), (0, 0))
        padded = before if name == "conv3_1" else np.pad(before, edges, "reflect")
        expected = relu_conv(padded, *weights)
        if name != "conv3_1":
            expected = expected[:, 1:-1, 1:-1]
        np.testing.assert_allclose(mirrored[name], expected, rtol=1e-3, atol=1e-3 * expected.max())
        assert not np.allclose(mirrored[name][:, 0], plain[name][:, 0], rtol=1e-2)
        before = average_pool(expected) if name in ("conv1_2", "conv2_2") else expected
    np.testing.assert_allclose(
        mirrored["conv3_1"][:, 5:-5, 4:-4], plain["conv3_1"][:, 5:-5, 4:-4], rtol=1e-4
    )


@pytest.mark.parametrize(
    "options,error,words",
    [
        (
            {"layers": "conv6_1"},
            ValueError,
            "no layer 'conv6_1'; did you mean 'conv5_1'\\? It has block1_conv1",
        ),
        ({"layers": "conv3_4"}, ValueError, "vgg16 has no layer 'conv3_4'"),
        ({"layers": []}, ValueError, "at least one"),
        ({"layers": "conv1_1", "network": "vgg11"}, ValueError, "vgg11"),
        ({"layers": "conv1_1", "pooling": "mean"}, ValueError, "mean"),
        ({"layers": "conv1_1", "precision": "float16"}, ValueError, "float16"),
        ({"layers": "conv1_1", "padding": "same"}, ValueError, "padding must be"),
    ],
)
def test_clear_errors_before_anything_is_loaded(options, error, words, monkeypatch):
    monkeypatch.setattr(extractor, "vgg_weights", lambda *a: pytest.fail("loaded"))
    with pytest.raises(error, match=words):
        feature_extractor(**options)


@pytest.mark.parametrize("fast", [True, False])
def test_bfloat16_says_where_it_is_slow(fast, monkeypatch, caplog):
    monkeypatch.setattr(extractor, "fast_bfloat16", lambda: fast)
    feature_extractor(["conv1_1"], weights=None, normalize=False, precision="bfloat16")
    assert ("bfloat16 more slowly than float32" in caplog.text) == (not fast)
    caplog.clear()
    feature_extractor(["conv1_1"], weights=None, normalize=False)
    assert not caplog.text
