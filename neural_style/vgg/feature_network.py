"""The feature network of a run: VGG by name, or a Keras model of one's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from .extractor import check_extractor, feature_extractor
from .layers import activation_bytes, check_layers, feature_bytes, receptive_fields, smallest_side
from .model import (
    check_model,
    check_outputs,
    model_bytes,
    model_digest,
    model_extractor,
    model_fields,
    sides_must_divide,
)
from .weights import Weights, vgg_weights


@dataclass(frozen=True)
class FeatureNetwork:
    """What transfer() needs to know of its feature network.

    Attributes:
        network: "vgg16", "vgg19", or a keras.Model with named outputs: preprocessed pictures,
            B x H x W x 3 (BGR minus ImageNet's mean) -> {layer: B x h x w x C}.
        weights: See feature_extractor. For VGG alone.
        pooling: See feature_extractor. For VGG alone.
        normalize: See feature_extractor. For VGG alone.
        precision: See feature_extractor. For VGG alone.
        padding: See feature_extractor. For VGG alone.
    """

    network: Any
    weights: Any = "imagenet"
    pooling: Any = "avg"
    normalize: bool = False
    precision: Any = "float32"
    padding: Any = "reflect"

    @property
    def own(self) -> bool:
        """Whether it is a model of the caller's."""
        return not isinstance(self.network, str)

    def check(self) -> None:
        """Raise for options that cannot be right, without loading or building anything."""
        if not self.own:
            check_extractor(self.network, self.weights, self.pooling, self.precision, self.padding)
            return
        check_model(self.network)
        for name in ("weights", "pooling", "normalize", "precision", "padding"):
            if getattr(self, name) != getattr(FeatureNetwork, name):
                raise ValueError(
                    f"{name} is for network='vgg16' and 'vgg19'; a model of your own has its own."
                    f" Received: {name}={getattr(self, name)!r:.200}"
                )

    def check_layers(self, layers: Iterable[str]) -> None:
        """Raise a ValueError that lists the layers there are, for one that there is not."""
        if self.own:
            check_outputs(layers, self.network)
        else:
            check_layers(layers, self.network)

    def canonical(self, layer: str) -> str:
        """The one name of a layer that may have several: block4_conv2 for conv4_2."""
        return layer if self.own else check_layers([layer], self.network)[layer]

    def receptive_fields(self, layers: Iterable[str]) -> dict[str, tuple[int, int]]:
        """What a position of each layer sees: {name: (stride, halo)}, in pixels.

        Raises:
            ValueError: A model with a layer whose view of the picture is not known.
        """
        names = list(layers)
        if not names:
            return {}
        if self.own:
            return model_fields(names, self.network)
        return receptive_fields(names, self.network)

    def geometry(self, layers: Iterable[str]) -> tuple[dict[str, int], int]:
        """How tiles have to be cut: ({name: stride}, the largest halo)."""
        fields = self.receptive_fields(layers) or {"image": (1, 0)}
        strides = {name: stride for name, (stride, _) in fields.items()}
        return strides, max(halo for _, halo in fields.values())

    def exact(self, layers: Iterable[str], shape: Sequence[int]) -> bool:
        """Whether a picture of H x W x 3 can be cut into tiles with the same features."""
        names = list(layers)
        if not self.own or not names:
            return True
        try:
            largest = max(stride for stride, _ in model_fields(names, self.network).values())
            divide = sides_must_divide(names, self.network)
        except ValueError:  # what a position sees is not known
            return False
        return not divide or all(side % largest == 0 for side in shape[:2])

    def refuse_tiles(self, layers: Iterable[str], shape: Sequence[int], tile: Any) -> None:
        """Raise if tiles were asked for, for a picture that cannot be cut.

        Raises:
            ValueError: Tiles were asked for; the message says why they are not possible.
        """
        if tile in (None, "auto"):
            return
        strides = [stride for stride, _ in self.receptive_fields(layers).values()]
        raise ValueError(
            f"tiles need a picture whose sides are multiples of {max(strides)}, the stride of the"
            f" network {self.network.name!r}. Received: {shape[1]} x {shape[0]} pixels"
        )

    def no_tiles(self, layers: Iterable[str]) -> tuple[dict[str, int], int]:
        """geometry() of a network whose pictures are never cut."""
        try:
            return self.geometry(layers)
        except ValueError:  # what a position sees is not known
            return dict.fromkeys(layers, 1), 0

    def smallest_side(self, layers: Iterable[str]) -> int:
        """The least height and width at which each of the layers has a position."""
        names = list(layers)
        if not self.own:
            return smallest_side(names, self.network, self.padding)
        try:
            return max(stride for stride, _ in model_fields(names, self.network).values())
        except ValueError:  # not known
            return 1

    def bytes_per_pixel(self, layers: Iterable[str]) -> float:
        """What all activations up to the deepest of the layers take for a pixel of the picture."""
        names = list(layers)
        if self.own:
            return model_bytes(names, self.network)
        return activation_bytes(names, self.network, self.precision)

    def map_bytes(self, layers: Iterable[str]) -> float:
        """What the features of the layers take for a pixel of the picture."""
        names = list(layers)
        if self.own:
            return model_bytes(names, self.network)  # at most so much
        return feature_bytes(names, self.network, self.precision)

    def parameters(self) -> Weights:
        """The weights and where they come from. Of a model of one's own, only its identity."""
        if self.own:
            return Weights(self.network.name, "model", None, model_digest(self.network), {})
        return vgg_weights(self.network, self.weights)

    def extractor(self, layers: Iterable[str], parameters: Weights) -> keras.Model:
        """The model from preprocessed pictures to the features of the layers."""
        names = list(dict.fromkeys(layers))
        if self.own:
            return model_extractor(names, self.network)
        return feature_extractor(
            names,
            network=self.network,
            weights=parameters,
            pooling=self.pooling,
            normalize=self.normalize,
            precision=self.precision,
            padding=self.padding,
        )
