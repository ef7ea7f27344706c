"""transfer(): the whole algorithm of Gatys, Ecker and Bethge on one screen, and its result."""
import io
import math
import sys
import time
from dataclasses import dataclass, field

import keras
import numpy as np
from PIL import Image

from .color import color_statistics, match_color
from .evaluator import Evaluator
from .features import check_extractor, check_layers, feature_extractor, smallest_side
from .images import IMAGENET_MEAN_BGR, deprocess, load_image, preprocess, resize, save_image
from .losses import content_loss, layer_weights, style_loss, total_variation_loss
from .optimizers import INTERRUPTED, STOPPED, lbfgs

CONTENT_LAYERS = ("block3_conv3", "block4_conv2")
STYLE_LAYERS = ("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2", "block3_conv1", "block3_conv2",
                "block3_conv3", "block4_conv1", "block4_conv2", "block4_conv3", "block5_conv1")
#: At the coarse stages content counts so much more than at the last one: they settle where large shapes go, and a subject
#: that they lose does not come back.
COARSE_CONTENT = 4
INITS = ("recolored", "content", "style", "noise")


def transfer(content, style, *, network="vgg16", weights="imagenet", pooling="avg", normalize=True,
             content_layers=CONTENT_LAYERS, style_layers=STYLE_LAYERS, content_weight=1.0, style_weight=90.0,
             tv_weight=1e-5, error="relative", init="recolored", size=512, start_size=128, steps=None, bounds=True,
             precision="float32", seed=0, callback=None, progress=True):
    """Paint the content image in the style of another (Gatys, Ecker and Bethge, CVPR 2016).

    Args:
        content: a path, PIL.Image or uint8 array.
        style: the same, or a list to blend: of pictures, or of (picture, share) pairs.
        network, weights, pooling, normalize, precision: the feature network; see feature_extractor.
        content_layers, style_layers: layer names, or {name: weight}.
        content_weight, style_weight, tv_weight: alpha and beta of equation 7, and the weight of total variation; 0 leaves
            the term out.
        error: "relative" (errors in proportion to the target's energy: one style_weight fits every painting, size and
            network) or "paper" (equations 1 and 4); see content_loss and style_loss.
        init: where the optimisation starts: "recolored" (the content image with the style's mean and covariance of
            colours), "content", "style", "noise", or a picture.
        size: longer side of the result, in pixels.
        start_size: longer side of the first, coarsest stage; each later stage starts from the result of the one before,
            enlarged, and content_weight counts fourfold before the last. None for one stage at `size`, as in the paper.
        steps: L-BFGS iterations at `size`; a coarser stage takes more, in inverse proportion to its size. None: 25,600 /
            size, so 100 at 256 pixels and 50 at 512.
        bounds: keep the pixels in 0-255 all the way, rather than cut them off at the end.
        seed: of the noise; the rest holds no chance.
        callback: called after each step with SciPy's intermediate_result (.x, a copy, and .fun). StopIteration ends the
            run and keeps the picture.
        progress: show a progress bar.

    Returns:
        A TransferResult; after Ctrl-C, with the best picture so far.

    Raises:
        TypeError, ValueError, FileNotFoundError: an argument that cannot be right, before any network is built.
        FloatingPointError: a loss or gradient that is not finite.
    """
    settings = {name: value for name, value in locals().items() if name not in ("content", "style", "callback", "progress")}
    content, styles, init, stages = _check(content, style, **settings)
    loss_weights = {"content": content_weight, "style": style_weight, "tv": tv_weight}
    loss_weights = {name: weight for name, weight in loss_weights.items() if weight > 0}
    history = {name: [] for name in ("total", *loss_weights)}
    started = time.monotonic()

    extractor = feature_extractor([*layer_weights(content_layers), *layer_weights(style_layers)], network=network,
                                  weights=weights, pooling=pooling, normalize=normalize, precision=precision)
    picture = None
    for stage_size, stage_steps in stages:
        content_image = load_image(content, stage_size)
        style_images = [(load_image(image, stage_size), share) for image, share in styles]
        if picture is None:
            picture = _start(init, content_image, style_images, seed)
        x = preprocess(resize(picture, content_image.shape[1::-1]))

        content_features = extractor(preprocess(content_image))
        style_features = [(extractor(preprocess(image)), share) for image, share in style_images]
        losses = {"content": content_loss(content_features, content_layers, error),
                  "style": style_loss(style_features, style_layers, error, content_features),
                  "tv": total_variation_loss()}
        evaluator = Evaluator(extractor, {name: losses[name] for name in loss_weights},
                              _stage_weights(loss_weights, stage_size < size), x.shape)
        del content_features, style_features  # the losses have kept what they need of them

        after_step = _recorder(evaluator, history, callback, progress and _Progress(content_image, stage_steps))
        x, message = lbfgs(evaluator, x, stage_steps, PIXEL_RANGE if bounds else None, after_step)
        picture = deprocess(x, evaluator.shape)
        if message in (INTERRUPTED, STOPPED):
            break
    image = resize(picture, content.shape[1::-1])  # already of that size, but for a run that was stopped at a coarse stage
    return TransferResult(image, history, message, time.monotonic() - started, settings)


@dataclass(frozen=True)
class TransferResult:
    """What transfer() returns.

    image: PIL.Image. history: {"total", "content", "style", "tv": a list of the weighted loss after each step}.
    message: why the run ended. seconds: how long it took. settings: transfer()'s keyword arguments.
    """
    image: Image.Image
    history: dict = field(repr=False)
    message: str
    seconds: float
    settings: dict = field(repr=False)

    def save(self, path, **options):
        """Write the picture to `path`; see save_image."""
        save_image(self.image, path, **options)

    def plot(self):
        """Draw the loss curves (needs matplotlib: pip install "neural-style[notebooks]")."""
        from .plotting import plot_losses
        return plot_losses(self.history)

    def _repr_jpeg_(self):
        """A notebook shows the result as its picture."""
        buffer = io.BytesIO()
        self.image.save(buffer, "JPEG", quality=90)
        return buffer.getvalue()


def schedule(size, start_size, steps):
    """[(longer side, steps)] from coarse to fine: each size about twice the one before, steps in inverse proportion to size.

    Large strokes settle at small sizes, where an evaluation is cheap (Gatys et al. 2017, "Controlling Perceptual Factors in
    Neural Style Transfer", section 6). Without `steps`, 25,600 / size at the last stage, 100 at 256 pixels, so that each
    doubling of the size doubles the time rather than quadruples it; between 40 and 200.
    """
    start_size = min(start_size or size, size)
    doublings = round(math.log2(size / start_size))
    sizes = [round(size / (size / start_size) ** (i / max(1, doublings))) for i in range(doublings, -1, -1)]
    steps = steps or min(max(round(25_600 / size), 40), 200)
    return [(stage, round(steps * size / stage)) for stage in sizes]


#: Lower and upper bound of x: the colours 0 and 255.
PIXEL_RANGE = (-IMAGENET_MEAN_BGR, 255 - IMAGENET_MEAN_BGR)


def _stage_weights(loss_weights, coarse):
    return {name: weight * (COARSE_CONTENT if coarse and name == "content" else 1) for name, weight in loss_weights.items()}


def _start(init, content_image, style_images, seed):
    """The picture where the first stage starts, uint8 RGB."""
    if not isinstance(init, str):
        return init
    if init == "recolored":
        total = sum(share for _, share in style_images)
        moments = [(color_statistics(image), share / total) for image, share in style_images]
        return match_color(content_image, tuple(sum(share * m[i] for m, share in moments) for i in (0, 1)))
    if init == "noise":
        return np.random.default_rng(seed).integers(0, 256, content_image.shape, "uint8")
    return content_image if init == "content" else style_images[0][0]


def _recorder(evaluator, history, callback, progress):
    def after_step(intermediate_result):
        evaluator(intermediate_result.x)  # in its cache: SciPy evaluated this x last
        for name, value in {"total": intermediate_result.fun, **evaluator.terms}.items():
            history[name].append(value)
        if progress:
            progress(evaluator.terms)
        if callback is not None:
            callback(intermediate_result)
    return after_step


class _Progress:
    """Keras' progress bar with the loss terms and the time left, one a stage."""

    def __init__(self, image, steps):
        print(f"{image.shape[1]} x {image.shape[0]} pixels")
        dynamic = sys.stdout.isatty() or "ipykernel" in sys.modules
        self.bar = keras.utils.Progbar(steps, verbose=1 if dynamic else 2, stateful_metrics=("content", "style", "tv"))
        self.done = 0

    def __call__(self, terms):
        self.done += 1
        self.bar.update(self.done, list(terms.items()))


def _check(content, style, *, network, weights, pooling, normalize, content_layers, style_layers, content_weight,
           style_weight, tv_weight, error, init, size, start_size, steps, bounds, precision, seed):
    """Check every argument of transfer(); returns the pictures and the stages."""
    check_extractor(network, weights, pooling, precision)
    for name, layers in {"content_layers": content_layers, "style_layers": style_layers}.items():
        check_layers(layer_weights(layers), network)
    for name, weight in {"content_weight": content_weight, "style_weight": style_weight, "tv_weight": tv_weight}.items():
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight < math.inf:
            raise ValueError(f"{name} must be a finite number, at least 0. Received: {name}={weight!r}")
    if content_weight == style_weight == 0:
        raise ValueError("content_weight and style_weight must not both be 0: nothing would be transferred")
    if error not in ("relative", "paper"):
        raise ValueError(f"error must be 'relative' or 'paper'. Received: error={error!r}")
    for name, value in {"size": size, "start_size": start_size, "steps": steps}.items():
        if not (isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= 1
                or name != "size" and value is None):
            raise ValueError(f"{name} must be a positive integer. Received: {name}={value!r}")
    if isinstance(init, str) and init not in INITS:
        raise ValueError(f"init must be one of {INITS} or a picture (for a file, load_image(path)). Received: init={init!r}")

    content = load_image(content, size)
    pairs = style if isinstance(style, (list, tuple)) else [style]
    pairs = [pair if isinstance(pair, (list, tuple)) else (pair, 1.0) for pair in pairs]
    if not pairs or not all(len(pair) == 2 and 0 < pair[1] < math.inf for pair in pairs):
        raise ValueError("style must be a picture, or a list of pictures or of (picture, share) with shares above 0")
    styles = [(load_image(image, size), share) for image, share in pairs]
    init = init if isinstance(init, str) else load_image(init)

    stages = schedule(size, start_size, steps)
    least = smallest_side([*layer_weights(content_layers), *layer_weights(style_layers)], network)
    for name, image in [("content", content), *(("style", image) for image, _ in styles)]:
        side = min(load_image(image, stages[0][0]).shape[:2])
        if side < least:
            raise ValueError(f"at a longer side of {stages[0][0]} the {name} image is only {side} pixels on its shorter "
                             f"one, and these layers need {least}; use a larger size or start_size, or shallower layers")
    return content, styles, init, stages
