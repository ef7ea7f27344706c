"""From what a caller gives as a network to a TransformNet."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from .blending import blend
from .network import TransformNet
from .network_file import Precision, load_transform_net, pretrained


def resolve(net: Any, precision: Precision = "float32") -> TransformNet:
    """Return the network that stylize's `net` stands for.

    Args:
        net: A network, the path of a .keras file, the name of a pretrained style, or several of
            these with shares, {net: share} or [(net, share)].
        precision: Of the convolutions of a network that is loaded.

    Raises:
        TypeError: `net` is none of these.
        ValueError: A file, a name or a share is wrong.
        FileNotFoundError: There is no such file.
    """
    if isinstance(net, dict):
        net = [*net.items()]
    if isinstance(net, list) and all(
        isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in net
    ):
        return blend([(resolve(one, precision), share) for one, share in net])
    if isinstance(net, TransformNet):
        return net
    if isinstance(net, (str, os.PathLike)):
        if Path(net).suffix:
            return load_transform_net(net, precision)
        return _of_name(str(net), precision)
    raise TypeError(
        "net must be a transform network, the path of a .keras file, the name of a pretrained"
        " style, or several of these with shares, {net: share} or [(net, share)]. Received:"
        f" {type(net).__name__}"
    )


def is_network(style: Any) -> bool:
    """Return whether `style` names a network (anything that resolve takes), not a painting.

    Args:
        style: A network or a painting, as stylize_video takes them.
    """
    return isinstance(style, (TransformNet, dict)) or (
        isinstance(style, (str, os.PathLike))
        and (Path(style).suffix == ".keras" or str(style) in pretrained())
    )


@lru_cache(8)
def _of_name(name: str, precision: Precision) -> TransformNet:
    """Load a pretrained network once."""
    return pretrained(name, precision)
