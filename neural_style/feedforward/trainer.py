"""The losses that train a transform network, as a Keras model."""

from functools import partial
from pathlib import Path

import keras
import numpy as np
from keras import ops

from ..losses.content import content_loss
from ..losses.loss import layer_weights
from ..losses.regularizers import grid_loss, total_variation_loss
from ..losses.style import style_loss
from ..vgg.preprocessing import IMAGENET_MEAN_BGR
from .blending import join, separate
from .network import TransformNet
from .network_file import save_transform_net

#: Johnson et al. 2016, section 4.1. Their style layers count alike; but the relative error of a
#: network's Gram matrices is ten times as large at the last as at the first, and more, so with
#: equal shares it would hardly learn the paint itself, the colours and the strokes.
CONTENT_LAYERS = ("relu3_3",)


STYLE_LAYERS = {"relu1_2": 1.0, "relu2_2": 1.0, "relu3_3": 0.3, "relu4_3": 0.1}


#: A new network's style loss counts this share of its weight at first, and all of it from this part
#: of the steps on: one that knows no photos yet would learn to paint a texture, and stay there.
FIRST_SHARE, RAMP = 0.05, 0.5


class StyleTrainer(keras.Model):
    """Transform networks with the losses that train them; for compile() and fit() with batches of
    photos, RGB 0-255.

        loss = content_weight L_content(net(x), x) + style_weight L_style(net(x), painting) +
        tv_weight TV(net(x)) + grid_weight Grid(net(x))

    Johnson et al. 2016, equations 1 to 5, with the relative errors of losses.content_loss and
    losses.style_loss; and grid_loss. L_style is the mean over `style_scales` sizes: picture and
    painting as they are, at half of that, at a quarter ...: a Gram matrix sees no further than its
    layer's view, and a network that is to paint waves, not only their foam, must be shown them from
    further off. Several networks take the batches in turn; they share all but their instance
    normalisations (Dumoulin et al. 2017), so each learns from all. All is in keras.ops, so it
    trains on any of Keras' backends. save() saves the networks alone: ModelCheckpoint writes files
    that load_transform_net reads; of several networks, to NAME.keras one NAME-STYLE.keras each.

    Args:
        nets: from build_transform_net: one, or a list for the paintings. styles: the painting,
            uint8 RGB, H x W x 3, or a list of them.
        extractor: from feature_extractor, with all the layers. style_scales: sizes at which the
            style is compared, 1: only the pictures' own.
        ramp: batches in which the style loss comes in, from FIRST_SHARE of its weight on; 0: it
            counts at once.
    """

    def __init__(
        self,
        nets,
        styles,
        extractor,
        *,
        content_layers=CONTENT_LAYERS,
        style_layers=STYLE_LAYERS,
        content_weight=1.0,
        style_weight=6.0,
        tv_weight=1e-5,
        grid_weight=0.1,
        style_scales=1,
        scale="relative",
        ramp=0,
    ):
        super().__init__(name="style_trainer")
        nets, styles = (
            [it] if isinstance(it, (keras.Model, np.ndarray)) else [*it] for it in (nets, styles)
        )
        if len(nets) != len(styles):
            raise ValueError(
                f"each network must have its painting. Received: {len(nets)} networks,"
                f" {len(styles)} paintings"
            )
        self.joint, self.records = join(nets), [net.record for net in nets]
        self._net = partial(TransformNet, nets[0].width, nets[0].residual_blocks, nets[0].precision)
        self._weights_of = {
            "content": content_weight,
            "style": style_weight,
            "tv": tv_weight,
            "grid": grid_weight,
        }
        content_extractor, style_extractor = (
            keras.Model(
                extractor.input, {name: extractor.output[name] for name in layer_weights(layers)}
            )
            for layers in (content_layers, style_layers)
        )
        # within functions, the feature network is no part of this model, so neither its checkpoints nor
        # its optimiser take it in
        self._features, self._targets, self._coarse = (
            partial(model.__call__) for model in (extractor, content_extractor, style_extractor)
        )
        self._scales = style_scales

        def target(style, halvings):
            painting = style_extractor(_vgg_input(_smaller(style[None], halvings)))
            return style_loss(
                {name: ops.convert_to_numpy(value) for name, value in painting.items()},
                style_layers,
                scale,
            )

        self._styles = [
            [target(style, halvings) for halvings in range(style_scales)] for style in styles
        ]
        self._content = partial(content_loss, layers=content_layers, scale=scale)
        self._variation = total_variation_loss()
        self._trackers = {name: keras.metrics.Mean(name=name) for name in self._weights_of}
        self._total = _AsItIs(name="total")
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

    def call(self, x, training=False):
        """The batch as the network whose turn it is paints it; or, when not training, as the first
        does, then as the second, and so on.
        """
        number = len(self._styles)
        shares = self._turn()[None] if training else ops.eye(number)
        return self.joint(
            [
                x if training else ops.tile(x, (number, 1, 1, 1)),
                ops.repeat(shares, ops.shape(x)[0], axis=0),
            ]
        )

    def _turn(self):
        """1 for the style of this batch, 0 for the others."""
        return ops.one_hot(self.batches % len(self._styles), len(self._styles))

    def _share(self):
        """What of its weight the style loss counts in this batch."""
        return (
            ops.minimum(
                1.0,
                FIRST_SHARE + (1 - FIRST_SHARE) / self._ramp * ops.cast(self.batches, "float32"),
            )
            if self._ramp
            else 1.0
        )

    def steps_made(self):
        return int(ops.convert_to_numpy(self.batches))

    def nets(self):
        """The networks as they are now, each a TransformNet of its own."""
        return [
            separate(self.joint, self._net(dict(record)), number)
            for number, record in enumerate(self.records)
        ]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum of the four losses, each a mean over the batch; the style's may come in
        by and by.
        """
        if not training and len(self._styles) > 1:
            raise ValueError(
                "several networks have no one loss outside of training: evaluate a StyleTrainer"
                " of one"
            )
        features = self._features(_vgg_input(y_pred))
        styles = 0.0
        for scale in range(self._scales):
            seen = self._coarse(_vgg_input(_smaller(y_pred, scale))) if scale else features
            statistics = self._styles[0][scale].statistics(seen)
            styles += (
                ops.stack([losses[scale].value(statistics) for losses in self._styles])
                / self._scales
            )
        losses = {
            "content": self._content(self._targets(_vgg_input(x)))(features),
            "style": ops.sum(self._turn() * styles),
            "tv": self._variation(features),
            "grid": grid_loss(y_pred),
        }
        for name, loss in losses.items():
            losses[name] = self._weights_of[name] * loss
            self._trackers[name].update_state(losses[name])
        losses["style"] = self._share() * losses["style"]
        if training:
            self.batches.assign(self.batches + 1)
        total = sum(losses.values())
        return self._total(total, total)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """The means so far; between workers, Keras takes the mean of what comes along its first
        axis, so there it needs one.
        """
        means = super().compute_metrics(x, y, y_pred, sample_weight)
        return (
            {name: ops.reshape(mean, (1,)) for name, mean in means.items()}
            if self.several_workers
            else means
        )

    def save(self, filepath, overwrite=True, **kwargs):
        for index, net in enumerate(self.nets()):
            name = f"{Path(filepath).with_suffix('')}-{net.record.get('style', index)}.keras"
            save_transform_net(net, filepath if len(self.records) == 1 else name)


class _AsItIs(keras.losses.Loss):
    """A loss as it is; but where several devices add up their gradients, Keras divides it by their
    number.
    """

    def call(self, y_true, y_pred):
        return ops.reshape(y_pred, (1,))  # to one without an axis, Keras would not do it


def _smaller(x, halvings):
    """The pictures at half their size, so many times over: means of 2 x 2 pixels."""
    x = ops.cast(x, "float32")
    for _ in range(halvings):
        x = ops.average_pool(x, 2, data_format="channels_last")
    return x


def _vgg_input(x):
    """RGB 0-255 -> BGR minus ImageNet's mean: images.preprocess for tensors."""
    return ops.flip(ops.cast(x, "float32"), -1) - IMAGENET_MEAN_BGR
