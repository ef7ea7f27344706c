"""How a transform network is trained: Keras' fit, on the losses of this library, over a folder of
photos.
"""

import io
import logging
import math
import os
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path

import keras
import numpy as np
from keras import ops

from . import __version__
from .backup import Backup, claim, last_losses, steps_done
from .checks import count, file_name, flag, number
from .checks import layers as checked_layers
from .features import check_extractor, check_layers, feature_extractor, smallest_side
from .files import only_user
from .images import IMAGENET_MEAN_BGR, load_image, save_image
from .losses import content_loss, layer_weights, style_loss, total_variation_loss
from .muon import Muon
from .photos import Photos, rounds
from .record import digest
from .transform_net import (
    LEAST_SIDE,
    TransformNet,
    build_transform_net,
    check_network_path,
    check_scale,
    join,
    save_transform_net,
    separate,
)
from .weights import load_weights

#: Johnson et al. 2016, section 4.1. Their style layers count alike; but the relative error of a
#: network's Gram matrices is ten times as large at the last as at the first, and more, so with
#: equal shares it would hardly learn the paint itself, the colours and the strokes.
CONTENT_LAYERS = ("relu3_3",)
STYLE_LAYERS = {"relu1_2": 1.0, "relu2_2": 1.0, "relu3_3": 0.3, "relu4_3": 0.1}

#: Steps of what Keras calls an epoch: a backup and a line of the log are made after each.
EPOCH = 50

#: A new network's style loss counts this share of its weight at first, and all of it from this part
#: of the steps on: one that knows no photos yet would learn to paint a texture, and stay there.
FIRST_SHARE, RAMP = 0.05, 0.5

#: More of crop, batch_size, steps and style_scales is a mistake, and beyond what TensorFlow's
#: integers take.
MOST_CROP, MOST_BATCH, MOST_STEPS, MOST_SCALES = 1 << 14, 1 << 14, 10**9, 16

#: Norm to which a step's gradient is cut. Nearly all are longer: each batch counts alike, else one
#: flat crop, whose gradient the normalisations make twenty times as long as the others', has the
#: momentum for itself for a hundred steps, and Adam's variance for a thousand.
CLIP = 1.0

logger = logging.getLogger("neural_style")


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
        error="relative",
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
        # within functions, the feature network is no part of this model, so neither its backups nor
        # its optimiser take it in
        self._features, self._targets, self._coarse = (
            partial(model.__call__) for model in (extractor, content_extractor, style_extractor)
        )
        self._scales = style_scales

        def target(style, scale):
            painting = style_extractor(_vgg_input(_smaller(style[None], scale)))
            return style_loss(
                {name: ops.convert_to_numpy(value) for name, value in painting.items()},
                style_layers,
                error,
            )

        self._styles = [[target(style, scale) for scale in range(style_scales)] for style in styles]
        self._content = partial(content_loss, layers=content_layers, error=error)
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


def grid_loss(y):
    """Mean square of the pattern of 4 x 4 pixels that repeats all over a picture, in squared grey
    levels; of B x H x W x C, the mean over B.

        p_ij = mean of y_(4m+i, 4n+j) over m and n,   Grid = mean_ij (p_ij - mean p)^2,   each channel by itself

    Two upsamplings to nearest neighbours treat the 16 places of such a square differently, so a
    network can leave a pattern there: a cheap source of the painting's fine grain, to which the
    style loss is blind, for a Gram matrix does not know where anything is.
    """
    height, width = (side // 4 * 4 for side in ops.shape(y)[1:3])
    pattern = ops.mean(
        ops.reshape(y[:, :height, :width], (-1, height // 4, 4, width // 4, 4, y.shape[-1])),
        axis=(1, 3),
    )
    return ops.mean((pattern - ops.mean(pattern, axis=(1, 2), keepdims=True)) ** 2)


class _Stop(keras.callbacks.Callback):
    """Ends the training after so many steps, be they no whole number of epochs."""

    def __init__(self, steps):
        super().__init__()
        self.left = steps

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            self.model.stop_training = True


class _Finite(keras.callbacks.Callback):
    """Ends a training whose losses or weights are no longer finite, before a backup takes them in;
    and knows the last ones that were.
    """

    def __init__(self):
        super().__init__()
        self._last = None

    def on_epoch_end(self, epoch, logs=None):
        strange, weights = (
            [name for name, value in logs.items() if not np.isfinite(value).all()],
            self.model.joint.get_weights(),
        )
        if not strange and not all(np.isfinite(w).all() for w in weights):
            strange = ["a weight"]
        if strange:
            raise FloatingPointError(
                f"the training has diverged: {', '.join(strange)} not finite in epoch {epoch + 1}"
                f" of {EPOCH} steps; a lower learning_rate may help"
            )
        self._last = self.model.steps_made(), weights

    def rescue(self, trainer, diverged):
        """Whether the trainer has trained networks of finite weights; of one that has diverged,
        those after its last good epoch.
        """
        if not diverged and all(np.isfinite(w).all() for w in trainer.joint.get_weights()):
            return trainer.steps_made() > 0
        if self._last is not None:
            trainer.batches.assign(self._last[0])
            trainer.joint.set_weights(self._last[1])
        return self._last is not None


class _AsItIs(keras.losses.Loss):
    """A loss as it is; but where several devices add up their gradients, Keras divides it by their
    number.
    """

    def call(self, y_true, y_pred):
        return ops.reshape(y_pred, (1,))  # to one without an axis, Keras would not do it


class _MuonOnAll(Muon):
    """On several devices, it cuts the gradient of the whole batch; Keras cuts each device's own,
    and then adds them up.
    """

    def apply(self, grads, trainable_variables=None):
        import tensorflow as tf

        return super().apply(
            tf.distribute.get_replica_context().all_reduce("mean", list(grads)), trainable_variables
        )


def train_transform_net(
    style,
    photos,
    output=None,
    *,
    width=16,
    residual_blocks=5,
    crop=256,
    batch_size=4,
    steps=2000,
    style_size=512,
    network="vgg16",
    weights="imagenet",
    pooling="avg",
    normalize=False,
    content_layers=CONTENT_LAYERS,
    style_layers=STYLE_LAYERS,
    content_weight=1.0,
    style_weight=6.0,
    tv_weight=1e-5,
    grid_weight=0.1,
    style_scales=1,
    learning_rate=3e-3,
    start=None,
    name=None,
    licence="",
    precision="float32",
    strategy=None,
    backup=None,
    callbacks=(),
    seed=0,
    progress=True,
):
    """Train a network that paints any photo in the style of one painting, or one for each of
    several at once.

    Args:
        style: the painting: a path, a PIL.Image or a uint8 array. Or {name: painting}: their
            networks take the batches in turn and differ in their instance normalisations alone, so
            each learns from the others' batches, and blend() finds the styles between.
        photos: a folder, searched through, of at least a few hundred pictures; or a
            tf.data.Dataset, such as keras.utils.image_dataset_from_directory(labels=None) makes, or
            a keras.utils.PyDataset, of batches of RGB 0-255, batch x crop x crop x 3; it is taken
            round and round.
        output: the .keras file to write, of several styles the folder for NAME.keras; None: only
            return the network. Written also when Ctrl-C or the stop button ends the training;
            .record["steps"] has the steps that were made.
        width, residual_blocks: of the network; see build_transform_net.
        crop, batch_size: of the training pictures, in pixels; each is a random part of a photo at a
            random scale, half of them mirrored. Photos with a side below crop are left out.
        steps: batches. style_size: longer side of the painting in pixels; larger gives larger
            strokes.
        network, weights, pooling, normalize: of the feature network, see feature_extractor.
        content_layers, style_layers, content_weight, style_weight, tv_weight, grid_weight,
            style_scales: of the losses, see StyleTrainer.
        learning_rate: Muon's at the start, see muon.Muon; it falls to 0 along a cosine.
        start: a network to go on from, {name: network} where each style has its own, or None for a
            new one; much faster where it knows another style already.
        name: of the one style, for the file's record (the file's name). licence: of the paintings,
            likewise.
        precision: "bfloat16" for the network's and the features' convolutions.
        strategy: a tf.distribute.Strategy; batch_size is that of all devices together.
        backup: a folder of its own for the state of the training and for log.csv, the losses; one
            training at a time may use it. A killed training that is started again with the same
            arguments goes on after the last 50 steps that were whole, with the photos that would
            have come (of a dataset: if it gives the same ones each time). Where the disk is full, a
            warning says what could not be written, and the training goes on.
        callbacks: further keras.callbacks: ModelCheckpoint (the network so far), CSVLogger,
            TensorBoard, Preview ... A new network's style loss comes in by and by, so "loss" says
            little before half of the steps are done; "style" and "content" are logged whole.
        seed: of the first weights, the order of the photos and their crops.

    Returns:
        The trained network, a keras.Model; its .record tells how it came about. Of several styles
        {name: network}; the losses in their records are the means over all of them.

    Raises:
        TypeError, ValueError, FileNotFoundError: an argument that cannot be right, a folder without
            a usable picture.
        RuntimeError: another training uses the backup.
        FloatingPointError: the losses or the weights are no longer finite.

    An exception that ends the training on its way, or that a full disk raises at its end, has what
    would have been returned, as far as it was trained, in its .result; of networks that are no
    longer finite, those after the last 50 steps that were.
    """
    (width, residual_blocks), crop = (
        check_scale(width, residual_blocks),
        count("crop", crop, 2 * LEAST_SIDE, MOST_CROP),
    )
    batch_size, steps, seed = (
        count("batch_size", batch_size, 1, MOST_BATCH),
        count("steps", steps, 1, MOST_STEPS),
        count("seed", seed, 0),
    )
    style_size, style_scales = (
        count("style_size", style_size),
        count("style_scales", style_scales, 1, MOST_SCALES),
    )
    content_weight, style_weight = (
        number("content_weight", content_weight),
        number("style_weight", style_weight),
    )
    tv_weight, grid_weight = number("tv_weight", tv_weight), number("grid_weight", grid_weight)
    learning_rate, normalize, progress = (
        number("learning_rate", learning_rate),
        flag("normalize", normalize),
        flag("progress", progress),
    )
    content_layers, style_layers = (
        checked_layers("content_layers", content_layers),
        checked_layers("style_layers", style_layers),
    )
    settings = {
        name: value
        for name, value in locals().items()
        if name
        not in (
            "style",
            "photos",
            "output",
            "weights",
            "name",
            "licence",
            "start",
            "strategy",
            "backup",
            "callbacks",
            "progress",
        )
    }
    for key, value in (("name", name or ""), ("licence", licence)):
        if not isinstance(value, str):
            raise TypeError(f"{key} must be a text. Received: {key}={value!r:.200}")
    if output is not None and not isinstance(output, (str, os.PathLike)):
        raise TypeError(f"output must be a path or None. Received: output={output!r:.200}")
    several = isinstance(style, Mapping)
    if several and name is not None:
        raise ValueError(f"several styles have their names already. Received: name={name!r}")
    if (
        several
        and output is not None
        and (Path(output).suffix == ".keras" or Path(output).is_file())
    ):
        raise ValueError(f"for several styles, output must be a folder. Received: {str(output)!r}")
    if several and not style:
        raise ValueError("style must be a painting, or {name: painting}. Received: an empty dict")
    for one in style if several else ():
        file_name(
            "the name of a style", one
        )  # of its file in `output`, and of those that ModelCheckpoint writes
    if isinstance(callbacks, keras.callbacks.Callback):
        callbacks = [callbacks]
    if not isinstance(callbacks, (list, tuple)) or not all(
        isinstance(one, keras.callbacks.Callback) for one in callbacks
    ):
        raise TypeError(
            "callbacks must be a list of keras.callbacks.Callback. Received:"
            f" callbacks={callbacks!r:.200}"
        )
    if strategy is not None and not callable(getattr(strategy, "scope", None)):
        raise TypeError(
            "strategy must be a tf.distribute.Strategy or None. Received:"
            f" strategy={strategy!r:.200}"
        )
    if backup is not None and (
        not isinstance(backup, (str, os.PathLike))
        or (Path(backup).exists() and not Path(backup).is_dir())
    ):
        raise ValueError(f"backup must be a folder. Received: backup={str(backup)!r}")
    paintings = (
        style
        if several
        else {name or (Path(style).stem if isinstance(style, (str, os.PathLike)) else None): style}
    )
    starts = start if isinstance(start, Mapping) else dict.fromkeys(paintings, start)
    check_extractor(network, weights, pooling, precision)
    _check(
        paintings,
        starts,
        None if several else output,
        network,
        content_layers,
        style_layers,
        width,
        residual_blocks,
    )
    paintings = {name: load_image(painting, style_size) for name, painting in paintings.items()}
    least = smallest_side(layer_weights(style_layers), network) * 2 ** (style_scales - 1)
    if crop < least:
        raise ValueError(
            f"crop must be at least {least} for its style layers at style_scales={style_scales}."
            f" Received: crop={crop}"
        )
    for painting in paintings.values():
        if min(painting.shape[:2]) < least:
            raise ValueError(
                f"a painting must be at least {least} pixels high and wide for its style layers at"
                f" style_scales={style_scales}. Received: {painting.shape[1]} x {painting.shape[0]}"
                f" pixels at style_size={style_size}"
            )
    if several and output is not None:
        Path(output).mkdir(parents=True, exist_ok=True)
        for each in paintings:
            check_network_path(Path(output, f"{each}.keras"))
    batches, folder = _batches(photos, crop, batch_size, seed, strategy)
    parameters = load_weights(network, weights)
    epoch, done = min(EPOCH, steps), 0
    several_workers = bool(
        strategy and strategy.cluster_resolver and strategy.cluster_resolver.cluster_spec()
    )
    if backup:
        Path(backup).mkdir(parents=True, exist_ok=True)
    with only_user(backup) if backup and not several_workers else nullcontext():
        if backup:
            claim(
                backup,
                {
                    **settings,
                    "styles": [*paintings],
                    "paintings": digest([*paintings.values()]),
                    "start": digest(starts),
                    "photos": (
                        [path.name for path in folder.paths] if folder else type(photos).__name__
                    ),
                    "weights": parameters.sha256,
                },
            )
            done = steps_done(backup, steps)

        with strategy.scope() if strategy else nullcontext():
            extractor = feature_extractor(
                [*layer_weights(content_layers), *layer_weights(style_layers)],
                network=network,
                weights=parameters,
                pooling=pooling,
                normalize=normalize,
                precision=precision,
            )
            nets = [
                build_transform_net(width, residual_blocks, precision=precision, seed=seed)
                for _ in paintings
            ]
            for net, known in zip(nets, map(starts.get, paintings)):
                if known is not None:
                    net.set_weights(known.get_weights())
            trainer = StyleTrainer(
                nets,
                list(paintings.values()),
                extractor,
                content_layers=content_layers,
                style_layers=style_layers,
                content_weight=content_weight,
                style_weight=style_weight,
                tv_weight=tv_weight,
                grid_weight=grid_weight,
                style_scales=style_scales,
                ramp=RAMP * steps if start is None else 0,
            )
            trainer.compile(
                _optimizer(learning_rate, steps, strategy),
                jit_compile=keras.backend.backend() == "jax",
            )  # on a CPU, XLA is slower than TensorFlow's own kernels
            trainer.several_workers = several_workers
            trainer.build((None, crop, crop, 3))
        trainer.records = [
            {
                "style": style,
                "licence": licence,
                "settings": settings,
                "together_with": [other for other in paintings if other != style],
                "started_from": None if start is None else starts[style].record.get("style"),
                "weights": {
                    "network": parameters.network,
                    "source": parameters.source,
                    "sha256": parameters.sha256,
                },
                "photos": None if folder is None else len(folder.paths),
                "versions": {"neural_style": __version__, "keras": keras.__version__},
            }
            for style in paintings
        ]

        finite = _Finite()
        callbacks = [*callbacks, _Stop(steps - done), finite]
        if backup:  # the backup comes last: what the others write of an epoch is there when it counts as done
            callbacks += [_Log(Path(backup, "log.csv"), append=True), Backup(backup)]
        try:
            _fit(trainer, batches(done, steps), done, steps, epoch, callbacks, progress)
            nets = _trained(trainer, backup)
            if folder is not None and folder.unusable:
                logger.warning(
                    "%d of %d files could not be used as photos of %d pixels and more",
                    len(folder.unusable),
                    len(folder.paths),
                    crop,
                )
            for each, net in zip(paintings, nets) if output is not None else ():
                save_transform_net(net, Path(output, f"{each}.keras") if several else output)
        except BaseException as error:
            with suppress(Exception):  # the error that ended the training is the one to be told
                if finite.rescue(trainer, isinstance(error, FloatingPointError)):
                    nets = _trained(trainer, backup)
                    error.result = dict(zip(paintings, nets)) if several else nets[0]
            raise
        return dict(zip(paintings, nets)) if several else nets[0]


def _trained(trainer, backup):
    """The networks as they are now, with the steps and the last losses in their records."""
    losses = {name: values[-1] for name, values in trainer.history.history.items() if values} or (
        last_losses(backup) if backup else {}
    )
    nets = trainer.nets()
    for net in nets:
        net.record["steps"], net.record["losses"] = trainer.steps_made(), losses
    return nets


def _fit(trainer, batches, done, steps, epoch, callbacks, progress):
    """trainer.fit, which an interrupt ends as if it were done."""
    epochs = math.ceil(steps / epoch)
    try:
        trainer.fit(
            batches,
            epochs=epochs,
            initial_epoch=done // epoch if done < steps else epochs,
            steps_per_epoch=epoch,
            shuffle=False,
            callbacks=callbacks,
            verbose="auto" if progress else 0,
        )
    except BaseException as ended:
        for callback in callbacks:  # fit() does not end them then, and their files would stay open
            with suppress(Exception):  # of one that had not begun, or that is what ended it
                callback.on_train_end()
        if keras.backend.backend() == "jax":
            trainer.jax_state_sync()
        if not isinstance(ended, KeyboardInterrupt):
            raise
        logger.warning(
            "interrupted: the network is as it was after %d of %d steps",
            trainer.steps_made(),
            steps,
        )


def _optimizer(learning_rate, steps, strategy):
    """Muon, along a cosine to 0, with the gradient of the whole batch cut to CLIP."""
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    if strategy is None:
        return Muon(rate, global_clipnorm=CLIP)
    # each device's loss is a share of the whole batch's, and so is what its gradient is cut to
    return _MuonOnAll(rate, global_clipnorm=CLIP / strategy.num_replicas_in_sync, name="muon")


def _batches(photos, crop, batch_size, seed, strategy):
    """(a function of the numbers of the first batch and of the one after the last, that gives
    these; the Photos, if they are of a folder).
    """
    if not isinstance(photos, (str, os.PathLike)):
        return rounds(photos), None
    replicas = strategy.num_replicas_in_sync if strategy else 1
    if batch_size % replicas:
        raise ValueError(
            f"batch_size must be a multiple of the number of devices, {replicas}. Received:"
            f" batch_size={batch_size}"
        )
    folder = Photos(photos, crop, seed)
    return partial(folder.batches, batch_size), folder


class _Log(keras.callbacks.CSVLogger):
    """Keras' own; a line that cannot be written is a warning, and the training goes on."""

    def on_train_begin(self, logs=None):
        try:
            super().on_train_begin(logs)
        except OSError as error:
            logger.warning(
                "the losses cannot be written to %s, and the training goes on: %s",
                self.filename,
                error,
            )
            self.csv_file = io.StringIO()

    def on_epoch_end(self, epoch, logs=None):
        try:
            super().on_epoch_end(epoch, logs)
        except OSError as error:
            logger.warning(
                "the losses could not be written to %s, and the training goes on: %s",
                self.filename,
                error,
            )

    def on_train_end(self, logs=None):
        with suppress(OSError):  # what could not be written before
            super().on_train_end(logs)


class Preview(keras.callbacks.Callback):
    """What the networks in training make of a few photos: a row of photos over a row of results of
    each, every so many steps, as 00050.png.

    Args:
        photos: pictures, whatever load_image takes. folder: made where it is missing. steps:
            between two. size: longer side in pixels.
    """

    def __init__(self, photos, folder, steps=500, size=256):
        super().__init__()
        self.photos, self.folder, self.steps = (
            [load_image(photo, size) for photo in photos],
            Path(folder),
            count("steps", steps),
        )
        self.folder.mkdir(parents=True, exist_ok=True)

    def on_train_batch_end(self, batch, logs=None):
        done = int(ops.convert_to_numpy(self.model.optimizer.iterations))
        if done % self.steps == 0:
            height = max(photo.shape[0] for photo in self.photos)
            columns = [
                np.pad(
                    np.concatenate(
                        [
                            _to_height(image, height)
                            for image in (
                                photo,
                                *_rounded(self.model(photo[None].astype("float32"))),
                            )
                        ]
                    ),
                    ((0, 0), (0, 4), (0, 0)),
                    constant_values=255,
                )
                for photo in self.photos
            ]
            try:
                save_image(np.concatenate(columns, axis=1), self.folder / f"{done:05d}.png")
            except OSError as error:
                logger.warning(
                    "a preview could not be written to %s, and the training goes on: %s",
                    self.folder,
                    error,
                )


def _to_height(image, height):
    return np.pad(image, ((0, height - image.shape[0]), (0, 0), (0, 0)), constant_values=255)


def _rounded(pixels):
    return np.clip(np.rint(ops.convert_to_numpy(pixels)), 0, 255).astype("uint8")


def _smaller(x, halvings):
    """The pictures at half their size, so many times over: means of 2 x 2 pixels."""
    x = ops.cast(x, "float32")
    for _ in range(halvings):
        x = ops.average_pool(x, 2, data_format="channels_last")
    return x


def _vgg_input(x):
    """RGB 0-255 -> BGR minus ImageNet's mean: images.preprocess for tensors."""
    return ops.flip(ops.cast(x, "float32"), -1) - IMAGENET_MEAN_BGR


def _check(
    paintings, starts, output, network, content_layers, style_layers, width, residual_blocks
):
    for layers in (content_layers, style_layers):
        check_layers(layer_weights(layers), network)
    if output is not None:
        check_network_path(output)
    if paintings.keys() != starts.keys() or len({start is None for start in starts.values()}) > 1:
        raise ValueError(
            f"start must have a network for each style of {[*paintings]}. Received: {starts}"
        )
    for start in starts.values():
        if start is not None and (
            not isinstance(start, TransformNet)
            or (start.width, start.residual_blocks) != (width, residual_blocks)
        ):
            raise ValueError(
                f"start must be a transform network of width {width} and {residual_blocks} residual"
                " blocks. Received: "
                f"{(start.width, start.residual_blocks) if isinstance(start, TransformNet) else type(start).__name__}"
            )
