"""Where a stage starts, and what becomes of the picture outside of its regions."""

import numpy as np

from ..images.color import color_statistics, color_transform
from ..images.masks import resized
from ..images.resize import resize
from ..vgg.preprocessing import preprocess
from .terms import _styles_of


def start(init, shape, content, styles, regions, noise_std, seed):
    """x where the first stage starts, of `shape` H x W x 3; init is transfer()'s."""
    if isinstance(init, str) and init == "noise":
        rng = np.random.default_rng(seed)
        noise = (
            rng.uniform(0, 255, shape) - 128
            if noise_std is None
            else rng.normal(0, noise_std, shape)
        )
        return noise[None].astype("float32")
    if isinstance(init, str) and init == "recolored":
        image = _recolored(content, styles, regions)
    elif isinstance(init, str):
        image = content if init == "content" else styles[0][0]
    else:
        image = init
    return preprocess(resize(image, shape[1::-1]))


def only_in_regions(picture, content, regions, rounded=True):
    """The picture where regions are, and the content as it was where none is; RGB of one size,
    uint8, or float32 if not rounded.
    """
    if not regions:
        return picture
    covered = np.minimum(sum(resized(region.content, content.shape) for region in regions), 1)[
        ..., None
    ]
    mixed = covered * picture + (1 - covered) * content
    return np.rint(mixed).astype("uint8") if rounded else mixed.astype("float32")


def _recolored(content, styles, regions):
    """The content with the style's mean and covariance of colours, each region with its own's."""
    parts = [
        (
            resized(region.content, content.shape),
            [(image, region.style, _number(share)) for image, share in _styles_of(region, styles)],
        )
        for region in regions
    ]
    if not regions:
        parts = [
            (np.ones(content.shape[:2]), [(image, None, _number(share)) for image, share in styles])
        ]
    total = np.zeros(content.shape[:2])
    recolored = np.zeros(content.shape)
    for mask, sources in parts:
        sources = [
            (image, None if part is None else resized(part, image.shape), share)
            for image, part, share in sources
        ]
        if not mask.any() or any(part is not None and not part.any() for _, part, _ in sources):
            continue  # so small that it is gone at this stage: the content's own colours, no mean of nothing
        moments = [(color_statistics(image, part), share) for image, part, share in sources]
        shares = sum(share for _, share in moments)
        target = tuple(sum(share / shares * moment[i] for moment, share in moments) for i in (0, 1))
        matrix, offset = color_transform(color_statistics(content, mask), target)
        recolored += mask[..., None] * (content @ matrix.T + offset)
        total += mask
    recolored += (
        np.maximum(1 - total, 0)[..., None] * content
    )  # where no region is, the content's own
    return np.clip(np.rint(recolored / np.maximum(total, 1)[..., None]), 0, 255).astype("uint8")


def _number(share):
    """A share as one number, where it is one for each layer."""
    return sum(share.values()) / len(share) if isinstance(share, dict) else share
