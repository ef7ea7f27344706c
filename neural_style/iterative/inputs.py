"""The pictures of a run: loaded, checked against each other, colored as the network sees them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..images.color_modes import color_mode
from ..images.load import load_image, load_with_alpha
from ..images.masks import Region, check_map, check_masks
from ..images.matting import load_pymatting
from ..images.resize import fitted_size
from ..losses.loss import layer_weights
from ..losses.style import Share
from .schedule import StageSettings, scaled, stages_of
from .settings import Settings
from .style_shares import checked_styles

INITS = ("recolored", "one_pass", "content", "style", "noise")


@dataclass(frozen=True)
class Inputs:
    """What transfer() works with.

    Attributes:
        content: The content image as the network sees it, uint8 RGB, H x W x 3, or None.
        styles: [(style image as the network sees it, its share)].
        init: Where the first stage starts: one of INITS, or a picture.
        regions: [Region], their masks as arrays; [] for one style everywhere.
        content_map: Weights of the content's squared errors, H x W, or None.
        colors: The content image in its own colors, or None.
        alpha: The content's transparency, uint8, H x W, or None where it is opaque.
        stages: [StageSettings], from coarse to fine.
    """

    content: np.ndarray | None
    styles: list[tuple[np.ndarray, Share]]
    init: Any
    regions: list[Region]
    content_map: np.ndarray | None
    colors: np.ndarray | None
    alpha: np.ndarray | None
    stages: list[StageSettings]

    @property
    def full(self) -> np.ndarray:
        """The picture whose proportions the result has."""
        return self.content if self.content is not None else self.styles[0][0]

    def shape(self, size: int) -> tuple[int, int, int]:
        """Height, width and 3 of the result at a longer side."""
        width, height = fitted_size(self.full.shape[1::-1], size)
        return height, width, 3


def load_inputs(content: Any, style: Any, settings: Settings) -> Inputs:
    """Load and check the pictures of a run.

    Args:
        content: As for transfer().
        style: As for transfer().
        settings: Checked.

    Raises:
        TypeError, ValueError, FileNotFoundError: What was expected and what came.
    """
    opacity = None
    if content is not None:
        content, opacity = _load_content(content, settings)
    styles = checked_styles(style, settings)
    if content is None and not styles:
        raise ValueError("content and style must not both be None: there is nothing to paint")
    counts = _counts(content, styles, settings)
    longest = scaled(settings.size, max(1, settings.style_scale))
    styles = [(load_image(image, longest), share) for image, share in styles]
    init = _init(settings.init, content, styles)
    regions = _regions(settings.masks, content, styles, opacity)
    _check_photorealism(settings, content)
    if settings.content_map is not None and (content is None or not settings.content_weight):
        raise ValueError(
            "content_map needs a content image, and a content_weight above 0, as it weighs the"
            f" content loss. Received: content_weight={settings.content_weight}"
        )
    inputs = Inputs(
        content,
        styles,
        init,
        regions,
        check_map(settings.content_map, content, "content_map"),
        content,
        opacity,
        stages_of(settings, counts),
    )
    inputs = _recolored(inputs, settings)
    _check_sides(inputs, settings)
    for term in settings.terms:
        if hasattr(term, "check"):
            term.check(inputs)
    return inputs


def _load_content(content: Any, settings: Settings) -> tuple[np.ndarray, np.ndarray | None]:
    """The content image, and with alpha="keep" its transparency."""
    if settings.alpha != "keep":
        return load_image(content, settings.size), None
    return load_with_alpha(content, settings.size)


def _counts(content: Any, styles: list[Any], settings: Settings) -> dict[str, bool]:
    """{"content", "style": whether the term counts}; a ValueError where neither does."""
    weighted = {
        "content": settings.content_weight > 0
        and any(layer_weights(settings.content_layers).values()),
        "style": settings.style_weight > 0 and any(layer_weights(settings.style_layers).values()),
    }
    counts = {
        "content": content is not None and weighted["content"],
        "style": bool(styles) and weighted["style"],
    }
    if not any(counts.values()) and not (settings.terms and (content is not None or styles)):
        raise ValueError(
            "content_weight and style_weight must not both be 0, nor all weights of their layers,"
            " nor the one that a missing content or style leaves, unless there are terms. Received:"
            f" content_weight={settings.content_weight:g}, style_weight={settings.style_weight:g}"
        )
    return counts


def _check_photorealism(settings: Settings, content: Any) -> None:
    if any(settings.photorealism):
        load_pymatting()
        if content is None:
            raise ValueError("photorealism_weight needs a content image")


def _regions(
    masks: Any, content: Any, styles: list[Any], opacity: np.ndarray | None
) -> list[Region]:
    """The regions of `masks`; for a photo that keeps its alpha, where it can be seen."""
    regions = check_masks(masks, content, [image for image, _ in styles])
    if opacity is not None and not opacity.any():
        raise ValueError("content must not be wholly transparent with alpha='keep'")
    if regions and any(share != styles[0][1] for _, share in styles):
        raise ValueError(
            "with masks, each region takes one style image, so shares say nothing; give the"
            " pictures alone"
        )
    if opacity is not None and styles and not regions:
        regions = [Region((opacity > 0).astype("float32"), image=None)]  # type: ignore[arg-type]
    return regions


def _recolored(inputs: Inputs, settings: Settings) -> Inputs:
    """The inputs in the colors that preserve_color gives them."""
    mode = color_mode(settings.preserve_color)
    if mode is None:
        return inputs
    if inputs.content is None or not inputs.styles:
        raise ValueError("preserve_color needs both content and style")
    return replace(
        inputs,
        styles=[(mode.style(image, inputs.content), share) for image, share in inputs.styles],
        content=mode.content(inputs.content),
    )


def _check_sides(inputs: Inputs, settings: Settings) -> None:
    """Raise a ValueError where a picture is too small for its layers at the first stage."""
    images = [] if inputs.content is None else [("content", inputs.content, 1.0)]
    images += [("style", image, settings.style_scale) for image, _ in inputs.styles]
    counting = {name for stage in inputs.stages for name in stage.weights}
    layers = {"content": settings.content_layers, "style": settings.style_layers}
    layers |= {term.name: term.layers for term in settings.terms if term.layers}
    names = [name for kind in counting & set(layers) for name in layer_weights(layers[kind])]
    least = settings.feature_network.smallest_side(names) if names else 1
    for kind, image, times in images:
        longer = scaled(inputs.stages[0].size, times)
        side = min(fitted_size(image.shape[1::-1], longer))
        if side < least:
            mirror = ", or padding='zeros'" if settings.padding == "reflect" else ""
            raise ValueError(
                f"at a longer side of {longer} the {kind} image is only {side} pixels on its"
                f" shorter one, and these layers need {least}; use a larger size or start_size, or"
                f" shallower layers{mirror}"
            )


def _init(init: Any, content: Any, styles: list[Any]) -> Any:
    """The name or the picture of transfer()'s `init`."""
    if not (init is None or isinstance(init, str)):
        return load_image(init)
    if init is None:
        return "recolored" if content is not None and styles else "noise"
    if init not in INITS:
        raise ValueError(
            f"init must be one of {INITS} or a picture (for a file, load_image(path)). Received:"
            f" init={init!r}"
        )
    if (init in ("content", "recolored", "one_pass") and content is None) or (
        init in ("style", "recolored", "one_pass") and not styles
    ):
        raise ValueError(
            f"init={init!r} needs the picture that was left out; use 'noise' or a picture of"
            " your own"
        )
    return init
