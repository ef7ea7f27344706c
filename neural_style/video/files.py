"""Films in and out, frame by frame: PyAV (FFmpeg) decodes and encodes, so memory does not grow with
the film.
"""

import logging
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from .._shared.files import check_output, is_regular, whole_path
from .._shared.optional import load

logger = logging.getLogger("neural_style")

#: Of a written film: what PyAV offers for the frames' times, fine enough for any rate.
TIME_BASE = Fraction(1, 90_000)


#: The matrix by which FFmpeg makes Y'CbCr of RGB, told to players, which would guess another one
#: for large pictures: ITU-T H.273, SMPTE 170M.
BT601 = 6


#: FFmpeg's names of the formats that are read: films, and pictures, each a film of one frame.
#: FFmpeg goes by what is in a file, not by its name. It knows playlists too (ffconcat, HLS, DASH
#: ...), by which a file would have it read others; no such format sees a file.
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


#: Suffix -> FFmpeg's name of the formats that are written.
WRITABLE = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}


@dataclass(frozen=True)
class VideoInfo:
    """width, height: in pixels, as it is shown, upright. rate: mean frames per second. frames: as
    the file says, or None. duration: in seconds. audio: whether it has a sound track."""

    width: int
    height: int
    rate: Fraction
    frames: int | None
    duration: float | None
    audio: bool


def video_info(path):
    """What a film is like; a VideoInfo. Raises as read_frames."""
    with _open(path) as container:
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
            duration and float(duration),
            bool(container.streams.audio),
        )


def read_frames(path):
    """The frames of a film, one after the other: (time in seconds, a Fraction; uint8 RGB, H x W x
    3), turned upright.

    Raises:
        FileNotFoundError, TypeError, ValueError: no such file; one that is no film, or has no
            pictures in it; frames of more than PIL.Image.MAX_IMAGE_PIXELS. Where a film is damaged
            further on, it ends there, with a warning.
        ImportError: no PyAV; the message names the extra.
    """
    with _open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        start = None
        for number, frame in enumerate(_decoded(container, stream, path)):
            time = frame.pts * frame.time_base if frame.pts is not None else number / rate
            start = time if start is None else start
            yield time - start, _upright(frame)


def write_video(frames, path, rate=25, audio=None, first=0, last=None, quality=18, overwrite=False):
    """Encode frames as H.264, whole or not at all.

    Args:
        frames: uint8 RGB pictures of one size, or (time in seconds, picture) pairs, which keep a
            film of variable rate as it was; read one by one.
        path: .mp4, .mov or .mkv. A width or height that is odd needs the 4:4:4 format, which some
            players do not know.
        rate: frames per second, for pictures without times.
        audio: a film whose sound track is copied, without encoding it anew, from `first` to `last`
            seconds.
        quality: x264's CRF: 0 without loss, 18 hardly to be seen, 51 worst.
        overwrite: let the film replace `audio`, which is read to its end before.

    Returns:
        The number of frames.

    Raises:
        FileNotFoundError, PermissionError, TypeError, ValueError: no such folder; not writable;
            another kind of name; frames of two sizes.
        OSError: the disk is full. An older film of that name stays.
    """
    check_video_path(path, [audio], overwrite)
    av, rate = load_av(), Fraction(rate).limit_denominator(100_000)
    with whole_path(path) as part:
        count, stream, sound = 0, None, None
        with av.open(str(part), "w", format=WRITABLE[Path(path).suffix.lower()]) as container:
            for count, item in enumerate(frames, start=1):
                time, image = (
                    item if isinstance(item, tuple) else (Fraction(count - 1) / rate, item)
                )
                if stream is None:
                    stream = _video_stream(container, image, rate, quality)
                    sound = None if audio is None else _Sound(audio, container, first, last)
                if image.shape != (stream.height, stream.width, 3) or image.dtype != np.uint8:
                    raise ValueError(
                        "the frames of a film must be uint8 RGB of one size. Received:"
                        f" {image.dtype}, {image.shape} after {(stream.height, stream.width, 3)}"
                    )
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
                frame.pts, frame.time_base = round(time / TIME_BASE), TIME_BASE
                container.mux(stream.encode(frame))
                if sound:
                    sound.until(time)
            if stream is None:
                raise ValueError("a film needs at least one frame. Received: none")
            container.mux(stream.encode(None))
            if sound:
                sound.until(None)
    return count


def check_video_path(path, inputs=(), overwrite=False):
    """Raise a clear error if write_video could not write to `path`; inputs, overwrite: see
    files.check_output.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"the output must be a path. Received: {type(path).__name__}")
    path = Path(path)
    if path.suffix.lower() not in WRITABLE:
        raise ValueError(
            f"the name of a film must end in .mp4, .mov or .mkv. Received: {str(path)!r}"
        )
    check_output(path, inputs, overwrite)


def paths_in(style):
    """The pictures and networks that a style or net names, without their shares: what its film must
    not replace.
    """
    return (
        [path for one in style for path in paths_in(one)]
        if isinstance(style, (dict, list, tuple))
        else [style]
    )


class _Sound:
    """A film's sound track, copied packet by packet as the pictures come along."""

    def __init__(self, path, container, first, last):
        self.source = _open(path, pictures=False)
        self.container, self.first, self.last = container, Fraction(first), last
        tracks = self.source.streams.audio
        self.stream = container.add_stream_from_template(tracks[0]) if tracks else None
        self.packets = self.source.demux(tracks[0]) if tracks else iter(())
        self.waiting = None

    def until(self, time):
        """Copy what is heard up to `time`, in seconds of the new film; None: all that is left."""
        while self.packets is not None:
            packet = self.waiting or next(self.packets, None)
            self.waiting = None
            if packet is None:
                self.packets = None
                self.source.close()
                return
            if packet.dts is None:  # the end of the stream
                continue
            at = packet.pts * packet.time_base - self.first
            if self.last is not None and at + self.first >= self.last:
                continue
            if self.first and at < 0:  # at the start, the encoder's lead-in comes before 0
                continue
            if time is not None and at > time:
                self.waiting = packet
                return
            shift = round(self.first / packet.time_base)
            packet.pts, packet.dts, packet.stream = (
                packet.pts - shift,
                packet.dts - shift,
                self.stream,
            )
            self.container.mux(packet)


def _video_stream(container, image, rate, quality):
    height, width = image.shape[:2]
    stream = container.add_stream(
        "libx264", rate=rate, options={"crf": str(quality), **_same_bytes()}
    )
    stream.codec_context.thread_count = (
        1  # with more, x264 now and then encodes the same frames to other bytes
    )
    stream.width, stream.height = width, height
    stream.pix_fmt = "yuv444p" if height % 2 or width % 2 else "yuv420p"
    stream.codec_context.time_base = TIME_BASE
    stream.codec_context.colorspace = BT601
    return stream


def _same_bytes():
    """x264's options by which the same frames always become the same film.

    Its code for AVX-512 that weighs macroblocks by what depends on them (mbtree) reads memory
    beside a row that nobody wrote to, so a film depends on what was in memory before. On a
    processor with AVX-512, it is told to use AVX2.
    """
    known = np.show_config(mode="dicts")["SIMD Extensions"]
    extensions = [*known.get("baseline", ()), *known.get("found", ())]
    return (
        {"x264-params": "asm=AVX2"}
        if any(name.startswith("AVX512") or name == "X86_V4" for name in extensions)
        else {}
    )


def _upright(frame):
    image = frame.to_ndarray(format="rgb24")
    return (
        np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90)))
        if frame.rotation
        else image
    )


def _decoded(container, stream, path):
    av, number = load_av(), 0
    try:
        for frame in container.decode(stream):
            yield frame
            number += 1
    except av.FFmpegError as error:
        if number == 0:
            raise ValueError(
                f"{str(path)!r} has no frame that can be decoded ({error}); {_limit()}"
            ) from error
        logger.warning("%s is damaged after %d frames and ends there: %s", path, number, error)


def _open(path, pictures=True):
    av = load_av()
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"a film must be a path. Received: {type(path).__name__}")
    if not is_regular(path):
        raise FileNotFoundError(f"no film at {str(path)!r}")
    limit = {} if Image.MAX_IMAGE_PIXELS is None else {"max_pixels": str(Image.MAX_IMAGE_PIXELS)}
    options = {"format_whitelist": ",".join(READABLE), "protocol_whitelist": "file", **limit}
    try:
        # absolute: FFmpeg takes "a:b.mp4" for a protocol named a
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
            if limit and stream.width * stream.height > Image.MAX_IMAGE_PIXELS:
                raise ValueError(
                    f"{str(path)!r} has frames of {stream.width} x {stream.height} pixels;"
                    f" {_limit()}"
                )
            stream.codec_context.options = limit
    except ValueError:
        container.close()
        raise
    return container


def _limit():
    if Image.MAX_IMAGE_PIXELS is None:
        return "there is no limit of pixels"
    return (
        f"the limit against malicious files is {Image.MAX_IMAGE_PIXELS:,} pixels a frame; if you"
        " trust it, raise PIL.Image.MAX_IMAGE_PIXELS first"
    )


def load_av():
    """PyAV, or an ImportError that names the extra."""
    return load("av")
