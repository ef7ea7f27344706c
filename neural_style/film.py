"""A film in a style: each frame painted, by an optimiser or by a network, so that the picture does not flicker.

After Ruder, Dosovitskiy and Brox 2016, "Artistic Style Transfer for Videos".
"""
import hashlib
import inspect
import json
import logging
import os
import shutil
import time
from collections import deque
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from .arguments import check_arguments, errors
from .callbacks import duration
from .evaluator import Evaluator
from .features import feature_extractor, tile_geometry
from .flow import is_cut, load_cv2, optical_flow, reliable, warp
from .images import deprocess, load_image, preprocess, resize, save_image, whole_or_not
from .losses import content_loss, layer_weights, style_loss, style_statistics, total_variation_loss
from .objective import start as first_x
from .optimizers import INTERRUPTED, optimize
from .stylization import paint, resolve
from .tiling import Tiling, describe
from .transfer import PIXEL_RANGE, transfer
from .transform_net import TransformNet
from .video import check_video_path, read_frames, video_info, write_video

METHODS = ("independent", "warp", "temporal", "network")

#: transfer()'s arguments that a film takes too.
OPTIONS = ("network", "weights", "pooling", "normalize", "content_layers", "style_layers", "content_weight", "style_weight", "tv_weight",
           "error", "tv_options", "style_scale", "size", "start_size", "steps", "bounds", "precision", "style_loss", "seed")

logger = logging.getLogger("neural_style")


def stylize_video(source, style, output, *, method=None, temporal_weight=0.02, long_term=(1,), next_steps=0.5, smooth=0.0, frames=None,
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
    method = method or ("network" if isinstance(style, (TransformNet, dict)) or str(style).endswith(".keras") else "temporal")
    _check(method, temporal_weight, long_term, next_steps, smooth, frames, every, executor, options)
    info, chosen = video_info(source), frames or slice(None)
    if method != "independent":
        load_cv2()
    settings = {"method": method, "temporal_weight": temporal_weight, "long_term": list(long_term), "next_steps": next_steps, "smooth": smooth,
                "frames": [chosen.start, chosen.stop, chosen.step], "every": every, **options}
    work = Path(work) if work else Path(output).with_name(f".{Path(output).name}.frames")
    _claim(work, {"source": _digest(source), "style": _digest(style), "settings": json.loads(json.dumps(settings, default=str))})

    picked = slice(chosen.start, chosen.stop, (chosen.step or 1) * every)
    total = None if info.frames is None else len(range(*picked.indices(info.frames)))
    if executor is None:
        _paint_frames(source, style, settings, work, picked, total, callback, progress)
    else:
        workers = getattr(executor, "_max_workers", None) or os.cpu_count() or 1
        jobs = [executor.submit(_paint_frames, source, style, settings, work, picked, total, None, False, (part, workers)) for part in range(workers)]
        for job in jobs:
            job.result()
    painted = sorted(work.glob("*.png"))
    if not painted:
        raise ValueError(f"frames={frames} and every={every} leave no frame of {str(source)!r}")
    times = [moment for moment, _ in _picked(source, picked)]
    last = None if picked.stop is None else times[-1] + (picked.step or 1) / info.rate
    count = write_video(((moment - times[0], load_image(path)) for moment, path in zip(times, painted)), output,
                        info.rate / (picked.step or 1), audio=source if info.audio else None, first=times[0], last=last)
    if work == Path(output).with_name(f".{Path(output).name}.frames"):
        shutil.rmtree(work)
    return count


def _paint_frames(source, style, settings, work, picked, total=None, callback=None, progress=False, part=(0, 1)):
    """Paint those of the frames that are not in `work` yet; of part (i, n), each n-th from the i-th."""
    method, reach = settings["method"], max(settings["long_term"]) if settings["method"] in ("warp", "temporal") else 1
    linked = method in ("warp", "temporal") or settings["smooth"] > 0
    painter, before, began, done = None, deque(maxlen=reach), time.monotonic(), 0
    for number, (_, image) in enumerate(_picked(source, picked)):
        if "size" in settings:
            image = load_image(image, settings["size"])
        path = work / f"{number:06d}.png"
        if number % part[1] != part[0]:
            continue
        if painter is None and (not path.exists() or method != "network"):
            painter = _painter(style, image, settings)
        if path.exists():
            result = load_image(path)
        else:
            known = _known(image, before, settings["long_term"]) if linked and before else []
            result = painter(image, known)
            save_image(result, path, compress_level=1)
            done += 1
            if progress:
                rate = done / (time.monotonic() - began)
                left = "" if total is None else f" of {total}, about {duration((total - number - 1) / rate)} left"
                print(f"\rframe {number + 1}{left}, {rate:.2f} frames a second", end="", flush=True)
            if callback:
                callback(number, result, total)
        before.appendleft((image, result))
    if progress and done:
        print()


def _known(image, before, long_term):
    """[(an earlier result moved to this frame, where it holds: float, H x W)], the nearest first; [] after a cut."""
    found, taken = [], np.zeros(image.shape[:2], bool)
    for distance in sorted(long_term):
        if distance > len(before):
            break
        other, result = before[distance - 1]
        back, forth = optical_flow(image, other), optical_flow(other, image)
        if distance == min(long_term) and is_cut(back, forth):
            return []
        holds = reliable(back, forth) & ~taken  # equation 10: what a nearer frame knows, a farther one does not say again
        taken |= holds
        found.append((warp(result, back), holds.astype("float32")))
    return found


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


class Painter:
    """Paints the frames of a film by optimisation, with one network, and one set of style targets for all of them.

    A frame that stands alone is painted from coarse to fine, as by transfer(). One that follows another starts from what is known of it.
    The style's errors are relative to those of the film's first frame, so that no weight changes on the way.
    """

    def __init__(self, style, first, settings):
        defaults = {name: parameter.default for name, parameter in inspect.signature(transfer).parameters.items()
                    if parameter.kind is parameter.KEYWORD_ONLY and name not in ("callback", "progress", "checkpoint", "resume")}
        options = {**defaults, "size": max(first.shape[:2]), **{name: settings[name] for name in OPTIONS if name in settings}}
        inputs = check_arguments(first, style, **options)
        self.options, self.settings, self.stages, self.styles = options, settings, inputs.stages, inputs.styles
        self.content_names = [*layer_weights(options["content_layers"])]
        layers = [*self.content_names, *layer_weights(options["style_layers"])]
        self.extractor = feature_extractor(layers, **{name: options[name] for name in ("network", "weights", "pooling", "normalize", "precision")})
        self.tiling = Tiling(None, *tile_geometry(layers, options["network"]))
        self.style_losses = {stage.size: self._style_loss(stage, first) for stage in self.stages}

    def __call__(self, image, known):
        """The painted frame, uint8, of the frame's size; known as from _known."""
        stages = self.stages
        if known:
            stages = [replace(stages[-1], steps=max(1, round(self.settings["next_steps"] * stages[-1].steps)))]
        picture = None
        for stage in stages:
            content = load_image(image, stage.size)
            if picture is not None:
                x = preprocess(resize(picture, content.shape[1::-1]))
            else:
                styles = [(load_image(style, stage.size), share) for style, share in self.styles]
                x = first_x("recolored", content.shape, content, styles, [], None, self.options["seed"])
                for warped, holds in reversed(known):
                    x = np.where(holds[None, ..., None] > 0, preprocess(warped), x)
            maps, _ = describe(self.extractor, preprocess(content), self.content_names, [], self.tiling)
            losses = {"content": content_loss(maps, self.options["content_layers"], errors(self.options["error"])[0]),
                      "style": self.style_losses[stage.size], "tv": total_variation_loss(**(self.options["tv_options"] or {}))}
            weights = dict(stage.weights)
            for distance, (warped, holds) in enumerate(known if self.settings["method"] == "temporal" else []):
                losses[f"temporal{distance}"] = temporal_loss(warped, holds)
                weights[f"temporal{distance}"] = self.settings["temporal_weight"]
            evaluator = Evaluator(self.extractor, {name: losses[name] for name in weights}, weights, x.shape)
            x, message = optimize(evaluator, x, stage.steps, PIXEL_RANGE if self.options["bounds"] else None)
            if message.startswith(INTERRUPTED):
                raise KeyboardInterrupt
            picture = deprocess(x, evaluator.shape)
        return picture

    def _style_loss(self, stage, first):
        measure = style_statistics([*layer_weights(self.options["style_layers"])], self.options["style_loss"])
        size = max(1, round(stage.size * self.options["style_scale"]))
        blend = [(self._statistics(load_image(image, size), measure), share) for image, share in self.styles]
        return style_loss(blend, self.options["style_layers"], errors(self.options["error"])[1],
                          self._statistics(load_image(first, stage.size), measure), self.options["style_loss"])

    def _statistics(self, image, measure):
        return describe(self.extractor, preprocess(image), [], [measure], self.tiling)[1][0]


def temporal_loss(warped, holds):
    """mean_ijc c_ij (x_ijc - w_ijc)^2 in squared grey levels (Ruder et al., equation 7): how far the picture is from an earlier result.

    Args:
        warped: the earlier result moved to this frame, uint8 RGB, H x W x 3. holds: c, float, H x W, where it can be relied on.
    """
    return content_loss({"image": preprocess(warped)}, ["image"], "mean", {"image": holds[None, ..., None]})


def _picked(source, picked):
    """The frames of a slice, as read_frames gives them."""
    if (picked.start or 0) < 0 or (picked.stop or 0) < 0:
        raise ValueError("frames must count from the film's start. Received: negative numbers")
    return islice(read_frames(source), picked.start, picked.stop, picked.step)


def _claim(work, identity):
    """Make the folder for frames this film's; it must be new, or of the same film with the same settings."""
    manifest = work / "film.json"
    if manifest.exists():
        if json.loads(manifest.read_text()) != identity:
            raise ValueError(f"{str(work)!r} has the frames of another film or of other settings; remove it, or give another work=")
        return
    if work.exists() and any(work.iterdir()):
        raise ValueError(f"{str(work)!r} is a folder with other things in it; give another work=")
    work.mkdir(parents=True, exist_ok=True)
    with whole_or_not(manifest) as file:
        file.write(json.dumps(identity).encode())


def _digest(source):
    """SHA-256 of a file, or of what has no file."""
    if isinstance(source, (list, tuple)):
        return [_digest(item) for item in source]
    if isinstance(source, dict):
        return {str(name): share for name, share in source.items()}
    if isinstance(source, (str, os.PathLike)) and Path(source).is_file():
        digest = hashlib.sha256()
        with open(source, "rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
        return digest.hexdigest()
    if isinstance(source, TransformNet):
        return hashlib.sha256(b"".join(np.ascontiguousarray(w).tobytes() for w in source.get_weights())).hexdigest()
    if isinstance(source, (str, float, int)):
        return source
    return hashlib.sha256(load_image(source).tobytes()).hexdigest()


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
