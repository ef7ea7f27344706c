"""Targets of the losses from a picture, tile by tile."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from keras import KerasTensor, ops, tree

from .._shared.types import Features, Tensor
from ..losses.loss import Loss
from .autodiff import compiled, memory_error
from .tiling import Core, Tiling


def targets_of(
    extractor: Callable[[Tensor], Features],
    x: np.ndarray,
    map_layers: Sequence[str],
    measures: Sequence[Loss],
    tiling: Tiling,
) -> tuple[dict[str, np.ndarray], list[Any]]:
    """Targets from a picture: ({layer: its features}, [each measure of the features]).

    The features are in the network's precision.

    Args:
        extractor: Preprocessed pictures -> features.
        x: The preprocessed picture, 1 x H x W x 3.
        map_layers: Names of the layers whose features are wanted.
        measures: Losses whose values are wanted, from style_statistics.
        tiling: How to cut the picture.
    """
    wanted = {*map_layers, *(name for measure in measures for name in measure.sums)}

    def look(crop: Tensor, core: Core, parts: Any) -> Any:
        features = extractor(crop)
        features = tiling.core({name: features[name] for name in wanted}, core)
        return {name: features[name] for name in map_layers}, [
            {
                name: measure.layer_sums(name, features[name], part.get(name))
                for name in measure.sums
            }
            for measure, part in zip(measures, parts)
        ]

    height, width = x.shape[1:3]
    tiles = tiling.tiles(height, width)
    look = compiled(
        look,
        KerasTensor((1, None, None, 3), "float32"),
        (0, 0, 0, 0),
        [
            {
                name: KerasTensor((1, None, None, array.shape[-1]), array.dtype.name)
                for name, array in measure.maps.items()
            }
            for measure in measures
        ],
        static=(1,),
        once=len(tiles) == 1,
    )
    maps: dict[str, np.ndarray] = {}
    totals = None
    for crop, core in tiles:
        parts = [tiling.part(measure.maps, crop, core) for measure in measures]
        with memory_error(x.shape):
            tile_maps, sums = look(x[:, crop[0], crop[1]], core, parts)
        for name, tile_map in tile_maps.items():
            tile_map, s = ops.convert_to_numpy(tile_map), tiling.strides[name]
            if len(tiles) == 1:
                maps[name] = tile_map
                continue
            if name not in maps:
                shape = 1, height // s, width // s, tile_map.shape[-1]
                maps[name] = np.empty(shape, tile_map.dtype)
            tiling.part(maps, crop, core)[name][...] = tile_map
        sums = tree.map_structure(lambda one: ops.convert_to_numpy(one).astype("float64"), sums)
        totals = sums if totals is None else tree.map_structure(np.add, totals, sums)
    return maps, [
        tree.map_structure(np.float32, measure.value(total))
        for measure, total in zip(measures, totals or [])
    ]
