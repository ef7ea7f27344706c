"""Photos to train on: crops of the pictures in a folder of any size."""

import math
from itertools import islice
from pathlib import Path

import numpy as np

from .._shared.checks import count
from ..images.formats import SUFFIXES
from ..images.load import image_size, load_image


class Crops:
    """Crops of the pictures in a folder: the i-th is the same whenever it is asked for, so a
    training can go on anywhere.

    Each round takes the pictures in a new order. A crop is a random part at a random scale, from
    the photo's own to the one at which its shorter side is the crop's, half of them mirrored. Files
    that are no pictures, and photos smaller than the crop, are left out; .unusable has those met so
    far.

    Args:
        folder: searched through. crop: side in pixels. seed: of all chance.

    Raises:
        FileNotFoundError, ValueError: no such folder, none that is usable.
    """

    def __init__(self, folder, crop, seed=0):
        if not Path(folder).is_dir():
            raise FileNotFoundError(f"no folder at {str(folder)!r}")
        crop, seed = count("crop", crop), count("seed", seed, 0)
        self.paths = sorted(
            path
            for path in Path(folder).rglob("*")
            if path.suffix.lower() in SUFFIXES and path.is_file()
        )
        self.crop, self.seed, self.unusable, self._orders = crop, seed, {}, {}
        if not self.paths:
            raise ValueError(f"{str(folder)!r} has no pictures")
        if all(self._load(path, np.random.default_rng(0)) is None for path in self.paths):
            reason = next(iter(self.unusable.values()))
            raise ValueError(
                f"none of the {len(self.paths)} pictures in {str(folder)!r} can be used; the first:"
                f" {reason}"
            )

    def __getitem__(self, index):
        """The crop of this number, from 0 without end: uint8 RGB, crop x crop x 3."""
        for further in range(
            2 * len(self.paths)
        ):  # for a picture that cannot be used the next one, at a place of this number's own
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

    def first(self, number):
        """The paths of the first so many that can be used, in the order of their names."""
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

    def batches(self, batch_size, first, last):
        """tf.data of the batches first <= number < last, float32, batch_size x crop x crop x 3."""
        import tensorflow as tf

        shape = (self.crop, self.crop, 3)
        numbers = tf.data.Dataset.range(first * batch_size, last * batch_size)

        def crop(number):
            image = tf.ensure_shape(tf.numpy_function(self.__getitem__, [number], tf.uint8), shape)
            return tf.cast(
                image, tf.float32
            )  # several workers compare their batches, which they cannot in uint8

        crops = numbers.map(
            tf.autograph.experimental.do_not_convert(crop),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        return crops.batch(batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)

    def _path(self, index):
        round_, place = divmod(index, len(self.paths))
        if (
            round_ not in self._orders
        ):  # of this round and the last one: the crops are made by several threads
            self._orders = {
                **{r: order for r, order in self._orders.items() if r >= round_ - 1},
                round_: np.random.default_rng((self.seed, round_, 1)).permutation(len(self.paths)),
            }
        return self.paths[self._orders[round_][place]]

    def _load(self, path, rng):
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
