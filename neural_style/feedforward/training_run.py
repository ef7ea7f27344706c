"""A training at work: the trainer and its records, fit() with its checkpoint, and the result."""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import keras

from .._shared import types
from .._shared.files import only_user
from .._version import __version__
from ..losses.loss import layer_weights
from ..provenance.identity import digest
from ..vgg.extractor import feature_extractor
from .checkpoint import LOG, claim, forget, last_losses, steps_done
from .checkpoint_callback import TrainingCheckpoint
from .crops import Crops
from .network import TransformNet, build_transform_net
from .network_file import save_transform_net
from .trainer import StyleTrainer
from .trainer_losses import RAMP
from .training_batches import Batches
from .training_callbacks import EPOCH, LossLog, StopAfter, StopIfNotFinite
from .training_optimizer import make_ready
from .training_plan import TrainingPlan

logger = logging.getLogger("neural_style")


def identity_of(plan: TrainingPlan, photos: Any, parameters: Any) -> dict[str, Any]:
    """Return what tells a training from others, for its checkpoint."""
    return {
        **plan.record_of_settings(),
        "styles": [*plan.paintings],
        "paintings": digest([*plan.paintings.values()]),
        "start": digest(plan.starts),
        "photos": (
            [path.name for path in photos.paths]
            if isinstance(photos, Crops)
            else type(photos).__name__
        ),
        "weights": parameters.sha256,
    }


@contextmanager
def kept_in(
    checkpoint: types.Path | None, identity: Mapping[str, Any], strategy: Any
) -> Iterator[None]:
    """Hold the folder of the checkpoint, if there is one, for one training alone.

    Several workers of one training share the folder, so they do not lock it.
    """
    if not checkpoint:
        yield
        return
    Path(checkpoint).mkdir(parents=True, exist_ok=True)
    with nullcontext() if several_workers(strategy) else only_user(checkpoint):
        claim(checkpoint, identity)
        yield


def steps_to_skip(checkpoint: types.Path | None, steps: int, resume: bool) -> int:
    """Return after how many steps a training goes on; without `resume`, remove what it left.

    This comes before the networks are made, where several workers wait for each other, so that none
    removes the log that another has begun.
    """
    if not checkpoint:
        return 0
    if resume:
        return steps_done(checkpoint, steps)
    forget(checkpoint)
    return 0


def several_workers(strategy: Any) -> bool:
    """Return whether a strategy has several machines."""
    return bool(strategy and strategy.cluster_resolver and strategy.cluster_resolver.cluster_spec())


def make_trainer(plan: TrainingPlan, parameters: Any, strategy: Any) -> StyleTrainer:
    """Build the networks and the trainer of a plan, compiled, on the devices of the strategy."""
    settings = plan.settings
    with strategy.scope() if strategy else nullcontext():
        extractor = feature_extractor(
            [
                *layer_weights(settings.content_layers),
                *layer_weights(settings.style_layers),
                *(layer for term in plan.terms for layer in term.layers),
            ],
            network=settings.network,
            weights=parameters,
            pooling=settings.pooling,
            normalize=settings.normalize,
            precision=settings.precision,
        )
        nets = [_new_net(plan, start) for start in map(plan.starts.get, plan.paintings)]
        trainer = StyleTrainer(
            nets,
            list(plan.paintings.values()),
            extractor,
            content_layers=settings.content_layers,
            style_layers=settings.style_layers,
            loss_weights={
                "content": settings.content_weight,
                "style": settings.style_weight,
                "tv": settings.tv_weight,
                "grid": settings.grid_weight,
            },
            style_scales=settings.style_scales,
            ramp=RAMP * settings.steps if plan.is_new else 0,
            terms=plan.terms,
            shape=(settings.batch_size, settings.crop, settings.crop, 3),
        )
        trainer.several_workers = several_workers(strategy)
        make_ready(trainer, settings.learning_rate, settings.steps, settings.crop, strategy)
    return trainer


def records_of(plan: TrainingPlan, parameters: Any, folder: Crops | None) -> list[dict[str, Any]]:
    """Return the record of each network, without the steps and losses that only the end knows."""
    return [
        {
            "style": style,
            "license": plan.license,
            "settings": plan.record_of_settings(),
            "together_with": [other for other in plan.paintings if other != style],
            "started_from": None if start is None else start.record.get("style"),
            "weights": {
                "network": parameters.network,
                "source": parameters.source,
                "sha256": parameters.sha256,
            },
            "photos": None if folder is None else len(folder.paths),
            "versions": {"neural_style": __version__, "keras": keras.__version__},
        }
        for style, start in ((style, plan.starts[style]) for style in plan.paintings)
    ]


def run(
    plan: TrainingPlan,
    trainer: StyleTrainer,
    batches: Batches,
    folder: Crops | None,
    callbacks: Sequence[keras.callbacks.Callback],
    checkpoint: types.Path | None,
    done: int,
    progress: bool,
) -> Any:
    """Train the networks of a trainer, write their files and return them as the caller wants them.

    The training goes on after `done` steps. An error that ends it has the networks so far in its
    .result.
    """
    steps, finite = plan.settings.steps, StopIfNotFinite()
    callbacks = [*callbacks, StopAfter(steps - done), finite]
    if checkpoint:  # last, so that the others have written their part of an epoch when it counts
        log = LossLog(Path(checkpoint, LOG), append=True)
        callbacks += [log, TrainingCheckpoint(checkpoint)]
    try:
        fit(trainer, batches(done, steps), done, steps, callbacks, progress)
        nets = _trained(trainer, checkpoint)
        if folder is not None and folder.unusable:
            logger.warning(
                "%d of %d files could not be used as photos of %d pixels and more",
                len(folder.unusable),
                len(folder.paths),
                plan.settings.crop,
            )
        for net, path in zip(nets, plan.files()):
            save_transform_net(net, path)
    except BaseException as error:
        with suppress(Exception):  # the caller sees the error that ended the training, not another
            if finite.rescue(trainer, isinstance(error, FloatingPointError)):
                result = plan.result(_trained(trainer, checkpoint))
                error.result = result  # type: ignore[attr-defined]
        raise
    return plan.result(nets)


def _new_net(plan: TrainingPlan, start: TransformNet | None) -> TransformNet:
    """Build a network with the first weights or with those of another one."""
    settings = plan.settings
    net = build_transform_net(
        settings.width, settings.residual_blocks, precision=settings.precision, seed=settings.seed
    )
    if start is not None:
        net.set_weights(start.get_weights())
    return net


def _trained(trainer: StyleTrainer, checkpoint: types.Path | None) -> list[TransformNet]:
    """Return the networks as they are now, with the steps and the last losses in their records."""
    losses = {name: values[-1] for name, values in trainer.history.history.items() if values}
    if not losses and checkpoint:
        losses = last_losses(checkpoint)
    nets = trainer.nets()
    for net in nets:
        net.record["steps"], net.record["losses"] = trainer.steps_made(), losses
    return nets


def fit(
    trainer: StyleTrainer,
    batches: Any,
    done: int,
    steps: int,
    callbacks: Sequence[keras.callbacks.Callback],
    progress: bool,
) -> None:
    """Call trainer.fit; an interrupt ends it as if all steps had been made."""
    epoch = min(EPOCH, steps)
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
            with suppress(Exception):  # a callback may not have begun, or may be what ended fit()
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
