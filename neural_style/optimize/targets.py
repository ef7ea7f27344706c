"""Targets of the losses from a picture, tile by tile."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from .._shared.types import Features, Tensor
from ..losses.loss import Loss
from .autodiff import graph_as_written, memory_error
from .tiling import Tiling


def targets_of(
    extractor: Callable[[Tensor], Features],
    x: np.ndarray,
    map_layers: Sequence[str],
    measures: Sequence[Loss],
    tiling: Tiling,
) -> tuple[dict[str, np.ndarray], list[Any]]:
    """Targets from a picture: ({layer: its features}, [each measure of the features]).

    Args:
        extractor: Preprocessed pictures -> features.
        x: The preprocessed picture, 1 x H x W x 3.
        map_layers: Names of the layers whose features are wanted.
        measures: Losses whose values are wanted, from style_statistics.
        tiling: How to cut the picture.
    """
    wanted = {*map_layers, *(name for measure in measures for name in measure.sums)}

    @partial(tf.function, autograph=False)
    def look(crop: Tensor, core: Tensor, parts: Any) -> Any:
        features = extractor(crop)
        features = tiling.core({name: features[name] for name in wanted}, core)
        maps = {name: tf.cast(features[name], "float32") for name in map_layers}
        return maps, [
            {
                name: measure.layer_sums(name, features[name], part.get(name))
                for name in measure.sums
            }
            for measure, part in zip(measures, parts)
        ]

    spec = [
        {
            name: tf.TensorSpec([1, None, None, array.shape[-1]], tf.float32)
            for name, array in measure.maps.items()
        }
        for measure in measures
    ]
    look = look.get_concrete_function(
        tf.TensorSpec([1, None, None, 3], tf.float32), tf.TensorSpec([4], tf.int32), spec
    )
    height, width = x.shape[1:3]
    maps: dict[str, np.ndarray] = {}
    totals = None
    tiles = tiling.tiles(height, width)
    for crop, core in tiles:
        parts = [
            {
                name: tf.constant(part)
                for name, part in tiling.part(measure.maps, crop, core).items()
            }
            for measure in measures
        ]
        with graph_as_written(), memory_error(x.shape):
            tile_maps, sums = look(
                *tf.nest.flatten((tf.constant(x[:, crop[0], crop[1]]), tf.constant(core), parts))
            )
        for name, tile_map in tile_maps.items():
            s = tiling.strides[name]
            if len(tiles) == 1:
                maps[name] = tile_map.numpy()
                continue
            if name not in maps:
                maps[name] = np.empty((1, height // s, width // s, tile_map.shape[-1]), "float32")
            tiling.part(maps, crop, core)[name][...] = tile_map
        sums = tf.nest.map_structure(lambda tensor: tensor.numpy().astype("float64"), sums)
        totals = sums if totals is None else tf.nest.map_structure(np.add, totals, sums)
    return maps, [
        tf.nest.map_structure(np.float32, measure.value(total))
        for measure, total in zip(measures, totals or [])
    ]
