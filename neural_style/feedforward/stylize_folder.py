"""All pictures in a folder, painted in one style."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from PIL import Image

from .._shared import types
from .._shared.files import check_output, same_file
from ..images.formats import SUFFIXES, WITH_ALPHA, WRITABLE
from ..images.load import load_image, load_with_alpha
from ..images.save import save_image
from ..universal.one_pass import OnePass
from .network import TransformNet
from .paint import paint

logger = logging.getLogger("neural_style")


@dataclass(frozen=True)
class Photo:
    """A picture of the folder, loaded.

    Attributes:
        path: Its file.
        place: The file to write.
        image: uint8 RGB, H x W x 3.
        opacity: uint8, H x W, or None.
    """

    path: Path
    place: Path
    image: np.ndarray
    opacity: np.ndarray | None


def stylize_folder(
    source: Path,
    net: TransformNet | OnePass,
    output: types.Path | None,
    size: int | None,
    batch_size: int,
    alpha: str,
    overwrite: bool,
    progress: bool,
    options: Mapping[str, Any],
) -> list[Path]:
    """Paint the pictures in a folder, in batches of one size, and return the paths written."""
    places = _places(source, output, overwrite)
    bar = keras.utils.Progbar(len(places), unit_name="picture", verbose=int(progress))
    written: list[Path] = []
    waiting: list[Photo] = []

    def show(*arguments: Any, **keywords: Any) -> None:
        # a closed pipe or terminal, which nobody reads, does not end the work
        with suppress(OSError, ValueError, AttributeError):
            bar.update(*arguments, **keywords)

    for number, (path, place) in enumerate(places.items()):
        photo = _load(path, place, size, alpha)
        if photo is not None:
            if waiting and (
                waiting[0].image.shape != photo.image.shape or len(waiting) == batch_size
            ):
                written += _paint(net, waiting, options)
                waiting.clear()
            waiting.append(photo)
        show(number)
    if waiting:
        written += _paint(net, waiting, options)
    show(len(places), finalize=True)
    if not written:
        raise ValueError(
            f"none of the {len(places)} pictures in {str(source)!r} can be read and painted"
        )
    return written


def with_alpha(image: np.ndarray, opacity: np.ndarray | None) -> Image.Image:
    """Return the PIL.Image of an array, with its alpha if it has one."""
    picture = Image.fromarray(image)
    if opacity is not None:
        picture.putalpha(Image.fromarray(opacity))
    return picture


def _places(source: Path, output: types.Path | None, overwrite: bool) -> dict[Path, Path]:
    """Return {picture in the folder: file to write}, make the output, and check each file."""
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
        # a link may lead to any of the pictures
        linked = place.is_symlink() or (place.exists() and place.stat().st_nlink > 1)
        check_output(place, paths if linked else [path], overwrite)
    return places


def _load(path: Path, place: Path, size: int | None, alpha: str) -> Photo | None:
    """Load a picture, or warn and return None if it cannot be read."""
    try:
        keep = alpha == "keep" and WRITABLE.get(path.suffix.lower(), "PNG") in WITH_ALPHA
        image, opacity = load_with_alpha(path, size) if keep else (load_image(path, size), None)
    except (ValueError, OSError, ImportError, MemoryError) as error:
        logger.warning("%s is left out: %s", path, str(error) or type(error).__name__)
        return None
    return Photo(path, place, image, opacity)


def _paint(
    net: TransformNet | OnePass, photos: list[Photo], options: Mapping[str, Any]
) -> list[Path]:
    """Paint pictures of one size and return the files written; warn of those that cannot be."""
    written = []
    painted = paint(net, np.stack([photo.image for photo in photos]), **options)
    for photo, image in zip(photos, painted):
        try:
            save_image(with_alpha(image, photo.opacity), photo.place)
        except Exception as error:
            if getattr(error, "errno", None) is not None:  # the disk is full, or the like
                raise
            logger.warning(
                "%s is left out: its painting cannot be written to %s: %s",
                photo.path,
                photo.place,
                error,
            )
        else:
            written.append(photo.place)
    return written
