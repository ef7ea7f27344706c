"""The losses that train a transform network, as a Keras model."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from .._shared import types
from ..losses.content import content_loss
from ..losses.loss import layer_weights
from ..losses.regularizers import grid_loss, total_variation_loss
from ..losses.term import Term
from .blending import join, separate
from .network import TransformNet
from .network_file import save_transform_net
from .trainer_losses import (
    CONTENT_LAYERS,
    LOSS_WEIGHTS,
    STYLE_LAYERS,
    LossAsGiven,
    checked_weights,
    grown_share,
    one_number,
    style_target,
    styles_over_sizes,
    vgg_input,
)
from .training_terms import TrainingStage, check_training_terms, losses_of


class StyleTrainer(keras.Model):
    """Transform networks with the losses that train them, for compile() and fit().

    fit() takes batches of photos, RGB 0-255, B x H x W x 3.

        loss = w_content L_content(net(x), x) + w_style L_style(net(x), painting)
            + w_tv TV(net(x)) + w_grid Grid(net(x)) + sum_t weight_t L_t(net(x))

    Johnson et al. 2016, equations 1 to 5, with the relative errors of losses.content_loss and
    losses.style_loss; and grid_loss; and the terms of your own. L_style is the mean over
    `style_scales` sizes: picture and painting as they are, at half of that, at a quarter, and so
    on. A Gram matrix sees no further than its layer's view, so a network that is to paint waves,
    not only their foam, must see the waves from further off.

    Several networks take the batches in turn. They share all but their instance normalizations
    (Dumoulin et al. 2017), so each learns from all batches. All of the losses are in keras.ops, so
    a trainer works on each of Keras' backends. save() saves the networks alone, so ModelCheckpoint
    writes files that load_transform_net reads: of several networks, for NAME.keras one
    NAME-STYLE.keras each.

    Args:
        nets: A network from build_transform_net, or a list of them, one for each painting.
        styles: The painting, uint8 RGB, H x W x 3, or a list of them.
        extractor: A network from feature_extractor with all the layers of the losses and terms.
        content_layers: Layers of the content loss: names, or {name: weight}.
        style_layers: Layers of the style loss: names, or {name: weight}.
        loss_weights: {"content", "style", "tv", "grid": weight}; one that is left out is that of
            LOSS_WEIGHTS.
        style_scales: At how many sizes the style is compared; 1: only at the pictures' own.
        scale: Scale of the content and style errors, as losses.style_loss has it.
        ramp: Over how many batches the style loss grows from FIRST_SHARE of its weight to all of
            it; 0: it has all of its weight at once.
        terms: Further losses of the painted pictures; see Term.
        shape: Of the batches, for the terms; None stands for what is not known.

    Raises:
        TypeError: A term is no term.
        ValueError: The networks do not fit each other or the paintings, or a term is wrong.
    """

    def __init__(
        self,
        nets: TransformNet | Sequence[TransformNet],
        styles: np.ndarray | Sequence[np.ndarray],
        extractor: keras.Model,
        *,
        content_layers: types.Layers = CONTENT_LAYERS,
        style_layers: types.Layers = STYLE_LAYERS,
        loss_weights: Mapping[str, float] = LOSS_WEIGHTS,
        style_scales: int = 1,
        scale: str = "relative",
        ramp: float = 0,
        terms: Sequence[Term] = (),
        shape: tuple[int | None, ...] = (None, None, None, 3),
    ) -> None:
        super().__init__(name="style_trainer")
        terms = check_training_terms(terms)
        nets = [nets] if isinstance(nets, keras.Model) else [*nets]
        styles = [styles] if isinstance(styles, np.ndarray) else [*styles]
        if len(nets) != len(styles):
            raise ValueError(
                f"each network must have its painting. Received: {len(nets)} networks,"
                f" {len(styles)} paintings"
            )
        stage = TrainingStage(shape, None, [(style, 1.0) for style in styles], extractor)
        self._terms = losses_of(terms, stage, extractor.output)
        self.joint, self.records = join(nets), [net.record for net in nets]
        self._net = partial(TransformNet, nets[0].width, nets[0].residual_blocks, nets[0].precision)
        self._weights_of = {
            **LOSS_WEIGHTS,
            **checked_weights(loss_weights),
            **{term.name: float(term.weight) for term in terms},
        }
        content_extractor, style_extractor = (
            keras.Model(
                extractor.input, {name: extractor.output[name] for name in layer_weights(layers)}
            )
            for layers in (content_layers, style_layers)
        )
        # within functions, the feature network is no part of this model, so neither its checkpoints
        # nor its optimizer take it in
        self._features, self._targets, self._coarse = (
            partial(model.__call__) for model in (extractor, content_extractor, style_extractor)
        )
        self._styles = [
            [
                style_target(style, style_extractor, style_layers, scale, halvings)
                for halvings in range(style_scales)
            ]
            for style in styles
        ]
        self._content = partial(content_loss, layers=content_layers, scale=scale)
        self._variation = total_variation_loss()
        self._trackers = {name: keras.metrics.Mean(name=name) for name in self._weights_of}
        self._total = LossAsGiven(name="total")
        self._ramp = ramp
        self.batches = self.add_weight(
            shape=(),
            dtype="int32",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
            name="batches",
        )
        self.several_workers = False

    def call(self, x: types.Tensor, training: bool = False) -> types.Tensor:
        """Paint a batch by the network whose turn it is; when not training, by each in turn.

        Args:
            x: Photos, RGB 0-255, B x H x W x 3.
            training: Whether this is a step of the training.

        Returns:
            Pictures, RGB 0-255, B x H x W x 3; when not training, B for each network.
        """
        number = len(self._styles)
        shares = self._turn()[None] if training else ops.eye(number)
        return self.joint(
            [
                x if training else ops.tile(x, (number, 1, 1, 1)),
                ops.repeat(shares, ops.shape(x)[0], axis=0),
            ]
        )

    def steps_made(self) -> int:
        """Return how many batches the networks have seen."""
        return int(ops.convert_to_numpy(self.batches))

    def nets(self) -> list[TransformNet]:
        """Return the networks as they are now, each a TransformNet of its own."""
        return [
            separate(self.joint, self._net(dict(record)), number)
            for number, record in enumerate(self.records)
        ]

    def compute_loss(
        self,
        x: types.Tensor = None,
        y: types.Tensor = None,
        y_pred: types.Tensor = None,
        sample_weight: types.Tensor = None,
        training: bool = True,
    ) -> types.Tensor:
        """Return the weighted sum of the losses, each a mean over the batch.

        Args:
            x: Photos, RGB 0-255, B x H x W x 3.
            y: Not used.
            y_pred: The photos as painted, RGB 0-255, B x H x W x 3.
            sample_weight: Not used.
            training: Whether this is a step of the training.

        Raises:
            ValueError: There are several networks, and this is no step of the training.
        """
        if not training and len(self._styles) > 1:
            raise ValueError(
                "several networks have no one loss outside of training: evaluate a StyleTrainer"
                " of one"
            )
        features = self._features(vgg_input(y_pred))
        losses = {
            "content": self._content(self._targets(vgg_input(x)))(features),
            "style": ops.sum(
                self._turn() * styles_over_sizes(self._styles, self._coarse, y_pred, features)
            ),
            "tv": self._variation(features),
            "grid": grid_loss(y_pred),
            **{name: one_number(name, term(features)) for name, term in self._terms.items()},
        }
        for name, loss in losses.items():
            losses[name] = self._weights_of[name] * loss
            self._trackers[name].update_state(losses[name])
        losses["style"] = grown_share(self.batches, self._ramp) * losses["style"]
        if training:
            self.batches.assign(self.batches + 1)
        total = sum(losses.values())
        return self._total(total, total)

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> Mapping[str, types.Tensor]:
        """Return the means of the losses so far; the arguments are Keras' own.

        Between workers, Keras takes the mean along the first axis, so there a mean needs one.
        """
        means = super().compute_metrics(x, y, y_pred, sample_weight)
        return (
            {name: ops.reshape(mean, (1,)) for name, mean in means.items()}
            if self.several_workers
            else means
        )

    def save(self, filepath: types.Path, overwrite: bool = True, **kwargs: Any) -> None:
        """Write the networks: one to `filepath`, several to NAME-STYLE.keras each.

        Args:
            filepath: NAME.keras.
            overwrite: Not used: a file of this name is replaced.
            **kwargs: Not used.
        """
        for index, net in enumerate(self.nets()):
            name = f"{Path(filepath).with_suffix('')}-{net.record.get('style', index)}.keras"
            save_transform_net(net, filepath if len(self.records) == 1 else name)

    def _turn(self) -> types.Tensor:
        """Return 1 for the style of this batch, 0 for the others."""
        return ops.one_hot(self.batches % len(self._styles), len(self._styles))
