"""Styles between those of several networks, and several networks as one."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from .._shared.checks import shares
from ..vgg.build import PRECISIONS
from .network import TransformNet, _graph


def parts(net: TransformNet) -> tuple[list[Any], keras.Model, list[Any]]:
    """Return (encoder, trunk, decoder) of a network.

    The encoder is the chain of layers down to a quarter of the size, the decoder that of the layers
    up from there. The trunk, a keras.Model, lies between them.
    """
    convolutions = [layer for layer in net.layers if isinstance(layer, layers.Conv2D)]
    first, last = (
        net.layers.index(convolutions[2]),
        next(i for i, layer in enumerate(net.layers) if isinstance(layer, layers.UpSampling2D)),
    )
    return (
        net.layers[1 : first + 1],
        keras.Model(net.layers[first].output, net.layers[last].input),
        net.layers[last:-1],
    )


def blend(nets: Sequence[tuple[TransformNet, float]]) -> TransformNet:
    """Return a network between others: its weights are the weighted mean of theirs.

    Networks that were trained together differ in the scales and offsets of their normalizations
    alone, and a mean of these is a style between them (Dumoulin et al. 2017, section 3.2). Networks
    that were fine-tuned from one another lie in one valley of the loss, so the mean works for them,
    too (Wang et al. 2019, "Deep Network Interpolation for Continuous Imagery Effect Transition").
    The pretrained networks were first trained together and then each by itself. Two networks that
    were trained apart from the start blend to nothing.

    Args:
        nets: [(network, share)], all of one width and depth. The shares are divided by their sum.

    Returns:
        A new network; its record names the networks and their shares.

    Raises:
        ValueError: A share is negative or not finite, all shares are 0, or the networks have
            several widths or depths.
    """
    parts = shares([share for _, share in nets])
    shapes = [[w.shape for w in net.weights] for net, _ in nets]
    if any(other != shapes[0] for other in shapes):
        raise ValueError(
            "networks to blend must have one width and depth. Received: "
            f"{[(net.width, net.residual_blocks) for net, _ in nets]}"
        )
    mean = [
        sum(share * w for w, share in zip(ws, parts))
        for ws in zip(*(net.get_weights() for net, _ in nets))
    ]
    record = {"blend": [[net.record, share] for (net, _), share in zip(nets, parts)]}
    return with_weights(nets[0][0], mean, record=record)


def join(nets: Sequence[TransformNet]) -> keras.Model:
    """Make one network of several that differ in their instance normalizations alone.

    So they can be trained together (Dumoulin, Shlens and Kudlur 2017, "A Learned Representation for
    Artistic Style").

    Args:
        nets: The networks, at least one.

    Returns:
        A keras.Model: (RGB 0-255, B x H x W x 3, shares of the styles, B x number of nets) -> RGB
        0-255, B x H x W x 3.

    Raises:
        ValueError: The networks have several widths or depths, or their convolutions differ.
    """
    first = nets[0]
    if any(
        (net.width, net.residual_blocks) != (first.width, first.residual_blocks) for net in nets
    ):
        raise ValueError(
            "networks to train together must have one width and depth. Received: "
            f"{[(net.width, net.residual_blocks) for net in nets]}"
        )
    joint = keras.Model(
        *_graph(first.width, first.residual_blocks, PRECISIONS[first.precision], len(nets))
    )
    weights = []
    for variable, *of_nets in zip(joint.weights, *(net.get_weights() for net in nets), strict=True):
        if variable.name in ("gamma", "beta"):
            weights.append(np.stack(of_nets))
        elif all(np.array_equal(of_nets[0], other) for other in of_nets[1:]):
            weights.append(of_nets[0])
        else:
            raise ValueError(
                "networks to train together must have the same convolutions, as those that were"
                f" trained together have. Received: different values of {variable.path}"
            )
    joint.set_weights(weights)
    return joint


def separate(joint: keras.Model, net: TransformNet, number: int) -> TransformNet:
    """Give `net` the weights of one style of a network from join, and return it.

    Args:
        joint: A network from join.
        net: A network of its width and depth.
        number: Which of the networks that were joined, from 0.
    """
    net.set_weights(
        [
            ops.convert_to_numpy(w[number] if w.name in ("gamma", "beta") else w)
            for w in joint.weights
        ]
    )
    return net


def with_weights(net: TransformNet, weights: Sequence[np.ndarray], **changes: Any) -> TransformNet:
    """Return a network with other weights, and with these changes of its configuration."""
    changed = TransformNet(**{**net.get_config(), **changes})
    changed.set_weights(weights)
    return changed
