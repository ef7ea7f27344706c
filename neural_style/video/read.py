"""Read films frame by frame. PyAV (FFmpeg) decodes them, so memory does not grow with the film."""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image

from .._shared.files import is_regular
from .._shared.optional import load
from .._shared.types import Path

logger = logging.getLogger("neural_style")

#: FFmpeg's names of the formats that are read: films, and pictures, each a film of one frame.
#: FFmpeg recognizes a format by a file's content, not by its name. FFmpeg also knows playlists
#: (ffconcat, HLS, DASH ...), which make FFmpeg read other files. No playlist format is in this
#: list.
READABLE = (
    "mov",
    "matroska",
    "avi",
    "mpegts",
    "mpeg",
    "ogg",
    "flv",
    "asf",
    "mxf",
    "dv",
    "ivf",
    "gif",
    "apng",
    "png_pipe",
    "jpeg_pipe",
    "webp_pipe",
    "bmp_pipe",
    "tiff_pipe",
)


@dataclass(frozen=True)
class VideoInfo:
    """What a film is like.

    Attributes:
        width: Width of a frame in pixels, as players show it: upright.
        height: Height of a frame in pixels, upright.
        rate: Mean number of frames per second.
        frames: Number of frames, as the file states it. None if the file does not state it.
        duration: Length in seconds. None if the file does not state it.
        audio: Whether the film has a sound track.
    """

    width: int
    height: int
    rate: Fraction
    frames: int | None
    duration: float | None
    audio: bool


def video_info(path: Path) -> VideoInfo:
    """Find out what a film is like; decode its first frame for this.

    Args:
        path: The film: .mp4, .mov, .mkv, .avi, .gif and other formats that FFmpeg decodes.

    Returns:
        A VideoInfo: size, rate, number of frames, duration, and whether there is sound.

    Raises:
        FileNotFoundError: There is no file at `path`.
        TypeError: `path` is not a path.
        ValueError: The file is not a film, has no pictures, or has frames of more than
            PIL.Image.MAX_IMAGE_PIXELS pixels.
        ImportError: PyAV is missing; the message names the package to install.
    """
    with open_film(path) as container:
        stream = container.streams.video[0]
        first = next(_decoded(container, stream, path), None)
        if first is None:
            raise ValueError(f"{str(path)!r} has no frame that can be decoded")
        height, width = _upright(first).shape[:2]
        duration = (
            stream.duration * stream.time_base
            if stream.duration
            else container.duration and Fraction(container.duration, 10**6)
        )
        return VideoInfo(
            width,
            height,
            stream.average_rate or stream.guessed_rate or Fraction(25),
            stream.frames or None,
            None if duration is None else float(duration),
            bool(container.streams.audio),
        )


def read_frames(path: Path) -> Iterator[tuple[Fraction, np.ndarray]]:
    """Read the frames of a film one after the other.

    If a film is damaged after its first frame, the frames end there, with a warning.

    Args:
        path: The film, in any format that video_info takes.

    Yields:
        (time in seconds since the first frame, picture: uint8 RGB, H x W x 3, turned upright).

    Raises:
        FileNotFoundError: There is no file at `path`. This and the other errors come when the first
            frame is asked for.
        TypeError: `path` is not a path.
        ValueError: The file is not a film, has no pictures, or has frames of more than
            PIL.Image.MAX_IMAGE_PIXELS pixels.
        ImportError: PyAV is missing; the message names the package to install.
    """
    with open_film(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        start = None
        for number, frame in enumerate(_decoded(container, stream, path)):
            time = frame.pts * frame.time_base if frame.pts is not None else number / rate
            start = time if start is None else start
            yield time - start, _upright(frame)


def open_film(path: Path, pictures: bool = True) -> Any:
    """Open a film as a PyAV container that reads no other file and respects the pixel limit.

    Args:
        path: The film.
        pictures: Refuse a file without pictures. False: accept a file with sound only.
    """
    av = load_av()
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"a film must be a path. Received: {type(path).__name__}")
    if not is_regular(path):
        raise FileNotFoundError(f"no film at {str(path)!r}")
    most = Image.MAX_IMAGE_PIXELS
    limit = {} if most is None else {"max_pixels": str(most)}
    options = {"format_whitelist": ",".join(READABLE), "protocol_whitelist": "file", **limit}
    try:
        # The path is absolute because FFmpeg takes "a:b.mp4" for a protocol named a.
        container = av.open(os.path.abspath(path), options=options, metadata_errors="replace")
    except av.FFmpegError as error:
        raise ValueError(
            f"{str(path)!r} is not a film in a format that is read here: {error}"
        ) from error
    try:
        if pictures and not container.streams.video:
            raise ValueError(f"{str(path)!r} has no pictures, only sound")
        for stream in container.streams.video:
            if stream.codec_context is None:
                raise ValueError(f"{str(path)!r} has pictures of a kind that FFmpeg cannot decode")
            if most is not None and stream.width * stream.height > most:
                raise ValueError(
                    f"{str(path)!r} has frames of {stream.width} x {stream.height} pixels;"
                    f" {_pixel_limit()}"
                )
            stream.codec_context.options = limit
    except ValueError:
        container.close()
        raise
    return container


def load_av() -> ModuleType:
    """Import PyAV, or raise an ImportError that names the package to install."""
    return load("av")


def _upright(frame: Any) -> np.ndarray:
    """Convert a PyAV frame to uint8 RGB, H x W x 3, and turn it upright."""
    image = frame.to_ndarray(format="rgb24")
    return (
        np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90)))
        if frame.rotation
        else image
    )


def _decoded(container: Any, stream: Any, path: Path) -> Iterator[Any]:
    """Decode a stream's PyAV frames up to the end or, with a warning, up to the first damage."""
    av, number = load_av(), 0
    try:
        for frame in container.decode(stream):
            yield frame
            number += 1
    except av.FFmpegError as error:
        if number == 0:
            raise ValueError(
                f"{str(path)!r} has no frame that can be decoded ({error}); {_pixel_limit()}"
            ) from error
        logger.warning("%s is damaged after %d frames and ends there: %s", path, number, error)


def _pixel_limit() -> str:
    """Say in an error message which limit of pixels holds, and how to raise it."""
    if Image.MAX_IMAGE_PIXELS is None:
        return "there is no limit of pixels"
    return (
        f"the limit against malicious files is {Image.MAX_IMAGE_PIXELS:,} pixels a frame; if you"
        " trust the file, raise PIL.Image.MAX_IMAGE_PIXELS first"
    )
