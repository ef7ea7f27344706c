"""What happens along a training: previews, its log, its end."""

import io
import logging
from contextlib import suppress
from pathlib import Path

import keras
import numpy as np
from keras import ops

from .._shared.checks import count
from ..images.load import load_image
from ..images.save import save_image

logger = logging.getLogger("neural_style")

#: Steps of what Keras calls an epoch: a state and a line of the log are made after each.
EPOCH = 50


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
    """Ends a training whose losses or weights are no longer finite, before a checkpoint takes them in;
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
