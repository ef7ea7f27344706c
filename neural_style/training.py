"""How a transform network is trained: Keras' fit, on the losses of this library, over a folder of photos."""
import json
import logging
import math
import os
import shutil
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import keras
import numpy as np
from keras import ops

from . import __version__
from .features import check_extractor, check_layers, feature_extractor
from .images import IMAGENET_MEAN_BGR, load_image, preprocess, save_image
from .losses import content_loss, layer_weights, style_loss, total_variation_loss
from .photos import Photos
from .transform_net import LEAST_SIDE, TransformNet, build_transform_net, check_network_path, save_transform_net
from .weights import load_weights

#: Johnson et al. 2016, section 4.1.
CONTENT_LAYERS = ("relu3_3",)
STYLE_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")

#: Steps of what Keras calls an epoch: a backup, a line of the log and a preview are made after each.
EPOCH = 50

#: A new network's style loss counts this share of its weight at first, and all of it from this part of the training on: one that knows no
#: photos yet would learn to paint a texture, and stay there.
FIRST_SHARE, RAMP = 0.05, 0.5

logger = logging.getLogger("neural_style")


class StyleTrainer(keras.Model):
    """A transform network with the losses that train it; for compile() and fit() with batches of photos, RGB 0-255.

        loss = content_weight L_content(net(x), x) + style_weight L_style(net(x), painting) + tv_weight TV(net(x))

    Johnson et al. 2016, equations 1 to 5, with the relative errors of losses.content_loss and losses.style_loss. All is in
    keras.ops, so it trains on any of Keras' backends. save() saves the network alone: ModelCheckpoint writes files that
    load_transform_net reads.

    Args:
        net: from build_transform_net. style: the painting, uint8 RGB, H x W x 3. extractor: from feature_extractor, with all the layers.
    """

    def __init__(self, net, style, extractor, *, content_layers=CONTENT_LAYERS, style_layers=STYLE_LAYERS, content_weight=1.0,
                 style_weight=10.0, tv_weight=1e-5, error="relative"):
        super().__init__(name="style_trainer")
        self.net = net
        self._weights_of = {"content": content_weight, "style": style_weight, "tv": tv_weight}
        names = [*layer_weights(content_layers)]
        content_extractor = keras.Model(extractor.input, {name: extractor.output[name] for name in names})
        # within functions, the feature network is no part of this model, so neither its backups nor its optimiser take it in
        self._features, self._targets = (lambda x: extractor(x)), (lambda x: content_extractor(x))
        painting = {name: ops.convert_to_numpy(f) for name, f in extractor(preprocess(style)).items()}
        self._style = style_loss({name: painting[name] for name in layer_weights(style_layers)}, style_layers, error)
        self._content = partial(content_loss, layers=content_layers, error=error)
        self._variation = total_variation_loss()
        self._trackers = {name: keras.metrics.Mean(name=name) for name in self._weights_of}
        self._total = _AsItIs(name="total")
        self.style_share = self.add_weight(shape=(), initializer="ones", trainable=False, name="style_share")
        self.several_workers = False

    def call(self, x):
        return self.net(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum of the three losses, each a mean over the batch; the style's times style_share, which begins below 1."""
        features = self._features(_vgg_input(y_pred))
        losses = {"content": self._content(self._targets(_vgg_input(x)))(features), "style": self._style(features),
                  "tv": self._variation(features)}
        for name, loss in losses.items():
            losses[name] = self._weights_of[name] * loss
            self._trackers[name].update_state(losses[name])
        losses["style"] = self.style_share * losses["style"]
        total = sum(losses.values())
        return self._total(total, total)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """The means so far; between workers, Keras takes the mean of what comes along its first axis, so there it needs one."""
        means = super().compute_metrics(x, y, y_pred, sample_weight)
        return {name: ops.reshape(mean, (1,)) for name, mean in means.items()} if self.several_workers else means

    def save(self, filepath, overwrite=True, **kwargs):
        save_transform_net(self.net, filepath)


class _Ramp(keras.callbacks.Callback):
    """Lets the style loss come in by and by."""

    def on_epoch_begin(self, epoch, logs=None):
        self.model.style_share.assign(min(1.0, FIRST_SHARE + (1 - FIRST_SHARE) * epoch / (RAMP * self.params["epochs"])))


class _AsItIs(keras.losses.Loss):
    """A loss as it is; but where several devices add up their gradients, Keras divides it by their number."""

    def call(self, y_true, y_pred):
        return ops.reshape(y_pred, (1,))  # to one without an axis, Keras would not do it


def train_transform_net(style, photos, output=None, *, width=16, residual_blocks=5, crop=256, batch_size=4, steps=2000, style_size=512,
                        network="vgg16", weights="imagenet", pooling="avg", normalize=False, content_layers=CONTENT_LAYERS,
                        style_layers=STYLE_LAYERS, content_weight=1.0, style_weight=10.0, tv_weight=1e-5, learning_rate=1e-3, start=None,
                        name=None, licence="", precision="float32", strategy=None, backup=None, callbacks=(), seed=0, progress=True):
    """Train a network that paints any photo in the style of one painting.

    Args:
        style: the painting: a path, a PIL.Image or a uint8 array.
        photos: a folder, searched through, of at least a few hundred pictures; or batches of RGB 0-255, batch x crop x crop x 3,
            as tf.data, keras.utils.PyDataset or keras.utils.image_dataset_from_directory(labels=None) give them.
        output: the .keras file to write; None: only return the network.
        width, residual_blocks: of the network; see build_transform_net.
        crop, batch_size: of the training pictures, in pixels; each is a random part of a photo at a random scale, half of them mirrored.
            Photos with a side below crop are left out.
        steps: batches. style_size: longer side of the painting in pixels; larger gives larger strokes.
        network, weights, pooling, normalize: of the feature network, see feature_extractor.
        content_layers, style_layers, content_weight, style_weight, tv_weight: of the losses, see StyleTrainer.
        learning_rate: Adam's at the start; it falls to 0 along a cosine.
        start: a network to go on from, or None for a new one; much faster where it knows another style already.
        name, licence: of the style, for the file's record.
        precision: "bfloat16" for the network's and the features' convolutions.
        strategy: a tf.distribute.Strategy; batch_size is that of all devices together.
        backup: a folder for Keras' BackupAndRestore and for log.csv, the losses: a killed training that is started again with the
            same arguments goes on after the last 50 steps that were whole, with the photos that would have come.
        callbacks: further keras.callbacks: ModelCheckpoint (the network so far), CSVLogger, TensorBoard, Preview ... A new network's style
            loss comes in by and by, so "loss" says little before half of the steps are done; "style" and "content" are logged whole.
        seed: of the first weights, the order of the photos and their crops.

    Returns:
        The trained network, a keras.Model; its .record tells how it came about.

    Raises:
        TypeError, ValueError, FileNotFoundError: an argument that cannot be right, a folder without a usable picture.
    """
    settings = {name: list(value) if isinstance(value, tuple) else value for name, value in locals().items() if name not in (
        "style", "photos", "output", "weights", "name", "licence", "start", "strategy", "backup", "callbacks", "progress")}
    _check(output=output, start=start, **settings)
    check_extractor(network, weights, pooling, precision)
    painting = load_image(style, style_size)
    epoch = min(EPOCH, steps)
    epochs = math.ceil(steps / epoch)
    done = _epochs_done(backup, settings) if backup else 0
    folder = None
    if isinstance(photos, (str, os.PathLike)):
        folder = Photos(photos, crop, seed)
        photos = folder.batches(batch_size, epoch * done, epoch * epochs)
    parameters = load_weights(network, weights)

    with strategy.scope() if strategy else nullcontext():
        extractor = feature_extractor([*layer_weights(content_layers), *layer_weights(style_layers)], network=network, weights=parameters,
                                      pooling=pooling, normalize=normalize, precision=precision)
        net = build_transform_net(width, residual_blocks, precision=precision, seed=seed)
        if start is not None:
            net.set_weights(start.get_weights())
        trainer = StyleTrainer(net, painting, extractor, content_layers=content_layers, style_layers=style_layers,
                               content_weight=content_weight, style_weight=style_weight, tv_weight=tv_weight)
        rate = keras.optimizers.schedules.CosineDecay(learning_rate, epoch * epochs)
        trainer.compile(keras.optimizers.Adam(rate),
                        jit_compile=keras.backend.backend() == "jax")  # on a CPU, XLA is slower than TensorFlow's own kernels
        trainer.several_workers = bool(strategy and strategy.cluster_resolver and strategy.cluster_resolver.cluster_spec())
        trainer.build((None, crop, crop, 3))
    net.record = {"style": name or (Path(style).stem if isinstance(style, (str, os.PathLike)) else None), "licence": licence,
                  "settings": settings, "started_from": None if start is None else start.record.get("style"),
                  "weights": {"network": parameters.network, "source": parameters.source, "sha256": parameters.sha256},
                  "photos": None if folder is None else len(folder.paths),
                  "versions": {"neural_style": __version__, "keras": keras.__version__}}

    callbacks = [*callbacks, *([_Ramp()] if start is None else [])]
    if backup:  # the backup comes last: what the others write of an epoch is there when it counts as done
        callbacks += [keras.callbacks.CSVLogger(Path(backup, "log.csv"), append=True),
                      keras.callbacks.BackupAndRestore(str(backup), double_checkpoint=True, delete_checkpoint=False)]
    history = trainer.fit(photos, epochs=epochs, steps_per_epoch=epoch, shuffle=False, callbacks=callbacks,
                          verbose="auto" if progress else 0).history
    net.record["losses"] = {name: values[-1] for name, values in history.items() if values}
    if folder is not None and folder.unusable:
        logger.warning("%d of %d files could not be used as photos of %d pixels and more", len(folder.unusable), len(folder.paths), crop)
    if output:
        save_transform_net(net, output)
    return net


class Preview(keras.callbacks.Callback):
    """What a network in training makes of a few photos: a row of photos over a row of results, every so many steps, as 00050.png.

    Args:
        photos: pictures, whatever load_image takes. folder: made where it is missing. steps: between two. size: longer side in pixels.
    """

    def __init__(self, photos, folder, steps=500, size=256):
        super().__init__()
        self.photos, self.folder, self.steps = [load_image(photo, size) for photo in photos], Path(folder), steps
        self.folder.mkdir(parents=True, exist_ok=True)

    def on_train_batch_end(self, batch, logs=None):
        done = int(ops.convert_to_numpy(self.model.optimizer.iterations))
        if done % self.steps == 0:
            painted = [_rounded(self.model.net(photo[None].astype("float32"))[0]) for photo in self.photos]
            height = max(photo.shape[0] for photo in self.photos)
            columns = [np.pad(np.concatenate([_to_height(photo, height), _to_height(result, height)]), ((0, 0), (0, 4), (0, 0)),
                              constant_values=255) for photo, result in zip(self.photos, painted)]
            save_image(np.concatenate(columns, axis=1), self.folder / f"{done:05d}.png")


def _to_height(image, height):
    return np.pad(image, ((0, height - image.shape[0]), (0, 0), (0, 0)), constant_values=255)


def _rounded(pixels):
    return np.clip(np.rint(ops.convert_to_numpy(pixels)), 0, 255).astype("uint8")


def _vgg_input(x):
    """RGB 0-255 -> BGR minus ImageNet's mean: images.preprocess for tensors."""
    return ops.flip(ops.cast(x, "float32"), -1) - IMAGENET_MEAN_BGR


def _epochs_done(backup, settings):
    """How many epochs the backup in a folder has seen, 0 for a new one; it must be of a training with the same settings."""
    backup = Path(backup)
    backup.mkdir(parents=True, exist_ok=True)
    marker, state = backup / "settings.json", backup / "training_metadata.json"
    if marker.exists() and json.loads(marker.read_text()) != json.loads(json.dumps(settings)):
        raise ValueError(f"{str(backup)!r} is the backup of a training with other settings; remove it, or give what that was given")
    marker.write_text(json.dumps(settings))
    for _ in range(2):
        try:
            return json.loads(state.read_text())["epoch"]
        except FileNotFoundError:
            return 0
        except ValueError:  # killed while it was written: Keras' backup of the backup is whole
            shutil.copy(f"{state}.bkp", state)
            shutil.copy(backup / "latest.weights.h5.bkp", backup / "latest.weights.h5")
    raise ValueError(f"{str(backup)!r} has no whole backup")


def _check(*, output, start, crop, batch_size, steps, style_size, network, content_layers, style_layers, content_weight, style_weight,
           tv_weight, learning_rate, width, residual_blocks, seed, **rest):
    for name, value, least in (("crop", crop, 2 * LEAST_SIDE), ("batch_size", batch_size, 1), ("steps", steps, 1), ("style_size", style_size, 1),
                               ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise ValueError(f"{name} must be an integer, at least {least}. Received: {name}={value!r}")
    for name, value in (("content_weight", content_weight), ("style_weight", style_weight), ("tv_weight", tv_weight),
                        ("learning_rate", learning_rate)):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
            raise ValueError(f"{name} must be a finite number, at least 0. Received: {name}={value!r}")
    for layers in (content_layers, style_layers):
        check_layers(layer_weights(layers), network)
    if output is not None:
        check_network_path(output)
    if start is not None and (not isinstance(start, TransformNet) or (start.width, start.residual_blocks) != (width, residual_blocks)):
        raise ValueError(f"start must be a transform network of width {width} and {residual_blocks} residual blocks. Received: "
                         f"{(start.width, start.residual_blocks) if isinstance(start, TransformNet) else type(start).__name__}")
