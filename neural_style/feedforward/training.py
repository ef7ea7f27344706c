"""train_transform_net(): Keras' fit, on the losses of this library, over a folder of photos."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import keras

from .._shared import types
from .._shared.checks import flag
from ..losses.term import Term
from ..vgg.weights import vgg_weights
from .network import TransformNet
from .trainer_losses import CONTENT_LAYERS, STYLE_LAYERS
from .training_batches import batches_of
from .training_plan import check_callbacks, check_checkpoint, check_strategy, make_plan
from .training_run import identity_of, kept_in, make_trainer, records_of, run, steps_to_skip
from .training_settings import TrainingSettings, check_settings
from .training_terms import check_training_terms


def train_transform_net(
    style: types.Picture | Mapping[str, types.Picture],
    photos: Any,
    output: types.Path | None = None,
    *,
    width: int = 16,
    residual_blocks: int = 5,
    crop: int = 256,
    batch_size: int = 4,
    steps: int = 2000,
    style_size: int = 512,
    network: Literal["vgg16", "vgg19"] = "vgg16",
    weights: Any = "imagenet",
    pooling: Literal["avg", "max"] = "avg",
    normalize: bool = False,
    content_layers: types.Layers = CONTENT_LAYERS,
    style_layers: types.Layers = STYLE_LAYERS,
    content_weight: float = 1.0,
    style_weight: float = 6.0,
    tv_weight: float = 1e-5,
    grid_weight: float = 0.1,
    style_scales: int = 1,
    learning_rate: float = 3e-3,
    start: TransformNet | Mapping[str, TransformNet] | None = None,
    name: str | None = None,
    license: str = "",
    precision: Literal["float32", "bfloat16"] = "float32",
    strategy: Any = None,
    checkpoint: types.Path | None = None,
    resume: bool = True,
    callbacks: Sequence[keras.callbacks.Callback] | keras.callbacks.Callback = (),
    terms: Sequence[Term] = (),
    seed: int = 0,
    progress: bool = True,
) -> Any:
    """Train a network that paints any photo in the style of a painting, or one for each of several.

    Args:
        style: The painting: a path, a PIL.Image or a uint8 RGB array, H x W x 3. Or {name:
            painting}: their networks take the batches in turn and differ in their instance
            normalizations alone, so each learns from the others' batches, and blend() finds the
            styles between them.
        photos: A folder, searched with its subfolders, of at least a few hundred pictures. Or a
            dataset, which is repeated without end: a tf.data.Dataset, as
            keras.utils.image_dataset_from_directory(labels=None) makes it, or a
            keras.utils.PyDataset, of batches of RGB 0-255, batch x crop x crop x 3.
        output: The .keras file to write; for several styles, the folder for NAME.keras. None: only
            return the network. The file is also written when Ctrl-C or the stop button ends the
            training; .record["steps"] has the steps that were made.
        width: Filters of the network's first layer; see build_transform_net.
        residual_blocks: Residual blocks of the network; see build_transform_net.
        crop: Side of the training pictures in pixels. Each is a random part of a photo at a random
            scale, half of them mirrored. Photos with a side below `crop` are left out.
        batch_size: Pictures in a batch.
        steps: How many batches the training takes.
        style_size: Longer side of the painting in pixels; larger gives larger strokes.
        network: The feature network, "vgg16" or "vgg19".
        weights: Weights of the feature network; see vgg_weights.
        pooling: Pooling of the feature network, "avg" or "max".
        normalize: Normalize the filters of the feature network; see feature_extractor.
        content_layers: Layers of the content loss: names, or {name: weight}.
        style_layers: Layers of the style loss: names, or {name: weight}.
        content_weight: Weight of the content loss.
        style_weight: Weight of the style loss.
        tv_weight: Weight of the total variation.
        grid_weight: Weight of the pattern of 4 x 4 pixels that upsampling may leave.
        style_scales: At how many sizes the style is compared; see StyleTrainer.
        learning_rate: KernelMuon's at the start; it falls to 0 along a cosine.
        start: A network to go on from, {name: network} where each style has its own, or None for a
            new one. Training is much faster if the network knows another style already.
        name: The name of the one style, for the record in the file; None: the name of its file.
        license: The license of the paintings, for the record in the file.
        precision: "float32", or "bfloat16" for the convolutions of both networks.
        strategy: A tf.distribute.Strategy; `batch_size` is that of all devices together.
        checkpoint: A folder of its own for the state of the training and for log.csv, the losses;
            one training at a time may use it. If a killed training is started again with the same
            arguments, it goes on after the last 50 steps that were whole, with the photos that
            would have come (of a dataset: if it gives the same ones each time). Where the disk is
            full, a warning says what could not be written, and the training goes on.
        resume: Go on from the state in `checkpoint`, if there is one. False: remove the state and
            the log that an earlier run of the same training left there, and start anew.
        callbacks: Further keras.callbacks: ModelCheckpoint (the network so far), CSVLogger,
            TensorBoard, Preview. The style loss of a new network counts little at first, so "loss"
            says little before half of the steps are done; "style" and "content" are logged in full.
        terms: Losses of your own, objects with name, weight, layers and loss(stage); see
            Term. The value of each, times its weight, is added to the total loss and logged
            under its name; the record has its class, its arguments, its name and its weight.
        seed: Seeds the first weights, the order of the photos and their crops.
        progress: Show Keras' progress bar.

    Returns:
        The trained network, a TransformNet; its .record tells how it was made. For several styles
        {name: network}; the losses in their records are the means over all of them.

    Raises:
        TypeError: An argument is of a wrong type.
        ValueError: An argument cannot be right, or a folder has no usable picture.
        FileNotFoundError: There is no such file or folder.
        RuntimeError: Another training uses the checkpoint.
        FloatingPointError: The losses or the weights are no longer finite.

    An exception that ends the training on its way, or that a full disk raises at its end, has in
    its .result what would have been returned, as far as it was trained. If the networks are no
    longer finite, it has those after the last 50 steps that were.
    """
    settings = check_settings(
        TrainingSettings(
            width=width,
            residual_blocks=residual_blocks,
            crop=crop,
            batch_size=batch_size,
            steps=steps,
            style_size=style_size,
            network=network,
            pooling=pooling,
            normalize=normalize,
            content_layers=content_layers,
            style_layers=style_layers,
            content_weight=content_weight,
            style_weight=style_weight,
            tv_weight=tv_weight,
            grid_weight=grid_weight,
            style_scales=style_scales,
            learning_rate=learning_rate,
            precision=precision,
            seed=seed,
        )
    )
    resume, progress = flag("resume", resume), flag("progress", progress)
    callbacks = check_callbacks(callbacks)
    check_strategy(strategy)
    check_checkpoint(checkpoint)
    plan = make_plan(
        settings, style, start, output, name, license, weights, check_training_terms(terms)
    )
    batches, folder = batches_of(photos, settings, strategy)
    parameters = vgg_weights(network, weights)
    identity = identity_of(plan, folder or photos, parameters)
    with kept_in(checkpoint, identity, strategy):
        done = steps_to_skip(checkpoint, settings.steps, resume)
        trainer = make_trainer(plan, parameters, strategy)
        trainer.records = records_of(plan, parameters, folder)
        return run(plan, trainer, batches, folder, callbacks, checkpoint, done, progress)
