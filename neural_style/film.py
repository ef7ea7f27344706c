"""A film in a style: each frame painted, by an optimiser or by a network, so that the picture does not flicker.

After Ruder, Dosovitskiy and Brox 2016, "Artistic Style Transfer for Videos".
"""
import json
import os
import shutil
import time
from collections import deque
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from .callbacks import duration, in_notebook
from .flow import load_cv2
from .files import whole_or_not
from .images import load_image, save_image
from .painter import OPTIONS, Painter, known_from
from .record import digest
from .stylization import is_network, paint, resolve
from .video import check_video_path, read_frames, video_info, write_video

METHODS = ("independent", "warp", "temporal", "network")


def stylize_video(source, style, output, *, method=None, temporal_weight=0.002, long_term=(1,), next_steps=0.5, smooth=0.0, frames=None,
                  every=1, work=None, executor=None, callback=None, progress=True, **options):
    """Paint a film.

    Args:
        source: the film. output: the one to write, .mp4, .mov or .mkv, with the source's sound and times.
        style: a painting, or for method "network" what stylize() takes as a network.
        method: how the frames are painted:
            "independent"   each alone, as transfer() does: it flickers
            "warp"          from the last result moved along the optical flow, in fewer steps
            "temporal"      the same, and held to it by a loss wherever the flow can be relied on (Ruder et al., equation 8); the default
            "network"       by a transform network; the default where `style` is one
        temporal_weight: of that loss, the mean over pixels and channels of c (x - warped)^2 in squared grey levels, c 0 or 1.
        long_term: which frames before this one it is held to, (1,) or (1, 2, 4): each where none of the nearer ones is known (equation 10).
        next_steps: steps of a frame that starts from the last result, as a part of the steps at `size`.
        smooth: for "network": share of the last result, moved along the flow, in this one.
        frames: a slice of the source's frames; every: paint each so-manieth of them, and show it so much longer.
        work: the folder for finished frames, PNG; None: beside `output`, removed when the film is whole. A film that was interrupted or
            killed goes on where it stood when it is asked for again.
        executor: a concurrent.futures.Executor for the methods whose frames do not depend on each other; see map_transfer.
        callback: called after each frame with (number, picture, frames in all).
        options: transfer()'s: size (the frame's own), steps, style_weight ...; size also with a network.

    Returns:
        The number of frames written.

    Raises:
        TypeError, ValueError, FileNotFoundError: an argument that cannot be right, a source that is no film.
        ImportError: PyAV or OpenCV is missing.
    """
    check_video_path(output)
    method = method or ("network" if is_network(style) else "temporal")
    _check(method, temporal_weight, long_term, next_steps, smooth, frames, every, executor, options)
    info, chosen = video_info(source), frames or slice(None)
    if method != "independent":
        load_cv2()
    settings = {"method": method, "temporal_weight": temporal_weight, "long_term": list(long_term), "next_steps": next_steps, "smooth": smooth,
                "frames": [chosen.start, chosen.stop, chosen.step], "every": every, **options}
    work = Path(work) if work else Path(output).with_name(f".{Path(output).name}.frames")
    _claim(work, {"source": digest(source), "style": digest(style), "settings": json.loads(json.dumps(settings, default=str))})

    picked = slice(chosen.start, chosen.stop, (chosen.step or 1) * every)
    total = None if info.frames is None else len(range(*picked.indices(info.frames)))
    if executor is None:
        times = _paint_frames(source, style, settings, work, picked, total, callback, progress)
    else:
        workers = getattr(executor, "_max_workers", None) or os.cpu_count() or 1
        jobs = [executor.submit(_paint_frames, source, style, settings, work, picked, total, None, False, (part, workers)) for part in range(workers)]
        times, *_ = [job.result() for job in jobs]
    painted = sorted(work.glob("*.png"))
    if not painted:
        raise ValueError(f"frames={frames} and every={every} leave no frame of {str(source)!r}")
    last = None if picked.stop is None else times[-1] + (picked.step or 1) / info.rate
    count = write_video(((moment - times[0], load_image(path)) for moment, path in zip(times, painted)), output,
                        info.rate / (picked.step or 1), audio=source if info.audio else None, first=times[0], last=last)
    if work == Path(output).with_name(f".{Path(output).name}.frames"):
        shutil.rmtree(work)
    return count


def _paint_frames(source, style, settings, work, picked, total=None, callback=None, progress=False, part=(0, 1)):
    """Paint those of the frames that are not in `work` yet; of part (i, n), each n-th from the i-th. The times of all."""
    method, reach = settings["method"], max(settings["long_term"]) if settings["method"] in ("warp", "temporal") else 1
    linked = method in ("warp", "temporal") or settings["smooth"] > 0
    painter, before, times, began, done = None, deque(maxlen=reach), [], time.monotonic(), 0
    show = progress and _preview()
    for number, (moment, image) in enumerate(_picked(source, picked)):
        times.append(moment)
        if "size" in settings:
            image = load_image(image, settings["size"])
        if painter is None:  # of the first frame, whichever are still to be painted, and by whom
            painter = _painter(style, image, settings)
        path = work / f"{number:06d}.png"
        if number % part[1] != part[0]:
            continue
        if path.exists():
            result = load_image(path)
        else:
            known = known_from(image, before, settings["long_term"]) if linked and before else []
            result = painter(image, known)
            save_image(result, path, compress_level=1)
            done += 1
            if progress:
                rate = done / (time.monotonic() - began)
                left = "" if total is None else f" of {total}, about {duration((total - number - 1) / rate)} left"
                show(result, f"frame {number + 1}{left}, {rate:.2f} frames a second")
            if callback:
                callback(number, result, total)
        before.appendleft((image, result))
    if progress and done:
        show(None, "")
    return times


def _preview():
    """A function of a picture and a line on it: in a notebook it shows both, in place; else it rewrites the line."""
    if not in_notebook():
        return lambda image, line: print(f"\r{line}" if line else "", end="" if line else "\n", flush=True)
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
    if (picked.start or 0) < 0 or (picked.stop or 0) < 0:
        raise ValueError("frames must count from the film's start. Received: negative numbers")
    return islice(read_frames(source), picked.start, picked.stop, picked.step)


def _claim(work, identity):
    """Make the folder for frames this film's; it must be new, or of the same film with the same settings."""
    manifest = work / "film.json"
    if manifest.exists() and any(work.glob("*.png")):
        if json.loads(manifest.read_text()) != identity:
            raise ValueError(f"{str(work)!r} has the frames of another film or of other settings; remove it, or give another work=")
        return
    if work.exists() and not manifest.exists() and any(work.iterdir()):
        raise ValueError(f"{str(work)!r} is a folder with other things in it; give another work=")
    work.mkdir(parents=True, exist_ok=True)
    with whole_or_not(manifest) as file:
        file.write(json.dumps(identity).encode())


def _check(method, temporal_weight, long_term, next_steps, smooth, frames, every, executor, options):
    if method not in METHODS:
        raise ValueError(f"method must be one of {METHODS}. Received: method={method!r}")
    strange = [name for name in options if name not in OPTIONS]
    if strange or method == "network" and set(options) - {"size"}:
        raise TypeError(f"a film by {method!r} does not take {', '.join(strange or sorted(set(options) - {'size'}))}")
    for name, value, least, most in (("temporal_weight", temporal_weight, 0, 1e9), ("smooth", smooth, 0, 1), ("next_steps", next_steps, 0, 10)):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
            raise ValueError(f"{name} must be a number from {least} to {most:g}. Received: {name}={value!r}")
    if not long_term or not all(isinstance(distance, int) and distance > 0 for distance in long_term):
        raise ValueError(f"long_term must be positive integers, such as (1, 2, 4). Received: long_term={long_term!r}")
    if frames is not None and not isinstance(frames, slice):
        raise TypeError(f"frames must be a slice. Received: {type(frames).__name__}")
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        raise ValueError(f"every must be a positive integer. Received: every={every!r}")
    if executor is not None and (method in ("warp", "temporal") or smooth > 0):
        raise ValueError(f"the frames of method={method!r} with smooth={smooth} depend on each other: no executor")
