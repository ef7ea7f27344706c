"""Names for the types of arguments."""

import os
from collections.abc import Iterable, Mapping
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
