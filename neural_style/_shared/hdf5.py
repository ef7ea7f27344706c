"""HDF5 files that may be damaged or a stranger's: numbers that lie in the file itself, and nothing
else.
"""

import h5py


def plain_datasets(file):
    """{path: h5py.Dataset} of all that an open HDF5 file holds; to read one takes no more memory
    than the file has bytes.

    Raises:
        ValueError: a link; a dataset that holds no numbers, whose values lie in another file, or
            that are unpacked or made when they are read.
    """
    link = file.id.links.visit(
        lambda name, link: None if link.type == h5py.h5l.TYPE_HARD else name, info=True
    )
    if link is not None:
        raise ValueError(f"it has a link, {link.decode(errors='replace')!r:.100}")
    found = {}
    file.visititems(
        lambda name, item: None if isinstance(item, h5py.Group) else found.update({name: item})
    )
    for name, item in found.items():
        if not isinstance(item, h5py.Dataset) or not _is_plain(item):
            raise ValueError(f"its {name!r:.100} is no plain array of numbers")
    return found


def _is_plain(dataset):
    stored = dataset.id.get_create_plist()
    return (
        dataset.shape is not None
        and dataset.dtype.kind in "fiu"
        and stored.get_external_count() == 0
        and stored.get_layout() in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT)
        and dataset.id.get_storage_size() == dataset.size * dataset.dtype.itemsize
    )
