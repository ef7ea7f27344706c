"""What transfer() asks of its arguments: all is checked here, before any network is built."""

import inspect
import math
from dataclasses import dataclass

import numpy as np

from .._shared.checks import choice, count, flag, is_count, is_finite, number
from .._shared.checks import layers as checked_layers
from ..images.color import PRESERVE, gray, recolored_style
from ..images.formats import ALPHAS
from ..images.load import load_image, load_with_alpha
from ..images.masks import Region, check_map, check_masks
from ..images.matting import load_pymatting
from ..losses.content import CONTENT_SCALES
from ..losses.loss import check_scale, layer_weights
from ..losses.regularizers import total_variation_loss
from ..losses.statistics import check_statistic
from ..losses.style import STYLE_SCALES
from ..optimize.optimize import OPTIMIZERS
from ..vgg.extractor import check_extractor
from ..vgg.layers import check_layers, smallest_side
from .schedule import _stage, scaled, schedule

INITS = ("recolored", "content", "style", "noise")


#: More iterations than any run makes, and as many as the optimizers can count.
MOST_STEPS = 10**9


#: At the coarse stages content and photorealism count so much more than at the last one: they
#: settle where large shapes go, and a subject that they lose does not come back.
COARSE = 4


@dataclass(frozen=True)
class Inputs:
    """What transfer() works with: content, at full size, or None; styles, [(picture, share)]; init,
    a name or picture; stages, [Stage], from coarse to fine; regions, [masks.Region]; content_map, H
    x W or None. With preserve_color, content and styles are as the network shall see them, and
    colors is the content as it came. alpha: with alpha="keep", of the content, uint8 H x W; None
    where it is opaque. settings: all other arguments, as Python's own types."""

    content: np.ndarray | None
    styles: list
    init: object
    stages: list
    regions: list
    content_map: np.ndarray | None
    colors: np.ndarray | None
    alpha: np.ndarray | None
    settings: dict


def check_arguments(
    content,
    style,
    *,
    network,
    weights,
    pooling,
    normalize,
    content_layers,
    style_layers,
    content_weight,
    style_weight,
    tv_weight,
    photorealism_weight,
    scale,
    tv_options,
    style_scale,
    init,
    noise_std,
    size,
    start_size,
    steps,
    optimizer,
    learning_rate,
    bounds,
    precision,
    tile,
    preserve_color,
    masks,
    content_map,
    statistic,
    seed,
    alpha,
):
    """Check every argument of transfer(); returns Inputs."""
    check_extractor(network, weights, pooling, precision)
    normalize, bounds, alpha = (
        flag("normalize", normalize),
        flag("bounds", bounds),
        choice("alpha", alpha, ALPHAS),
    )
    content_layers, style_layers = (
        checked_layers("content_layers", content_layers),
        checked_layers("style_layers", style_layers),
    )
    for layers in (content_layers, style_layers):
        check_layers(layer_weights(layers), network)
    content_weight, style_weight, tv_weight = (
        number(name, weight)
        for name, weight in (
            ("content_weight", content_weight),
            ("style_weight", style_weight),
            ("tv_weight", tv_weight),
        )
    )
    photorealism = (
        photorealism_weight
        if isinstance(photorealism_weight, (list, tuple))
        else [photorealism_weight]
    )
    if not photorealism or not all(is_finite(weight) and weight >= 0 for weight in photorealism):
        raise ValueError(
            "photorealism_weight must be a finite number, at least 0, or a list of them, one for"
            f" each of the stages at `size`. Received: photorealism_weight={photorealism_weight!r}"
        )
    photorealism = [float(weight) for weight in photorealism]
    style_scale = number("style_scale", style_scale, above=True)
    noise_std, learning_rate = (
        value if value is None else number(name, value, above=True)
        for name, value in (("noise_std", noise_std), ("learning_rate", learning_rate))
    )
    size, start_size = (
        count("size", size),
        start_size if start_size is None else count("start_size", start_size),
    )
    steps = _check_steps(steps, size)
    if not math.isfinite(size * style_scale):
        raise ValueError(
            "style_scale must be a finite number, also times size. Received:"
            f" style_scale={style_scale:g}, size={size}"
        )
    if not (tile is None or (isinstance(tile, str) and tile == "auto") or is_count(tile)):
        raise ValueError(
            f"tile must be 'auto', None or a positive integer. Received: tile={tile!r}"
        )
    choice("optimizer", optimizer, OPTIMIZERS)
    seed = count("seed", seed, 0)
    if isinstance(scale, dict) and set(scale) != {"content", "style"}:
        raise ValueError(
            "scale must be a name or have the keys 'content' and 'style'. Received:"
            f" scale={scale!r}"
        )
    for value, known in zip(scales(scale), (CONTENT_SCALES, STYLE_SCALES)):
        check_scale(value, known)
    _check_tv_options(tv_options)

    check_statistic(statistic)
    if statistic != "gram" and scales(scale)[1] not in ("relative", "mean"):
        raise ValueError(
            f"statistic={statistic!r} supports only scale='relative' or 'mean'. Received:"
            f" scale={scale!r}"
        )
    if preserve_color is not None and not (
        isinstance(preserve_color, str) and preserve_color in PRESERVE
    ):
        raise ValueError(
            f"preserve_color must be None or one of {PRESERVE}. Received:"
            f" preserve_color={preserve_color!r}"
        )
    settings = {
        "network": network,
        "weights": weights,
        "pooling": pooling,
        "normalize": normalize,
        "content_layers": content_layers,
        "style_layers": style_layers,
        "content_weight": content_weight,
        "style_weight": style_weight,
        "tv_weight": tv_weight,
        "photorealism_weight": (
            photorealism if isinstance(photorealism_weight, (list, tuple)) else photorealism[0]
        ),
        "scale": scale,
        "tv_options": tv_options,
        "style_scale": style_scale,
        "init": init,
        "noise_std": noise_std,
        "size": size,
        "start_size": start_size,
        "steps": steps,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "bounds": bounds,
        "precision": precision,
        "tile": tile if tile is None or tile == "auto" else int(tile),
        "preserve_color": preserve_color,
        "masks": masks,
        "content_map": content_map,
        "statistic": statistic,
        "seed": seed,
        "alpha": alpha,
    }

    opacity = None
    if content is not None:
        content, opacity = (
            load_with_alpha(content, size) if alpha == "keep" else (load_image(content, size), None)
        )
    styles = _check_styles(style, style_layers, network)
    if content is None and not styles:
        raise ValueError("content and style must not both be None: there is nothing to paint")
    counts = {
        name: weight > 0 and any(layer_weights(layers).values())
        for name, weight, layers in (
            ("content", content_weight, content_layers),
            ("style", style_weight, style_layers),
        )
    }
    if not ((content is not None and counts["content"]) or (styles and counts["style"])):
        raise ValueError(
            "content_weight and style_weight must not both be 0, nor all weights of their layers,"
            " nor the one that a missing content or style leaves. Received:"
            f" content_weight={content_weight:g}, style_weight={style_weight:g}"
        )
    styles = [
        (load_image(image, scaled(size, max(1, style_scale))), share) for image, share in styles
    ]
    init = _check_init(init, content, styles)
    regions = check_masks(masks, content, [image for image, _ in styles])
    if opacity is not None and not opacity.any():
        raise ValueError("content must not be wholly transparent with alpha='keep'")
    if regions and any(share != styles[0][1] for _, share in styles):
        raise ValueError(
            "with masks, each region takes one style image, so shares say nothing; give the"
            " pictures alone"
        )
    if (
        opacity is not None and styles and not regions
    ):  # the style counts where the photo can be seen
        regions = [Region((opacity > 0).astype("float32"), image=None)]
    if any(photorealism):
        load_pymatting()
        if content is None:
            raise ValueError("photorealism_weight needs a content image")
    if content_map is not None and content is None:
        raise ValueError("content_map needs a content image")
    content_map = check_map(content_map, content, "content_map")
    colors = content
    if preserve_color is not None:
        if content is None or not styles:
            raise ValueError("preserve_color needs both content and style")
        styles = [
            (recolored_style(image, content, preserve_color), share) for image, share in styles
        ]
        content = gray(content) if preserve_color == "luminance" else content

    *coarse, (_, steps_at_size) = schedule(size, start_size, steps)
    weights = {
        "content": content_weight if content is not None and counts["content"] else 0,
        "style": style_weight if styles and counts["style"] else 0,
        "tv": tv_weight,
    }
    at_coarse = {
        **weights,
        "content": COARSE * weights["content"],
        "photorealism": COARSE * photorealism[0],
    }
    stages = [_stage(*one, at_coarse) for one in coarse]
    stages += [
        _stage(size, steps_at_size, {**weights, "photorealism": weight}) for weight in photorealism
    ]
    least = smallest_side(
        [
            name
            for image, names in ((content, content_layers), (styles or None, style_layers))
            if image is not None
            for name in layer_weights(names)
        ],
        network,
    )
    images = [("content", content, 1)] if content is not None else []
    for name, image, times in [*images, *(("style", image, style_scale) for image, _ in styles)]:
        longer = scaled(stages[0].size, times)
        side = min(load_image(image, longer).shape[:2])
        if side < least:
            raise ValueError(
                f"at a longer side of {longer} the {name} image is only {side} pixels on its"
                f" shorter one, and these layers need {least}; use a larger size or start_size, or"
                " shallower layers"
            )
    return Inputs(content, styles, init, stages, regions, content_map, colors, opacity, settings)


def _check_steps(steps, size):
    """None, an int, or a schedule {longer side: steps} of ints."""
    if not isinstance(steps, dict):
        return None if steps is None else count("steps", steps, most=MOST_STEPS)
    sides = list(steps)
    if not (
        steps
        and all(is_count(one) and one <= MOST_STEPS for one in [*sides, *steps.values()])
        and sides == sorted(sides)
        and sides[-1] == size
    ):
        raise ValueError(
            "a schedule of steps must be {longer side: steps}, positive integers, from coarse to"
            f" fine, the last side that of size={size}. Received: steps={steps!r:.200}"
        )
    return {int(side): int(number) for side, number in steps.items()}


def _check_tv_options(options):
    if options is not None and not (
        isinstance(options, dict)
        and set(options) <= {*inspect.signature(total_variation_loss).parameters}
    ):
        raise TypeError(
            "tv_options must be a dict of total_variation_loss's arguments,"
            f" {', '.join(inspect.signature(total_variation_loss).parameters)}. Received:"
            f" tv_options={options!r}"
        )
    total_variation_loss(**(options or {}))


def check_backend():
    """Raise a RuntimeError unless Keras computes on TensorFlow, which the optimization of pixels
    needs.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            "the optimization of pixels needs Keras on TensorFlow; set KERAS_BACKEND=tensorflow. "
            f"Received: {keras.backend.backend()}"
        )


def _check_styles(style, style_layers, network):
    """[(picture, share)] of the argument `style`; a share is a number or {name in style_layers:
    number}.
    """
    if style is None:
        return []
    pairs = style if isinstance(style, (list, tuple)) else [style]
    pairs = [pair if isinstance(pair, (list, tuple)) else (pair, 1.0) for pair in pairs]
    if not pairs or not all(len(pair) == 2 for pair in pairs):
        raise ValueError(
            "style must be a picture, or a list of pictures or of (picture, share) pairs"
        )
    asked = {
        keras_name: name
        for name, keras_name in check_layers(layer_weights(style_layers), network).items()
    }
    pairs = [
        (
            image,
            (
                _layer_shares(share, asked, network)
                if isinstance(share, (dict, list, tuple))
                else share
            ),
        )
        for image, share in pairs
    ]
    shares = [share for _, share in pairs]
    for name in asked.values():
        of_layer = [share.get(name, 0.0) if isinstance(share, dict) else share for share in shares]
        if (
            not all(is_finite(share) and share >= 0 for share in of_layer)
            or not any(of_layer)
            or not is_finite(sum(map(float, of_layer)))
        ):
            layer = (
                f" in layer {name!r}" if any(isinstance(share, dict) for share in shares) else ""
            )
            raise ValueError(
                "the shares of a style blend must be finite, their sum too, at least 0, and one"
                f" above{layer}. Received: {of_layer!r:.200}"
            )
    # Python's floats: NumPy's would make float64 of the targets that they multiply, and other
    # pictures in the last bit
    return [
        (
            image,
            (
                {name: float(number) for name, number in share.items()}
                if isinstance(share, dict)
                else float(share)
            ),
        )
        for image, share in pairs
        if isinstance(share, dict) or share > 0
    ]


def _layer_shares(share, asked, network):
    """{name in style_layers: number} of style layers, or {style layer: number}; asked: {Keras'
    name: name in style_layers}.
    """
    shares = dict(share) if isinstance(share, dict) else dict.fromkeys(share, 1.0)
    names = check_layers(shares, network)
    strange = [name for name, keras_name in names.items() if keras_name not in asked]
    if strange:
        raise ValueError(
            f"a style's shares name layers that are not among style_layers: {', '.join(strange)}"
        )
    return {asked[names[name]]: number for name, number in shares.items()}


def _check_init(init, content, styles):
    if not (init is None or isinstance(init, str)):
        return load_image(init)
    if init is None:
        return "recolored" if content is not None and styles else "noise"
    if init not in INITS:
        raise ValueError(
            f"init must be one of {INITS} or a picture (for a file, load_image(path)). Received:"
            f" init={init!r}"
        )
    if (init in ("content", "recolored") and content is None) or (
        init in ("style", "recolored") and not styles
    ):
        raise ValueError(
            f"init={init!r} needs the picture that was left out; use 'noise' or a picture of"
            " your own"
        )
    return init


def scales(scale):
    """(content's, style's) of the argument `error`."""
    return (scale["content"], scale["style"]) if isinstance(scale, dict) else (scale, scale)
