"""Arrays out of .npz files, which may be damaged or a stranger's: no code, and no more memory than
the arrays that are meant.
"""

import math
import zipfile

from numpy.lib import format as npy


def read_npz(path, shapes=None, most_bytes=4 << 30):
    """{name: array} of a .npz file.

    Args:
        path: of the file.
        shapes: {name: shape} of the arrays to read, which must have these; None: all there are.
        most_bytes: that all of them may take.

    Raises:
        FileNotFoundError, ValueError: no such file; a damaged one, without these arrays, or whose
            arrays hold less than they claim.
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
                if shapes is not None and shapes[name] is not None and shape != tuple(shapes[name]):
                    raise ValueError(
                        f"{name} must have the shape {tuple(shapes[name])}. Received: {shape}"
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
    except Exception as error:  # zipfile's, zlib's and NumPy's own
        raise ValueError(
            f"{str(path)!r} cannot be read as .npz: {' '.join(str(error).split())}"
        ) from error


def _header(archive, member):
    """(shape, dtype) of an array in the file."""
    with archive.open(member) as file:
        version = npy.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"an array of format {version}")
        shape, _, dtype = (
            npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        )(file)
    return shape, dtype
