"""Paint a film in a style, by an optimizer or by a network, so that the picture does not flicker.

After Ruder, Dosovitskiy and Brox 2016, "Artistic Style Transfer for Videos".
"""

import os
import pathlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any, TypeAlias

import numpy as np

from .._shared import checks
from .._shared.types import Path, Picture
from ..feedforward.network import TransformNet
from ..feedforward.resolve_network import is_network, paths_in, resolve
from ..images.load import load_image
from ..images.save import save_image
from .checkpoint import claimed, film_identity, finished_frame, folder_for_frames, frame_path
from .film_progress import Callback, FilmProgress, call_back
from .film_settings import (
    BY_NETWORKS,
    FilmSettings,
    Method,
    check_helpers,
    check_settings,
    with_options,
)
from .frames import Painter
from .known import known_from
from .network_painter import Known, NetworkPainter
from .read import read_frames, video_info
from .write import check_video_path, write_video

#: A style: a painting, several with shares, or a network.
Style: TypeAlias = Picture | Sequence[Any] | TransformNet | Mapping[str, float]


def stylize_video(
    source: Path,
    style: Style,
    output: Path,
    *,
    method: Method | None = None,
    temporal_weight: float = 0.002,
    long_term: Sequence[int] = (1,),
    next_steps: float = 0.5,
    smooth: float = 0.0,
    frames: slice | None = None,
    every: int = 1,
    checkpoint: Path | None = None,
    resume: bool = True,
    executor: Executor | None = None,
    callback: Callback | None = None,
    progress: bool = True,
    overwrite: bool = False,
    **options: Any,
) -> int:
    """Paint a film.

    Args:
        source: The film to paint.
        style: A painting, or several with shares, as transfer() takes them. For the method
            "network": a network, as stylize() takes it.
        output: The film to write, .mp4, .mov or .mkv, with the sound and the times of `source`.
        method: How the frames are painted. None: "network" where `style` is a network, else
            "temporal".
            "independent": Each frame alone, as transfer() does. The film flickers.
            "warp": From the last result, moved along the optical flow, in fewer steps.
            "temporal": As "warp", and a loss holds the frame to the moved result wherever the flow
            can be relied on (Ruder et al., equation 8).
            "network": By a transform network.
            "one_pass": By the paintings themselves, in one pass; see stylize.
        temporal_weight: Weight of that loss, which is the mean over pixels and channels of
            c (x - warped)^2 in squared gray levels; c is 0 or 1.
        long_term: Distances to the earlier frames that a frame is held to, (1,) or (1, 2, 4). A
            farther frame counts only where none of the nearer frames is known (equation 10).
        next_steps: Number of steps of a frame that starts from the last result, as a share of the
            steps at `size`.
        smooth: For the method "network": the share of the last result, moved along the flow, in
            this one.
        frames: Paint only this slice of the source's frames.
        every: Paint only every n-th frame, and show each one n times as long.
        checkpoint: The folder for finished frames, PNG. None: a folder beside `output`, removed
            when the film is complete. One run at a time may use the folder.
        resume: Go on where an earlier run of the same film was interrupted or killed. False: remove
            the frames of that run and paint them anew.
        executor: A concurrent.futures.Executor, for methods whose frames do not depend on each
            other; see map_transfer.
        callback: A function that is called after each frame with (number, picture, number of
            frames in all, or None where the film does not state it). If it raises StopIteration,
            the call ends with this exception, and the finished frames stay. Any other exception is
            logged as a warning, and the film goes on.
        progress: Show how far the film is.
        overwrite: Let the film replace the source or another input. The sound is copied before.
        **options: Arguments of transfer(): size (None or missing: the frames' own), steps,
            style_weight and others. With a network, size only.

    Returns:
        The number of frames written.

    Raises:
        TypeError: An argument is of the wrong type. This and the next three errors come before
            anything is written.
        ValueError: An argument cannot be right, or the source is not a film.
        FileNotFoundError: The source, the style or the folder of `output` does not exist.
        PermissionError: `output` cannot be written.
        RuntimeError: Another run is painting the same film.
        OSError: The disk is full. The finished frames stay, and the same call goes on from them.
        ImportError: PyAV or OpenCV is missing; the message names the package to install.
    """
    settings = check_settings(
        ("network" if is_network(style) else "temporal") if method is None else method,
        temporal_weight,
        long_term,
        next_steps,
        smooth,
        frames,
        every,
        options,
    )
    check_helpers(executor, callback, settings)
    progress, overwrite = checks.flag("progress", progress), checks.flag("overwrite", overwrite)
    resume = checks.flag("resume", resume)
    check_video_path(output, [source, *paths_in(style), options.get("weights")], overwrite)
    info = video_info(source)
    settings = with_options(settings, style, next(read_frames(source))[1], options)
    total, picked = settings.total(info.frames), settings.picked
    nothing = ValueError(f"frames={frames} and every={every} leave no frame of {str(source)!r}")
    if total == 0:
        raise nothing
    folder, passing = folder_for_frames(checkpoint, output)
    film = _Film(source, style, settings, folder, total)
    identity = film_identity(source, style, settings.as_dict())
    with claimed(folder, identity, passing, resume):
        if executor is None:
            times = _paint_frames(film, callback, progress)
        else:
            times = _paint_in_parts(film, executor)
        if not times:
            raise nothing
        return write_video(
            _painted(folder, times),
            output,
            info.rate / (picked.step or 1),
            audio=source if info.audio else None,
            first=times[0],
            last=None if picked.stop is None else times[-1] + (picked.step or 1) / info.rate,
            overwrite=overwrite,
        )


@dataclass(frozen=True)
class _Film:
    """A film to paint, as the processes of an executor get it.

    Attributes:
        source: The film's path.
        style: The painting, the paintings or the network.
        settings: The checked settings.
        folder: The folder for finished frames.
        total: Number of frames to paint; None if unknown.
    """

    source: Path
    style: Style
    settings: FilmSettings
    folder: pathlib.Path
    total: int | None


def _paint_in_parts(film: _Film, executor: Executor) -> list[Fraction]:
    """Paint the frames by an executor's workers, every n-th frame each; return all times."""
    workers = getattr(executor, "_max_workers", None) or os.cpu_count() or 1
    jobs = [
        executor.submit(_paint_frames, film, None, False, (part, workers))
        for part in range(workers)
    ]
    times, *_ = [job.result() for job in jobs]
    return times


def _paint_frames(
    film: _Film,
    callback: Callback | None = None,
    progress: bool = False,
    part: tuple[int, int] = (0, 1),
) -> list[Fraction]:
    """Paint those frames of part (i, n), each n-th from the i-th, that are not in the folder yet.

    Return the times of all the film's frames, of the other parts too.
    """
    settings, painter, times = film.settings, None, []
    before: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=settings.reach)
    shown = FilmProgress(film.total, progress)
    for number, (moment, image) in enumerate(_source_frames(film)):
        times.append(moment)
        if painter is None:  # the first frame sets it up, whichever frames are left to paint
            painter = _painter(film.style, image, settings)
        if number % part[1] != part[0]:
            continue
        path = frame_path(film.folder, number)
        result = finished_frame(path, image.shape)
        if result is None:
            known = (
                known_from(image, before, settings.long_term) if settings.linked and before else []
            )
            result = painter(image, known)
            save_image(result, path, compress_level=1)
            shown.painted(number, result)
            if callback:
                call_back(callback, number, result.copy(), film.total)
        before.appendleft((image, result))
    shown.close()
    return times


def _source_frames(film: _Film) -> Iterator[tuple[Fraction, np.ndarray]]:
    """Read the picked frames of the source, in the size in which they are painted."""
    picked, options = film.settings.picked, film.settings.options
    frames = islice(read_frames(film.source), picked.start, picked.stop, picked.step)
    for moment, image in frames:
        yield moment, load_image(image, options["size"]) if "size" in options else image


def _painter(
    style: Style, first: np.ndarray, settings: FilmSettings
) -> Callable[[np.ndarray, Known], np.ndarray]:
    """Make a function of a frame and of what is known of it from earlier ones, that paints it."""
    if settings.method in BY_NETWORKS:
        return NetworkPainter(resolve(style), settings.smooth)
    return Painter(style, first, settings.as_dict())


def _painted(
    folder: pathlib.Path, times: Sequence[Fraction]
) -> Iterator[tuple[Fraction, np.ndarray]]:
    """Read the film's finished frames by their numbers: no other file there can be one of them."""
    for number, moment in enumerate(times):
        yield moment - times[0], load_image(frame_path(folder, number))
