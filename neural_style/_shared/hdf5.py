"""HDF5 files that may be damaged, or that may come from a stranger.

Only numbers that lie in the file itself are read, and nothing else.
"""

import h5py


def plain_datasets(file: h5py.File) -> dict[str, h5py.Dataset]:
    """List the datasets of an open HDF5 file, and refuse a file that holds anything else.

    Reading one of the datasets takes no more memory than the file has bytes.

    Args:
        file: the open h5py.File.

    Returns:
        {path within the file: h5py.Dataset}.

    Raises:
        ValueError: the file has a link, or a dataset that does not hold numbers, whose values lie
            in another file, or whose values are compressed or computed while they are read.
    """
    link = file.id.links.visit(
        lambda name, link: None if link.type == h5py.h5l.TYPE_HARD else name, info=True
    )
    if link is not None:
        raise ValueError(f"it has a link, {link.decode(errors='replace')!r:.100}")
    found: dict[str, h5py.Dataset] = {}
    file.visititems(
        lambda name, item: None if isinstance(item, h5py.Group) else found.update({name: item})
    )
    for name, item in found.items():
        if not isinstance(item, h5py.Dataset) or not _is_plain(item):
            raise ValueError(f"its {name!r:.100} is no plain array of numbers")
    return found


def _is_plain(dataset: h5py.Dataset) -> bool:
    """Tell whether a dataset holds numbers that lie uncompressed in the file itself."""
    stored = dataset.id.get_create_plist()
    return (
        dataset.shape is not None
        and dataset.dtype.kind in "fiu"
        and stored.get_external_count() == 0
        and stored.get_layout() in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT)
        and dataset.id.get_storage_size() == dataset.size * dataset.dtype.itemsize
    )
