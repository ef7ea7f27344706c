"""Networks in files, and the trained ones that come with the package."""

import io
import json
import os
import tempfile
import zipfile
from importlib.resources import as_file, files
from pathlib import Path

import h5py
import keras
import numpy as np

from .._shared.checks import choice
from .._shared.files import check_output, is_regular, whole_or_not
from .._shared.hdf5 import plain_datasets
from ..vgg.build import PRECISIONS
from .blending import _with_weights
from .network import MOST_CONFIG, build_transform_net, check_scale, numbers_in

#: Bytes that HDF5 takes beside the numbers themselves, of a network of the deepest kind.
MOST_OVERHEAD = 1 << 20


def load_transform_net(path, precision="float32"):
    """A network from its .keras file.

    The file may be a stranger's. Its configuration gives the numbers from which this module builds
    the network, and its weights are read as plain arrays of the shapes that this network has.
    Keras' own loader, which makes whatever objects a file names, never sees it.

    Raises:
        FileNotFoundError, ValueError: no such file, or one that is no transform network; an unknown
            precision.
    """
    choice("precision", precision, PRECISIONS)
    path = _network_path(path)
    if not is_regular(path):
        raise FileNotFoundError(f"no network at {str(path)!r}")
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            config = _read_config(archive)
            least = 4 * numbers_in(config["width"], config["residual_blocks"])
            weights = io.BytesIO(_member(archive, "model.weights.h5", least + MOST_OVERHEAD, least))
            net = build_transform_net(
                config["width"],
                config["residual_blocks"],
                precision=precision,
                record=config["record"],
            )
            net.set_weights(_read_weights(weights, net))
    except Exception as error:  # zipfile, zlib, json and h5py each have their own
        raise ValueError(
            f"{str(path)!r} is not a .keras file of a transform network:"
            f" {' '.join(str(error).split())}"
        ) from error
    return net


def _read_config(archive):
    """{"width", "residual_blocks", "precision", "record"} of the file, each of its type."""
    text = _member(archive, "config.json", MOST_CONFIG)
    config = json.loads(text)
    if (
        not isinstance(config, dict)
        or config.get("class_name") != "TransformNet"
        or config.get("registered_name") != "neural_style>TransformNet"
    ):
        kind = str(config.get("class_name") if isinstance(config, dict) else type(config).__name__)
        raise ValueError(
            "it must hold a transform network. Received: a"
            f" {kind if kind.isidentifier() else 'class of no name':.40}"
        )
    config = config.get("config")
    if not isinstance(config, dict) or not isinstance(config.get("record"), dict):
        raise ValueError("its configuration has no record")
    check_scale(config.get("width"), config.get("residual_blocks"))
    choice("precision", config.get("precision"), PRECISIONS)
    return config


def _read_weights(weights, net):
    """The weights in an open HDF5 file as a list of arrays, as net.set_weights takes them."""
    found, known = [], {}
    with h5py.File(weights) as file:
        datasets = plain_datasets(file)
        for layer in net.layers:
            if layer.weights:
                kind = {"Conv2D": "conv2d", "GroupNormalization": "group_normalization"}[
                    type(layer).__name__
                ]
                number = known[kind] = known.get(kind, -1) + 1
                group = f"layers/{kind}_{number}" if number else f"layers/{kind}"
                found += [
                    _floats(datasets, f"{group}/vars/{i}", w.shape)
                    for i, w in enumerate(layer.weights)
                ]
    if not all(np.isfinite(w).all() for w in found):
        raise ValueError("its weights are not finite")
    return found


def _member(archive, name, most, least=0):
    """The bytes of a file in the archive, if they are as many as they can be."""
    info = archive.getinfo(name)
    if not least <= info.file_size <= most:
        raise ValueError(
            f"its {name} has {info.file_size:,} bytes, and {least:,} to {most:,} were expected"
        )
    if info.compress_type not in (
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
    ):  # others take memory as the file says
        raise ValueError(f"its {name} is neither stored nor deflated")
    with archive.open(info) as file:  # it gives no more than file_size
        return file.read()


def _floats(datasets, path, shape):
    if (
        path not in datasets
        or datasets[path].dtype.kind != "f"
        or datasets[path].shape != tuple(shape)
    ):
        raise ValueError(f"its {path} must be floats of the shape {tuple(shape)}")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, which is refused
        return np.asarray(datasets[path][()], "float32")


def _network_path(path):
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(
            f"a network's file must be given by its path. Received: {type(path).__name__}"
        )
    if Path(path).suffix != ".keras":
        raise ValueError(
            f"the name of a network's file must end in .keras. Received: {str(path)!r}"
        )
    return Path(path)


def save_transform_net(net, path, compact=False):
    """Write the network and its record to a .keras file, whole or not at all.

    compact: weights rounded to float16's 11 significant bits, and the file deflated: half the size,
    and no grey level moves by more than one.
    """
    check_network_path(path)
    if compact or net.compiled:  # an optimizer's state is no part of the file
        net = _with_weights(net, [_to_11_bits(w) if compact else w for w in net.get_weights()])
    with tempfile.TemporaryDirectory(prefix=".", suffix=".part", dir=Path(path).parent) as folder:
        whole = Path(folder, "net.keras")
        keras.saving.save_model(net, whole)
        with (
            whole_or_not(path) as file,
            zipfile.ZipFile(whole) as stored,
            zipfile.ZipFile(
                file, "w", zipfile.ZIP_DEFLATED if compact else zipfile.ZIP_STORED
            ) as archive,
        ):
            for name in stored.namelist():
                archive.writestr(zipfile.ZipInfo(name), stored.read(name), archive.compression)


def _to_11_bits(weights):
    """Rounded to 11 significant bits, as float32: the others are zeros, which deflate away."""
    mantissa, exponent = np.frexp(weights)
    return np.ldexp(np.rint(mantissa * 2**11) / 2**11, exponent).astype("float32")


def check_network_path(path, inputs=(), overwrite=False):
    """Raise a clear error if no network could be written to `path`: called before hours of
    training, not after.
    """
    check_output(_network_path(path), inputs, overwrite)


def pretrained(style=None, precision="float32"):
    """The network that comes with the package for a style; without a name, the names there are."""
    folder = files("neural_style") / "pretrained"
    names = sorted(
        file.name.removesuffix(".keras")
        for file in (folder.iterdir() if folder.is_dir() else ())
        if file.name.endswith(".keras")
    )
    if style is None:
        return names
    if style not in names:
        raise ValueError(f"style must be one of {names}. Received: style={style!r}")
    with as_file(folder / f"{style}.keras") as path:
        return load_transform_net(path, precision)
