"""stylize(): one pass paints a picture of any size, a batch of arrays or a folder."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from .._shared import types
from .._shared.checks import choice, count, flag, is_count, number
from ..images.formats import ALPHAS
from ..images.load import check_size, load_image, load_with_alpha
from ..images.save import check_writable, save_image
from ..universal.one_pass import OnePass
from .network import TransformNet
from .paint import paint
from .resolve_network import paths_in, resolve
from .stylize_folder import stylize_folder, with_alpha


def stylize(
    source: types.Picture,
    net: TransformNet | OnePass | types.Picture | Mapping[Any, float] | Sequence[Any],
    output: types.Path | None = None,
    *,
    size: int | None = None,
    strength: float = 1.0,
    style_scale: float = 1.0,
    masks: Any = None,
    preserve_color: Literal["luminance"] | None = None,
    tile: int | Literal["auto"] | None = "auto",
    batch_size: int = 4,
    alpha: Literal["white", "keep"] = "white",
    overwrite: bool = False,
    progress: bool = True,
) -> Any:
    """Paint pictures in one pass: in the style of any painting, or with a transform network.

    Args:
        source: A picture (a path, a PIL.Image, a uint8 RGB array H x W x 3); a batch, uint8 RGB, B
            x H x W x 3; or the path of a folder.
        net: A painting, whatever load_image takes, or the file of its moments from save_moments; a
            network from train_transform_net, load_transform_net or pretrained; the path of a .keras
            file; the name of a pretrained style. Or several paintings, or several networks, with
            shares, {"starry_night": 0.6, "great_wave": 0.4}, for a style between theirs. See
            OnePass for how paintings paint.
        output: The file to write; for a folder, the folder to fill with files of the same names,
            made where it is missing. A picture in a format that can only be read becomes a PNG:
            a.heic.png.
        size: Longer side in pixels; None: the picture's own.
        strength: From 0, the photo, to 1. Of a painting, features go so far towards the painting's;
            of a network, this is its share of each pixel.
        style_scale: Longer side of the painting, in sizes of the picture: 0.5 for strokes of half
            the size. For paintings alone.
        masks: Regions of the picture, each for its own painting; see transfer(). For paintings
            alone.
        preserve_color: "luminance": keep the photo's chroma and paint the luma alone.
        tile: Side in pixels of the tiles in which a large picture is painted. "auto": tiles of 768
            pixels where the whole picture would not fit into the free memory. None: no tiles. Tiles
            show no seam: they overlap, and instance normalization takes its mean and variance from
            the whole picture.
        batch_size: How many of a folder's pictures are painted at once, if successive pictures have
            one size.
        alpha: What becomes of transparency. "white": it is laid on white. "keep": the result has
            the photo's alpha; `output` must be .png, .webp or .tiff. Transparency of a folder's
            pictures in other formats is laid on white.
        overwrite: Let `output` replace the picture that is painted, or a network.
        progress: Show a bar, for a folder.

    Returns:
        A PIL.Image, RGB, or RGBA where the photo's alpha was kept; for a batch a uint8 array; for a
        folder the paths of the files written. A picture of the folder that cannot be read, or whose
        format cannot hold the painting, is named in a warning and left out.

    Raises:
        TypeError: An argument is of a wrong type.
        ValueError: An argument cannot be right, or a network or a picture cannot be read.
        FileNotFoundError: There is no such file.
        OSError: The painting cannot be written; it is the error's .result.
    """
    _check_options(preserve_color, tile)
    batch_size, overwrite, progress = (
        count("batch_size", batch_size),
        flag("overwrite", overwrite),
        flag("progress", progress),
    )
    choice("alpha", alpha, ALPHAS)
    check_size(size)
    options: dict[str, Any] = {
        "preserve_color": preserve_color,
        "tile": tile,
        "strength": number("strength", strength, most=1),
    }
    of_paintings = {"strength": strength, "style_scale": style_scale, "masks": masks}
    if isinstance(source, (str, os.PathLike)) and Path(source).is_dir():
        return stylize_folder(
            Path(source),
            resolve(net, **of_paintings),
            output,
            size,
            batch_size,
            alpha,
            overwrite,
            progress,
            options,
        )
    if isinstance(source, np.ndarray) and source.ndim == 4:
        if output is not None or size is not None or alpha != "white":
            raise ValueError(
                "output, size and alpha='keep' go with a picture or a folder. Received: a batch"
            )
        return paint(resolve(net, **of_paintings), source, **options)
    inputs = [source, *paths_in(net)]
    if output is not None:
        check_writable(output, alpha=alpha, inputs=inputs, overwrite=overwrite)
    result = _painted(source, lambda: resolve(net, **of_paintings), size, alpha, options)
    if output is not None:
        try:
            save_image(result, output, inputs=inputs, overwrite=overwrite)
        except Exception as error:
            error.result = result  # type: ignore[attr-defined]
            raise
    return result


def _check_options(preserve_color: Any, tile: Any) -> None:
    """Raise a ValueError if an option of paint cannot be right."""
    if preserve_color not in (None, "luminance"):
        raise ValueError(
            "preserve_color must be None or 'luminance'. Received:"
            f" preserve_color={preserve_color!r}"
        )
    if not (tile is None or (isinstance(tile, str) and tile == "auto") or is_count(tile, 64)):
        raise ValueError(
            f"tile must be 'auto', None or an integer, at least 64. Received: tile={tile!r}"
        )


def _painted(
    source: types.Picture,
    painter: Callable[[], Any],
    size: int | None,
    alpha: str,
    options: Mapping[str, Any],
) -> Image.Image:
    """Load one picture and paint it."""
    image, opacity = (
        load_with_alpha(source, size) if alpha == "keep" else (load_image(source, size), None)
    )
    return with_alpha(paint(painter(), image[None], **options)[0], opacity)
