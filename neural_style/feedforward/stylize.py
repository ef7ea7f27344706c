"""A transform network at work: one picture of any size, a batch of arrays, or a folder."""

import logging
import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from .._shared.checks import choice, count, flag, is_count
from .._shared.files import check_output, same_file
from ..images.formats import ALPHAS, SUFFIXES, WITH_ALPHA, WRITABLE
from ..images.load import check_size, load_image, load_with_alpha
from ..images.save import check_writable, save_image
from .blending import blend
from .network import TransformNet
from .network_file import load_transform_net, pretrained
from .paint import paint

logger = logging.getLogger("neural_style")


def stylize(
    source,
    net,
    output=None,
    *,
    size=None,
    preserve_color=None,
    tile="auto",
    batch_size=4,
    alpha="white",
    overwrite=False,
    progress=True,
):
    """Paint pictures with a transform network.

    Args:
        source: a picture (a path, a PIL.Image, a uint8 array H x W x 3); a batch, uint8, B x H x W
            x 3; or the path of a folder.
        net: a network from train_transform_net, load_transform_net or pretrained; the path of a
            .keras file; the name of a pretrained style; or several of these with shares,
            {"starry_night": 0.6, "great_wave": 0.4}, for a style between theirs.
        output: the file to write, or, for a folder, the folder to fill with files of the same
            names; made where it is missing. A picture in a format that is read only becomes a PNG:
            a.heic.png.
        size: longer side in pixels; None: the picture's own.
        preserve_color: "luminance": keep the photo's chroma and paint the luma alone.
        tile: side of the tiles in pixels in which a large picture is painted, an int; "auto": tiles
            of 768 where the whole would not fit the memory that is free; None: no tiles. Tiles show
            no seam: they overlap, and instance normalisation takes its mean and variance from the
            whole picture.
        batch_size: of a folder's pictures, as far as those that follow one another have one size.
        alpha: what becomes of transparency: "white": it is laid on white. "keep": the result has
            the photo's alpha; `output` must be .png, .webp or .tiff. Of a folder's pictures in
            other formats, transparency is laid on white.
        overwrite: let `output` replace the picture that is painted, or a network.
        progress: show a bar, for a folder.

    Returns:
        A PIL.Image, RGB, or RGBA where the photo's alpha was kept; for a batch a uint8 array; for a
        folder the paths of the files written. A picture of the folder that cannot be read, or whose
        format cannot hold the painting, is named in a warning and left out.

    Raises:
        TypeError, ValueError, FileNotFoundError: an argument that cannot be right, or a network or
            picture that cannot be read.
        OSError: the painting cannot be written; it is the error's .result.
    """
    if preserve_color not in (None, "luminance"):
        raise ValueError(
            "preserve_color must be None or 'luminance'. Received:"
            f" preserve_color={preserve_color!r}"
        )
    if not (tile is None or (isinstance(tile, str) and tile == "auto") or is_count(tile, 64)):
        raise ValueError(
            f"tile must be 'auto', None or an integer, at least 64. Received: tile={tile!r}"
        )
    batch_size, overwrite, progress = (
        count("batch_size", batch_size),
        flag("overwrite", overwrite),
        flag("progress", progress),
    )
    choice("alpha", alpha, ALPHAS)
    check_size(size)
    options = {"preserve_color": preserve_color, "tile": tile}
    if isinstance(source, (str, os.PathLike)) and Path(source).is_dir():
        return _folder(
            Path(source),
            resolve(net),
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
        return paint(resolve(net), source, **options)
    inputs = [source, *([*net] if isinstance(net, dict) else [net])]
    if output is not None:
        check_writable(output, alpha=alpha, inputs=inputs, overwrite=overwrite)
    image, opacity = (
        load_with_alpha(source, size) if alpha == "keep" else (load_image(source, size), None)
    )
    result = _with_alpha(paint(resolve(net), image[None], **options)[0], opacity)
    if output is not None:
        try:
            save_image(result, output, inputs=inputs, overwrite=overwrite)
        except Exception as error:
            error.result = result
            raise
    return result


def _with_alpha(image, opacity):
    """A PIL.Image of an array, with its alpha, if it has one."""
    image = Image.fromarray(image)
    if opacity is not None:
        image.putalpha(Image.fromarray(opacity))
    return image


def resolve(net, precision="float32"):
    """The network that stylize's `net` stands for."""
    if isinstance(net, dict):
        net = [*net.items()]
    if isinstance(net, list) and all(
        isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in net
    ):
        return blend([(resolve(one, precision), share) for one, share in net])
    if isinstance(net, TransformNet):
        return net
    if isinstance(net, (str, os.PathLike)):
        return (
            load_transform_net(net, precision)
            if Path(net).suffix
            else _of_name(str(net), precision)
        )
    raise TypeError(
        "net must be a transform network, the path of a .keras file, the name of a pretrained"
        " style, or several of these with shares, {net: share} or [(net, share)]. Received:"
        f" {type(net).__name__}"
    )


def is_network(style):
    """Whether `style` says a network, as resolve takes it, rather than a painting."""
    return isinstance(style, (TransformNet, dict)) or (
        isinstance(style, (str, os.PathLike))
        and (Path(style).suffix == ".keras" or str(style) in pretrained())
    )


@lru_cache(8)
def _of_name(name, precision):
    return pretrained(name, precision)


def _folder(source, net, output, size, batch_size, alpha, overwrite, progress, options):
    """Paint the pictures in a folder; the paths written."""
    if output is None:
        raise ValueError("a folder of pictures needs output, the folder to write to")
    output = Path(output)
    if (output.exists() and not output.is_dir()) or same_file(output, source):
        raise ValueError(f"output must be another folder. Received: output={str(output)!r}")
    paths = sorted(
        path for path in source.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file()
    )
    if not paths:
        raise ValueError(f"{str(source)!r} has no pictures")
    places = {
        path: output / (path.name if path.suffix.lower() in WRITABLE else path.name + ".png")
        for path in paths
    }
    output.mkdir(parents=True, exist_ok=True)
    for path, place in places.items():
        linked = place.is_symlink() or (
            place.exists() and place.stat().st_nlink > 1
        )  # it may be any of the pictures
        check_output(place, paths if linked else [path], overwrite)
    bar = keras.utils.Progbar(len(paths), unit_name="picture", verbose=int(progress))
    written, waiting = [], []

    def show(*arguments, **keywords):
        with suppress(
            OSError, ValueError, AttributeError
        ):  # nobody reads it: a closed pipe or terminal
            bar.update(*arguments, **keywords)

    def flush():
        painted = paint(net, np.stack([image for _, image, _ in waiting]), **options)
        for (path, _, opacity), image in zip(waiting, painted):
            try:
                save_image(_with_alpha(image, opacity), places[path])
            except Exception as error:
                if getattr(error, "errno", None) is not None:  # the disk is full, or the like
                    raise
                logger.warning(
                    "%s is left out: its painting cannot be written to %s: %s",
                    path,
                    places[path],
                    error,
                )
            else:
                written.append(places[path])
        waiting.clear()

    for number, path in enumerate(paths):
        try:
            keep = alpha == "keep" and WRITABLE.get(path.suffix.lower(), "PNG") in WITH_ALPHA
            image, opacity = load_with_alpha(path, size) if keep else (load_image(path, size), None)
        except (ValueError, OSError, ImportError, MemoryError) as error:
            logger.warning("%s is left out: %s", path, str(error) or type(error).__name__)
        else:
            if waiting and (waiting[0][1].shape != image.shape or len(waiting) == batch_size):
                flush()
            waiting.append((path, image, opacity))
        show(number)
    if waiting:
        flush()
    show(len(paths), finalize=True)
    if not written:
        raise ValueError(
            f"none of the {len(paths)} pictures in {str(source)!r} can be read and painted"
        )
    return written
