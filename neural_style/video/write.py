"""Write films frame by frame. PyAV (FFmpeg) encodes them, so memory does not grow with the film."""

import os
import pathlib
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from .._shared.files import check_output, whole_path
from .._shared.types import Path
from .read import load_av
from .sound import SoundTrack

#: The unit of the frames' times in a written film, in seconds. PyAV offers it, and it is fine
#: enough for any rate.
TIME_BASE = Fraction(1, 90_000)

#: The matrix by which FFmpeg converts RGB to Y'CbCr: ITU-T H.273, SMPTE 170M. The file names it,
#: because players would guess another matrix for large pictures.
BT601 = 6

#: Suffix -> FFmpeg's name of the formats that are written.
WRITABLE = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}


def write_video(
    frames: Iterable[np.ndarray | tuple[Fraction | float, np.ndarray]],
    path: Path,
    rate: Fraction | float = 25,
    audio: Path | None = None,
    first: Fraction | float = 0,
    last: Fraction | float | None = None,
    quality: int = 18,
    overwrite: bool = False,
) -> int:
    """Encode frames as an H.264 film. The film appears at `path` only once it is complete.

    Args:
        frames: Pictures of one size, uint8 RGB, H x W x 3; or (time in seconds, picture) pairs,
            which keep the times of a film of variable rate. They are read one by one.
        path: The film to write: .mp4, .mov or .mkv. An odd width or height needs the 4:4:4 format,
            which some players do not know.
        rate: Frames per second, for pictures without times.
        audio: A film whose sound track is copied, without encoding it again. None: no sound.
        first: Second of `audio` at which the copied sound starts.
        last: Second of `audio` at which the copied sound ends. None: the end of `audio`.
        quality: x264's CRF: 0 loses nothing, 18 shows hardly any loss, 51 is the worst.
        overwrite: Let the film replace `audio`, which is read to its end before.

    Returns:
        The number of frames.

    Raises:
        FileNotFoundError: The folder of `path` or the file `audio` does not exist.
        PermissionError: `path` cannot be written.
        TypeError: `path` or `audio` is not a path.
        ValueError: `path` has another suffix or names `audio`; the frames differ in size or are
            not uint8 RGB; there is no frame; `audio` is not a film.
        OSError: The disk is full. An older film at `path` stays as it is.
        ImportError: PyAV is missing; the message names the package to install.
    """
    check_video_path(path, [audio], overwrite)
    av, rate = load_av(), Fraction(rate).limit_denominator(100_000)
    with whole_path(path) as part:
        count, stream, sound = 0, None, None
        suffix = pathlib.Path(path).suffix.lower()
        with av.open(str(part), "w", format=WRITABLE[suffix]) as container:
            for count, item in enumerate(frames, start=1):
                time, image = (
                    item if isinstance(item, tuple) else (Fraction(count - 1) / rate, item)
                )
                if stream is None:
                    stream = _video_stream(container, image, rate, quality)
                    sound = None if audio is None else SoundTrack(audio, container, first, last)
                if image.shape != (stream.height, stream.width, 3) or image.dtype != np.uint8:
                    raise ValueError(
                        "the frames of a film must be uint8 RGB of one size. Received:"
                        f" {image.dtype}, {image.shape} after {(stream.height, stream.width, 3)}"
                    )
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
                frame.pts, frame.time_base = round(time / TIME_BASE), TIME_BASE
                container.mux(stream.encode(frame))
                if sound:
                    sound.copy_until(time)
            if stream is None:
                raise ValueError("a film needs at least one frame. Received: none")
            container.mux(stream.encode(None))
            if sound:
                sound.copy_until(None)
    return count


def check_video_path(path: Path, inputs: Iterable[Any] = (), overwrite: bool = False) -> None:
    """Raise a clear error if write_video could not write to `path`.

    Args:
        path: The film to write.
        inputs: What the work reads. Those that are paths of files must not be `path`.
        overwrite: Let the film replace an input.

    Raises:
        TypeError: `path` is not a path.
        ValueError: `path` has another suffix than .mp4, .mov and .mkv, has a name that is too
            long, or names an input.
        FileNotFoundError: The folder of `path` does not exist.
        PermissionError: `path` cannot be written.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"the output must be a path. Received: {type(path).__name__}")
    path = pathlib.Path(path)
    if path.suffix.lower() not in WRITABLE:
        raise ValueError(
            f"the name of a film must end in .mp4, .mov or .mkv. Received: {str(path)!r}"
        )
    check_output(path, inputs, overwrite)


def _video_stream(container: Any, image: np.ndarray, rate: Fraction, quality: int) -> Any:
    """Add an H.264 stream of the first picture's size to a PyAV container."""
    height, width = image.shape[:2]
    stream = container.add_stream(
        "libx264", rate=rate, options={"crf": str(quality), **_options_for_same_bytes()}
    )
    # With more threads, x264 sometimes encodes the same frames to other bytes.
    stream.codec_context.thread_count = 1
    stream.width, stream.height = width, height
    stream.pix_fmt = "yuv444p" if height % 2 or width % 2 else "yuv420p"
    stream.codec_context.time_base = TIME_BASE
    stream.codec_context.colorspace = BT601
    return stream


def _options_for_same_bytes() -> dict[str, str]:
    """Give the x264 options with which the same frames always become the same film.

    x264's AVX-512 code that weighs macroblocks by what depends on them (mbtree) reads memory beside
    a row that nobody wrote to. The film then depends on what was in memory before. On a processor
    with AVX-512, these options make x264 use AVX2 instead.
    """
    known = np.show_config(mode="dicts")["SIMD Extensions"]
    extensions = [*known.get("baseline", ()), *known.get("found", ())]
    return (
        {"x264-params": "asm=AVX2"}
        if any(name.startswith("AVX512") or name == "X86_V4" for name in extensions)
        else {}
    )
