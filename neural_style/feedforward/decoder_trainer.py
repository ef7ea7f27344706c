"""The losses that train decoders, as a Keras model."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

import keras
from keras import ops

from .._shared import types
from ..losses.statistics import gram_matrix
from ..universal.decoder import build_decoder
from ..universal.transport import FLOOR
from .trainer_losses import LossAsGiven, vgg_input

#: The largest squared difference of two pixels.
PEAK = 255.0**2


class DecoderTrainer(keras.Model):
    """Decoders with the losses that train them, for compile() and fit().

    fit() takes batches of pictures, RGB 0-255, B x H x W x 3, sides multiples of 8.

        loss = sum_l  mean (D_l(F_l(x)) - x)^2 / 255^2
               + moved_weight sum_l  (|F_l(y_l) - T F_l(x)|^2 / |T F_l(x)|^2
                                      + sum_k<=l |G_k(y_l) - G_k(s)|^2 / |G_k(s)|^2 / K)

    F_l are VGG16's features at layer l, D_l is its decoder, x the pictures. A layer's first loss L
    is logged; its peak signal-to-noise ratio is -10 log10 L decibels.

    The second line is for what the decoders are used for: T is the transport map from the batch's
    features to those of its first picture s, y_l = D_l(T F_l(x)). Mapped features are no picture's.
    So the picture y_l is to have features as near to them as a picture's can be, and the Gram
    matrices G_k of s at the K layers up to l.

    Args:
        extractor: A network from feature_extractor with the layers of the decoders.
        levels: The layers, from the first to the deepest.
        seed: Seeds the decoders' first weights.
        moved_weight: Weight of the loss of mapped features. 0: they are not computed.
        precision: Of the decoders' convolutions.
    """

    def __init__(
        self,
        extractor: keras.Model,
        levels: Sequence[str],
        seed: int = 0,
        moved_weight: float = 0.0,
        precision: Literal["float32", "bfloat16"] = "float32",
    ) -> None:
        super().__init__(name="decoder_trainer")
        self.levels, self.moved_weight = tuple(levels), moved_weight
        self.decoders = {level: build_decoder(level, seed, precision) for level in levels}
        inputs = {level: decoder.input for level, decoder in self.decoders.items()}
        self.joint = keras.Model(
            inputs, {level: decoder.output for level, decoder in self.decoders.items()}
        )
        # within functions, the feature network is no part of this model, so neither its
        # checkpoints nor its optimizer take it in
        self._features = {
            level: partial(
                keras.Model(
                    extractor.input,
                    {below: extractor.output[below] for below in self._up_to(level)},
                ).__call__
            )
            for level in levels
        }
        self._trackers = {name: keras.metrics.Mean(name=name) for name in self._names()}
        self._total = LossAsGiven(name="total")
        self.batches = self.add_weight(
            shape=(), dtype="int32", initializer="zeros", trainable=False, name="batches"
        )

    def call(self, x: types.Tensor, training: bool = False) -> dict[str, Any]:
        """Reconstruct pictures from their features.

        Args:
            x: RGB 0-255, B x H x W x 3.
            training: Not used.

        Returns:
            {"pictures": {layer: BGR minus ImageNet's mean, B x H x W x 3}, "features": {layer: B x
            h x w x C}}.
        """
        features = self._features[self.levels[-1]](vgg_input(x))
        return {"pictures": self.joint(features), "features": features}

    def steps_made(self) -> int:
        """Return how many batches the decoders have seen."""
        return int(ops.convert_to_numpy(self.batches))

    def compute_loss(
        self,
        x: types.Tensor = None,
        y: types.Tensor = None,
        y_pred: Any = None,
        sample_weight: types.Tensor = None,
        training: bool = True,
    ) -> types.Tensor:
        """Return the sum of the losses.

        Args:
            x: Pictures, RGB 0-255, B x H x W x 3.
            y: Not used.
            y_pred: Their reconstructions and features, from call().
            sample_weight: Not used.
            training: Whether this is a step of the training.
        """
        losses = {
            level: ops.mean(ops.square(y_pred["pictures"][level] - vgg_input(x))) / PEAK
            for level in self.levels
        }
        if self.moved_weight:
            for level in self.levels:
                loss = self._moved(level, y_pred["features"])
                losses[f"moved_{level}"] = self.moved_weight * loss
        for name, loss in losses.items():
            self._trackers[name].update_state(loss)
        if training:
            self.batches.assign(self.batches + 1)
        total = sum(losses.values())
        return self._total(total, total)

    def _moved(self, level: str, features: Mapping[str, types.Tensor]) -> types.Tensor:
        """The loss of one layer's mapped features."""
        moved = ops.stop_gradient(transported(features[level]))
        found = self._features[level](self.decoders[level](moved))
        off = ops.cast(found[level], "float32") - moved
        loss = ops.mean(ops.square(off)) / ops.mean(ops.square(moved))
        below = self._up_to(level)
        for name in below:
            target = gram_matrix(features[name][:1])
            apart = ops.mean(ops.sum(ops.square(gram_matrix(found[name]) - target), axis=(1, 2)))
            loss += apart / ops.sum(ops.square(target)) / len(below)
        return loss

    def _up_to(self, level: str) -> tuple[str, ...]:
        return self.levels[: self.levels.index(level) + 1]

    def _names(self) -> list[str]:
        """The names of the losses."""
        moved = [f"moved_{level}" for level in self.levels] if self.moved_weight else []
        return [*self.levels, *moved]


def transported(f: types.Tensor) -> types.Tensor:
    """Features mapped to the mean and covariance of those of the batch's first picture.

    This is universal.transport.transport_map, for tensors.

    Args:
        f: B x h x w x C.

    Returns:
        B x h x w x C.
    """
    f = ops.cast(f, "float32")
    mean, covariance = _normal(f)
    target_mean, target = _normal(f[:1])
    values, vectors = ops.linalg.eigh(covariance)
    values = ops.maximum(values, FLOOR * values[-1] + 1e-12)
    root = ops.matmul(vectors * ops.sqrt(values), ops.transpose(vectors))
    inverse = ops.matmul(vectors / ops.sqrt(values), ops.transpose(vectors))
    between = ops.matmul(root, ops.matmul(target, root))
    values, vectors = ops.linalg.eigh((between + ops.transpose(between)) / 2)
    middle = ops.matmul(vectors * ops.sqrt(ops.maximum(values, 0.0)), ops.transpose(vectors))
    matrix = ops.matmul(inverse, ops.matmul(middle, inverse))
    return ops.matmul(f - mean, matrix) + target_mean


def _normal(f: types.Tensor) -> tuple[types.Tensor, types.Tensor]:
    """Mean and covariance of features over a batch."""
    flat = ops.reshape(f, (-1, f.shape[-1]))  # (B h w) x C
    mean = ops.mean(flat, axis=0)
    centered = flat - mean
    count = ops.cast(ops.shape(flat)[0], flat.dtype)
    return mean, ops.matmul(ops.transpose(centered), centered) / count
