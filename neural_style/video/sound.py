"""Copy a film's sound track into a new film, packet by packet, without encoding it again."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from .._shared.types import Path
from .read import open_film


class SoundTrack:
    """The sound of a film, copied while the new film's pictures are written.

    Args:
        path: The film that has the sound.
        container: The PyAV container of the new film.
        first: Second of the source at which the new film starts.
        last: Second of the source at which the sound ends. None: the end of the source.
    """

    def __init__(
        self, path: Path, container: Any, first: Fraction | float, last: Fraction | float | None
    ) -> None:
        self.source = open_film(path, pictures=False)
        self.container, self.first, self.last = container, Fraction(first), last
        tracks = self.source.streams.audio
        self.stream = container.add_stream_from_template(tracks[0]) if tracks else None
        self.packets: Iterator[Any] | None = self.source.demux(tracks[0]) if tracks else iter(())
        self.waiting: Any = None

    def copy_until(self, time: Fraction | float | None) -> None:
        """Copy the sound up to a time.

        Args:
            time: In seconds of the new film. None: copy the rest of the sound.
        """
        while self.packets is not None:
            packet = self.waiting or next(self.packets, None)
            self.waiting = None
            if packet is None:
                self.packets = None
                self.source.close()
                return
            if packet.dts is None:  # the packet that marks the end of the stream
                continue
            at = packet.pts * packet.time_base - self.first
            if self.last is not None and at + self.first >= self.last:
                continue
            if self.first and at < 0:  # at the start of a film, the encoder's lead-in is before 0
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
