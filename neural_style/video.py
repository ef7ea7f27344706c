"""Films in and out, frame by frame: PyAV (FFmpeg) decodes and encodes, so memory does not grow with the film."""
import logging
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from .extras import load

logger = logging.getLogger("neural_style")

#: Of a written film: what PyAV offers for the frames' times, fine enough for any rate.
TIME_BASE = Fraction(1, 90_000)
#: The matrix by which FFmpeg makes Y'CbCr of RGB, told to players, which would guess another one for large pictures: ITU-T H.273, SMPTE 170M.
BT601 = 6


@dataclass(frozen=True)
class VideoInfo:
    """width, height: in pixels, as it is shown, upright. rate: mean frames per second. frames: as the file says, or None. duration: in
    seconds. audio: whether it has a sound track."""
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
        duration = stream.duration * stream.time_base if stream.duration else container.duration and Fraction(container.duration, 10 ** 6)
        return VideoInfo(width, height, stream.average_rate or stream.guessed_rate or Fraction(25), stream.frames or None,
                         duration and float(duration), bool(container.streams.audio))


def read_frames(path):
    """The frames of a film, one after the other: (time in seconds, a Fraction; uint8 RGB, H x W x 3), turned upright.

    Raises:
        FileNotFoundError, ValueError: no such file, one that is no film, or has no pictures in it. Where a film is damaged further on, it
            ends there, with a warning.
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


def write_video(frames, path, rate=25, audio=None, first=0, last=None, quality=18):
    """Encode frames as H.264, whole or not at all.

    Args:
        frames: uint8 RGB pictures of one size, or (time in seconds, picture) pairs, which keep a film of variable rate as it was; read one
            by one.
        path: .mp4, .mov or .mkv. A width or height that is odd needs the 4:4:4 format, which some players do not know.
        rate: frames per second, for pictures without times.
        audio: a film whose sound track is copied, without encoding it anew, from `first` to `last` seconds.
        quality: x264's CRF: 0 without loss, 18 hardly to be seen, 51 worst.

    Returns:
        The number of frames.
    """
    path = Path(path)
    check_video_path(path)
    av, rate = load_av(), Fraction(rate).limit_denominator(100_000)
    with TemporaryDirectory(dir=path.parent) as folder:
        part, count, stream = Path(folder, "film" + path.suffix), 0, None
        with av.open(str(part), "w") as container:
            for count, item in enumerate(frames, start=1):
                time, image = item if isinstance(item, tuple) else (Fraction(count - 1) / rate, item)
                if stream is None:
                    stream = _video_stream(container, image, rate, quality)
                    sound = None if audio is None else _Sound(audio, container, first, last)
                if image.shape != (stream.height, stream.width, 3) or image.dtype != np.uint8:
                    raise ValueError(f"the frames of a film must be uint8 RGB of one size. Received: {image.dtype}, {image.shape} after "
                                     f"{(stream.height, stream.width, 3)}")
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
        part.replace(path)
    return count


def check_video_path(path):
    """Raise a clear error if write_video could not write to `path`."""
    path = Path(path)
    if path.suffix.lower() not in (".mp4", ".mov", ".mkv"):
        raise ValueError(f"the name of a film must end in .mp4, .mov or .mkv. Received: {str(path)!r}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {str(path.parent)!r} does not exist")
    if path.is_dir():
        raise ValueError(f"{str(path)!r} is a folder")


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
            packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, self.stream
            self.container.mux(packet)


def _video_stream(container, image, rate, quality):
    height, width = image.shape[:2]
    stream = container.add_stream("libx264", rate=rate, options={"crf": str(quality)})
    stream.codec_context.thread_count = 1  # with more, x264 now and then encodes the same frames to other bytes
    stream.width, stream.height = width, height
    stream.pix_fmt = "yuv444p" if height % 2 or width % 2 else "yuv420p"
    stream.codec_context.time_base = TIME_BASE
    stream.codec_context.colorspace = BT601
    return stream


def _upright(frame):
    image = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90))) if frame.rotation else image


def _decoded(container, stream, path):
    av, number = load_av(), 0
    try:
        for frame in container.decode(stream):
            yield frame
            number += 1
    except av.FFmpegError as error:
        logger.warning("%s is damaged after %d frames and ends there: %s", path, number, error)


def _open(path, pictures=True):
    av = load_av()
    if not Path(path).is_file():
        raise FileNotFoundError(f"no film at {str(path)!r}")
    try:
        container = av.open(str(path))
    except av.FFmpegError as error:
        raise ValueError(f"{str(path)!r} is not a film that FFmpeg can read: {error}") from error
    if pictures and not container.streams.video:
        container.close()
        raise ValueError(f"{str(path)!r} has no pictures, only sound")
    return container


def load_av():
    """PyAV, or an ImportError that names the extra."""
    return load("av", "PyAV", "video")
