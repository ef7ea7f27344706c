"""A film in a style: each frame painted, by an optimiser or by a network, so that the picture does
not flicker.

After Ruder, Dosovitskiy and Brox 2016, "Artistic Style Transfer for Videos".
"""

import json
import logging
import os
import time
from collections import deque
from contextlib import suppress
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from .._shared import checks
from .._shared.display import duration, in_notebook
from ..feedforward.paint import paint
from ..feedforward.stylize import is_network, resolve
from ..images.load import check_size, load_image
from ..images.save import save_image
from ..provenance.identity import digest
from .checkpoint import _claimed, _frame, _read_again
from .files import check_video_path, paths_in, read_frames, video_info, write_video
from .flow import LEAST_SIDE, load_cv2
from .frames import OPTIONS, Painter, check_style, known_from

logger = logging.getLogger("neural_style")

METHODS = ("independent", "warp", "temporal", "network")


#: More frames than any film has, and as many as Python's slices can count; and how far back a frame
#: is held to others.
MOST_FRAMES, FARTHEST = 10**9, 1000


def stylize_video(
    source,
    style,
    output,
    *,
    method=None,
    temporal_weight=0.002,
    long_term=(1,),
    next_steps=0.5,
    smooth=0.0,
    frames=None,
    every=1,
    checkpoint=None,
    resume=True,
    executor=None,
    callback=None,
    progress=True,
    overwrite=False,
    **options,
):
    """Paint a film.

    Args:
        source: the film. output: the one to write, .mp4, .mov or .mkv, with the source's sound and
            times.
        style: a painting, or for method "network" what stylize() takes as a network.
        method: how the frames are painted:
            "independent"   each alone, as transfer() does: it flickers
            "warp"          from the last result moved along the optical flow, in fewer steps
            "temporal"      the same, and held to it by a loss wherever the flow can be relied on (Ruder et al., equation 8); the default
            "network"       by a transform network; the default where `style` is one
        temporal_weight: of that loss, the mean over pixels and channels of c (x - warped)^2 in
            squared grey levels, c 0 or 1.
        long_term: which frames before this one it is held to, (1,) or (1, 2, 4): each where none of
            the nearer ones is known (equation 10).
        next_steps: steps of a frame that starts from the last result, as a part of the steps at
            `size`.
        smooth: for "network": share of the last result, moved along the flow, in this one.
        frames: a slice of the source's frames; every: paint each so-manieth of them, and show it so
            much longer.
        checkpoint: The folder for finished frames, PNG. None: a folder beside `output`, removed
            when the film is whole. One run at a time may use the folder.
        resume: Go on where an earlier run of the same film was interrupted or killed. False: remove
            the frames of that run and paint them anew.
        executor: a concurrent.futures.Executor for the methods whose frames do not depend on each
            other; see map_transfer.
        callback: called after each frame with (number, picture, frames in all, or None where the
            film does not say). Its exceptions are warnings, and the film goes on; but StopIteration
            ends the call, as an exception. The finished frames stay.
        overwrite: let the film replace the source or another input; the sound is copied before.
        options: transfer()'s: size (the frame's own), steps, style_weight ...; size also with a
            network.

    Returns:
        The number of frames written.

    Raises:
        TypeError, ValueError, FileNotFoundError, PermissionError: an argument that cannot be right,
            a source that is no film: before anything is written.
        RuntimeError: another run is painting the same film.
        OSError: the disk is full. The finished frames stay, and the same call goes on.
        ImportError: PyAV or OpenCV is missing.
    """
    method = ("network" if is_network(style) else "temporal") if method is None else method
    settings = _check(
        method, temporal_weight, long_term, next_steps, smooth, frames, every, options
    )
    _check_others(executor, callback, settings)
    progress, overwrite = checks.flag("progress", progress), checks.flag("overwrite", overwrite)
    resume = checks.flag("resume", resume)
    check_video_path(output, [source, *paths_in(style), options.get("weights")], overwrite)
    info = video_info(source)
    settings = {**settings, **_check_style(style, next(read_frames(source))[1], settings, options)}
    start, stop, step = settings["frames"]
    picked = slice(start, stop, (step or 1) * settings["every"])
    total = None if info.frames is None else len(range(*picked.indices(info.frames)))
    none = ValueError(f"frames={frames} and every={every} leave no frame of {str(source)!r}")
    if total == 0:
        raise none

    beside = Path(output).with_name(f".{Path(output).name}.frames")
    work = beside if checkpoint is None else Path(checkpoint)
    if work.resolve() == Path(output).resolve():
        raise ValueError(
            f"checkpoint must be another folder than the output. Received: checkpoint={str(work)!r}"
        )
    identity = {
        "source": digest(source),
        "style": digest(style),
        "settings": json.loads(json.dumps(settings, default=_plain)),
    }
    with _claimed(work, identity, passing=work == beside, resume=resume):
        if executor is None:
            times = _paint_frames(source, style, settings, work, picked, total, callback, progress)
        else:
            workers = getattr(executor, "_max_workers", None) or os.cpu_count() or 1
            jobs = [
                executor.submit(
                    _paint_frames,
                    source,
                    style,
                    settings,
                    work,
                    picked,
                    total,
                    None,
                    False,
                    (part, workers),
                )
                for part in range(workers)
            ]
            times, *_ = [job.result() for job in jobs]
        if not times:
            raise none
        last = None if picked.stop is None else times[-1] + (picked.step or 1) / info.rate
        return write_video(
            _painted(work, times),
            output,
            info.rate / (picked.step or 1),
            audio=source if info.audio else None,
            first=times[0],
            last=last,
            overwrite=overwrite,
        )


def _painted(work, times):
    """(time, picture) of each frame of the film, from the folder: each is asked for by its number,
    so no other file there can be one.
    """
    for number, moment in enumerate(times):
        yield moment - times[0], load_image(_frame(work, number))


def _paint_frames(
    source, style, settings, work, picked, total=None, callback=None, progress=False, part=(0, 1)
):
    """Paint those of the frames that are not in `work` yet; of part (i, n), each n-th from the
    i-th. The times of all.
    """
    linked, reach = (
        _linked(settings),
        max(settings["long_term"]) if settings["method"] in ("warp", "temporal") else 1,
    )
    painter, before, times, began, done = None, deque(maxlen=reach), [], time.monotonic(), 0
    show = progress and _preview()
    for number, (moment, image) in enumerate(_picked(source, picked)):
        times.append(moment)
        if "size" in settings:
            image = load_image(image, settings["size"])
        if painter is None:  # of the first frame, whichever are still to be painted, and by whom
            painter = _painter(style, image, settings)
        if number % part[1] != part[0]:
            continue
        path = _frame(work, number)
        result = _read_again(path, image.shape)
        if result is None:
            known = known_from(image, before, settings["long_term"]) if linked and before else []
            result = painter(image, known)
            save_image(result, path, compress_level=1)
            done += 1
            if progress:
                rate = done / (time.monotonic() - began)
                left = (
                    ""
                    if total is None
                    else f" of {total}, about {duration((total - number - 1) / rate)} left"
                )
                show(result, f"frame {number + 1}{left}, {rate:.2f} frames a second")
            if callback:
                _call(callback, number, result.copy(), total)
        before.appendleft((image, result))
    if progress and done:
        show(None, "")
    return times


def _call(callback, number, image, total):
    try:
        callback(number, image, total)
    except StopIteration:
        raise
    except Exception as error:
        logger.warning(
            "after frame %d, the callback failed, and the film goes on: %r", number, error
        )


def _preview():
    """A function of a picture and a line on it: in a notebook it shows both, in place; else it
    rewrites the line, if somebody reads it.
    """
    if not in_notebook():

        def rewrite(image, line):
            with suppress(OSError, ValueError):  # a closed pipe or terminal
                print(f"\r{line}" if line else "", end="" if line else "\n", flush=True)

        return rewrite
    from IPython.display import Image as Picture
    from IPython.display import display

    handles = [display(display_id=True) for _ in range(2)]

    def show(image, line):
        if line:
            handles[0].update(line)
            handles[1].update(Picture(Image.fromarray(image)._repr_jpeg_()))

    return show


def _painter(style, first, settings):
    """A function of a frame and of what is known of it from earlier ones, that paints it."""
    if settings["method"] == "network":
        net = resolve(style)

        def by_network(image, known):
            result = paint(net, image[None])[0]
            for warped, holds in known[:1]:
                share = settings["smooth"] * holds[..., None]
                result = np.rint((1 - share) * result + share * warped).astype("uint8")
            return result

        return by_network
    return Painter(style, first, settings)


def _picked(source, picked):
    """The frames of a slice, as read_frames gives them."""
    return islice(read_frames(source), picked.start, picked.stop, picked.step)


def _check(method, temporal_weight, long_term, next_steps, smooth, frames, every, options):
    """The settings of a film, without transfer()'s, as Python's own types."""
    checks.choice("method", method, METHODS)
    strange = [name for name in options if name not in OPTIONS]
    if strange or (method == "network" and set(options) - {"size"}):
        raise TypeError(
            f"a film by {method!r} does not take"
            f" {', '.join(strange or sorted(set(options) - {'size'}))}"
        )
    if (
        not isinstance(long_term, (list, tuple))
        or not long_term
        or not all(checks.is_count(one) and one <= FARTHEST for one in long_term)
    ):
        raise ValueError(
            f"long_term must be positive integers up to {FARTHEST}, such as (1, 2, 4). Received:"
            f" long_term={long_term!r:.200}"
        )
    if frames is not None and not isinstance(frames, slice):
        raise TypeError(f"frames must be a slice. Received: {type(frames).__name__}")
    frames = slice(None) if frames is None else frames
    ends = [("start", frames.start, 0), ("stop", frames.stop, 0), ("step", frames.step, 1)]
    for name, value, least in ends:
        if value is not None and not (checks.is_count(value, least) and value <= MOST_FRAMES):
            raise ValueError(
                f"frames must be a slice of integers that count from the film's start, {name} at"
                f" least {least} and at most {MOST_FRAMES:,}. Received: frames={frames!r:.200}"
            )
    return {
        "method": method,
        "temporal_weight": checks.number("temporal_weight", temporal_weight, most=1e9),
        "long_term": [int(one) for one in long_term],
        "next_steps": checks.number("next_steps", next_steps, most=10),
        "smooth": checks.number("smooth", smooth, most=1),
        "frames": [value if value is None else int(value) for _, value, _ in ends],
        "every": checks.count("every", every, most=MOST_FRAMES),
    }


def _check_others(executor, callback, settings):
    if callback is not None and not callable(callback):
        raise TypeError(
            "callback must be a function of (number, picture, frames in all). Received:"
            f" callback={callback!r:.200}"
        )
    if executor is not None and _linked(settings):
        raise ValueError(
            f"the frames of method={settings['method']!r} with smooth={settings['smooth']} depend"
            " on each other: no executor"
        )
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise TypeError(
            f"executor must be a concurrent.futures.Executor. Received: {type(executor).__name__}"
        )


def _linked(settings):
    """Whether a frame depends on those before it."""
    return settings["method"] in ("warp", "temporal") or settings["smooth"] > 0


def _check_style(style, first, settings, options):
    """The options as Python's own types; an error if `style` or an option cannot be right for the
    film's first frame.
    """
    if "size" in options:
        check_size(options["size"])
        first = load_image(first, options["size"])
    if settings["method"] != "independent":
        load_cv2()
    if _linked(settings) and min(first.shape[:2]) < LEAST_SIDE:
        raise ValueError(
            f"the flow between frames, for method={settings['method']!r} with"
            f" smooth={settings['smooth']}, needs at least {LEAST_SIDE} x {LEAST_SIDE} pixels."
            f" Received: {first.shape[1]} x {first.shape[0]}"
        )
    if settings["method"] == "network":
        resolve(style)
        return {
            name: value if value is None else int(value) for name, value in options.items()
        }  # size is all there is
    checked = check_style(style, first, options).settings
    return {name: checked[name] for name in options}


def _plain(value):
    """A setting as JSON has it."""
    return value.item() if isinstance(value, np.generic) else str(value)
