"""Networks in files, and the trained ones that come with the package."""

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Literal, TypeAlias, overload

import h5py
import keras
import numpy as np

from .._shared import types
from .._shared.checks import choice
from .._shared.files import check_output, is_regular, whole_or_not
from .._shared.hdf5 import plain_datasets
from ..vgg.build import PRECISIONS
from .blending import with_weights
from .network import MOST_CONFIG, TransformNet, build_transform_net, check_scale, numbers_in

#: Bytes that HDF5 takes beside the numbers themselves, for the deepest network.
MOST_OVERHEAD = 1 << 20


#: A precision of the convolutions.
Precision: TypeAlias = Literal["float32", "bfloat16"]


def load_transform_net(path: types.Path, precision: Precision = "float32") -> TransformNet:
    """Load a network from its .keras file, which may come from a stranger.

    The configuration in the file gives the numbers from which this module builds the network, and
    its weights are read as plain arrays of the shapes that this network has. Keras' own loader,
    which makes whatever objects a file names, never sees the file.

    Args:
        path: The .keras file.
        precision: "float32", or "bfloat16" for the convolutions.

    Returns:
        The network; its .record is the file's.

    Raises:
        TypeError: `path` is no path.
        FileNotFoundError: There is no such file.
        ValueError: The file is no transform network, or the precision is unknown.
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


def _read_config(archive: zipfile.ZipFile) -> dict[str, Any]:
    """Return {"width", "residual_blocks", "precision", "record"} of a file, each of its type."""
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


def _read_weights(weights: io.BytesIO, net: TransformNet) -> list[np.ndarray]:
    """Return the weights in an HDF5 file as the list of arrays that net.set_weights takes."""
    found: list[np.ndarray] = []
    known: dict[str, int] = {}
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


def _member(archive: zipfile.ZipFile, name: str, most: int, least: int = 0) -> bytes:
    """Return the bytes of a file in an archive, if their number is from `least` to `most`."""
    info = archive.getinfo(name)
    if not least <= info.file_size <= most:
        raise ValueError(
            f"its {name} has {info.file_size:,} bytes, and {least:,} to {most:,} were expected"
        )
    # other methods take as much memory as the file asks for
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"its {name} is neither stored nor deflated")
    with archive.open(info) as file:  # it gives no more than file_size
        return file.read()


def _floats(datasets: Any, path: str, shape: Any) -> np.ndarray:
    """Return a dataset of this shape as float32, or raise a ValueError."""
    if (
        path not in datasets
        or datasets[path].dtype.kind != "f"
        or datasets[path].shape != tuple(shape)
    ):
        raise ValueError(f"its {path} must be floats of the shape {tuple(shape)}")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, which is refused
        return np.asarray(datasets[path][()], "float32")


def _network_path(path: Any) -> Path:
    """Return the path of a network's file, or raise an error for what cannot be one."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(
            f"a network's file must be given by its path. Received: {type(path).__name__}"
        )
    if Path(path).suffix != ".keras":
        raise ValueError(
            f"the name of a network's file must end in .keras. Received: {str(path)!r}"
        )
    return Path(path)


def save_transform_net(net: TransformNet, path: types.Path, compact: bool = False) -> None:
    """Write a network and its record to a .keras file, whole or not at all.

    Args:
        net: The network.
        path: The .keras file.
        compact: Round the weights to float16's 11 significant bits, and deflate the file. It is
            half as large, and no gray level of a painting moves by more than one.

    Raises:
        ValueError: The name does not end in .keras.
        OSError: The file cannot be written.
    """
    check_network_path(path)
    if compact or net.compiled:  # an optimizer's state is no part of the file
        net = with_weights(net, [_to_11_bits(w) if compact else w for w in net.get_weights()])
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


def _to_11_bits(weights: np.ndarray) -> np.ndarray:
    """Round to 11 significant bits, as float32: the other bits are zeros, which deflate away."""
    mantissa, exponent = np.frexp(weights)
    return np.ldexp(np.rint(mantissa * 2**11) / 2**11, exponent).astype("float32")


def check_network_path(
    path: types.Path, inputs: Sequence[Any] = (), overwrite: bool = False
) -> None:
    """Raise a clear error if no network could be written to a path, before hours of training.

    Args:
        path: The file to write.
        inputs: What the training reads. The file must be none of these.
        overwrite: Let the file replace an input.
    """
    check_output(_network_path(path), inputs, overwrite)


@overload
def pretrained(style: None = None, precision: Precision = "float32") -> list[str]: ...


@overload
def pretrained(style: str, precision: Precision = "float32") -> TransformNet: ...


def pretrained(
    style: str | None = None, precision: Precision = "float32"
) -> TransformNet | list[str]:
    """Load a network that comes with the package, or list their names.

    Args:
        style: The name of the style; None: list the names.
        precision: "float32", or "bfloat16" for the convolutions.

    Returns:
        The network; without a name, the names there are.

    Raises:
        ValueError: There is no network of this name.
    """
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
