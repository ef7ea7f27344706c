"""How a frame of a film is painted by optimisation, held to what is known of it from earlier
frames.

Ruder, Dosovitskiy and Brox 2016, "Artistic Style Transfer for Videos", sections 4 and 5.
"""

import inspect
from dataclasses import replace

import keras
import numpy as np
from keras import ops

from ..images.load import load_image
from ..images.resize import resize
from ..iterative.settings import check_arguments, check_backend, scales
from ..iterative.start import start as first_x
from ..iterative.transfer import PIXEL_RANGE, transfer
from ..losses.content import content_loss
from ..losses.loss import layer_weights
from ..losses.regularizers import temporal_loss, total_variation_loss
from ..losses.style import style_loss, style_statistics
from ..optimize.evaluator import Evaluator
from ..optimize.optimize import optimize
from ..optimize.status import INTERRUPTED
from ..optimize.targets import describe
from ..optimize.tiling import Tiling
from ..vgg.extractor import feature_extractor
from ..vgg.layers import tile_geometry
from ..vgg.preprocessing import deprocess, preprocess
from .flow import is_cut, optical_flow, reliable, warp

#: transfer()'s arguments that a film takes too.
OPTIONS = (
    "network",
    "weights",
    "pooling",
    "normalize",
    "content_layers",
    "style_layers",
    "content_weight",
    "style_weight",
    "tv_weight",
    "scale",
    "tv_options",
    "style_scale",
    "size",
    "start_size",
    "steps",
    "bounds",
    "precision",
    "statistic",
    "seed",
)


def check_style(style, first, settings):
    """transfer()'s check of its arguments, those of the settings and else its defaults, for a film
    with this first frame; Inputs.
    """
    if style is None:
        raise TypeError("a film needs a style: a painting, or several with shares. Received: None")
    check_backend()
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(transfer).parameters.items()
    }
    own = {
        name: defaults[name]
        for name, parameter in inspect.signature(check_arguments).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    given = {name: settings[name] for name in OPTIONS if name in settings}
    return check_arguments(first, style, **{**own, "size": max(first.shape[:2]), **given})


class Painter:
    """Paints the frames of a film by optimisation, with one network, and one set of style targets
    for all of them.

    A frame that stands alone is painted from coarse to fine, as by transfer(). One that follows
    another starts from what is known of it. The style's errors are relative to those of the film's
    first frame, so that its weight stays the same on the way. Each graph is compiled once; from
    frame to frame, its targets change.
    """

    def __init__(self, style, first, settings):
        inputs = check_style(style, first, settings)
        self.options, self.settings, self.stages, self.styles = (
            inputs.settings,
            settings,
            inputs.stages,
            inputs.styles,
        )
        options = self.options
        content_names = [*layer_weights(options["content_layers"])]
        layers = [*content_names, *layer_weights(options["style_layers"])]
        self.extractor = feature_extractor(
            layers,
            **{
                name: options[name]
                for name in ("network", "weights", "pooling", "normalize", "precision")
            },
        )
        self.tiling = Tiling(None, *tile_geometry(layers, options["network"]))
        self.content = keras.Model(
            self.extractor.input, {name: self.extractor.output[name] for name in content_names}
        )
        self.style_losses = {stage.size: self._style_loss(stage, first) for stage in self.stages}
        self.evaluators = {}

    def __call__(self, image, known):
        """The painted frame, uint8, of the frame's size; known as from known_from."""
        stages = self.stages
        if known:
            stages = [
                replace(
                    stages[-1], steps=max(1, round(self.settings["next_steps"] * stages[-1].steps))
                )
            ]
        picture = None
        for stage in stages:
            content = load_image(image, stage.size)
            if picture is not None:
                x = preprocess(resize(picture, content.shape[1::-1]))
            else:
                styles = [(load_image(style, stage.size), share) for style, share in self.styles]
                x = first_x(
                    "recolored", content.shape, content, styles, [], None, self.options["seed"]
                )
                for warped, holds in reversed(known):
                    x = np.where(holds[None, ..., None] > 0, preprocess(warped), x)
            losses = {
                "content": self._content_loss(content),
                "style": self.style_losses[stage.size],
                "tv": total_variation_loss(**(self.options["tv_options"] or {})),
            }
            weights = dict(stage.weights)
            for distance, (warped, holds) in enumerate(
                known if self.settings["method"] == "temporal" else []
            ):
                losses[f"temporal{distance}"] = temporal_loss(warped, holds)
                weights[f"temporal{distance}"] = self.settings["temporal_weight"]
            evaluator = self._evaluator(
                stage, {name: losses[name] for name in weights}, weights, x.shape
            )
            x, message = optimize(
                evaluator, x, stage.steps, PIXEL_RANGE if self.options["bounds"] else None
            )
            if message.startswith(INTERRUPTED):
                raise KeyboardInterrupt
            picture = deprocess(x, evaluator.shape)
        return picture

    def _evaluator(self, stage, losses, weights, shape):
        kind = stage.size, tuple(weights)
        if kind in self.evaluators:
            self.evaluators[kind].retarget({name: loss.maps for name, loss in losses.items()})
        else:
            self.evaluators[kind] = Evaluator(self.extractor, losses, weights, shape)
        return self.evaluators[kind]

    def _content_loss(self, image):
        """content_loss; the relative error's energies are in its maps, where the next frame's can
        take their place.
        """
        features = {
            name: ops.convert_to_numpy(f).astype("float32")
            for name, f in self.content(preprocess(image)).items()
        }
        scale = scales(self.options["scale"])[0]
        if scale != "relative":
            return content_loss(features, self.options["content_layers"], scale)
        shares = {
            name: np.full((*f.shape[:3], 1), 1 / np.square(f, dtype="float64").sum(), "float32")
            for name, f in features.items()
        }
        return content_loss(features, self.options["content_layers"], "sum", shares)

    def _style_loss(self, stage, first):
        measure = style_statistics(
            [*layer_weights(self.options["style_layers"])], self.options["statistic"]
        )
        size = max(1, round(stage.size * self.options["style_scale"]))
        blend = [
            (self._statistics(load_image(image, size), measure), share)
            for image, share in self.styles
        ]
        return style_loss(
            blend,
            self.options["style_layers"],
            scales(self.options["scale"])[1],
            self._statistics(load_image(first, stage.size), measure),
            self.options["statistic"],
        )

    def _statistics(self, image, measure):
        return describe(self.extractor, preprocess(image), [], [measure], self.tiling)[1][0]


def known_from(image, before, long_term):
    """[(an earlier result moved to this frame, where it holds: float, H x W)], the nearest first;
    [] after a cut.
    """
    found, taken = [], np.zeros(image.shape[:2], bool)
    for distance in sorted(long_term):
        if distance > len(before):
            break
        other, result = before[distance - 1]
        back, forth = optical_flow(image, other), optical_flow(other, image)
        if distance == min(long_term) and is_cut(back, forth):
            return []
        holds = (
            reliable(back, forth) & ~taken
        )  # equation 10: what a nearer frame knows, a farther one does not say again
        taken |= holds
        found.append(
            (warp(result, back, sharp=True), holds.astype("float32"))
        )  # each frame is made of the last: blur would add up
    return found
