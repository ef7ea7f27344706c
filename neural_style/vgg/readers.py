"""Read VGG's weights from the files that people have: Keras' HDF5, MatConvNet's .mat, and .npz."""

import pathlib
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .._shared.npz import read_npz
from .architecture import conv_layers
from .preprocessing import IMAGENET_MEAN_BGR

#: {layer name: (kernel, bias)} as a file holds them.
Convolutions: TypeAlias = dict[str, tuple[np.ndarray, np.ndarray]]


def _fold_input(
    kernel: np.ndarray,
    bias: np.ndarray,
    scale: npt.ArrayLike = (1, 1, 1),
    shift: npt.ArrayLike = (0, 0, 0),
) -> tuple[np.ndarray, np.ndarray]:
    """Make a first layer that expects u = scale * RGB + shift accept x = BGR - mean instead.

    The kernel is 3 x 3 x 3 x out, and its inputs are red, green and blue. scale and shift are for
    red, green and blue, too.
    """
    kernel, scale = kernel.astype("float64"), np.asarray(scale, "float64")
    constant = scale * IMAGENET_MEAN_BGR[::-1] + shift
    bias = bias + np.einsum("hwio,i->o", kernel, constant)
    return (kernel * scale[:, None])[:, :, ::-1].astype("float32"), bias.astype("float32")


def _read(path: pathlib.Path, network: str) -> Convolutions:
    """Read a weights file of any of the formats, as float32, and check that it fits the network."""
    try:
        layers = _READERS[path.suffix.lower()](path, network)
    except Exception as error:  # the three formats' readers each have their own exceptions
        raise ValueError(f"{str(path)!r} cannot be read as {network} weights: {error}") from error
    _check_fit(layers, network, path)
    return {
        name: (np.asarray(layers[name][0], "float32"), np.asarray(layers[name][1], "float32"))
        for name in conv_layers(network)
    }


def _check_fit(
    layers: Mapping[str, tuple[np.ndarray, np.ndarray]], network: str, path: pathlib.Path | str
) -> None:
    """Raise a ValueError if a layer is missing, has another shape, or is not finite."""
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


def _read_h5(path: pathlib.Path, network: str) -> Convolutions:
    """Read one of Keras' two layouts.

    In the legacy layout (.h5), groups are named after layers. In the newer one (.weights.h5), they
    are conv2d, conv2d_1, ... in the order of the layers.
    """
    import h5py  # comes with keras

    layers: Convolutions = {}
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
                if dataset.shape != expected:  # before reading: a small file may claim a terabyte
                    raise ValueError(
                        f"{name} must be {shape} and {shape[-1:]}. Received: {dataset.shape}"
                    )
            if found:
                layers[name] = tuple(dataset[()] for dataset in found)  # type: ignore[assignment]
    return layers


def _read_mat(path: pathlib.Path, network: str) -> Convolutions:
    """Read MatConvNet's imagenet-vgg-verydeep: kernels H x W x in x out, input RGB minus the mean.

    MatConvNet's importer transposes Caffe's filters to Matlab's H x W and flips BGR to RGB.
    Programs that swap the first two axes once more turn every filter on its side.
    """
    from scipy.io import loadmat

    layers: Convolutions = {}
    for layer in loadmat(path, squeeze_me=True, struct_as_record=False)["layers"]:
        if layer.type == "conv" and layer.name.startswith("conv"):
            kernel, bias = (
                layer.weights if hasattr(layer, "weights") else (layer.filters, layer.biases)
            )
            layers[_keras_name(layer.name)] = kernel, np.ravel(bias)
    layers["block1_conv1"] = _fold_input(*layers["block1_conv1"], shift=-IMAGENET_MEAN_BGR[::-1])
    return layers


def _read_npz(path: pathlib.Path, network: str) -> Convolutions:
    """Read vgg16_weights.npz, which was converted from Caffe for TensorFlow.

    It holds conv1_1_W (3 x 3 x in x out) and conv1_1_b, ...; the input is RGB minus the mean.
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


def _keras_name(paper_name: str) -> str:
    """Convert a convolution's name from conv4_2 to block4_conv2."""
    block, conv = paper_name.removeprefix("conv").split("_")
    return f"block{block}_conv{conv}"
