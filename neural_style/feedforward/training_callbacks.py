"""What happens along a training: previews, its log, its end."""

import io
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

import keras
import numpy as np
from keras import ops

from .._shared import types
from .._shared.checks import count
from ..images.load import load_image
from ..images.save import save_image

logger = logging.getLogger("neural_style")

#: Steps of what Keras calls an epoch. After each, a state and a line of the log are written.
EPOCH = 50

#: The numbers that Keras gives to a callback.
Logs: TypeAlias = Mapping[str, Any] | None


class StopAfter(keras.callbacks.Callback):
    """End the training after `steps` steps, also within an epoch."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.left = steps

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Count a step."""
        self.left -= 1
        if self.left == 0:
            self.model.stop_training = True


class StopIfNotFinite(keras.callbacks.Callback):
    """End a training whose losses or weights are no longer finite, before a checkpoint has them.

    It keeps the last weights that were finite.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last: tuple[int, list[np.ndarray]] | None = None

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Check the losses and weights, and keep the weights."""
        weights = self.model.joint.get_weights()
        wrong = [name for name, value in (logs or {}).items() if not np.isfinite(value).all()]
        if not wrong and not all(np.isfinite(w).all() for w in weights):
            wrong = ["a weight"]
        if wrong:
            raise FloatingPointError(
                f"the training has diverged: {', '.join(wrong)} not finite in epoch {epoch + 1}"
                f" of {EPOCH} steps; a lower learning_rate may help"
            )
        self._last = self.model.steps_made(), weights

    def rescue(self, trainer: Any, diverged: bool) -> bool:
        """Return whether a trainer has trained networks of finite weights.

        If the trainer has diverged, it gets those after its last good epoch.

        Args:
            trainer: A StyleTrainer.
            diverged: Whether a FloatingPointError ended its training.
        """
        if not diverged and all(np.isfinite(w).all() for w in trainer.joint.get_weights()):
            return trainer.steps_made() > 0
        if self._last is not None:
            trainer.batches.assign(self._last[0])
            trainer.joint.set_weights(self._last[1])
        return self._last is not None


class LossLog(keras.callbacks.CSVLogger):
    """Keras' CSVLogger, for which a line that cannot be written is a warning, not the end."""

    def on_train_begin(self, logs: Logs = None) -> None:
        """Open the file."""
        try:
            super().on_train_begin(logs)
        except OSError as error:
            logger.warning(
                "the losses cannot be written to %s, and the training goes on: %s",
                self.filename,
                error,
            )
            self.csv_file = io.StringIO()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write a line."""
        try:
            super().on_epoch_end(epoch, logs)
        except OSError as error:
            logger.warning(
                "the losses could not be written to %s, and the training goes on: %s",
                self.filename,
                error,
            )

    def on_train_end(self, logs: Logs = None) -> None:
        """Close the file."""
        with suppress(OSError):  # closing tries once more to write what could not be written
            super().on_train_end(logs)


class Preview(keras.callbacks.Callback):
    """Write what the networks in training make of a few photos, as 00050.png.

    Each file has a row of the photos over a row of results for each network.

    Args:
        photos: Pictures, whatever load_image takes.
        folder: The folder to write to, made where it is missing.
        steps: How many steps lie between two files.
        size: Longer side of each picture in pixels.
    """

    def __init__(
        self, photos: Sequence[types.Picture], folder: types.Path, steps: int = 500, size: int = 256
    ) -> None:
        super().__init__()
        self.photos, self.folder, self.steps = (
            [load_image(photo, size) for photo in photos],
            Path(folder),
            count("steps", steps),
        )
        self.folder.mkdir(parents=True, exist_ok=True)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Write a file if it is time.

        Args:
            batch: Keras' own.
            logs: Keras' own.
        """
        done = int(ops.convert_to_numpy(self.model.optimizer.iterations))
        if done % self.steps == 0:
            height = max(photo.shape[0] for photo in self.photos)
            columns = [self._column(photo, height) for photo in self.photos]
            try:
                save_image(np.concatenate(columns, axis=1), self.folder / f"{done:05d}.png")
            except OSError as error:
                logger.warning(
                    "a preview could not be written to %s, and the training goes on: %s",
                    self.folder,
                    error,
                )

    def _column(self, photo: np.ndarray, height: int) -> np.ndarray:
        """Return a photo over its paintings, uint8 RGB, with a white margin of 4 pixels."""
        pixels = ops.convert_to_numpy(self.model(photo[None].astype("float32")))
        painted = np.clip(np.rint(pixels), 0, 255).astype("uint8")
        column = np.concatenate([_to_height(image, height) for image in (photo, *painted)])
        return np.pad(column, ((0, 0), (0, 4), (0, 0)), constant_values=255)


def _to_height(image: np.ndarray, height: int) -> np.ndarray:
    """Add white below a picture, up to this height."""
    return np.pad(image, ((0, height - image.shape[0]), (0, 0), (0, 0)), constant_values=255)
