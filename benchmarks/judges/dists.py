"""DISTS: structure at its place, textures wherever they are."""

import pickle
import tempfile
import zipfile
from functools import lru_cache

import numpy as np
from keras import ops

from neural_style.vgg.cache import cache_folder
from neural_style.vgg.from_pip import from_pip

from .vgg import features

#: What pip fetches: 12 KB of weights, MIT.
WHEEL = (
    "DISTS-pytorch==0.1"
    " --hash=sha256:73e54ce13e7cf3ca962ee8e433d129884ec3dc75e00a27af90525e1da760ac61"
)

LAYERS = ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3")

EPSILON = 1e-6


def dists(photo: np.ndarray, painting: np.ndarray, result: np.ndarray) -> float:
    """DISTS (Ding et al. 2020, "Image Quality Assessment: Unifying Structure and Texture
    Similarity") between result and photo.

        1 - sum_l sum_c (alpha_lc (2 m n + e) / (m^2 + n^2 + e)
                         + beta_lc (2 cov + e) / (var_f + var_g + e))

    m, n are the means of channel c over positions, of photo and result. The pictures themselves are
    the first layer. It forgives textures that moved, and sees lost structure.
    """
    alpha, beta = _weights()
    found, first = 0.0, 0
    for f, g in zip(_stack(photo), _stack(result)):
        here = slice(first, first + f.shape[-1])
        first = here.stop
        found += alpha[here] @ _alike(f.mean(0), g.mean(0))
        spread = f.var(0) + g.var(0) + EPSILON
        covariance = (f * g).mean(0) - f.mean(0) * g.mean(0)
        found += beta[here] @ ((2 * covariance + EPSILON) / spread)
    return float(1 - found)


def _alike(m: np.ndarray, n: np.ndarray) -> np.ndarray:
    return (2 * m * n + EPSILON) / (m**2 + n**2 + EPSILON)


def _stack(image: np.ndarray) -> list[np.ndarray]:
    """The picture, RGB from 0 to 1, and VGG16's layers: each (h w) x C, float64."""
    found = features(image, LAYERS, l2_pool)
    layers = [np.asarray(image)[None] / 255] + [ops.convert_to_numpy(found[n]) for n in LAYERS]
    return [layer.reshape(-1, layer.shape[-1]).astype("float64") for layer in layers]


def l2_pool(x):
    """sqrt(g * x^2) at every second position, g a 3 x 3 Hann window with the sum 1."""
    side = np.hanning(5)[1:-1]
    window = np.outer(side, side) / np.outer(side, side).sum()
    channels = x.shape[-1]
    kernel = np.repeat(window[:, :, None, None], channels, axis=2).astype("float32")
    padded = ops.pad(ops.square(x), ((0, 0), (1, 1), (1, 1), (0, 0)))
    pooled = ops.depthwise_conv(padded, kernel, strides=2, data_format="channels_last")
    return ops.sqrt(pooled + 1e-12)


@lru_cache(1)
def _weights() -> tuple[np.ndarray, np.ndarray]:
    """alpha and beta, 1475 numbers each; all of them together add up to 1."""
    cached = cache_folder() / "dists.npz"
    if not cached.exists():
        alpha, beta = _fetched()
        np.savez(cached.with_suffix(".part.npz"), alpha=alpha, beta=beta)
        cached.with_suffix(".part.npz").replace(cached)
    with np.load(cached) as arrays:
        alpha, beta = arrays["alpha"].astype("float64"), arrays["beta"].astype("float64")
    return alpha / (alpha.sum() + beta.sum()), beta / (alpha.sum() + beta.sum())


def _fetched() -> list[np.ndarray]:
    """The arrays of the wheel's file, which PyTorch wrote."""
    with (
        tempfile.TemporaryDirectory() as folder,
        zipfile.ZipFile(from_pip(WHEEL, folder)) as archive,
        archive.open("DISTS_pytorch/weights.pt") as file,
    ):
        return _torch_arrays(file)


class _Tensors(pickle.Unpickler):
    """Reads the dict of PyTorch's format before 1.6; it makes nothing but names and numbers."""

    def persistent_load(self, saved):
        return saved[2]  # ("storage", its class, its key, ...)

    def find_class(self, module, name):
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda key, offset, shape, *_: key
        if (module, name) == ("collections", "OrderedDict"):
            return dict
        if (module, name) == ("torch", "FloatStorage"):
            return name
        raise pickle.UnpicklingError(f"not in a file of weights: {module}.{name}")


def _torch_arrays(file) -> list[np.ndarray]:
    """alpha and beta of weights.pt: four pickles and a list of keys, then each key's numbers."""
    for _ in range(3):  # a magic number, the protocol, the machine
        _Tensors(file).load()
    keys, order = _Tensors(file).load(), _Tensors(file).load()
    found = {}
    for key in order:
        count = int(np.frombuffer(file.read(8), "<i8")[0])
        found[key] = np.frombuffer(file.read(4 * count), "<f4")
    return [found[keys[name]] for name in ("alpha", "beta")]
