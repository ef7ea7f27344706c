"""Photos to train on: crops of the pictures in a folder of any size."""

import math
import os
from itertools import islice
from pathlib import Path
from typing import Any

import keras
import numpy as np

from .._shared import types
from .._shared.checks import count
from ..images.formats import SUFFIXES
from ..images.load import image_size, load_image


class Crops:
    """Crops of the pictures in a folder, in an order without end.

    The crop of one number is the same whenever it is asked for, so a training can go on anywhere.
    Each round takes the pictures in a new order. A crop is a random part at a random scale, from
    the photo's own scale to the one at which its shorter side is the crop's; half of the crops are
    mirrored. Files that are no pictures, and photos smaller than the crop, are left out.

    Args:
        folder: The folder, searched with its subfolders.
        crop: Side of a crop in pixels.
        seed: Seeds the order, the places, the scales and the mirroring.

    Attributes:
        paths: All files with a picture's name, in the order of their names.
        unusable: {path: why}, the files left out so far.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: The folder has no usable picture.
    """

    def __init__(self, folder: types.Path, crop: int, seed: int = 0) -> None:
        if not Path(folder).is_dir():
            raise FileNotFoundError(f"no folder at {str(folder)!r}")
        crop, seed = count("crop", crop), count("seed", seed, 0)
        self.paths = sorted(
            path
            for path in Path(folder).rglob("*")
            if path.suffix.lower() in SUFFIXES and path.is_file()
        )
        self.crop, self.seed = crop, seed
        self.unusable: dict[Path, str] = {}
        self._orders: dict[int, np.ndarray] = {}
        if not self.paths:
            raise ValueError(f"{str(folder)!r} has no pictures")
        if all(self._load(path, np.random.default_rng(0)) is None for path in self.paths):
            reason = next(iter(self.unusable.values()))
            raise ValueError(
                f"none of the {len(self.paths)} pictures in {str(folder)!r} can be used; the first:"
                f" {reason}"
            )

    def __getitem__(self, index: int) -> np.ndarray:
        """Return the crop of this number: uint8 RGB, crop x crop x 3.

        Args:
            index: From 0 without end.

        Raises:
            ValueError: No picture can be used any more.
        """
        # the next picture stands in for one that cannot be used, at a place of this number's own
        for further in range(2 * len(self.paths)):
            image = self._load(
                self._path(int(index) + further),
                np.random.default_rng((self.seed, int(index), further, 0)),
            )
            if image is not None:
                return image
        raise ValueError(
            f"none of the {len(self.paths)} pictures can be used any more; the last:"
            f" {[*self.unusable.values()][-1]}"
        )

    def first(self, number: int) -> list[Path]:
        """Return the paths of the first usable pictures, in the order of their names.

        Args:
            number: How many.
        """
        return [
            *islice(
                (
                    path
                    for path in self.paths
                    if self._load(path, np.random.default_rng(0)) is not None
                ),
                number,
            )
        ]

    def batches(self, batch_size: int, first: int, last: int) -> Any:
        """Return a dataset of batches, float32, batch_size x crop x crop x 3.

        It is a tf.data.Dataset where Keras computes on TensorFlow, else a keras.utils.PyDataset.

        Args:
            batch_size: Crops in a batch.
            first: Number of the first batch.
            last: Number of the batch after the last one.
        """
        if keras.backend.backend() != "tensorflow":
            return _Batches(self, batch_size, first, last)
        import tensorflow as tf

        shape = (self.crop, self.crop, 3)
        numbers = tf.data.Dataset.range(first * batch_size, last * batch_size)

        def crop(number: types.Tensor) -> types.Tensor:
            image = tf.ensure_shape(tf.numpy_function(self.__getitem__, [number], tf.uint8), shape)
            return tf.cast(image, tf.float32)  # several workers cannot compare batches of uint8

        crops = numbers.map(
            tf.autograph.experimental.do_not_convert(crop),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        return crops.batch(batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)

    def _path(self, index: int) -> Path:
        """Return the path of the picture for the crop of this number."""
        round_, place = divmod(index, len(self.paths))
        if round_ not in self._orders:
            # keep the order of the last round, too, because several threads make the crops
            self._orders = {
                **{r: order for r, order in self._orders.items() if r >= round_ - 1},
                round_: np.random.default_rng((self.seed, round_, 1)).permutation(len(self.paths)),
            }
        return self.paths[self._orders[round_][place]]

    def _load(self, path: Path, rng: np.random.Generator) -> np.ndarray | None:
        """Return a random crop of a picture, or None if it cannot be used."""
        if path in self.unusable:
            return None
        try:
            longer, shorter = sorted(image_size(path), reverse=True)
            if shorter < self.crop:
                raise ValueError(
                    f"{path} is {shorter} pixels high or wide, smaller than the crop of {self.crop}"
                )
            smallest = math.ceil(self.crop * longer / shorter)
            image = load_image(
                path,
                round(math.exp(rng.uniform(math.log(smallest), math.log(max(smallest, longer))))),
            )
        except (OSError, ValueError, ImportError, MemoryError) as error:
            self.unusable[path] = str(error) or type(error).__name__
            return None
        top, left = (rng.integers(side - self.crop + 1) for side in image.shape[:2])
        image = image[top : top + self.crop, left : left + self.crop]
        return np.ascontiguousarray(image[:, ::-1] if rng.integers(2) else image)


class _Batches(keras.utils.PyDataset):
    """The batches of Crops from one number to another."""

    def __init__(self, crops: Crops, batch_size: int, first: int, last: int) -> None:
        super().__init__(workers=os.cpu_count() or 1)
        self._crops, self._size, self._first = crops, batch_size, first
        self._number = last - first

    @property
    def num_batches(self) -> int:
        return self._number

    def __getitem__(self, index: int) -> np.ndarray:
        """Return the batch of this number, counted from the first one."""
        start = (self._first + index) * self._size
        return np.stack([self._crops[start + i] for i in range(self._size)]).astype("float32")
