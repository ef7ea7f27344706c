"""The folder for the finished frames of a film."""

import json
import logging
import os
import re
from contextlib import contextmanager, suppress

from .._shared.files import only_user, whole_or_not
from ..images.load import load_image

logger = logging.getLogger("neural_style")

#: In the folder for frames: which film and settings they are of.
MANIFEST = "film.json"

#: The name of a finished frame.
FRAME_NAME = re.compile(r"[0-9]{6,}\.png")


def _frame(work, number):
    return work / f"{number:06d}.png"


def _read_again(path, shape):
    """A frame that was painted before; None if there is none, or, with a warning, if it is damaged."""
    if not os.path.lexists(path):
        return None
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
def _claimed(work, identity, passing, resume=True):
    """The folder for frames, this film's and this run's alone. A passing one goes when the film is
    whole, or if no frame is finished. Without `resume`, frames of an earlier run are removed.
    """
    _check_folder(work)
    work.mkdir(parents=True, exist_ok=True)
    try:
        with only_user(work):
            _claim(work, identity)
            if not resume:
                _remove_frames(work)
            whole = False
            try:
                yield
                whole = True
            finally:
                if passing and (whole or not _has_frames(work)):
                    for path in work.iterdir():
                        if path.name != ".lock" and not path.is_dir():
                            path.unlink()
    finally:
        if passing:
            with suppress(OSError):  # it has frames or other things, or by now is another run's
                work.rmdir()


def _claim(work, identity):
    """Make the folder this film's; it must be new, or of the same film with the same settings."""
    _check_folder(work)
    if not _has_frames(work):
        with whole_or_not(work / MANIFEST) as file:
            file.write(json.dumps(identity).encode())
    elif _manifest(work) != identity:
        raise ValueError(
            f"{str(work)!r} has the frames of another film or of other settings; remove it, or give"
            " another checkpoint="
        )


def _check_folder(work):
    """Raise a ValueError if `work` is a folder of somebody else's; an empty one, or what was left
    of a killed run, is not.
    """
    if os.path.lexists(work) and not work.is_dir():
        raise ValueError(f"{str(work)!r} is no folder; give another checkpoint=")
    left = re.compile(r"\.lock|\..*\.part")
    if (
        work.is_dir()
        and _manifest(work) is None
        and not all(left.fullmatch(name) for name in os.listdir(work))
    ):
        raise ValueError(
            f"{str(work)!r} is a folder with other things in it; give another checkpoint="
        )


def _manifest(work):
    """What stands in the folder's manifest; None if it has none of ours."""
    try:
        identity = json.loads((work / MANIFEST).read_text())
    except (OSError, ValueError, RecursionError):
        return None
    return (
        identity
        if isinstance(identity, dict) and set(identity) == {"source", "style", "settings"}
        else None
    )


def _has_frames(work):
    return any(FRAME_NAME.fullmatch(name) for name in os.listdir(work))


def _remove_frames(work):
    """Remove the finished frames, and nothing else that lies in the folder."""
    for name in os.listdir(work):
        if FRAME_NAME.fullmatch(name):
            (work / name).unlink()
