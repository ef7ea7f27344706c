"""AlexNet: LPIPS, Gram matrices, and the Fréchet distance of two pictures."""

from functools import lru_cache

import numpy as np
from keras import ops

from neural_style.losses import gram_matrix
from neural_style.universal.transport import sums_of, transport_cost
from neural_style.vgg.cache import cache_folder
from neural_style.vgg.download import lpips_checkpoint

#: The network takes (RGB - SHIFT) / SCALE, with RGB in [-1, 1].
SHIFT = np.array([-0.030, -0.088, -0.188], "float32")
SCALE = np.array([0.458, 0.448, 0.450], "float32")

#: The strides and paddings of AlexNet's five convolutions.
STRIDES, PADDINGS = (4, 1, 1, 1, 1), (2, 2, 1, 1, 1)


def lpips(photo: np.ndarray, painting: np.ndarray, result: np.ndarray) -> float:
    """LPIPS v0.1 (Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a
    Perceptual Metric") between result and photo.

    It sees shapes and colors at their places. It punishes new colors as much as lost shapes.
    """
    heads = _weights()[1]
    return sum(
        float(ops.mean(ops.matmul((_unit(u) - _unit(v)) ** 2, ops.convert_to_tensor(head))))
        for u, v, head in zip(features(result), features(photo), heads)
    )


def lpips_gray(photo: np.ndarray, painting: np.ndarray, result: np.ndarray) -> float:
    """LPIPS between the luma of the result and of the photo: colors do not count."""
    return lpips(_gray(photo), painting, _gray(result))


def gram(photo: np.ndarray, painting: np.ndarray, result: np.ndarray) -> float:
    """The mean over the five ReLU layers of |G - A|_F / |A|_F.

    G and A are the Gram matrices of result and painting, divided by their numbers of positions.

    It sees how much there is of what, and not where; the optimizer's own loss is its like.
    """
    grams = ((gram_matrix(u), gram_matrix(v)) for u, v in zip(features(result), features(painting)))
    return float(np.mean([float(_length(g - t) / _length(t)) for g, t in grams]))


def frechet(photo: np.ndarray, painting: np.ndarray, result: np.ndarray) -> float:
    """The Fréchet distance of the features of two pictures, each position a sample.

    After SIFID (Shaham et al. 2019, "SinGAN"), on AlexNet and with its five ReLU layers:

        (|m - n|^2 + tr(C + S - 2 (C^(1/2) S C^(1/2))^(1/2))) / tr S,  the mean over layers

    m, C are mean and covariance of the result's features; n, S of the painting's.
    """
    found = []
    for u, v in zip(features(result), features(painting)):
        of_result, of_painting = (sums_of(ops.convert_to_numpy(f)[0]).normal() for f in (u, v))
        found.append(transport_cost(of_result, of_painting) / np.trace(of_painting.covariance))
    return float(np.mean(found))


def features(image: np.ndarray) -> list:
    """The five ReLU layers of a picture, 1 x h x w x C.

    Args:
        image: uint8 RGB, H x W x 3.
    """
    x = ops.convert_to_tensor(((np.asarray(image, "float32") / 127.5 - 1 - SHIFT) / SCALE)[None])
    found = []
    for layer, ((kernel, bias), stride, pad) in enumerate(zip(_weights()[0], STRIDES, PADDINGS)):
        if layer in (1, 2):
            x = ops.max_pool(x, 3, 2, data_format="channels_last")
        x = ops.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
        x = ops.conv(x, kernel, stride, data_format="channels_last")
        x = ops.relu(x + ops.convert_to_tensor(bias))
        found.append(x)
    return found


def _gray(image: np.ndarray) -> np.ndarray:
    luma = np.asarray(image, "float32") @ np.array([0.299, 0.587, 0.114], "float32")
    return np.repeat(luma[..., None], 3, axis=-1)


def _length(array):
    return ops.sqrt(ops.sum(ops.square(array)))


def _unit(f):
    return f / (ops.norm(f, axis=-1, keepdims=True) + 1e-10)


@lru_cache(1)
def _weights():
    """AlexNet's five (kernel, bias) and LPIPS' five heads (C, 1); they are fetched once."""
    cached = cache_folder() / "lpips-alexnet.npz"
    if not cached.exists():
        checkpoint = lpips_checkpoint("alexnet")
        convolutions = next(
            value for name, value in checkpoint.items() if name.startswith("AlexNet")
        )
        arrays = {
            f"head{i}": checkpoint[f"NetLinLayer_{i}"]["Conv_0"]["kernel"][0, 0] for i in range(5)
        }
        for i in range(5):
            arrays[f"kernel{i}"], arrays[f"bias{i}"] = (
                convolutions[f"Conv_{i}"][part] for part in ("kernel", "bias")
            )
        np.savez(cached.with_suffix(".part.npz"), **arrays)
        cached.with_suffix(".part.npz").replace(cached)
    with np.load(cached) as arrays:
        return (
            [(arrays[f"kernel{i}"], arrays[f"bias{i}"]) for i in range(5)],
            [arrays[f"head{i}"] for i in range(5)],
        )
