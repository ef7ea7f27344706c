"""Arrays from .npz files that may be damaged, or that may come from a stranger.

Reading runs no code from the file and takes no more memory than the expected arrays.
"""

import math
import zipfile
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.lib import format as npy

from .types import Path


def read_npz(
    path: Path, shapes: Mapping[str, Sequence[int] | None] | None = None, most_bytes: int = 4 << 30
) -> dict[str, np.ndarray]:
    """Read the arrays of a .npz file.

    Args:
        path: the file to read.
        shapes: {name: shape} of the arrays to read, which must have these shapes; a shape of None
            accepts any shape. Without `shapes`, all arrays of the file are read.
        most_bytes: the most bytes that all the arrays together may take.

    Returns:
        {name: array}.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, lacks one of the arrays, or holds less than it claims.
    """
    try:
        with open(path, "rb") as opened, zipfile.ZipFile(opened) as archive:
            members = {
                info.filename.removesuffix(".npy"): info
                for info in archive.infolist()
                if info.filename.endswith(".npy")
            }
            arrays = {}
            for name in members if shapes is None else shapes:
                if name not in members:
                    raise ValueError(f"it has no {name}")
                shape, dtype = _header(archive, members[name])
                size = math.prod(shape) * dtype.itemsize
                expected = None if shapes is None else shapes[name]
                if expected is not None and shape != tuple(expected):
                    raise ValueError(
                        f"{name} must have the shape {tuple(expected)}. Received: {shape}"
                    )
                if dtype.hasobject or size > members[name].file_size:
                    raise ValueError(f"{name} holds no numbers, or fewer than it claims")
                most_bytes -= members[name].file_size
                if most_bytes < 0:
                    raise ValueError("its arrays are larger than they can be")
                with archive.open(members[name]) as file:
                    arrays[name] = npy.read_array(file, allow_pickle=False)
            return arrays
    except FileNotFoundError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy each have their own exceptions
        raise ValueError(
            f"{str(path)!r} cannot be read as .npz: {' '.join(str(error).split())}"
        ) from error


def _header(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[tuple[int, ...], np.dtype]:
    """Read the shape and the dtype of an array, without the array's values."""
    with archive.open(member) as file:
        version = npy.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"an array of format {version}")
        shape, _, dtype = (
            npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        )(file)
    return shape, dtype
