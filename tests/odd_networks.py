"""Networks from strangers, odd calls of stylize(), and the right answers."""

import io
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
from helpers import picture
from odd import Row, refused, works
from PIL import Image

from neural_style import stylize
from neural_style.feedforward import build_transform_net, save_transform_net

RGB = picture(24, 32, 1)


@lru_cache(1)
def good():
    """The bytes of a network's file."""
    with tempfile.TemporaryDirectory() as folder:
        save_transform_net(build_transform_net(1, 1), Path(folder, "net.keras"))
        return Path(folder, "net.keras").read_bytes()


def prepare():
    Path("net.keras").write_bytes(good())
    Image.fromarray(RGB).save("photo.png")
    os.mkdir("photos")
    Image.fromarray(RGB).save("photos/a.png")


def forge(config=None, weights=None, config_of=None):
    """bad.keras: net.keras with another configuration (a function of TransformNet's own, or the
    whole of it) or other weights (bytes).
    """
    with zipfile.ZipFile("net.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    known = json.loads(members["config.json"])
    if config:
        known["config"] = {**known["config"], **config}
    members["config.json"] = json.dumps(known if config_of is None else config_of).encode()
    members["model.weights.h5"] = members["model.weights.h5"] if weights is None else weights
    with zipfile.ZipFile("bad.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stylize("photo.png", "bad.keras")


def of_class(module, name, registered=None, **config):
    return forge(
        config_of={
            "module": module,
            "class_name": name,
            "registered_name": registered or name,
            "config": {"name": "n", **config},
        }
    )


def changed_weights(change):
    """The weights' file of net.keras after `change`, a function of the open file."""
    with zipfile.ZipFile("net.keras") as archive:
        data = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(data, "r+") as file:
        change(file)
    return data.getvalue()


def with_nan():
    def spoil(file):
        file["layers/conv2d/vars/0"][0, 0, 0, 0] = np.nan

    return forge(weights=changed_weights(spoil))


def evil(suffix):
    """A model with a Lambda, whose code writes a file when it is loaded."""
    inputs = keras.Input((None, None, 3))
    model = keras.Model(
        inputs, keras.layers.Lambda(lambda x: x, output_shape=(None, None, 3))(inputs)
    )
    model.save(f"evil{suffix}")
    return stylize("photo.png", f"evil{suffix}")


def on_an_old_keras():
    """stylize("evil.h5") with keras.saving.load_model replaced by what Keras 3.8.0 did: run the
    code of the file.
    """
    code = (
        "import os, sys, keras\nkeras.saving.load_model = lambda *a, **k: open('pwned', 'w')\nfrom"
        " neural_style import stylize\ntry: stylize('photo.png', sys.argv[1])\nexcept ValueError as"
        " error: print(error)\n"
    )
    root = str(Path(__file__).parents[1])
    Path("evil.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    Path("evil.keras").write_bytes(b"PK\x05\x06" + b"\0" * 18)
    for name in ("evil.h5", "evil.keras"):
        done = subprocess.run(
            [sys.executable, "-c", code, name],
            env={**os.environ, "PYTHONPATH": root, "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
        )
        assert ".keras" in done.stdout, done.stdout + done.stderr
    return os.path.exists("pwned")


def zeros():
    return forge(weights=b"\0" * 400_000_000)


def renamed():
    Path("renamed.keras").write_bytes(changed_weights(lambda file: None))
    return stylize("photo.png", "renamed.keras")


NONE = r"\.keras file of a transform network"
ROWS = [
    Row(
        "Lambda in .keras (Keras 3.15.1)",
        lambda: evil(".keras"),
        lambda r, e, w: refused(NONE)(r, e, [name for name in w if name != "evil.keras"]),
    ),
    Row(
        "Lambda in .h5 (3.15.1)",
        lambda: evil(".h5"),
        lambda r, e, w: refused("must end in .keras")(
            r, e, [name for name in w if name != "evil.h5"]
        ),
    ),
    Row(
        ".h5 renamed .keras",
        renamed,
        lambda r, e, w: refused(NONE)(r, e, [name for name in w if name != "renamed.keras"]),
    ),
    *[
        Row(
            name,
            call,
            lambda r, e, w: refused(NONE)(r, e, [name for name in w if name != "bad.keras"]),
        )
        for name, call in [
            ("class os.system", lambda: of_class("os", "system", command="touch pwned")),
            (
                "function keras.utils.get_file",
                lambda: of_class("keras.utils", "get_file", origin="http://localhost/x"),
            ),
            ("builtins.exec", lambda: of_class("builtins", "exec", source="open('pwned', 'w')")),
            ("TFSMLayer", lambda: of_class("keras.layers", "TFSMLayer", filepath="/etc")),
            (
                "StringLookup of /etc/hostname",
                lambda: of_class("keras.layers", "StringLookup", vocabulary="/etc/hostname"),
            ),
            (
                "neural_style.feedforward.crops.Crops",
                lambda: of_class("neural_style.feedforward.crops", "Crops", folder="/", crop=1),
            ),
            ("width 256 in the config", lambda: forge({"width": 256})),
            ("120 residual blocks", lambda: forge({"residual_blocks": 120})),
            ("width '16'", lambda: forge({"width": "16"})),
            ("record 5", lambda: forge({"record": 5})),
            ("precision null", lambda: forge({"precision": None})),
            ("NaN weights", with_nan),
            ("400 MB of zeros in a 0.4 MB file", zeros),
        ]
    ],
    Row(
        "Lambda in .keras, Keras 3.8.0",
        lambda: of_class("keras.layers", "Lambda", function="open('pwned', 'w')"),
        lambda r, e, w: refused(NONE)(r, e, [name for name in w if name != "bad.keras"]),
    ),
    Row(
        "stylize(photo, 'evil.h5'), Keras 3.8.0",
        on_an_old_keras,
        works(lambda pwned: not pwned),
        slow=True,
    ),
    Row(
        "stylize a float batch",
        lambda: stylize(np.zeros((1, 24, 32, 3)), "net.keras"),
        refused("batch must be uint8"),
    ),
    Row(
        "1 x 1 picture",
        lambda: stylize(RGB[:1, :1], "net.keras"),
        works(lambda image: image.size == (1, 1)),
        slow=True,
    ),
    Row(
        "3 x 50",
        lambda: stylize(picture(3, 50), "net.keras"),
        works(lambda image: image.size == (50, 3)),
        slow=True,
    ),
    Row(
        "tile=64",
        lambda: stylize(picture(70, 130), "net.keras", tile=64),
        works(lambda image: image.size == (130, 70)),
        slow=True,
    ),
    Row("tile='64'", lambda: stylize(RGB, "net.keras", tile="64"), refused("tile='64'")),
    Row("size=True", lambda: stylize(RGB, "net.keras", size=True), refused("size=True")),
    Row(
        "{'poppies': '0.5'}",
        lambda: stylize(RGB, {"poppies": "0.5"}),
        refused(r"shares must be.*'0\.5'"),
    ),
    Row("[]", lambda: stylize(RGB, []), refused("shares must")),
    Row("{}", lambda: stylize(RGB, {}), refused("shares must")),
    Row("None", lambda: stylize(RGB, None), refused("net must be.*NoneType")),
    Row(
        "batch_size=0",
        lambda: stylize("photos", "net.keras", "out", batch_size=0),
        refused("batch_size=0"),
    ),
    Row("folder without output", lambda: stylize("photos", "net.keras"), refused("needs output")),
    Row(
        "folder onto itself by another name",
        lambda: stylize("photos", "net.keras", "./photos/../photos"),
        refused("another folder"),
    ),
    Row(
        "folder to a file",
        lambda: stylize("photos", "net.keras", "photo.png"),
        refused("another folder"),
    ),
    Row(
        "picture to a folder",
        lambda: stylize("photo.png", "net.keras", "photos"),
        refused("picture format"),
    ),
    Row(
        "output x.h5", lambda: stylize("photo.png", "net.keras", "x.h5"), refused("picture format")
    ),
    Row(
        "net=Path('poppies')",
        lambda: stylize(RGB, Path("poppies")),
        works(lambda image: image.size == (32, 24)),
        slow=True,
    ),
    Row("share True", lambda: stylize(RGB, {"net.keras": True}), refused("shares must be.*True")),
    Row(
        "empty batch",
        lambda: stylize(np.zeros((0, 24, 32, 3), "uint8"), "net.keras"),
        refused("batch must be uint8"),
    ),
]
