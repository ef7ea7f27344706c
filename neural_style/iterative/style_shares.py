"""Style images and their shares in a blend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._shared.checks import is_finite
from ..losses.loss import layer_weights
from ..losses.style import Share
from ..vgg.feature_network import FeatureNetwork
from .settings import Settings


def checked_styles(style: Any, settings: Settings) -> list[tuple[Any, Share]]:
    """[(picture, share)] of transfer()'s argument `style`, the shares checked.

    Args:
        style: As for transfer(). A share is a number, or style layers, or {style layer: number}.
        settings: Checked.

    Returns:
        The pictures as given; a share is a number or {name in style_layers: number}.

    Raises:
        ValueError: What was expected and what came.
    """
    if style is None:
        return []
    pairs = style if isinstance(style, (list, tuple)) else [style]
    pairs = [pair if isinstance(pair, (list, tuple)) else (pair, 1.0) for pair in pairs]
    if not pairs or not all(len(pair) == 2 for pair in pairs):
        raise ValueError(
            "style must be a picture, or a list of pictures or of (picture, share) pairs"
        )
    network, names = settings.feature_network, list(layer_weights(settings.style_layers))
    pairs = [(image, _share(share, names, network)) for image, share in pairs]
    _check_shares([share for _, share in pairs], names)
    # Python's floats: NumPy's would make float64 of the targets that they multiply, and other
    # pictures in the last bit
    return [
        (
            image,
            (
                {name: float(number) for name, number in share.items()}
                if isinstance(share, dict)
                else float(share)
            ),
        )
        for image, share in pairs
        if isinstance(share, dict) or share > 0
    ]


def _check_shares(shares: list[Any], names: list[str]) -> None:
    """Raise a ValueError unless each layer has shares of at least 0, one of them above."""
    for name in names:
        at_layer = [share.get(name, 0.0) if isinstance(share, dict) else share for share in shares]
        if (
            not all(is_finite(share) and share >= 0 for share in at_layer)
            or not any(at_layer)
            or not is_finite(sum(map(float, at_layer)))
        ):
            layer = (
                f" in layer {name!r}" if any(isinstance(share, dict) for share in shares) else ""
            )
            raise ValueError(
                "the shares of a style blend must be finite, their sum too, at least 0, and one"
                f" above{layer}. Received: {at_layer!r:.200}"
            )


def _share(share: Any, style_layers: list[str], network: FeatureNetwork) -> Any:
    """A share as a number, or as {name in style_layers: number}."""
    if not isinstance(share, (dict, list, tuple)):
        return share
    numbers = share if isinstance(share, Mapping) else dict.fromkeys(share, 1.0)
    network.check_layers(numbers)
    asked = {network.canonical(name): name for name in style_layers}
    strange = [name for name in numbers if network.canonical(name) not in asked]
    if strange:
        raise ValueError(
            f"a style's shares name layers that are not among style_layers: {', '.join(strange)}"
        )
    return {asked[network.canonical(name)]: number for name, number in numbers.items()}
