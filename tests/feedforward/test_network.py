import csv
import io
import itertools
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from functools import lru_cache
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from conftest import IMAGES
from helpers import PATHS, ROOT, picture, varied
from keras import ops

import neural_style
from neural_style import load_image, pretrained, stylize
from neural_style.feedforward import (
    blend,
    build_transform_net,
    load_transform_net,
    save_transform_net,
)
from neural_style.feedforward.network_layers import EPSILON, CropToMatch
from neural_style.images.color import YCC
from neural_style.losses.regularizers import grid_loss
from neural_style.universal.reflection import ReflectionPadding2D


def numpy_convolution(x, kernel, bias, stride):
    """'valid' convolution of 1 x H x W x C; NumPy."""
    k = kernel.shape[0]
    rows, columns = ((side - k) // stride + 1 for side in x.shape[1:3])
    return (
        sum(
            x[:, i : i + rows * stride : stride, j : j + columns * stride : stride] @ kernel[i, j]
            for i in range(k)
            for j in range(k)
        )
        + bias
    )


def numpy_net(net, x):
    """The network in literal NumPy, float64."""
    weights = iter(w.astype("float64") for w in net.get_weights())

    def convolve(x, stride=1):
        kernel, bias = next(weights), next(weights)
        p = kernel.shape[0] // 2
        return numpy_convolution(
            np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)), mode="reflect"), kernel, bias, stride
        )

    def normalize(x):
        gamma, beta = next(weights), next(weights)
        return (
            gamma
            * (x - x.mean(axis=(1, 2), keepdims=True))
            / np.sqrt(x.var(axis=(1, 2), keepdims=True) + EPSILON)
            + beta
        )

    def block(x, stride=1):
        return np.maximum(normalize(convolve(x, stride)), 0)

    height, width = x.shape[1:3]
    x = block(block(block(x / 127.5 - 1), 2), 2)
    for _ in range(net.residual_blocks):
        x = x + normalize(convolve(block(x)))
    for _ in range(2):
        x = block(x.repeat(2, axis=1).repeat(2, axis=2))
    return (127.5 * (1 + np.tanh(convolve(x))))[:, :height, :width]


@pytest.mark.parametrize("height,width", [(32, 48), (21, 38), (16, 17)])
def test_the_network_is_its_numpy_transcription(height, width):
    net = varied(build_transform_net(3, 2))
    x = picture(height, width)[None].astype("float32")
    np.testing.assert_allclose(
        net.predict_on_batch(x), numpy_net(net, x.astype("float64")), atol=2e-3
    )


def test_the_layers_of_the_paper():
    net = build_transform_net(32, 5)
    convolutions = [layer for layer in net.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [layer.filters for layer in convolutions] == [32, 64, 128, *[128] * 10, 64, 32, 3]
    assert [layer.kernel_size[0] for layer in convolutions] == [9, *[3] * 14, 9]
    assert [layer.strides[0] for layer in convolutions] == [1, 2, 2, *[1] * 13]
    assert all(
        layer.groups == layer.axis == -1 or layer.groups == layer.input.shape[-1]
        for layer in net.layers
        if isinstance(layer, keras.layers.GroupNormalization)
    )
    assert not any(isinstance(layer, keras.layers.Conv2DTranspose) for layer in net.layers)


@pytest.mark.parametrize(
    "arguments", [{"width": 0}, {"width": 1.5}, {"residual_blocks": -1}, {"precision": "float8"}]
)
def test_build_refuses(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        build_transform_net(**arguments)


def test_one_seed_one_network():
    first, same, other = (build_transform_net(4, 1, seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, same))
    assert not np.array_equal(first[0], other[0])


def test_reflection_padding_mirrors_without_the_border():
    x = np.arange(12.0).reshape(1, 3, 4, 1)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(ReflectionPadding2D(2)(x)),
        np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect"),
    )
    assert ReflectionPadding2D(2).compute_output_shape((None, None, 4, 1)) == (None, None, 8, 1)
    assert CropToMatch().compute_output_shape([(1, 8, 8, 5), (1, 7, 6, 3)]) == (1, 7, 6, 5)


@pytest.mark.slow
@pytest.mark.parametrize("compact", [False, True])
def test_saved_and_loaded_with_its_record(tmp_path, compact):
    net = varied(
        build_transform_net(
            16, 1, record={"style": "mosaic", "license": "CC0", "settings": {"steps": 7}}
        )
    )
    save_transform_net(net, tmp_path / "net.keras", compact)
    loaded = load_transform_net(tmp_path / "net.keras")
    x = picture(24, 32)[None]
    difference = abs(loaded.predict_on_batch(x) - net.predict_on_batch(x)).max()
    assert difference < 1 if compact else difference == 0
    assert loaded.record == net.record and (loaded.width, loaded.residual_blocks) == (16, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["net.keras"]  # nothing temporary is left
    if compact:
        whole = sum(w.nbytes for w in net.get_weights())
        assert (tmp_path / "net.keras").stat().st_size < 0.75 * whole


@pytest.mark.slow
def test_a_saved_network_is_keras_own(tmp_path):
    """Any program that imports neural_style loads it with Keras' load_model."""
    save_transform_net(
        build_transform_net(4, 1, record={"style": "mosaic"}), tmp_path / "net.keras"
    )
    root = os.path.dirname(os.path.dirname(neural_style.__file__))
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            (
                "import keras, neural_style.feedforward.network; "
                f"print(keras.saving.load_model({str(tmp_path / 'net.keras')!r}).record)"
            ),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert done.stdout.strip() == "{'style': 'mosaic'}", done.stderr


@pytest.mark.slow
def test_bfloat16(tmp_path):
    net = varied(build_transform_net(8, 1))
    save_transform_net(net, tmp_path / "net.keras")
    half = load_transform_net(tmp_path / "net.keras", "bfloat16")
    x = picture(32, 32)[None]
    painted, exact = half.predict_on_batch(x), net.predict_on_batch(x)
    assert painted.dtype == "float32" and 0 < abs(painted - exact).mean() < 3


def test_wrong_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="no network at"):
        load_transform_net(tmp_path / "none.keras")
    (tmp_path / "text.keras").write_text("not a network")
    with pytest.raises(ValueError, match="text.keras"):
        load_transform_net(tmp_path / "text.keras")
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "dense.keras")
    with pytest.raises(ValueError, match="must hold a transform network. Received: a Sequential"):
        load_transform_net(tmp_path / "dense.keras")
    save_transform_net(build_transform_net(2, 0), tmp_path / "net.keras")
    whole = (tmp_path / "net.keras").read_bytes()
    (tmp_path / "half.keras").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="half.keras"):
        load_transform_net(tmp_path / "half.keras")
    with pytest.raises(ValueError, match="must end in .keras"):
        save_transform_net(build_transform_net(2, 0), tmp_path / "net.h5")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        save_transform_net(build_transform_net(2, 0), tmp_path / "nowhere" / "net.keras")


@pytest.mark.slow
def test_blend_is_the_mean_of_the_weights():
    first, second = build_transform_net(2, 1, seed=1), build_transform_net(2, 1, seed=2)
    mixed = blend([(first, 3), (second, 1)])
    for a, b, c in zip(first.get_weights(), second.get_weights(), mixed.get_weights()):
        np.testing.assert_allclose(c, 0.75 * a + 0.25 * b, atol=1e-6)
    with pytest.raises(ValueError, match="one width and depth"):
        blend([(first, 1), (build_transform_net(3, 1), 1)])
    with pytest.raises(ValueError, match="shares"):
        blend([(first, -1), (second, 1)])


@pytest.mark.slow
def test_exports_as_a_saved_model(tmp_path):
    """Keras' own export: for TensorFlow Serving, and for LiteRT and ONNX converters that start from
    it.
    """
    import tensorflow as tf

    net = varied(build_transform_net(4, 1))
    net.export(tmp_path / "served", verbose=False)
    x = picture(20, 33)[None].astype("float32")
    served = tf.saved_model.load(tmp_path / "served")
    np.testing.assert_allclose(served.serve(x), net.predict_on_batch(x), atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", pretrained())
def test_pretrained(name):
    folder = os.path.join(os.path.dirname(neural_style.__file__), "pretrained")
    net = pretrained(name)
    assert os.path.getsize(os.path.join(folder, f"{name}.keras")) <= 1.5e6
    assert (
        net.record["style"] == name
        and "public domain" in net.record["license"]
        and net.record["settings"]["steps"] > 0
    )
    with (
        open(os.path.join(folder, "curves.csv")) as curves,
        open(os.path.join(folder, "README.md")) as text,
    ):
        steps = [int(row["step"]) for row in csv.DictReader(curves) if row["network"] == name]
        assert steps[-1] == net.record["settings"]["steps"]  # of the last of its parts
        assert f"images/{name}.jpg" in text.read()
    assert zipfile.is_zipfile(os.path.join(folder, f"{name}.keras"))
    painted, photo = net.predict_on_batch(picture(64, 64)[None]), picture(64, 64)
    assert np.isfinite(painted).all() and abs(painted[0] - photo).mean() > 10


def test_at_least_four_styles_are_shipped():
    assert len(pretrained()) >= 4


@pytest.mark.slow
@pytest.mark.parametrize("name", pretrained())
def test_pretrained_networks_leave_no_grid(name):
    """Of the pattern of 4 x 4 pixels that the upsamplings could leave, not one gray level."""
    painted = np.asarray(stylize(os.path.join(IMAGES, "dog.jpg"), name, size=384), "float32")
    assert float(grid_loss(painted[None])) ** 0.5 < 1


@pytest.mark.slow
@pytest.mark.parametrize("first,second", [*itertools.combinations(pretrained(), 2)])
def test_between_two_pretrained_networks_lies_a_style(first, second):
    """Half of each paints with as much contrast, and follows the photo as well, as the two
    themselves; and it lies between them.
    """
    photo = load_image(os.path.join(IMAGES, "dog.jpg"), 128)
    gray = [
        np.asarray(stylize(photo, net), "float64") @ YCC[0]
        for net in (first, {first: 1, second: 1}, second)
    ]
    contrast = [y.std() for y in gray]
    likeness = [np.corrcoef(y.ravel(), (photo @ YCC[0]).ravel())[0, 1] for y in gray]
    assert contrast[1] > 0.8 * min(contrast[0], contrast[2]) and likeness[1] > 0.9 * min(
        likeness[0], likeness[2]
    )
    apart, nearer = (
        abs(gray[0] - gray[2]).mean(),
        max(abs(gray[1] - gray[0]).mean(), abs(gray[1] - gray[2]).mean()),
    )
    assert nearer < 0.9 * apart


def test_pretrained_refuses_an_unknown_style():
    with pytest.raises(ValueError, match="style must be one of"):
        pretrained("mona_lisa")
    with pytest.raises(ValueError, match="precision must be one of"):
        pretrained("starry_night", "bf16")


# ---- Networks from anywhere
# ------------------------------------------------------------------------------------------


def run(code, *arguments, **environment):
    """What a process of its own prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": PATHS, **environment},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@lru_cache(1)
def good_network():
    """The bytes of a network's file."""
    with tempfile.TemporaryDirectory() as folder:
        net = varied(build_transform_net(2, 1, record={"style": "mosaic"}))
        save_transform_net(net, Path(folder, "good.keras"))
        return Path(folder, "good.keras").read_bytes()


def forged(folder, config=None, change=None, members=None, compression=zipfile.ZIP_DEFLATED):
    """A network's file in which `config` is updated, or the open HDF5 file of weights changed, or
    whole members replaced.
    """
    (folder / "good.keras").write_bytes(good_network())
    with zipfile.ZipFile(folder / "good.keras") as archive:
        known = {name: archive.read(name) for name in archive.namelist()}
    saved, weights = json.loads(known["config.json"]), io.BytesIO(known["model.weights.h5"])
    saved["config"].update(config or {})
    if change:
        with h5py.File(weights, "r+") as file:
            change(file)
    known = {
        **known,
        "config.json": json.dumps(saved),
        "model.weights.h5": weights.getvalue(),
        **(members or {}),
    }
    with zipfile.ZipFile(folder / "forged.keras", "w", compression) as archive:
        for name, data in known.items():
            archive.writestr(name, data)
    return folder / "forged.keras"


KERNEL = "layers/conv2d/vars/0"


def put(name, value):
    """A change of an HDF5 file: another thing of this name, a link or an array, or whatever a
    function of the file puts there.
    """

    def change(file):
        del file[name]
        if callable(value):
            value(file)
        else:
            file[name] = value

    return change


def virtual(file):
    layout = h5py.VirtualLayout((9, 9, 3, 2), "f4")
    layout[...] = h5py.VirtualSource("other.h5", "a", (9, 9, 3, 2))
    file.create_virtual_dataset(KERNEL, layout)


def bomb(file):
    """A chunk of 64 MB, in a thousandth of that, of which the dataset has 486 numbers."""
    file.create_dataset(
        KERNEL,
        (9, 9, 3, 2),
        "f4",
        maxshape=(None,) * 4,
        chunks=(9, 9, 3, 1 << 16),
        compression="gzip",
    )[...] = 1


HOSTILE = {
    "a soft link": dict(change=put(KERNEL, h5py.SoftLink("/layers/conv2d_1/vars/0"))),
    "an external link": dict(change=put(KERNEL, h5py.ExternalLink("other.h5", "a"))),
    "an external link that no layer has": dict(
        change=lambda file: file.__setitem__("more", h5py.ExternalLink("other.h5", "a"))
    ),
    "a group by a link": dict(change=put("layers/conv2d", h5py.SoftLink("/layers/conv2d_1"))),
    "a virtual dataset": dict(change=put(KERNEL, virtual)),
    "numbers in another file": dict(
        change=put(
            KERNEL,
            lambda file: file.create_dataset(
                KERNEL, (9, 9, 3, 2), "f4", external=[("numbers", 0, 1944)]
            ),
        )
    ),
    "packed numbers": dict(change=put(KERNEL, bomb)),
    "integers": dict(change=put(KERNEL, np.ones((9, 9, 3, 2), "int32"))),
    "text": dict(change=put(KERNEL, np.full((9, 9, 3, 2), b"abcd"))),
    "another shape": dict(change=put(KERNEL, np.ones((9, 9, 3, 1), "float32"))),
    "a shape without numbers": dict(
        change=put(KERNEL, lambda file: file.create_dataset(KERNEL, (10**6, 10**6), "f4"))
    ),
    "NaN": dict(change=put(KERNEL, np.full((9, 9, 3, 2), np.nan, "float32"))),
    "beyond float32": dict(change=put(KERNEL, np.full((9, 9, 3, 2), 1e300))),
    "a layer less": dict(change=lambda file: file.__delitem__("layers/conv2d_3")),
    "wider than its weights": dict(config={"width": 3}),
    "deeper than its weights": dict(config={"residual_blocks": 2}),
    "too wide": dict(config={"width": 129}),
    "too deep": dict(config={"residual_blocks": 33}),
    "too many numbers": dict(config={"width": 128, "residual_blocks": 32}),
    "a width of True": dict(config={"width": True}),
    "another precision": dict(config={"precision": "float64"}),
    "a record of text": dict(config={"record": "mosaic"}),
    "a large record": dict(config={"record": {"style": "x" * 2_000_000}}),
    "nested lists": dict(members={"config.json": "[" * 100_000}),
    "no object": dict(members={"config.json": "3"}),
    "no weights": dict(members={"model.weights.h5": b""}),
    "400 MB of zeros": dict(members={"model.weights.h5": bytes(400_000_000)}),
    "another compression": dict(compression=zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_forged_network_is_refused(tmp_path, monkeypatch, what):
    """In a line of ours, whatever version of Keras there is: its loaders never see the file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(keras.saving, "load_model", None)
    monkeypatch.setattr(keras.Model, "load_weights", None)
    with h5py.File("other.h5", "w") as other:
        other["a"] = np.ones((9, 9, 3, 2), "float32")
    np.ones((9, 9, 3, 2), "float32").tofile("numbers")
    with pytest.raises(
        ValueError, match="'.*forged.keras' is not a .keras file of a transform network: .+"
    ) as caught:
        load_transform_net(forged(tmp_path, **HOSTILE[what]))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 1000


def test_a_file_that_is_forged_in_nothing_is_not_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(keras.saving, "load_model", None)
    net = load_transform_net(forged(tmp_path))
    for a, b in zip(
        net.get_weights(), varied(build_transform_net(2, 1)).get_weights(), strict=True
    ):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_a_few_bytes_cannot_ask_for_gigabytes(tmp_path):
    """A configuration of a large network without the weights for it: nothing is built or unpacked."""
    path = forged(
        tmp_path,
        config={"width": 128, "residual_blocks": 10},
        members={"model.weights.h5": bytes(1 << 20)},
    )
    grown = run(
        "import resource, sys; from neural_style.feedforward import load_transform_net\nbefore ="
        " resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\ntry:"
        " load_transform_net(sys.argv[1])\nexcept ValueError:"
        " print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)",
        path,
    )
    assert int(grown.split()[-1]) < 50_000  # KB


@pytest.mark.parametrize("name", ["net.h5", "net.weights.h5", "net.tf", "net", "net.KERAS"])
def test_a_network_is_read_from_keras_files_alone(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match="must end in .keras"):
        load_transform_net(tmp_path / name)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    "shape", [(1, 0), *(pytest.param(shape, marks=pytest.mark.slow) for shape in ((3, 2), (5, 12)))]
)
def test_weights_are_read_as_keras_reads_them(tmp_path, precision, shape):
    net = varied(build_transform_net(*shape, precision=precision))
    save_transform_net(net, tmp_path / "net.keras")
    known = keras.saving.load_model(tmp_path / "net.keras", compile=False).get_weights()
    for wanted in ("float32", "bfloat16"):
        loaded = load_transform_net(tmp_path / "net.keras", wanted)
        assert loaded.precision == wanted
        for a, b, c in zip(loaded.get_weights(), known, net.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
            np.testing.assert_array_equal(a, c)


@pytest.mark.slow
@pytest.mark.parametrize("name", pretrained())
def test_pretrained_weights_are_read_as_keras_reads_them(name):
    known = keras.saving.load_model(
        os.path.join(ROOT, "neural_style", "pretrained", f"{name}.keras"), compile=False
    )
    for a, b in zip(pretrained(name).get_weights(), known.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_a_network_that_was_fitted_is_saved_without_its_optimizer(tmp_path):
    net, x = build_transform_net(24, 1), picture(32, 32)[None].astype("float32")
    net.compile("adam", "mse")
    net.fit(x, x, verbose=0)
    save_transform_net(net, tmp_path / "net.keras")
    for a, b in zip(
        load_transform_net(tmp_path / "net.keras").get_weights(), net.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("arguments", [(129, 5), (16, 33), (128, 32)])
def test_no_network_is_built_that_could_not_be_read_again(arguments):
    with pytest.raises(ValueError, match="width|residual_blocks"):
        build_transform_net(*arguments)


@pytest.mark.slow
@pytest.mark.parametrize("compact", [False, True])
def test_a_full_disk_leaves_the_old_network(tmp_path, compact):
    save_transform_net(build_transform_net(2, 0), tmp_path / "net.keras")
    before = (tmp_path / "net.keras").read_bytes()
    said = run(
        "import resource, sys; from neural_style.feedforward import build_transform_net,"
        " save_transform_net\nnet = build_transform_net(8,"
        " 1)\nresource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))\ntry:"
        " save_transform_net(net, sys.argv[1], compact=bool(int(sys.argv[2])))\nexcept OSError as"
        " error: print('full', error)",
        tmp_path / "net.keras",
        int(compact),
    )
    assert "full" in said
    assert (tmp_path / "net.keras").read_bytes() == before and os.listdir(tmp_path) == ["net.keras"]


@pytest.mark.parametrize(
    "shares,message",
    [
        ([np.nan, 1], "finite"),
        ([np.inf, 1], "finite"),
        ([1e308, 1e308], "sum"),
        ([0, 0], "sum"),
        (["0.5", 1], "'0.5'"),
        ([None, 1], "None"),
        ([-1e-9, 1], "at least 0"),
        ([10**400, 1], "finite"),
    ],
)
def test_shares_that_are_none(shares, message):
    nets = [build_transform_net(1, 0, seed=seed) for seed in (0, 1)]
    with pytest.raises(ValueError, match=f"shares must .*{message}"):
        blend([*zip(nets, shares)])


def test_shares_of_numpy():
    nets = [build_transform_net(1, 0, seed=seed) for seed in (0, 1)]
    mixed = blend([(nets[0], np.float32(3)), (nets[1], np.int64(1))])
    json.dumps(mixed.record)
    for a, b, c in zip(mixed.get_weights(), *(net.get_weights() for net in nets)):
        assert a.dtype == "float32"
        np.testing.assert_allclose(a, 0.75 * b + 0.25 * c, atol=1e-6)


@pytest.mark.slow
def test_networks_do_not_depend_on_keras_settings(tmp_path):
    """~/.keras/keras.json may say that pictures are C x H x W."""
    (tmp_path / "keras.json").write_text(
        json.dumps(
            {
                "image_data_format": "channels_first",
                "floatx": "float32",
                "backend": "tensorflow",
                "epsilon": 1e-7,
            }
        )
    )
    save_transform_net(varied(build_transform_net(2, 1)), tmp_path / "net.keras")
    run(
        "import sys, keras, numpy as np\nfrom neural_style import stylize\nfrom helpers import"
        " picture\nassert keras.config.image_data_format() =="
        " 'channels_first'\nnp.save(sys.argv[2], [stylize(picture(70, 90), sys.argv[1], tile=tile)"
        " for tile in (None, 64)])",
        tmp_path / "net.keras",
        tmp_path / "painted.npy",
        KERAS_HOME=str(tmp_path),
    )
    expected = np.asarray(stylize(picture(70, 90), tmp_path / "net.keras")).astype(int)
    assert abs(np.load(tmp_path / "painted.npy") - expected).max() <= 1
