"""train_decoders(): decoders of VGG16's features, trained on a folder of pictures."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np

from .._shared import types
from .._shared.checks import choice, count, flag, number
from .._shared.files import check_output
from .._version import __version__
from ..universal.decoder import DECODERS, ENCODER, Decoders, load_decoders, save_decoders
from ..universal.encoder import POOLING, build_encoder
from ..vgg.build import PRECISIONS
from ..vgg.normalization import mean_activations
from ..vgg.precision import best_precision
from ..vgg.weights import Weights, vgg_weights
from .checkpoint import LOG, last_losses
from .checkpoint_callback import TrainingCheckpoint
from .crops import Crops
from .decoder_trainer import DecoderTrainer
from .training_callbacks import LossLog, StopAfter, StopIfNotFinite
from .training_optimizer import make_ready
from .training_plan import check_checkpoint
from .training_run import fit, kept_in, steps_to_skip

#: Pixels of a crop are a multiple of this, relu4_1's stride.
STRIDE = 8


def train_decoders(
    photos: types.Path,
    output: types.Path,
    *,
    crop: int = 128,
    batch_size: int = 4,
    steps: int = 4000,
    learning_rate: float = 0.003,
    moved_weight: float = 0.0,
    precision: Literal["auto", "float32", "bfloat16"] = "auto",
    weights: types.Path | Weights | None = "torchvision",
    start: types.Path | None = None,
    checkpoint: types.Path | None = None,
    resume: bool = True,
    seed: int = 0,
    progress: bool = True,
) -> Decoders:
    """Train the decoders that paint in one pass: they learn to make pictures of their features.

    No painting is needed, see DecoderTrainer; but pictures of all kinds help, paintings and painted
    photos among them, because the features of a painted photo are no photo's.

    Args:
        photos: A folder of pictures, searched with its subfolders.
        output: The .npz file to write.
        crop: Side of the training pictures in pixels, a multiple of 8; see Crops.
        batch_size: Crops in a batch.
        steps: Batches to learn from.
        learning_rate: KernelMuon's at the start; it falls to 0 along a cosine.
        moved_weight: Weight of the loss of mapped features; see DecoderTrainer. Decoders that know
            pictures already learn faster from it.
        precision: Of the convolutions; "auto": the faster one here, see best_precision.
        weights: Weights of VGG16; see vgg_weights.
        start: A file of decoders to go on from.
        checkpoint: A folder for the state of the training and its losses; see train_transform_net.
        resume: Go on from the state in `checkpoint`, if there is one.
        seed: Seeds the first weights, the order of the pictures and their crops.
        progress: Show Keras' progress bar.

    Returns:
        The decoders; .record says how they were made.

    Raises:
        TypeError: An argument is of a wrong type.
        ValueError: An argument cannot be right, or the folder has no usable picture.
        FileNotFoundError: There is no such file or folder.
        FloatingPointError: The losses or the weights are no longer finite.
    """
    settings: dict[str, Any] = {
        "crop": count("crop", crop, 2 * STRIDE),
        "batch_size": count("batch_size", batch_size),
        "steps": count("steps", steps),
        "learning_rate": number("learning_rate", learning_rate),
        "moved_weight": number("moved_weight", moved_weight),
        "precision": choice("precision", precision, ("auto", *PRECISIONS)),
        "seed": count("seed", seed, 0),
    }
    if settings["crop"] % STRIDE:
        raise ValueError(f"crop must be a multiple of {STRIDE}. Received: crop={crop}")
    resume, progress = flag("resume", resume), flag("progress", progress)
    check_output(output, [start] if start else [])
    if Path(output).suffix != ".npz":
        raise ValueError(f"output must end in .npz. Received: output={str(output)!r}")
    check_checkpoint(checkpoint)
    begun = None if start is None else load_decoders(start)
    folder = Crops(photos, settings["crop"], settings["seed"])
    parameters = vgg_weights("vgg16", weights)
    identity = {
        **settings,
        "photos": [path.name for path in folder.paths],
        "weights": parameters.sha256,
        "start": None if start is None else Path(start).name,
    }
    if precision == "auto":  # a training may go on where another one is the faster
        settings["precision"] = best_precision()
    with kept_in(checkpoint, identity, None):
        done = steps_to_skip(checkpoint, steps, resume)
        means = _means(parameters) if begun is None else begun.means
        trainer = _trainer(parameters, means, settings, begun)
        callbacks: list[Any] = [StopAfter(steps - done), StopIfNotFinite()]
        if checkpoint:
            callbacks += [
                LossLog(Path(checkpoint, LOG), append=True),
                TrainingCheckpoint(checkpoint),
            ]
        fit(
            trainer,
            folder.batches(settings["batch_size"], done, steps),
            done,
            steps,
            callbacks,
            progress,
        )
        losses = {name: values[-1] for name, values in trainer.history.history.items() if values}
        record = {
            "settings": {**settings, "pooling": POOLING},
            "steps": trainer.steps_made(),
            "started_from": None if begun is None else dict(begun.record),
            "decibels": _decibels(losses or (last_losses(checkpoint) if checkpoint else {})),
            "weights": {"source": parameters.source, "sha256": parameters.sha256},
            "photos": len(folder.paths) - len(folder.unusable),
            "versions": {"neural_style": __version__, "keras": keras.__version__},
        }
        save_decoders(Decoders(trainer.decoders, means, record), output)
    return load_decoders(output)


def _means(parameters: Weights) -> dict[str, np.ndarray]:
    means = mean_activations(parameters, POOLING)
    return {name: means[name] for name in ENCODER}


def _trainer(
    parameters: Weights, means: Any, settings: dict[str, Any], begun: Decoders | None
) -> DecoderTrainer:
    """The trainer, compiled, its decoders new or as they were."""
    trainer = DecoderTrainer(
        build_encoder(tuple(DECODERS), parameters, means, settings["precision"]),
        tuple(DECODERS),
        settings["seed"],
        settings["moved_weight"],
        settings["precision"],
    )
    if begun is not None:
        for level, decoder in trainer.decoders.items():
            decoder.set_weights(begun.networks[level].get_weights())
    make_ready(trainer, settings["learning_rate"], settings["steps"], settings["crop"])
    return trainer


def _decibels(losses: dict[str, float]) -> dict[str, float]:
    """Peak signal-to-noise ratio of each layer's reconstructions, of the last epoch's crops."""
    return {
        level: round(-10 * math.log10(losses[level]), 2) for level in DECODERS if level in losses
    }
