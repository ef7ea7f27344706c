"""Pictures that a benchmark paints once and keeps."""

import hashlib

from neural_style import transfer

from .quality import IMAGES


def painted(folder, pair, settings):
    """Paint a pair of images/ with some settings, unless that was done before.

    Args:
        folder: A Path, where the pictures are kept.
        pair: Names of photo and painting, without .jpg.
        settings: transfer()'s other arguments. Their text, and nothing else, tells one picture of a
            pair from another: remove the folder where the code has changed.

    Returns:
        The picture's Path.
    """
    digest = hashlib.sha256(repr(sorted(settings.items())).encode()).hexdigest()[:12]
    path = folder / f"{'_in_'.join(pair)}_{digest}.png"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        photo, painting = (IMAGES / f"{name}.jpg" for name in pair)
        transfer(photo, painting, **settings, progress=False).save(path)
    return path
