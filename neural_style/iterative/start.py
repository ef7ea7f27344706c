"""Where the first stage starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..images.color import color_statistics, color_transform
from ..images.masks import Region, only_in_regions, resized
from ..images.resize import resize
from ..losses.style import Share
from ..universal.passes import Moments, Zone, moments_of, repaint
from ..universal.tiles import automatic_tile
from ..vgg.preprocessing import deprocess, preprocess
from .regions import Styles, styles_of


def start(
    init: Any,
    shape: tuple[int, ...],
    content: np.ndarray | None,
    styles: Styles,
    regions: Sequence[Region],
    noise_std: float | None,
    seed: int,
) -> np.ndarray:
    """x where the first stage starts, 1 x H x W x 3.

    Args:
        init: "noise", "recolored", "one_pass", "content", "style", or a picture.
        shape: H x W x 3.
        content: The content image at this size, or None.
        styles: [(style image at this size, share)].
        regions: Regions, their masks as arrays.
        noise_std: As for transfer().
        seed: Seeds the noise.
    """
    if isinstance(init, str) and init == "noise":
        rng = np.random.default_rng(seed)
        noise = (
            rng.uniform(0, 255, shape) - 128
            if noise_std is None
            else rng.normal(0, noise_std, shape)
        )
        return noise[None].astype("float32")
    if isinstance(init, str) and init == "recolored":
        assert content is not None  # as settings were checked
        image: Any = recolored(content, styles, regions)
    elif isinstance(init, str) and init == "one_pass":
        assert content is not None  # as settings were checked
        image = one_pass(content, styles, regions)
    elif isinstance(init, str):
        image = content if init == "content" else styles[0][0]
    else:
        image = init
    width_height = shape[1], shape[0]
    return preprocess(np.asarray(resize(image, width_height)))


def recolored(content: np.ndarray, styles: Styles, regions: Sequence[Region]) -> np.ndarray:
    """The content with the style's mean and covariance of colors, each region with its own's."""
    parts: list[tuple[np.ndarray, list[tuple[np.ndarray, Any, float]]]] = [
        (
            resized(region.content, content.shape),
            [(image, region.style, _number(share)) for image, share in styles_of(region, styles)],
        )
        for region in regions
    ]
    if not regions:
        everywhere = [(image, None, _number(share)) for image, share in styles]
        parts = [(np.ones(content.shape[:2]), everywhere)]
    total = np.zeros(content.shape[:2])
    colored = np.zeros(content.shape)
    for mask, given in parts:
        sources = [
            (image, None if part is None else resized(part, image.shape), share)
            for image, part, share in given
        ]
        if not mask.any() or any(part is not None and not part.any() for _, part, _ in sources):
            continue  # so small that it is gone at this stage: there is no mean of nothing
        moments = [(color_statistics(image, part), share) for image, part, share in sources]
        shares = sum(share for _, share in moments)
        target: Any = tuple(
            sum(share / shares * moment[i] for moment, share in moments) for i in (0, 1)
        )
        matrix, offset = color_transform(color_statistics(content, mask), target)
        colored += mask[..., None] * (content @ matrix.T + offset)
        total += mask
    colored += np.maximum(1 - total, 0)[..., None] * content  # no region: the content's own colors
    return np.clip(np.rint(colored / np.maximum(total, 1)[..., None]), 0, 255).astype("uint8")


def one_pass(content: np.ndarray, styles: Styles, regions: Sequence[Region]) -> np.ndarray:
    """The content as stylize() paints it with the style images, each region with its own."""
    zones = [
        Zone(
            resized(region.content, content.shape),
            _targets(styles_of(region, styles), region.style),
        )
        for region in regions
    ] or [Zone(None, _targets(styles, None))]
    tile = automatic_tile(content.shape)
    painted = deprocess(repaint(preprocess(content)[0], zones, tile=tile))
    return only_in_regions(painted, content, regions)


def _targets(styles: Styles, part: np.ndarray | None) -> list[tuple[Moments, float]]:
    """[(moments of a style image, or of the masked part of it; share)], the shares' sum 1."""
    total = sum(_number(share) for _, share in styles)
    return [
        (
            moments_of(
                preprocess(image)[0],
                None if part is None else resized(part, image.shape),
                automatic_tile(image.shape),
            ),
            _number(share) / total,
        )
        for image, share in styles
    ]


def _number(share: Share) -> float:
    """A share as one number: the mean of one for each layer."""
    return sum(share.values()) / len(share) if isinstance(share, dict) else share  # type: ignore[return-value]
