"""How a frame of a film is painted by optimization, held to what is known from earlier frames.

Ruder, Dosovitskiy and Brox 2016, "Artistic Style Transfer for Videos", sections 4 and 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from ..iterative.inputs import Inputs, load_inputs
from ..iterative.plan import Plan
from ..iterative.prepare import Run, layers_of
from ..iterative.settings import Settings, checked
from ..iterative.stage import Picture, Stage
from ..iterative.terms import Content, terms_of
from ..iterative.transfer import transfer
from ..losses.loss import layer_weights
from ..losses.term import loss_of
from ..optimize.autodiff import check_backend
from ..optimize.evaluator import Evaluator
from ..optimize.lbfgs import lbfgs
from ..optimize.objective import CORRECTIONS
from ..optimize.status import Status
from ..optimize.tiling import Tiling
from ..vgg.preprocessing import preprocess
from .frame_terms import Fixed, FrameContent, Temporal
from .known import Known

#: transfer()'s arguments that a film takes too.
OPTIONS = (
    "network",
    "weights",
    "pooling",
    "normalize",
    "padding",
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
    "coarse_weight",
    "bounds",
    "precision",
    "statistic",
    "terms",
    "seed",
)


class FilmStyle(NamedTuple):
    """What a film takes of transfer()'s settings.

    Attributes:
        settings: {name: checked value} of all of transfer()'s settings.
        checked: The same.
        inputs: The film's first frame and the style images, loaded.
    """

    settings: dict[str, Any]
    checked: Settings
    inputs: Inputs


def check_style(style: Any, first: np.ndarray, settings: Mapping[str, Any]) -> FilmStyle:
    """transfer()'s check of its arguments, for a film.

    Args:
        style: As for transfer().
        first: The film's first frame, uint8 RGB, H x W x 3.
        settings: Those of OPTIONS that are given; the others have transfer()'s defaults.

    Raises:
        TypeError, ValueError, FileNotFoundError, RuntimeError: As transfer().
    """
    if style is None:
        raise TypeError("a film needs a style: a painting, or several with shares. Received: None")
    check_backend()
    defaults: Any = transfer.__kwdefaults__
    values = {field.name: defaults[field.name] for field in fields(Settings)}
    given = {name: settings[name] for name in OPTIONS if name in settings}
    found = checked(Settings(**{**values, "size": max(first.shape[:2]), **given}))
    inputs = load_inputs(first, style, found)
    return FilmStyle({**found.as_dict(), "terms": found.terms}, found, inputs)


class Painter:
    """Paints the frames of a film by optimization.

    All frames share one network and one set of style targets. A frame that stands alone is painted
    from coarse to fine, as by transfer(). One that follows another starts from what is known of it.
    The style's errors are relative to those of the film's first frame, so that its weight stays the
    same on the way. Each graph is compiled once; from frame to frame, its targets change.

    Args:
        style: As for transfer().
        first: The first frame, uint8 RGB, H x W x 3.
        settings: The film's.
    """

    def __init__(self, style: Any, first: np.ndarray, settings: Mapping[str, Any]) -> None:
        _, found, inputs = check_style(style, first, settings)
        network = found.feature_network
        counting = {name for stage in inputs.stages for name in stage.weights}
        terms = [term for term in terms_of(found) if term.name in counting]
        whole = Tiling(None, *network.geometry(layers_of(terms)))
        plans = [Plan(whole, CORRECTIONS, 0.0, exact=False)] * len(inputs.stages)
        self._run = Run(found, inputs, terms, plans, network.parameters(), {})
        self._settings = settings
        self._fixed = {
            stage.size: loss_of(term, stage)
            for stage in self._run.stages
            for term in stage.terms
            if term.name == "style"
        }
        self._content = self._content_features()
        self._evaluators: dict[Any, Evaluator] = {}

    def _content_features(self) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
        """A function from a picture to its features at the content layers."""
        extractor = self._run.extractor
        names = list(layer_weights(self._run.settings.content_layers))
        if not set(names) <= set(extractor.output):  # the content counts at no stage
            return lambda image: {}
        model = keras.Model(extractor.input, {name: extractor.output[name] for name in names})

        def features(image: np.ndarray) -> dict[str, np.ndarray]:
            found = model(preprocess(image))
            return {name: ops.convert_to_numpy(f).astype("float32") for name, f in found.items()}

        return features

    def __call__(self, image: np.ndarray, known: Sequence[Known]) -> np.ndarray:
        """The painted frame, uint8 RGB, of the frame's size.

        Args:
            image: The frame, uint8 RGB, H x W x 3.
            known: From known_from.
        """
        stages = self._run.stages[-1:] if known else self._run.stages
        picture: Picture | None = None
        for stage in stages:
            before = None if picture is None else picture.image
            here = replace(stage, source=image, before=before)
            x = here.first_x()
            for warped, holds in reversed(known if picture is None else []):
                x = np.where(holds[None, ..., None] > 0, preprocess(warped), x)
            steps = here.steps
            if known:
                steps = max(1, round(self._settings["next_steps"] * steps))
            x, outcome = lbfgs(self._evaluator(here, known), x, steps, here.bounds)
            if outcome.status is Status.INTERRUPTED:
                raise KeyboardInterrupt
            picture = here.picture(x)
        assert picture is not None  # there is a stage
        return picture.image

    def _terms(self, stage: Stage, known: Sequence[Known]) -> list[Any]:
        """The terms of a frame's loss at one stage."""
        terms: list[Any] = []
        for term in stage.terms:
            if isinstance(term, Content):
                term = FrameContent(
                    stage.weights["content"], term.layers, term.scale, self._content
                )
            elif term.name == "style":
                term = Fixed("style", stage.weights["style"], self._fixed[stage.size])
            terms.append(term)
        if self._settings["method"] == "temporal":
            weight = self._settings["temporal_weight"]
            terms += [
                Temporal(f"temporal{distance}", weight, *one) for distance, one in enumerate(known)
            ]
        return terms

    def _evaluator(self, stage: Stage, known: Sequence[Known]) -> Evaluator:
        """Loss and gradient of a frame. Where all targets are maps, nothing is compiled anew."""
        terms = self._terms(stage, known)
        losses = {term.name: loss_of(term, stage) for term in terms}
        temporal = {term.name: term.weight for term in terms if isinstance(term, Temporal)}
        weights = {**stage.weights, **temporal}
        arguments = self._run.extractor, losses, weights, stage.shape
        if self._run.settings.terms:  # what they hold of a frame may be in no map
            return Evaluator(*arguments)
        kind = stage.size, tuple(weights)
        if kind in self._evaluators:
            self._evaluators[kind].retarget({name: loss.maps for name, loss in losses.items()})
        else:
            self._evaluators[kind] = Evaluator(*arguments)
        return self._evaluators[kind]
