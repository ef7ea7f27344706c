"""The settings of a film, and the checks of its arguments before any work."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from .._shared import checks
from ..feedforward.resolve_network import has_paintings, resolve
from ..images.load import check_size, load_image
from .flow import LEAST_SIDE, load_cv2
from .frames import OPTIONS, check_style

#: The ways to paint a film's frames; see stylize_video.
Method: TypeAlias = Literal["independent", "warp", "temporal", "network", "one_pass"]

METHODS: tuple[str, ...] = get_args(Method)

#: Those that optimize nothing.
BY_NETWORKS = ("network", "one_pass")

#: The largest number in `frames` and `every`: more frames than any film has, and few enough for
#: Python's slices.
MOST_FRAMES = 10**9

#: The largest distance in frames in `long_term`.
FARTHEST = 1000


@dataclass(frozen=True)
class FilmSettings:
    """The checked settings of a film, as Python's own types.

    Attributes:
        method: How the frames are painted.
        temporal_weight: Weight of the temporal loss.
        long_term: Distances in frames to the earlier frames that a frame is held to.
        next_steps: Steps of a frame that starts from the last result, as a share of all steps.
        smooth: Share of the last result in this one, for the method "network".
        frames: Start, stop and step of the slice of the source's frames, or None each.
        every: Paint only every n-th frame of the slice.
        options: The arguments of transfer() that the caller gave.
    """

    method: str
    temporal_weight: float
    long_term: tuple[int, ...]
    next_steps: float
    smooth: float
    frames: tuple[int | None, int | None, int | None]
    every: int
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def linked(self) -> bool:
        """Whether a frame depends on those before it."""
        return self.method in ("warp", "temporal") or self.smooth > 0

    @property
    def reach(self) -> int:
        """How many frames before this one can be needed."""
        return max(self.long_term) if self.method in ("warp", "temporal") else 1

    @property
    def picked(self) -> slice:
        """The slice of the source's frames that are painted."""
        start, stop, step = self.frames
        return slice(start, stop, (step or 1) * self.every)

    def total(self, frames: int | None) -> int | None:
        """Count the frames to paint.

        Args:
            frames: Number of the source's frames; None if unknown.
        """
        return None if frames is None else len(range(*self.picked.indices(frames)))

    def as_dict(self) -> dict[str, Any]:
        """List the settings by name, with transfer()'s arguments among them."""
        return {
            "method": self.method,
            "temporal_weight": self.temporal_weight,
            "long_term": list(self.long_term),
            "next_steps": self.next_steps,
            "smooth": self.smooth,
            "frames": list(self.frames),
            "every": self.every,
            **self.options,
        }


def check_settings(
    method: Any,
    temporal_weight: Any,
    long_term: Any,
    next_steps: Any,
    smooth: Any,
    frames: Any,
    every: Any,
    options: Mapping[str, Any],
) -> FilmSettings:
    """Check a film's own arguments and the names of transfer()'s; their values are not checked yet.

    Args:
        method: See stylize_video, for this and the others.
        temporal_weight: At least 0.
        long_term: Positive integers.
        next_steps: From 0 to 10.
        smooth: From 0 to 1.
        frames: A slice or None.
        every: A positive integer.
        options: The arguments of transfer() that the caller gave.

    Returns:
        FilmSettings without options.

    Raises:
        TypeError: An option that the method does not take; `frames` is not a slice.
        ValueError: A value that cannot be right.
    """
    method = checks.choice("method", method, METHODS)
    _check_names(method, options)
    return FilmSettings(
        method=method,
        temporal_weight=checks.number("temporal_weight", temporal_weight, most=1e9),
        long_term=_check_long_term(long_term),
        next_steps=checks.number("next_steps", next_steps, most=10),
        smooth=checks.number("smooth", smooth, most=1),
        frames=_check_frames(frames),
        every=checks.count("every", every, most=MOST_FRAMES),
    )


def check_helpers(executor: Any, callback: Any, settings: FilmSettings) -> None:
    """Check what works beside the film.

    Args:
        executor: None, or a concurrent.futures.Executor if the frames do not depend on each other.
        callback: None, or a function.
        settings: From check_settings.

    Raises:
        TypeError: `callback` is not a function; `executor` is not an Executor.
        ValueError: An executor for frames that depend on each other.
    """
    if callback is not None and not callable(callback):
        raise TypeError(
            "callback must be a function of (number, picture, frames in all). Received:"
            f" callback={callback!r:.200}"
        )
    if executor is not None and settings.linked:
        raise ValueError(
            f"the frames of method={settings.method!r} with smooth={settings.smooth} depend"
            " on each other: no executor"
        )
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise TypeError(
            f"executor must be a concurrent.futures.Executor. Received: {type(executor).__name__}"
        )


def with_options(
    settings: FilmSettings, style: Any, first: np.ndarray, options: Mapping[str, Any]
) -> FilmSettings:
    """Check `style` and transfer()'s arguments for the film's first frame, and add the arguments.

    Args:
        settings: From check_settings.
        style: The painting, the paintings or the network.
        first: The film's first frame, uint8 RGB, H x W x 3.
        options: The arguments of transfer() that the caller gave.

    Returns:
        The settings with options, as Python's own types.
    """
    return replace(settings, options=_check_style(style, first, settings, options))


def _check_style(
    style: Any, first: np.ndarray, settings: FilmSettings, options: Mapping[str, Any]
) -> dict[str, Any]:
    """Convert the options to Python's own types; refuse what cannot be right for a first frame."""
    if "size" in options:
        check_size(options["size"])
        first = load_image(first, options["size"])
    if settings.method != "independent":
        load_cv2()
    if settings.linked and min(first.shape[:2]) < LEAST_SIDE:
        raise ValueError(
            f"the flow between frames, for method={settings.method!r} with"
            f" smooth={settings.smooth}, needs at least {LEAST_SIDE} x {LEAST_SIDE} pixels."
            f" Received: {first.shape[1]} x {first.shape[0]}"
        )
    if settings.method in BY_NETWORKS:
        if has_paintings(style) != (settings.method == "one_pass"):
            raise ValueError(
                "method='network' goes with a network, method='one_pass' with a painting."
                f" Received: method={settings.method!r}, style={style!r:.200}"
            )
        resolve(style)
        # Their only option is size.
        return {name: value if value is None else int(value) for name, value in options.items()}
    checked = check_style(style, first, options).settings
    return {name: checked[name] for name in options}


def _check_names(method: str, options: Mapping[str, Any]) -> None:
    """Raise a TypeError if a film by this method does not take one of the options."""
    strange = [name for name in options if name not in OPTIONS]
    if strange or (method in BY_NETWORKS and set(options) - {"size"}):
        raise TypeError(
            f"a film by {method!r} does not take"
            f" {', '.join(strange or sorted(set(options) - {'size'}))}"
        )


def _check_long_term(long_term: Any) -> tuple[int, ...]:
    """Convert `long_term` to a tuple of positive integers."""
    if (
        not isinstance(long_term, (list, tuple))
        or not long_term
        or not all(checks.is_count(distance) and distance <= FARTHEST for distance in long_term)
    ):
        raise ValueError(
            f"long_term must be positive integers up to {FARTHEST}, such as (1, 2, 4). Received:"
            f" long_term={long_term!r:.200}"
        )
    return tuple(int(distance) for distance in long_term)


def _check_frames(frames: Any) -> tuple[int | None, int | None, int | None]:
    """Convert `frames` to the start, stop and step of a slice."""
    if frames is not None and not isinstance(frames, slice):
        raise TypeError(f"frames must be a slice. Received: {type(frames).__name__}")
    frames = slice(None) if frames is None else frames
    for name, value, least in (
        ("start", frames.start, 0),
        ("stop", frames.stop, 0),
        ("step", frames.step, 1),
    ):
        if value is not None and not (checks.is_count(value, least) and value <= MOST_FRAMES):
            raise ValueError(
                f"frames must be a slice of integers that count from the film's start, {name} at"
                f" least {least} and at most {MOST_FRAMES:,}. Received: frames={frames!r:.200}"
            )
    start, stop, step = (
        None if value is None else int(value) for value in (frames.start, frames.stop, frames.step)
    )
    return start, stop, step
