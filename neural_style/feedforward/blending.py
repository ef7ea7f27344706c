"""Styles between those of several networks, and several networks as one."""

import math

import keras
import numpy as np
from keras import layers, ops

from .._shared.checks import is_finite
from ..vgg.build import PRECISIONS
from .network import TransformNet, _graph


def parts(net):
    """(encoder, trunk, decoder) of a network: the layers down to a quarter of the size and those up
    from there, each a chain, and what lies between as a keras.Model."""
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


def blend(nets):
    """A network between others: its weights are the weighted mean of theirs.

    Networks that were trained together differ in the scales and offsets of their normalisations
    alone, and a mean of these is a style between (Dumoulin et al. 2017, section 3.2). Those that
    were fine-tuned from one another lie in one valley of the loss, and it works for them too (Wang
    et al. 2019, "Deep Network Interpolation for Continuous Imagery Effect Transition"): the
    pretrained ones were first trained together and then each by itself. Two that were trained apart
    from the start blend to nothing.

    Args:
        nets: [(network, share)], of one width and depth; the shares are brought to the sum 1.
    """
    if not nets or not all(is_finite(share) and share >= 0 for _, share in nets):
        raise ValueError(
            f"shares must be finite numbers, at least 0. Received: {[share for _, share in nets]}"
        )
    nets = [(net, float(share)) for net, share in nets]
    total = sum(share for _, share in nets)
    if not 0 < total < math.inf:
        raise ValueError(
            "shares must have one above 0, and a finite sum. Received:"
            f" {[share for _, share in nets]}"
        )
    shapes = [[w.shape for w in net.weights] for net, _ in nets]
    if any(other != shapes[0] for other in shapes):
        raise ValueError(
            "networks to blend must have one width and depth. Received: "
            f"{[(net.width, net.residual_blocks) for net, _ in nets]}"
        )
    mean = [
        sum(share / total * w for w, (_, share) in zip(ws, nets))
        for ws in zip(*(net.get_weights() for net, _ in nets))
    ]
    record = {"blend": [[net.record, share / total] for net, share in nets]}
    return _with_weights(nets[0][0], mean, record=record)


def join(nets):
    """One network of several that differ in nothing but their instance normalisations (Dumoulin,
    Shlens and Kudlur 2017, "A Learned Representation for Artistic Style"), to train them together.

    Returns:
        A keras.Model: (RGB 0-255, B x H x W x 3, shares of the styles, B x number of nets) -> RGB
        0-255, B x H x W x 3.

    Raises:
        ValueError: networks of several widths or depths, or whose convolutions differ.
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


def separate(joint, net, number):
    """`net`, given the weights of the style of this number from a network that join made."""
    net.set_weights(
        [
            ops.convert_to_numpy(w[number] if w.name in ("gamma", "beta") else w)
            for w in joint.weights
        ]
    )
    return net


def _with_weights(net, weights, **changes):
    changed = TransformNet(**{**net.get_config(), **changes})
    changed.set_weights(weights)
    return changed
