"""From what a caller gives as a network or a painting to what paints."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..images.formats import SUFFIXES
from ..universal.one_pass import OnePass
from .blending import blend
from .network import TransformNet
from .network_file import Precision, load_transform_net, pretrained


def resolve(
    net: Any,
    precision: Precision = "float32",
    *,
    strength: float = 1.0,
    style_scale: float = 1.0,
    masks: Any = None,
) -> TransformNet | OnePass:
    """Return the network that stylize's `net` stands for, or the paintings as a OnePass.

    Args:
        net: A network, the path of a .keras file, the name of a pretrained style, or several of
            these with shares, {net: share} or [(net, share)]; or paintings, as OnePass takes them.
        precision: Of the convolutions of a network that is loaded.
        strength: Of paintings; see OnePass.
        style_scale: Of paintings; see OnePass.
        masks: Of paintings; see OnePass.

    Raises:
        TypeError: `net` is none of these, or a network was given what only paintings take.
        ValueError: A file, a name or a share is wrong.
        FileNotFoundError: There is no such file.
    """
    if isinstance(net, OnePass):
        return net
    if has_paintings(net):
        return OnePass(net, strength, style_scale, masks)
    if style_scale != 1 or masks is not None:
        raise TypeError(
            "style_scale and masks go with paintings; a network has learned the size of its"
            " strokes, and paints all of a picture"
        )
    return resolve_network(net, precision)


def resolve_network(net: Any, precision: Precision = "float32") -> TransformNet:
    """Return the network that a caller means: resolve without paintings."""
    if isinstance(net, dict):
        net = [*net.items()]
    if isinstance(net, list) and all(
        isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in net
    ):
        return blend([(_network(one, precision), share) for one, share in net])
    return _network(net, precision)


def is_network(style: Any) -> bool:
    """Return whether `style` names a network, not a painting.

    Args:
        style: A network or a painting, as stylize_video takes them.
    """
    return (isinstance(style, (TransformNet, dict)) and not has_paintings(style)) or (
        isinstance(style, (str, os.PathLike))
        and (Path(style).suffix == ".keras" or str(style) in pretrained())
    )


def has_paintings(style: Any) -> bool:
    """Return whether `style` is a painting, or has one among several."""
    if isinstance(style, dict):
        return any(map(has_paintings, style))
    if isinstance(style, (list, tuple)):
        return any(
            has_paintings(one[0] if isinstance(one, (list, tuple)) and one else one)
            for one in style
        )
    if isinstance(style, (str, os.PathLike)):
        return Path(style).suffix.lower() in (*SUFFIXES, ".npz")
    return isinstance(style, (np.ndarray, Image.Image))


def paths_in(style: Any) -> list[Any]:
    """List the pictures and networks of a style or network without their shares.

    An output must not replace one of these. The list may also hold arrays and numbers, which are no
    paths.
    """
    return (
        [path for one in style for path in paths_in(one)]
        if isinstance(style, (dict, list, tuple))
        else [style]
    )


def _network(net: Any, precision: Precision) -> TransformNet:
    """One network, by itself."""
    if isinstance(net, TransformNet):
        return net
    if isinstance(net, (str, os.PathLike)):
        if Path(net).suffix:
            return load_transform_net(net, precision)
        return _of_name(str(net), precision)
    raise TypeError(
        "net must be a transform network, the path of a .keras file, the name of a pretrained"
        " style, a painting, or several of these with shares, {net: share} or [(net, share)]."
        f" Received: {type(net).__name__}"
    )


@lru_cache(8)
def _of_name(name: str, precision: Precision) -> TransformNet:
    """Load a pretrained network once."""
    return pretrained(name, precision)
