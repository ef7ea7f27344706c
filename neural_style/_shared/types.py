"""Names for the types of arguments."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

#: The path of a file or a folder.
Path: TypeAlias = str | os.PathLike[str]

#: A picture as load_image takes it: a path, a PIL.Image or an array.
Picture: TypeAlias = str | os.PathLike[str] | Image.Image | np.ndarray

#: Names of layers, which share the weight 1 evenly, or {name: weight}.
Layers: TypeAlias = Iterable[str] | Mapping[str, float]

#: Features of a network: {layer: B x h x w x C}, arrays or tensors of Keras' backend.
Features: TypeAlias = Mapping[str, Any]

#: A tensor of Keras' backend. The backends have no common class.
Tensor: TypeAlias = Any

#: What an optimizer minimizes: x, a flat vector -> (loss, gradient).
Objective: TypeAlias = Callable[[np.ndarray], tuple[float, np.ndarray]]

#: (lower, upper), each broadcast to x, or None.
Bounds: TypeAlias = Sequence[np.ndarray] | None
