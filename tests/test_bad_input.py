"""Bad input, systematically: each case one named exception or exit code 2 with one helpful line,
soon, and nothing written.
"""

import inspect
import os
import pickle
import re
import struct
import sys
import time
import zipfile
import zlib
from types import SimpleNamespace

import keras
import numpy as np
import odd
import pytest
from helpers import picture
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from neural_style import (
    Checkpoint,
    Evaluator,
    TransferResult,
    compare,
    contact_sheet,
    deprocess,
    feature_extractor,
    load_image,
    map_transfer,
    masks,
    preprocess,
    read_record,
    save_image,
    sweep,
    transfer,
)
from neural_style.__main__ import main
from neural_style.images import match_color, match_histogram, match_luminance, transfer_luminance
from neural_style.losses import (
    content_loss,
    gram_matrix,
    style_loss,
    style_statistics,
    total_variation_loss,
)
from neural_style.vgg import vgg_weights

module = sys.modules["neural_style.vgg.feature_network"]
RGB = picture(48, 64, 1)


class Evil:
    def __reduce__(self):
        return os.mkdir, ("pwned",)


def png(width, height):
    """The head of a PNG that claims a size, with next to no pixels in it."""

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    Image.fromarray(RGB).save(folder / "good.png")
    Image.fromarray(picture(300, 300)).save(folder / "whole.jpg")
    (folder / "truncated.jpg").write_bytes((folder / "whole.jpg").read_bytes()[:900])
    with zipfile.ZipFile(folder / "zip.png", "w") as file:
        file.writestr("a", "b")
    (folder / "empty.png").touch()
    (folder / "text.jpg").write_text("no picture")
    (folder / "folder.png").mkdir()
    (folder / "bomb.png").write_bytes(png(20_000, 20_000))
    (folder / "cut.png").write_bytes(png(64, 64))
    Image.fromarray(RGB[:1, :1]).save(folder / "one.png")
    Image.fromarray(np.zeros((5000, 1, 3), "uint8")).save(folder / "line.png")
    Image.fromarray(np.zeros((20, 20), "float32")).save(folder / "float.tiff")
    (folder / "evil.npz").write_bytes(pickle.dumps(Evil()))
    np.savez(folder / "object.npz", conv1_1_W=np.array([Evil()], dtype=object))
    np.savez(folder / "other.npz", conv1_1_W=np.zeros((3, 3, 3, 64), "float32"))
    np.savez(folder / "nothing.npz", a=1)
    (folder / "cut.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 50)
    (folder / "text.mat").write_text("no weights")
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(4, 3)])
    model.save_weights(folder / "small.weights.h5")
    (folder / "locked").mkdir()
    return folder


#: name: (call, exception, words). Files are those above; the current folder is theirs.
CALLS = {
    "missing file": (lambda: load_image("nowhere.png"), FileNotFoundError, "nowhere.png"),
    "truncated JPEG": (lambda: load_image("truncated.jpg"), ValueError, "truncated.jpg"),
    "zip renamed .png": (lambda: load_image("zip.png"), ValueError, "not a picture"),
    "empty file": (lambda: load_image("empty.png"), ValueError, "not a picture"),
    "text renamed .jpg": (lambda: load_image("text.jpg"), ValueError, "not a picture"),
    "folder": (lambda: load_image("folder.png"), ValueError, "folder.png"),
    "20,000 x 20,000 bomb": (lambda: load_image("bomb.png"), ValueError, "malicious"),
    "cut PNG": (lambda: load_image("cut.png"), ValueError, "cut.png"),
    "size beyond any memory": (lambda: load_image(RGB, 10**30), ValueError, "the limit is"),
    "style scale beyond any memory": (
        lambda: transfer(RGB, RGB, size=64, style_scale=1e30),
        ValueError,
        "the limit is",
    ),
    "float picture": (lambda: load_image("float.tiff"), ValueError, "floating-point"),
    "float array": (lambda: load_image(RGB / 255), TypeError, "float64"),
    "array with NaN": (lambda: load_image(np.full((9, 9, 3), np.nan)), TypeError, "float64"),
    "int array": (lambda: load_image(RGB.astype("int32")), TypeError, "int32"),
    "bool array": (lambda: load_image(RGB > 9), TypeError, "bool"),
    "rank 1": (lambda: load_image(RGB[0, 0]), ValueError, r"\(3,\)"),
    "rank 4": (lambda: load_image(RGB[None]), ValueError, r"\(1, 48, 64, 3\)"),
    "two channels": (lambda: load_image(RGB[:, :, :2]), ValueError, r"\(48, 64, 2\)"),
    "no pixels": (lambda: load_image(RGB[:0]), ValueError, r"\(0, 64, 3\)"),
    "None for a picture": (lambda: load_image(None), TypeError, "NoneType"),
    "size 0": (lambda: load_image(RGB, 0), ValueError, "size=0"),
    "size a float": (lambda: load_image(RGB, 9.5), ValueError, "size=9.5"),
    "save without a format": (lambda: save_image(RGB, "out"), ValueError, "picture format"),
    "save to a text file": (lambda: save_image(RGB, "out.txt"), ValueError, "picture format"),
    "save into no folder": (
        lambda: save_image(RGB, "none/out.png"),
        FileNotFoundError,
        "does not exist",
    ),
    "save over a folder": (lambda: save_image(RGB, "folder.png"), PermissionError, "folder.png"),
    "save floats": (lambda: save_image(RGB / 255, "out.png"), TypeError, "float64"),
    "preprocess gray": (lambda: preprocess(RGB[:, :, 0]), ValueError, r"\(48, 64\)"),
    "deprocess NaN": (lambda: deprocess(np.full((1, 4, 4, 3), np.nan)), ValueError, "finite"),
    "deprocess flat without its shape": (lambda: deprocess(np.zeros(12)), ValueError, r"\(12,\)"),
    "match_histogram of floats": (lambda: match_histogram(RGB / 255, RGB), TypeError, "float64"),
    "match_luminance of a path": (lambda: match_luminance("good.png", RGB), TypeError, "uint8"),
    "luminance of another size": (lambda: transfer_luminance(RGB, RGB[:9]), ValueError, "one size"),
    "labels that are a photo": (
        lambda: masks.from_labels("whole.jpg", "whole.jpg"),
        ValueError,
        "flat colors",
    ),
    "rectangle outside": (
        lambda: masks.from_rectangle(RGB, (60, 0, 20, 20)),
        ValueError,
        "lie within",
    ),
    "scribbles of another size": (
        lambda: masks.from_scribbles(RGB, "one.png"),
        ValueError,
        "image's size",
    ),
    "mask of another shape": (
        lambda: transfer("good.png", "good.png", masks=[np.ones((9, 999))]),
        ValueError,
        "proportions",
    ),
    "style statistics without a name": (
        lambda: style_statistics(["a"], "cosine"),
        ValueError,
        "cosine",
    ),
    "match_color of floats": (lambda: match_color(RGB / 255, RGB), TypeError, "float64"),
    "unknown layer": (lambda: feature_extractor(["conv9_1"]), ValueError, "conv9_1"),
    "layer with a typo": (lambda: feature_extractor(["conv4_22"]), ValueError, "did you mean"),
    "VGG19's layer of VGG16": (lambda: feature_extractor(["conv3_4"]), ValueError, "conv3_4"),
    "no layers": (lambda: feature_extractor([]), ValueError, "at least one"),
    "unknown network": (
        lambda: feature_extractor(["conv1_1"], network="resnet50"),
        ValueError,
        "resnet50",
    ),
    "unknown pooling": (lambda: feature_extractor(["conv1_1"], pooling="min"), ValueError, "min"),
    "unknown precision": (
        lambda: feature_extractor(["conv1_1"], precision="float64"),
        ValueError,
        "float64",
    ),
    "missing weights": (
        lambda: vgg_weights("vgg16", "nowhere.h5"),
        FileNotFoundError,
        "nowhere.h5",
    ),
    "truncated .h5": (lambda: vgg_weights("vgg16", "cut.h5"), ValueError, "cut.h5"),
    "text renamed .mat": (lambda: vgg_weights("vgg16", "text.mat"), ValueError, "text.mat"),
    "pickle renamed .npz": (lambda: vgg_weights("vgg16", "evil.npz"), ValueError, "evil.npz"),
    "pickle inside an .npz": (lambda: vgg_weights("vgg16", "object.npz"), ValueError, "object.npz"),
    "weights of another network": (
        lambda: vgg_weights("vgg16", "small.weights.h5"),
        ValueError,
        "small.weights.h5",
    ),
    "too few weights": (lambda: vgg_weights("vgg16", "other.npz"), ValueError, "other.npz"),
    "weights in a picture": (lambda: vgg_weights("vgg16", "good.png"), ValueError, "good.png"),
    "gram of a matrix": (lambda: gram_matrix(np.zeros((3, 3), "float32")), ValueError, r"\(3, 3\)"),
    "content of a layer that is not there": (
        lambda: content_loss({"a": np.ones((1, 2, 2, 3))}, "b"),
        ValueError,
        "'b'",
    ),
    "unknown error": (
        lambda: style_loss({"a": np.ones((1, 2, 2, 3), "float32")}, "a", "cosine"),
        ValueError,
        "cosine",
    ),
    "negative layer weight": (
        lambda: style_loss({"a": np.ones((1, 2, 2, 3), "float32")}, {"a": -1}),
        ValueError,
        "-1",
    ),
    "exponent too small": (lambda: total_variation_loss(0.3), ValueError, "0.3"),
    "losses without weights": (
        lambda: Evaluator(None, {"a": None}, {}, (1, 2, 2, 3)),
        ValueError,
        "same names",
    ),
    "no pictures to compare": (lambda: compare([]), ValueError, "at least one"),
    "captions that do not fit": (lambda: compare([RGB], ["a", "b"]), ValueError, "2 captions"),
    "ragged sheet": (lambda: contact_sheet([[RGB], [RGB, RGB]]), ValueError, "one length"),
    "sweep over nothing": (lambda: sweep(RGB, RGB, size=32), ValueError, "none"),
    "sweep over three": (
        lambda: sweep(RGB, RGB, size=[32], steps=[1], seed=[1]),
        ValueError,
        "size, steps, seed",
    ),
    "job that is no dict": (lambda: map_transfer([RGB]), TypeError, "job 0"),
    "checkpoint with another suffix": (lambda: Checkpoint("run.txt"), ValueError, ".npz"),
    "record of a plain picture": (lambda: read_record("good.png"), ValueError, "no record"),
    "transfer of nothing": (lambda: transfer(None, None), ValueError, "both be None"),
    "1 x 1 content": (lambda: transfer("one.png", RGB, size=8), ValueError, "only 8 pixels"),
    "1 x 5000 content": (lambda: transfer("line.png", RGB), ValueError, "only 1 pixels"),
    "1 x 5000 style": (
        lambda: transfer(RGB, "line.png", size=64),
        ValueError,
        "style image is only",
    ),
    "schedule that does not end at size": (
        lambda: transfer(RGB, RGB, size=64, steps={32: 5}),
        ValueError,
        "size=64",
    ),
    "schedule from fine to coarse": (
        lambda: transfer(RGB, RGB, size=32, steps={64: 5, 32: 5}),
        ValueError,
        "coarse to fine",
    ),
    "weights that are no file": (
        lambda: transfer(RGB, RGB, weights=3),
        (TypeError, ValueError),
        "weights",
    ),
}

#: arguments after `transfer`: (words in the line). All exit with 2.
LINES = {
    "truncated.jpg good.png -o out.png": "truncated.jpg",
    "good.png zip.png -o out.png": "not a picture",
    "empty.png good.png -o out.png": "not a picture",
    "bomb.png good.png -o out.png": "malicious",
    "folder.png good.png -o out.png": "folder.png",
    "one.png good.png -o out.png --size 8": "only 8 pixels",
    "good.png good.png -o folder.png": "folder.png",
    "good.png good.png -o none/out.png": "none",
    "good.png good.png -o out.png --content-layers conv4_22": "did you mean",
    "good.png good.png -o out.png --weights cut.h5": "cut.h5",
    "good.png good.png -o out.png --weights evil.npz": "evil.npz",
    "good.png good.png -o out.png --weights small.weights.h5": "small.weights",
    "good.png good.png -o out.png --tile 7": "tile",
    "good.png good.png -o out.png --checkpoint run.txt": ".npz",
    "good.png good.png -o out.png --resume": "checkpoint",
    "--from-record good.png -o out.png": "no record",
}


@pytest.fixture
def untouched(folder, monkeypatch):
    """In the folder of bad files; nothing may be written there."""
    monkeypatch.chdir(folder)
    before = sorted(os.listdir())
    yield
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize("name", CALLS)
def test_calls(untouched, name):
    call, error, words = CALLS[name]
    with pytest.raises(error, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("line", LINES)
def test_command_line(untouched, capfd, line):
    assert main(["transfer", *line.split()]) == 2
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 1 and LINES[line] in err


@pytest.mark.timing
def test_each_is_told_within_two_seconds(untouched):
    feature_extractor(
        ["conv1_1"], weights=None, normalize=False
    )  # TensorFlow's own start is not what is measured
    took = {}
    for name, (call, error, _) in CALLS.items():
        started = time.monotonic()
        with pytest.raises(error):
            call()
        took[name] = time.monotonic() - started
    for line in LINES:
        started = time.monotonic()
        assert main(["transfer", *line.split()]) == 2
        took[line] = time.monotonic() - started
    assert {name: seconds for name, seconds in took.items() if seconds >= 2} == {}


def test_a_folder_that_may_not_be_written(untouched, monkeypatch):
    """As root every folder may be written, so the answer of the system is simulated."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="cannot be written"):
        save_image(RGB, "locked/out.png")


def test_a_file_that_may_not_be_read(untouched, monkeypatch):
    def refuse(*arguments, **keywords):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Image, "open", refuse)
    with pytest.raises(ValueError, match="good.png.*Permission denied"):
        load_image("good.png")


def test_a_full_disk_leaves_the_old_picture(tmp_path, monkeypatch):
    def full(*arguments, **keywords):
        raise OSError(28, "No space left on device")

    save_image(RGB, tmp_path / "out.png")
    before = (tmp_path / "out.png").read_bytes()
    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(OSError, match="No space left"):
        save_image(RGB[::-1], tmp_path / "out.png")
    monkeypatch.undo()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_image(RGB[::-1], tmp_path / "out.png")
    assert os.listdir(tmp_path) == ["out.png"] and (tmp_path / "out.png").read_bytes() == before


@pytest.mark.parametrize(
    "mode,expected",
    [
        ("CMYK", (48, 64)),
        ("P", (48, 64)),
        ("L", (48, 64)),
        ("1", (48, 64)),
        ("LA", (48, 64)),
        ("HSV", (48, 64)),
    ],
)
def test_odd_but_good_modes_are_pictures(tmp_path, mode, expected):
    name = tmp_path / ("picture.tiff" if mode in ("CMYK", "1", "LA") else "picture.png")
    image = Image.fromarray(RGB).convert(mode)
    loaded = load_image(image if mode == "HSV" else (image.save(name), name)[1])
    assert loaded.shape == (*expected, 3) and loaded.dtype == np.uint8


def test_of_an_animated_gif_the_first_frame_is_taken(tmp_path):
    frames = [Image.fromarray(np.full((9, 12, 3), gray, "uint8")) for gray in (0, 255)]
    frames[0].save(tmp_path / "two.gif", save_all=True, append_images=frames[1:])
    assert load_image(tmp_path / "two.gif").max() == 0


# ---- anything at all
# --------------------------------------------------------------------------------------------------


def small_network(layers, **options):
    """A network with VGG's names and strides and few channels."""
    from neural_style.vgg.layers import check_layers

    names = check_layers(layers, "vgg16")
    blocks = max(int(name[5]) for name in names.values())
    x = inputs = keras.Input((None, None, 3))
    of_block = {}
    for block in range(1, blocks + 1):
        x = of_block[block] = keras.layers.Conv2D(
            4,
            3,
            padding="same",
            activation="relu",
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.1, seed=block),
        )(x)
        x = keras.layers.AveragePooling2D(2)(x)
    outputs = {asked: of_block[int(name[5])] for asked, name in names.items()}
    model = keras.Model(inputs, {**outputs, "image": inputs})
    model.trainable = False
    return model


side = st.integers(1, 40)
pictures = st.builds(picture, side, side, st.integers(0, 3))
weight = st.floats(0, 1e4)
layers = st.one_of(
    st.lists(
        st.sampled_from(["conv1_1", "conv2_2", "block1_conv2"]), min_size=1, max_size=2, unique=True
    ),
    st.sampled_from([{"conv1_1": 0.5, "relu2_1": 2}, "conv1_2"]),
)
good = st.fixed_dictionaries(
    {},
    optional={
        "content_weight": weight,
        "style_weight": weight,
        "tv_weight": weight,
        "style_scale": st.floats(0.3, 2),
        "noise_std": st.floats(0.1, 50),
        "learning_rate": st.floats(1e-3, 1e3),
        "content_layers": layers,
        "style_layers": layers,
        "start_size": st.one_of(side, st.none()),
        "steps": st.integers(1, 3),
        "seed": st.integers(0, 9),
        "init": st.one_of(
            st.sampled_from(["noise", "content", "style", "recolored", None]), pictures
        ),
        "optimizer": st.sampled_from(["lbfgs", "scipy", "adam", "sgd"]),
        "bounds": st.booleans(),
        "tile": st.sampled_from([None, "auto", 64]),
        "scale": st.sampled_from(
            ["relative", "paper", "mean", "sum", {"content": "sqrt", "style": "mean"}]
        ),
        "preserve_color": st.sampled_from(
            [None, None, "luminance", "match", "match_cholesky", "histogram"]
        ),
        "statistic": st.sampled_from(["gram", "moments", "wasserstein"]),
        "content_map": st.just("ramp"),
        "masks": st.sampled_from(["one", "one", "two", "two", "one", "inside"]),
        "tv_options": st.sampled_from(
            [None, {}, {"exponent": 1.0}, {"reduction": "sum", "separate": True}]
        ),
        "pooling": st.sampled_from(["avg", "max"]),
        "padding": st.sampled_from(["zeros", "reflect", "replicate"]),
    },
)
odd_numbers = [0, -1, float("nan"), float("inf"), 1e30, "1", True, [2]]
odd_layers = [[], ["conv9_9"], {"conv1_1": -1}, 3, {}]
odd_pictures = [
    RGB / 255,
    RGB[0],
    RGB[None],
    RGB[:, :, :2],
    RGB[:0],
    RGB[:, :, 0],
    np.zeros((9, 9, 4), "uint8"),
    RGB.astype("uint16"),
    "nowhere.png",
    b"",
    7,
    None,
    [],
]
odd_arguments = st.one_of(
    *[
        st.sampled_from([{name: value} for name in names for value in values])
        for names, values in [
            (
                (
                    "content_weight",
                    "style_weight",
                    "tv_weight",
                    "style_scale",
                    "noise_std",
                    "learning_rate",
                ),
                odd_numbers,
            ),
            (
                ("size", "start_size", "steps", "tile"),
                [0, -1, 1.5, "2", True, {8: 1, 24: 1}, {24: 1, 8: 1}, {}, [3]],
            ),
            (("content_layers", "style_layers"), odd_layers),
            (("content", "style", "init"), odd_pictures),
            (
                ("optimizer", "pooling", "scale", "init", "preserve_color", "statistic"),
                ["nothing", None, 3, {}],
            ),
            (
                ("masks", "content_map"),
                [
                    "nowhere.png",
                    3,
                    [],
                    {},
                    np.zeros((4, 4)),
                    [np.ones(3)],
                    -np.ones((5, 5)),
                    [masks.Region(7, 7, 7)],
                ],
            ),
            (("tv_options",), [{"exponent": 0.1}, {"reduction": "max"}, {"color": 1}, 3]),
        ]
    ]
)
#: How a message of ours names what it is about: an argument of transfer(), or the kind of thing
#: that the argument holds.
NAMES = re.compile(
    "|".join(
        [
            *inspect.signature(transfer).parameters,
            "picture",
            "mask",
            "shares of a style blend",
            "weight of a layer",
            "layer",
            "exponent",
            "reduction",
            "separate",
            "statistic",
            "label pictures",
            "region",
            "there is no",
            "style image",
        ]
    )
)


def with_masks(options, content):
    """The options, with a mask of this picture where they name one."""
    ramp = np.linspace(0, 1, content.shape[1]) * np.ones((content.shape[0], 1))
    regions = {
        "one": [ramp],
        "two": [ramp, 1 - ramp],
        "inside": [masks.Region(ramp, inside=True)],
        "ramp": ramp,
    }
    return {
        name: regions[value] if name in ("masks", "content_map") else value
        for name, value in options.items()
    }


@pytest.mark.parametrize(
    "profile",
    [
        pytest.param("dev", marks=pytest.mark.network),  # of the tier before a merge: 20 seconds
        pytest.param("ci", marks=pytest.mark.slow),
    ],
)
def test_anything_works_or_a_check_of_ours_says_what_is_wrong(profile):
    profile = settings.get_profile(profile)  # of conftest.py
    worked = refused = 0

    @settings(profile)
    @given(
        content=pictures,
        style=st.one_of(
            pictures,
            st.lists(pictures, min_size=1, max_size=2),
            st.tuples(pictures, st.floats(0.1, 9)).map(lambda pair: [pair]),
        ),
        size=side,
        options=good,
        changes=st.tuples(st.booleans(), odd_arguments).map(
            lambda pair: pair[1] if pair[0] else {}
        ),
    )
    def anything(content, style, size, options, changes):
        nonlocal worked, refused
        patch = pytest.MonkeyPatch()
        patch.setattr(module, "feature_extractor", small_network)
        patch.setattr(
            module,
            "vgg_weights",
            lambda *arguments: SimpleNamespace(
                network="vgg16", source="random", sha256="", path=None
            ),
        )
        arguments = {
            "content": content,
            "style": style,
            "size": size,
            "steps": 1,
            "content_layers": ["conv2_2"],
            "style_layers": ["conv1_1", "conv2_2"],
            **with_masks(options, content),
            **changes,
        }
        try:
            with np.errstate(all="ignore"):
                result = transfer(**arguments, progress=False)
        except (ValueError, TypeError, FileNotFoundError) as error:
            # Python's and NumPy's own, such as "unhashable type" or "object is not iterable", are
            # no answer
            assert odd.innermost(error).startswith(odd.PACKAGE), (
                f"not by a check of ours, but in {odd.innermost(error)}: {error!r}"
            )
            assert NAMES.search(str(error)) and "\n" not in str(error), str(error)
            assert not re.search(
                r"unhashable|not iterable|unsupported operand|has no attribute|not"
                r" subscriptable|unexpected keyword",
                str(error),
            ), str(error)
            refused += 1
        except FloatingPointError as error:
            assert "not finite" in str(error)
            refused += 1
        else:
            assert (
                isinstance(result, TransferResult) and max(result.image.size) == arguments["size"]
            )
            assert all(np.isfinite(value) for values in result.history.values() for value in values)
            worked += 1
        finally:
            patch.undo()
            keras.backend.clear_session()

    anything()
    examples = profile.max_examples
    assert worked + refused >= examples, (worked, refused)
    assert worked >= examples // 5 and refused >= examples // 5, (worked, refused)


# ---- The tables
# --------------------------------------------------------------------------------------------------------

ROWS = [(name, row) for name in odd.SECTIONS for row in odd.section(name).ROWS]


def tiers(row):
    """The marks of a row."""
    return [getattr(pytest.mark, mark) for mark in ("slow", "network") if getattr(row, mark)]


@pytest.mark.parametrize(
    "name,row",
    [
        pytest.param(name, row, id=f"{name}: {row.call}"[:80], marks=tiers(row))
        for name, row in ROWS
    ],
)
def test_odd_calls(name, row):
    """What a stranger tried, each with its right answer; see odd.py."""
    wrong = odd.try_row(odd.section(name), row)
    assert wrong is None, wrong


def test_the_tables_are_whole():
    assert len(ROWS) >= 377
