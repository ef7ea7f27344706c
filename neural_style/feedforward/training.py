"""How a transform network is trained: Keras' fit, on the losses of this library, over a folder of
photos.
"""

import logging
import math
import os
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path

import keras

from .._shared.checks import count, file_name, flag, number
from .._shared.checks import layers as checked_layers
from .._shared.files import only_user
from .._version import __version__
from ..images.load import load_image
from ..losses.loss import layer_weights
from ..provenance.identity import digest
from ..vgg.extractor import check_extractor, feature_extractor
from ..vgg.layers import check_layers, smallest_side
from ..vgg.weights import vgg_weights
from .checkpoint import LOG, claim, forget, last_losses, steps_done
from .checkpoint_callback import TrainingCheckpoint
from .crops import Crops, rounds
from .kernel_muon import KernelMuon
from .network import LEAST_SIDE, TransformNet, build_transform_net, check_scale
from .network_file import check_network_path, save_transform_net
from .trainer import CONTENT_LAYERS, RAMP, STYLE_LAYERS, StyleTrainer
from .training_callbacks import EPOCH, _Finite, _Log, _Stop

logger = logging.getLogger("neural_style")

#: More of crop, batch_size, steps and style_scales is a mistake, and beyond what TensorFlow's
#: integers take.
MOST_CROP, MOST_BATCH, MOST_STEPS, MOST_SCALES = 1 << 14, 1 << 14, 10**9, 16


#: Norm to which a step's gradient is cut. Nearly all are longer: each batch counts alike, else one
#: flat crop, whose gradient the normalisations make twenty times as long as the others', has the
#: momentum for itself for a hundred steps, and Adam's variance for a thousand.
CLIP = 1.0


class _MuonOnAll(KernelMuon):
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
    license="",
    precision="float32",
    strategy=None,
    checkpoint=None,
    resume=True,
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
        learning_rate: Muon's at the start, see kernel_muon.KernelMuon; it falls to 0 along a cosine.
        start: a network to go on from, {name: network} where each style has its own, or None for a
            new one; much faster where it knows another style already.
        name: of the one style, for the file's record (the file's name). license: of the paintings,
            likewise.
        precision: "bfloat16" for the network's and the features' convolutions.
        strategy: a tf.distribute.Strategy; batch_size is that of all devices together.
        checkpoint: a folder of its own for the state of the training and for log.csv, the losses;
            one training at a time may use it. A killed training that is started again with the same
            arguments goes on after the last 50 steps that were whole, with the photos that would
            have come (of a dataset: if it gives the same ones each time). Where the disk is full, a
            warning says what could not be written, and the training goes on.
        resume: go on from the state in `checkpoint`. False: remove the state that an earlier run
            of the same training left there, and start anew.
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
        RuntimeError: another training uses the checkpoint.
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
    resume = flag("resume", resume)
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
            "license",
            "start",
            "strategy",
            "checkpoint",
            "resume",
            "callbacks",
            "progress",
        )
    }
    for key, value in (("name", name or ""), ("license", license)):
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
    if checkpoint is not None and (
        not isinstance(checkpoint, (str, os.PathLike))
        or (Path(checkpoint).exists() and not Path(checkpoint).is_dir())
    ):
        raise ValueError(f"checkpoint must be a folder. Received: checkpoint={str(checkpoint)!r}")
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
    parameters = vgg_weights(network, weights)
    epoch, done = min(EPOCH, steps), 0
    several_workers = bool(
        strategy and strategy.cluster_resolver and strategy.cluster_resolver.cluster_spec()
    )
    if checkpoint:
        Path(checkpoint).mkdir(parents=True, exist_ok=True)
    with only_user(checkpoint) if checkpoint and not several_workers else nullcontext():
        if checkpoint:
            claim(
                checkpoint,
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
            done = steps_done(checkpoint, steps) if resume else 0

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
                "license": license,
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
        if checkpoint:
            if not resume:
                forget(checkpoint)
            # the checkpoint comes last: what the others write of an epoch is there when it counts
            callbacks += [_Log(Path(checkpoint, LOG), append=True), TrainingCheckpoint(checkpoint)]
        try:
            _fit(trainer, batches(done, steps), done, steps, epoch, callbacks, progress)
            nets = _trained(trainer, checkpoint)
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
                    nets = _trained(trainer, checkpoint)
                    error.result = dict(zip(paintings, nets)) if several else nets[0]
            raise
        return dict(zip(paintings, nets)) if several else nets[0]


def _trained(trainer, checkpoint):
    """The networks as they are now, with the steps and the last losses in their records."""
    losses = {name: values[-1] for name, values in trainer.history.history.items() if values} or (
        last_losses(checkpoint) if checkpoint else {}
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
    """KernelMuon, along a cosine to 0, with the gradient of the whole batch cut to CLIP."""
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    if strategy is None:
        return KernelMuon(rate, global_clipnorm=CLIP)
    # each device's loss is a share of the whole batch's, and so is what its gradient is cut to
    return _MuonOnAll(rate, global_clipnorm=CLIP / strategy.num_replicas_in_sync, name="muon")


def _batches(photos, crop, batch_size, seed, strategy):
    """(a function of the numbers of the first batch and of the one after the last, that gives
    these; the Crops, if they are of a folder).
    """
    if not isinstance(photos, (str, os.PathLike)):
        return rounds(photos), None
    replicas = strategy.num_replicas_in_sync if strategy else 1
    if batch_size % replicas:
        raise ValueError(
            f"batch_size must be a multiple of the number of devices, {replicas}. Received:"
            f" batch_size={batch_size}"
        )
    folder = Crops(photos, crop, seed)
    return partial(folder.batches, batch_size), folder


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
