"""transfer(): the whole algorithm of Gatys, Ecker and Bethge on one screen."""

import time
from contextlib import nullcontext, suppress
from types import SimpleNamespace

import numpy as np
from PIL import Image

from .._shared.display import say
from .._shared.files import only_user
from ..images.color import luminance_of, transfer_luminance
from ..images.load import load_image
from ..images.resize import resize, resize_pixels
from ..losses.loss import layer_weights
from ..losses.photorealism import LAPLACIAN_BYTES
from ..optimize.evaluator import Evaluator
from ..optimize.lbfgs import MEMORY
from ..optimize.optimize import optimize
from ..optimize.status import INTERRUPTED, STOPPED
from ..optimize.tiled_evaluator import TiledEvaluator
from ..provenance.record import make_record
from ..vgg.extractor import feature_extractor
from ..vgg.layers import activation_bytes, tile_geometry
from ..vgg.preprocessing import IMAGENET_MEAN_BGR, deprocess, pixels_of, preprocess
from ..vgg.weights import vgg_weights
from .checkpoint import State
from .plan import estimate, plan
from .progress import progress as progress_here
from .recorder import Recorder, check_callbacks
from .result import TransferResult
from .schedule import scaled
from .settings import check_arguments, check_backend
from .start import only_in_regions, start
from .terms import build_losses, check_regions

CONTENT_LAYERS = ("block3_conv3", "block4_conv2")


STYLE_LAYERS = (
    "block1_conv1",
    "block1_conv2",
    "block2_conv1",
    "block2_conv2",
    "block3_conv1",
    "block3_conv2",
    "block3_conv3",
    "block4_conv1",
    "block4_conv2",
    "block4_conv3",
    "block5_conv1",
)


def transfer(
    content,
    style,
    *,
    network="vgg16",
    weights="imagenet",
    pooling="avg",
    normalize=False,
    content_layers=CONTENT_LAYERS,
    style_layers=STYLE_LAYERS,
    content_weight=1.0,
    style_weight=50.0,
    tv_weight=1e-5,
    photorealism_weight=0.0,
    scale="relative",
    tv_options=None,
    style_scale=1.0,
    init=None,
    noise_std=None,
    size=512,
    start_size=128,
    steps=None,
    optimizer="lbfgs",
    learning_rate=None,
    bounds=True,
    precision="float32",
    tile="auto",
    preserve_color=None,
    masks=None,
    content_map=None,
    statistic="gram",
    seed=0,
    alpha="white",
    callback=None,
    progress=True,
    checkpoint=None,
    resume=False,
):
    """Paint the content image in the style of another (Gatys, Ecker and Bethge, CVPR 2016).

    transfer(content, None) reconstructs the content from its layers alone, transfer(None, style)
    the style: a texture of the style image's proportions (the paper's Figure 1). presets has the
    settings of the paper and of other programs.

    Args:
        content: a path, PIL.Image or uint8 array, or None.
        style: the same, or a list to blend: of pictures, or of (picture, share) pairs. A share is a
            number, or style layers or {style layer: number}: strokes from one painting, shapes from
            another (Gatys et al. 2017, section 6).
        network, weights, pooling, normalize, precision: the feature network; see feature_extractor.
        content_layers, style_layers: layer names, or {name: weight}.
        content_weight, style_weight, tv_weight: alpha and beta of equation 7, and the weight of
            total variation; 0 leaves the term out.
        photorealism_weight: of photorealism_loss, which keeps every local patch an affine
            recolouring of the content's (Luan et al. 2017; extra `photo`). Or a list, for so many
            stages at `size`, each from the last one's result: (0, 1) is Luan et al.'s way, first
            without it, then with it.
        scale: that of content and style loss, one for both or {"content": ..., "style": ...}:
            "relative" (errors in proportion to the target's energy: one style_weight fits every
            painting, size and network), "paper" (equations 1 and 4), or another that content_loss
            and style_loss know.
        tv_options: arguments of total_variation_loss: {"exponent": 1.25, "reduction": "mean",
            "separate": False}.
        style_scale: longer side of the style image, in sizes of the result: 0.5 for strokes of half
            the size.
        init: where the optimisation starts: "recolored" (the content image with the style's mean
            and covariance of colours), "content", "style", "noise", or a picture. None:
            "recolored", or "noise" where content or style is left out.
        noise_std: None for uniform noise from 0 to 255 less 128, or the standard deviation of
            normal noise, in grey levels, about ImageNet's mean colour.
        size: longer side of the result, in pixels.
        start_size: longer side of the first, coarsest stage; each later stage starts from the
            result of the one before, enlarged, and content and photorealism count fourfold before
            the last. None for one stage at `size`, as in the paper.
        steps: iterations of the optimiser at `size`; a coarser stage takes more, in inverse
            proportion to its size. None: 25,600 / side at each, so 100 at 256 pixels and 50 at 512,
            between 40 and 200. Or a schedule of your own in place of start_size's: {longer side:
            steps}, from coarse to fine, the last at `size`.
        optimizer: "lbfgs", or "adam" or "sgd" with a learning_rate (None:
            optimizers.LEARNING_RATES).
        bounds: keep the pixels in 0-255 all the way, rather than cut them off at the end.
        tile: "auto": evaluate in tiles, with the same result, where the whole picture would not fit
            the memory that is free; None: never; or the longer side of a tile in pixels.
        preserve_color: keep the content's colours (color.py): "luminance": paint its luma only (on
            the way, the picture is grey), its chroma stays; "match" (or "match_cholesky"): recolour
            the style to the content's mean and covariance first; "histogram": to its histograms.
        masks: regions of the content with styles of their own (masks.py): a list with, for each, a
            mask of the content, a pair of masks, content's and style's, or a masks.Region; or two
            colour-coded label pictures, {"content": ..., "style": ...}. Each region takes the style
            image of its number, or the only one. Where no region is, the result is the content.
        content_map: a mask that multiplies the content's squared errors: 1 keeps a face, 0 sets the
            sky free, and an array may go above 1.
        statistic: what is compared: "gram", "moments" or "wasserstein"; see losses.statistic.
        seed: seeds the noise; nothing else in a run is random.
        alpha: what becomes of a photo's transparency: "white": the photo is laid on white, and the
            result is opaque. "keep": the result has the photo's alpha, for .png, .webp and .tiff,
            and where nothing can be seen, no style counts.
        callback: a function, or a list of them, called after each step with an IntermediateResult:
            SciPy's .x (a copy) and .fun, and .image, .step, .history and more. StopIteration ends
            the run and keeps the picture; any other exception of a callback is a warning, and the
            run goes on. See callbacks.py for SaveEvery, StopWhen and TimeLimit.
        progress: say what the run will take (a second's trial), and show a live preview in a
            notebook, a progress bar in a terminal.
        checkpoint: a path, .npz, to keep the state of the run in, every 20 seconds; or a
            Checkpoint. One run at a time may use it.
        resume: go on from the checkpoint, where there is one; its inputs and settings must be
            these. Pixels, history and seconds are those of the killed run; L-BFGS gathers its
            memory anew, and Adam and SGD their moments.

    Returns:
        A TransferResult; after Ctrl-C, with the best picture so far (a second Ctrl-C stops hard).

    Raises:
        TypeError, ValueError, FileNotFoundError: an argument that cannot be right, before any
            network is built.
        MemoryError: more than the memory that is free, even in tiles; the message names a size that
            would fit.
        FloatingPointError: a loss or gradient that is not finite.
        RuntimeError: another run uses the checkpoint; Keras is on another backend than TensorFlow;
            no weights can be had.

    An exception that ends a run has the best picture so far in its .result, a TransferResult; None
    before the first step.
    """
    settings = {
        name: value
        for name, value in locals().items()
        if name not in ("content", "style", "callback", "progress", "checkpoint", "resume")
    }
    started = time.monotonic()
    check_backend()
    callbacks, checkpoint = check_callbacks(callback, checkpoint, resume)
    inputs = check_arguments(content, style, **settings)
    with only_user(checkpoint.path) if checkpoint else nullcontext():
        return _run(content, style, inputs, callbacks, progress, checkpoint, resume, started)


def _run(content, style, inputs, callbacks, progress, checkpoint, resume, started):
    """transfer(), its arguments checked; content and style are as they were given, started is
    time.monotonic() then.
    """
    given, s = (content, style), SimpleNamespace(**inputs.settings)
    content, styles, stages = inputs.content, inputs.styles, inputs.stages
    terms = list(dict.fromkeys(term for stage in stages for term in stage.weights))

    layers = [
        name
        for term, names in (("content", s.content_layers), ("style", s.style_layers))
        if term in terms
        for name in layer_weights(names)
    ]
    geometry, bytes_per_pixel = (
        tile_geometry(layers, s.network),
        activation_bytes(layers, s.network, s.precision),
    )
    full = content if content is not None else styles[0][0]
    shapes = [load_image(full, stage.size).shape for stage in stages]
    plans = [
        plan(
            *shape[:2],
            geometry,
            bytes_per_pixel,
            s.tile,
            MEMORY,
            s.optimizer,
            extra=LAPLACIAN_BYTES * ("photorealism" in stage.weights),
        )
        for shape, stage in zip(shapes, stages)
    ]
    check_regions(content, styles, inputs.regions, stages, s.style_layers, s.network, s.style_scale)
    parameters = vgg_weights(s.network, s.weights)
    record = make_record(*given, inputs.settings, parameters)
    state = checkpoint.begin(record, resume, stages, shapes) if checkpoint else State()
    extractor = feature_extractor(
        layers,
        network=s.network,
        weights=parameters,
        pooling=s.pooling,
        normalize=s.normalize,
        precision=s.precision,
    )
    callbacks = [
        *([progress_here()] if progress else []),
        *([checkpoint] if checkpoint else []),
        *callbacks,
    ]
    if progress:
        say(estimate(extractor, shapes, stages, plans))
    history = state.history or {name: [] for name in ("total", *terms)}
    recorder = Recorder(history, shapes, stages, callbacks, started, state.seconds)

    def painted(x, shape):
        """(uint8 picture, the same not rounded) of an x, the content where no region is."""
        content_image = None if content is None else load_image(content, max(shape[1:3]))
        return (
            only_in_regions(deprocess(x, shape), content_image, inputs.regions),
            only_in_regions(pixels_of(x, shape), content_image, inputs.regions, rounded=False),
        )

    def result(picture, pixels, message):
        size = full.shape[1::-1]
        image, pixels = (
            resize(picture, size),
            resize_pixels(pixels, size),
        )  # already of that size, but for a run that was stopped at a coarse stage
        if s.preserve_color == "luminance":
            image, pixels = (
                Image.fromarray(transfer_luminance(np.asarray(image), inputs.colors)),
                luminance_of(pixels, inputs.colors).astype("float32"),
            )
        if inputs.alpha is not None:
            image, pixels = image.copy(), np.dstack([pixels, inputs.alpha]).astype("float32")
            image.putalpha(Image.fromarray(inputs.alpha))
        seconds = recorder.seconds
        return TransferResult(
            image,
            history,
            message,
            seconds,
            inputs.settings,
            {**record, "seconds": seconds, "message": message, "steps": len(history["total"])},
            pixels,
        )

    picture = pixels = message = None
    try:
        for number, (stage, shape, planned) in enumerate(zip(stages, shapes, plans)):
            if number < state.stage:
                continue
            content_image = None if content is None else load_image(content, stage.size)
            style_images = [
                (load_image(image, scaled(stage.size, s.style_scale)), share)
                for image, share in styles
            ]
            done = 0
            if number == state.stage and state.x is not None:
                x, done = state.x.reshape(1, *shape), state.done
            elif picture is None:
                x = start(
                    inputs.init,
                    shape,
                    content_image,
                    style_images,
                    inputs.regions,
                    s.noise_std,
                    s.seed,
                )
            else:
                x = preprocess(resize(picture, shape[1::-1]))

            losses = build_losses(
                extractor,
                content_image,
                style_images,
                inputs.regions,
                inputs.content_map,
                terms=stage.weights,
                content_layers=s.content_layers,
                style_layers=s.style_layers,
                scale=s.scale,
                tv_options=s.tv_options,
                statistic=s.statistic,
                network=s.network,
                tiling=planned.tiling,
            )
            evaluator = (
                Evaluator(extractor, losses, stage.weights, x.shape)
                if planned.tiling.tile is None
                else TiledEvaluator(extractor, losses, stage.weights, x.shape, planned.tiling)
            )
            x, message = optimize(
                evaluator,
                x,
                stage.steps - done,
                PIXEL_RANGE if s.bounds else None,
                recorder.stage(number, done, evaluator),
                planned.optimizer,
                s.learning_rate if planned.optimizer == s.optimizer else TAKEOVER_RATE,
                planned.corrections,
            )
            message += TAKEOVER if planned.optimizer != s.optimizer else ""
            picture, pixels = painted(x, evaluator.shape)
            if message.startswith((INTERRUPTED, STOPPED)):
                break
    except KeyboardInterrupt:  # between stages; within one, optimize() has seen to it
        if recorder.last is None and picture is None:
            raise
        message = INTERRUPTED
        picture, pixels = (
            (picture, pixels)
            if picture is not None
            else painted(recorder.last.x, recorder.last.shape)
        )
    except BaseException as error:
        with suppress(Exception):  # the error that ended the run is the one to be told
            error.result = recorder.last and result(
                *painted(recorder.last.x, recorder.last.shape), f"stopped: {error}"
            )
        raise
    finally:
        recorder.close(interrupted=message == INTERRUPTED)
    return result(picture, pixels, message)


#: Adam's learning rate where it takes over from L-BFGS, in the middle of a run, and what the
#: result's message then says.
TAKEOVER_RATE = 2.0


TAKEOVER = "; by Adam at this size, for want of memory for L-BFGS"


#: Lower and upper bound of x: the colours 0 and 255.
PIXEL_RANGE = (-IMAGENET_MEAN_BGR, 255 - IMAGENET_MEAN_BGR)
