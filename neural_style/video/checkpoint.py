"""Keep the finished frames of a film in a folder, so that a killed film goes on from there."""

import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from .._shared import types
from .._shared.files import only_user, whole_or_not
from ..images.load import load_image
from ..provenance.identity import digest

logger = logging.getLogger("neural_style")

#: The file in the folder that says which film and which settings the frames belong to.
MANIFEST = "film.json"

#: The name of a finished frame.
FRAME_NAME = re.compile(r"[0-9]{6,}\.png")

#: The names of what a killed run can leave before its first frame.
LEFT_NAME = re.compile(r"\.lock|\..*\.part")


def film_identity(source: Any, style: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a film by digests and settings, as JSON has them, for the folder's manifest."""
    return {
        "source": digest(source),
        "style": digest(style),
        "settings": json.loads(json.dumps(settings, default=_plain)),
    }


def folder_for_frames(checkpoint: types.Path | None, output: types.Path) -> tuple[Path, bool]:
    """Choose the folder for finished frames.

    Args:
        checkpoint: The folder that the caller names. None: a hidden folder beside the output.
        output: The film to write.

    Returns:
        (the folder, whether it is removed after the film).

    Raises:
        ValueError: `checkpoint` names the output.
    """
    output = Path(output)
    beside = output.with_name(f".{output.name}.frames")
    folder = beside if checkpoint is None else Path(checkpoint)
    if folder.resolve() == output.resolve():
        raise ValueError(
            "checkpoint must be another folder than the output. Received:"
            f" checkpoint={str(folder)!r}"
        )
    return folder, folder == beside


def frame_path(folder: Path, number: int) -> Path:
    """Give the path of a finished frame."""
    return folder / f"{number:06d}.png"


def finished_frame(path: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """Read a frame that an earlier run painted.

    Args:
        path: The frame's path.
        shape: The shape that the frame must have: (H, W, 3).

    Returns:
        uint8 RGB, H x W x 3. None if there is no such frame or, with a warning, if it is damaged.
    """
    if not os.path.lexists(path):
        return None
    reason: object
    try:
        result = load_image(path)
        if result.shape == shape:
            return result
        reason = f"its shape is {result.shape}, not {shape}"
    except (OSError, ValueError) as error:
        reason = error
    logger.warning("the frame %s is painted anew: %s", path, reason)
    return None


@contextmanager
def claimed(
    folder: Path, identity: Mapping[str, Any], passing: bool, resume: bool = True
) -> Iterator[None]:
    """Reserve a folder for the frames of this film and for this run alone.

    Args:
        folder: The folder; it is made where it is missing.
        identity: What film_identity gives for the film.
        passing: Remove the folder when the film is complete, or if no frame is finished.
        resume: Keep the frames of an earlier run of the same film. False: remove them first.

    Raises:
        ValueError: The folder belongs to another film, has other settings or other things in it.
        RuntimeError: Another run uses the folder.
    """
    _check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with only_user(folder):
            _claim(folder, identity)
            if not resume:
                _remove_frames(folder)
            whole = False
            try:
                yield
                whole = True
            finally:
                if passing and (whole or not _has_frames(folder)):
                    for path in folder.iterdir():
                        if path.name != ".lock" and not path.is_dir():
                            path.unlink()
    finally:
        if passing:
            # The folder stays if it has frames or other things, or if another run has claimed it.
            with suppress(OSError):
                folder.rmdir()


def _claim(folder: Path, identity: Mapping[str, Any]) -> None:
    """Write the film's manifest into a folder without frames; check it in a folder with frames."""
    _check_folder(folder)
    if not _has_frames(folder):
        with whole_or_not(folder / MANIFEST) as file:
            file.write(json.dumps(identity).encode())
    elif _manifest(folder) != identity:
        raise ValueError(
            f"{str(folder)!r} has the frames of another film or of other settings; remove the"
            " folder, or give another checkpoint="
        )


def _check_folder(folder: Path) -> None:
    """Raise a ValueError if a folder is not ours, not empty, and not what a killed run left."""
    if os.path.lexists(folder) and not folder.is_dir():
        raise ValueError(f"{str(folder)!r} is not a folder; give another checkpoint=")
    if (
        folder.is_dir()
        and _manifest(folder) is None
        and not all(LEFT_NAME.fullmatch(name) for name in os.listdir(folder))
    ):
        raise ValueError(
            f"{str(folder)!r} is a folder with other things in it; give another checkpoint="
        )


def _manifest(folder: Path) -> dict[str, Any] | None:
    """Read a folder's manifest; None if the folder has none of ours."""
    try:
        identity = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError, RecursionError):
        return None
    return (
        identity
        if isinstance(identity, dict) and set(identity) == {"source", "style", "settings"}
        else None
    )


def _has_frames(folder: Path) -> bool:
    """Tell whether a folder has finished frames."""
    return any(FRAME_NAME.fullmatch(name) for name in os.listdir(folder))


def _remove_frames(folder: Path) -> None:
    """Remove the finished frames, and nothing else that lies in the folder."""
    for name in os.listdir(folder):
        if FRAME_NAME.fullmatch(name):
            (folder / name).unlink()


def _plain(value: Any) -> Any:
    """Convert a setting that JSON does not know."""
    return value.item() if isinstance(value, np.generic) else str(value)
