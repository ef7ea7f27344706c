"""A painting's moments in a small file, to be given in the painting's place."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from .._shared.checks import count
from .._shared.files import check_output, whole_or_not
from .._shared.npz import read_npz
from .._shared.types import Path, Picture
from ..images.load import load_image
from ..vgg.preprocessing import preprocess
from .passes import PASSES, Moments, moments_of
from .transport import Normal


def save_moments(painting: Picture, output: Path, size: int = 512) -> Moments:
    """Write the moments of a painting's features to a file, which stylize takes in its place.

    Args:
        painting: Whatever load_image takes.
        output: The .npz file to write; it appears whole or not at all.
        size: Longer side of the painting in pixels; larger gives larger strokes.

    Returns:
        The moments: {pass: Normal}.

    Raises:
        ValueError: The painting or the name cannot be right.
        FileNotFoundError: There is no such painting, or no such folder.
    """
    if not str(output).endswith(".npz"):
        raise ValueError(f"output must end in .npz. Received: output={str(output)!r}")
    check_output(output, [painting])
    moments = moments_of(preprocess(load_image(painting, count("size", size)))[0])
    arrays: dict[str, Any] = {}
    for key, normal in moments.items():
        upper = np.triu_indices(len(normal.mean))
        arrays[f"{key}/mean"] = normal.mean.astype("float32")
        arrays[f"{key}/covariance"] = normal.covariance[upper].astype("float32")
    found = io.BytesIO()
    np.savez_compressed(found, **arrays)
    with whole_or_not(output) as file:
        file.write(found.getbuffer())
    return moments


def load_moments(path: Path) -> Moments:
    """Read the moments in a file, which may be damaged or come from a stranger.

    Args:
        path: From save_moments.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not a file of moments.
    """
    shapes: dict[str, Any] = {}
    for one in PASSES:
        c = one.channels
        shapes[f"{one.key}/mean"], shapes[f"{one.key}/covariance"] = (c,), (c * (c + 1) // 2,)
    arrays = read_npz(path, shapes)
    if not all(array.dtype == np.float32 and np.isfinite(array).all() for array in arrays.values()):
        raise ValueError(f"{str(path)!r} holds numbers that are no moments")
    moments = {}
    for one in PASSES:
        upper = np.triu_indices(one.channels)
        covariance = np.zeros((one.channels, one.channels))
        covariance[upper] = arrays[f"{one.key}/covariance"]
        covariance = covariance + np.triu(covariance, 1).T
        moments[one.key] = Normal(arrays[f"{one.key}/mean"].astype("float64"), covariance)
    return moments
