"""transfer(): the whole algorithm of Gatys, Ecker and Bethge on one screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from .._shared.types import Layers, Path, Picture
from ..images.color_modes import ColorMode
from ..losses.statistics import StyleStatistic
from ..losses.style import Share
from ..losses.term import Term, loss_of
from ..optimize.optimizer import Optimizer
from .checkpoint import Checkpoint
from .prepare import prepare
from .recorder import Recorder
from .result import TransferResult
from .settings import Settings

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
    content: Picture | None,
    style: Picture | Sequence[Picture | tuple[Picture, Share]] | None,
    *,
    network: Literal["vgg16", "vgg19"] | Any = "vgg16",
    weights: Literal["imagenet", "torchvision"] | Path | Any | None = "imagenet",
    pooling: Literal["avg", "max"] = "avg",
    normalize: bool = False,
    padding: Literal["zeros", "reflect", "replicate"] = "reflect",
    content_layers: Layers = CONTENT_LAYERS,
    style_layers: Layers = STYLE_LAYERS,
    content_weight: float = 1.0,
    style_weight: float = 50.0,
    tv_weight: float = 1e-5,
    photorealism_weight: float | Sequence[float] = 0.0,
    scale: str | Mapping[str, str] = "relative",
    tv_options: Mapping[str, Any] | None = None,
    style_scale: float = 1.0,
    init: str | Picture | None = None,
    noise_std: float | None = None,
    size: int = 512,
    start_size: int | None = 128,
    steps: int | Mapping[int, int] | Sequence[tuple[int, int]] | None = None,
    coarse_weight: float = 4.0,
    optimizer: Literal["lbfgs", "scipy", "adam", "sgd"] | Optimizer | Any = "lbfgs",
    learning_rate: float | None = None,
    bounds: bool = True,
    precision: Literal["auto", "float32", "bfloat16"] = "auto",
    tile: int | Literal["auto"] | None = "auto",
    preserve_color: str | ColorMode | None = None,
    masks: Any = None,
    content_map: Any = None,
    statistic: Literal["gram", "moments", "wasserstein"] | StyleStatistic = "gram",
    terms: Sequence[Term] = (),
    seed: int = 0,
    alpha: Literal["white", "keep"] = "white",
    callback: Callable[..., Any] | Sequence[Callable[..., Any]] | None = None,
    progress: bool = True,
    checkpoint: Path | Checkpoint | None = None,
    resume: bool = True,
) -> TransferResult:
    """Paint the content image in the style of another (Gatys, Ecker and Bethge, CVPR 2016).

    transfer(content, None) reconstructs the content from its layers alone, transfer(None, style)
    the style: a texture of the style image's proportions (the paper's Figure 1). presets has the
    settings of the paper and of other programs.

    Args:
        content: The content image: a path, a PIL.Image or a uint8 array; or None.
        style: The style image: the same, or a list to blend: of pictures, or of (picture, share)
            pairs. A share is a number, or style layers, or {style layer: number}: strokes from one
            painting, shapes from another (Gatys et al. 2017, section 6).
        network: The feature network: "vgg16", "vgg19", or a keras.Model with named outputs, from
            preprocessed pictures (BGR minus ImageNet's mean) to {layer: B x h x w x C}.
        weights: Where VGG's weights come from; see vgg_weights.
        pooling: VGG's pooling, "avg" or "max"; see feature_extractor.
        normalize: Scale VGG's filters to a mean activation of 1; see feature_extractor.
        padding: What surrounds the picture in VGG; see feature_extractor.
        content_layers: Names of the layers whose features are the content, or {name: weight}.
        style_layers: Names of the layers whose statistics are the style, or {name: weight}.
        content_weight: alpha of equation 7; 0 leaves the term out.
        style_weight: beta of equation 7; 0 leaves the term out.
        tv_weight: Weight of total variation: more is smoother; 0 leaves the term out.
        photorealism_weight: Weight of photorealism_loss, which keeps every local patch an affine
            recoloring of the content's (Luan et al. 2017; needs PyMatting). Or a list, for as many
            stages at `size`, each from the last one's result: (0, 1) is Luan et al.'s way, first
            without it, then with it.
        scale: Scale of content and style loss, one for both or {"content": ..., "style": ...}:
            "relative" (errors in proportion to the target's energy: one style_weight fits every
            painting, size and network), "paper" (equations 1 and 4), or another that content_loss
            and style_loss know.
        tv_options: Arguments of total_variation_loss, such as {"exponent": 1.25, "reduction":
            "mean", "separate": False}.
        style_scale: Longer side of the style image, in sizes of the result: 0.5 for strokes of half
            the size.
        init: Where the optimization starts: "recolored" (the content image with the style's mean
            and covariance of colors), "one_pass" (what stylize() makes of content and style),
            "content", "style", "noise", or a picture. None:
            "recolored", or "noise" where content or style is left out.
        noise_std: Standard deviation of normal noise, in gray levels, about ImageNet's mean color.
            None: uniform noise from 0 to 255, less 128.
        size: Longer side of the result in pixels.
        start_size: Longer side of the first, coarsest stage in pixels. Each later stage starts from
            the result of the one before, enlarged. None: one stage at `size`, as in the paper.
        steps: Iterations of the optimizer at `size`. A coarser stage takes more, in inverse
            proportion to its size. None: 90 at 256 pixels, 57 at 512, 40 from 900 on, and with
            each coarser stage 1.4 times as many. Or a schedule in place of start_size's: {longer
            side: steps}, or [(longer side, steps)], from coarse to fine, the last at `size`.
        coarse_weight: How many times as much content and photorealism count at the stages before
            `size` as at `size`: there a subject is easily lost, and does not come back.
        optimizer: "lbfgs", "scipy" (SciPy's L-BFGS-B, in float64), "adam", "sgd", a
            keras.optimizers.Optimizer, or a function of (evaluator, x, steps, bounds, callback)
            that returns x; see optimize.Optimizer.
        learning_rate: For "adam" and "sgd". None: optimize.descent.LEARNING_RATES.
        bounds: Keep the pixels in 0-255 all the way, rather than cut them off at the end.
        precision: Precision of VGG's convolutions. "auto": "bfloat16" where that is faster: on a
            GPU, and on a processor that has instructions for it and wins a trial of 0.1 s. Else
            "float32". The result says which, and its record keeps it. Or one of the two; see
            feature_extractor.
        tile: "auto": evaluate in tiles, with the same result, where the whole picture would not fit
            the memory that is free. None: never. Or the longer side of a tile in pixels.
        preserve_color: Keep the content's colors: "luminance": paint its luma only; its chroma
            stays, and on the way the picture is gray. "match" (or "match_cholesky"): recolor the
            style to the content's mean and covariance first. "histogram": to its histograms. Or an
            object; see images.color_modes.ColorMode.
        masks: Regions of the content with styles of their own: a list with, for each, a mask of the
            content, a pair of masks (content's and style's), or a masks.Region. Or two color-coded
            label pictures, {"content": ..., "style": ...}. Each region takes the style image of its
            number, or the only one. Where no region is, the result is the content.
        content_map: A mask that multiplies the content's squared errors: 1 keeps a face, 0 sets the
            sky free, and an array may go above 1.
        statistic: What of the features is style: "gram", "moments", "wasserstein", or an object;
            see style_loss and losses.StyleStatistic.
        terms: Further terms of the total loss; see losses.Term.
        seed: Seeds the noise; nothing else in a run is random.
        alpha: What becomes of a photo's transparency. "white": the photo is laid on white, and the
            result is opaque. "keep": the result has the photo's alpha, for .png, .webp and .tiff,
            and where nothing can be seen, no style counts.
        callback: A function, or a list of them, called after each step with an IntermediateResult:
            SciPy's .x (a copy) and .fun, and .image, .step, .history and more. StopIteration ends
            the run and keeps the picture. Any other exception of a callback is a warning, and the
            run goes on. SaveEvery, StopWhen and TimeLimit come ready.
        progress: Say what the run will take (a second's trial), and show a live preview in a
            notebook, a progress bar in a terminal.
        checkpoint: A path, .npz, to keep the state of the run in, every 20 seconds; or a
            Checkpoint. One run at a time may use it.
        resume: Go on from the checkpoint where there is one; its inputs and settings must be these.
            Pixels, history and seconds are those of the killed run, and L-BFGS's memory: it goes
            on as if it had not been killed. Adam and SGD gather their moments anew, and so does
            SciPy's L-BFGS its memory. False: start anew, and replace the checkpoint.

    Returns:
        A TransferResult; after Ctrl-C, with the best picture so far (a second Ctrl-C stops hard).

    Raises:
        TypeError, ValueError, FileNotFoundError: An argument that cannot be right, before any
            network is built.
        MemoryError: More than the memory that is free, even in tiles; the message names a size that
            would fit.
        FloatingPointError: A loss or gradient that is not finite.
        RuntimeError: Another run uses the checkpoint; Keras is on a backend without gradients;
            no weights can be had.

    An exception that ends a run has the best picture so far in its .result, a TransferResult; None
    before the first step.
    """
    # fmt: off
    settings = Settings(
        network=network, weights=weights, pooling=pooling, normalize=normalize, padding=padding,
        content_layers=content_layers, style_layers=style_layers, content_weight=content_weight,
        style_weight=style_weight, tv_weight=tv_weight, photorealism_weight=photorealism_weight,
        scale=scale, tv_options=tv_options, style_scale=style_scale, init=init, noise_std=noise_std,
        size=size, start_size=start_size, steps=steps, coarse_weight=coarse_weight,
        optimizer=optimizer, learning_rate=learning_rate, bounds=bounds, precision=precision,
        tile=tile, preserve_color=preserve_color, masks=masks, content_map=content_map,
        statistic=statistic, terms=terms, seed=seed, alpha=alpha,
    )
    # fmt: on
    recorder = Recorder(callback, progress, checkpoint, resume)
    run = prepare(content, style, settings)
    with recorder.follow(run):
        for stage in recorder.stages_left():
            x = recorder.first_x(stage)
            losses = {term.name: loss_of(term, stage) for term in stage.terms}
            evaluator = stage.evaluator(losses)
            optimizer = stage.optimizer(recorder.memory(stage))
            x, outcome = optimizer(
                evaluator,
                x,
                recorder.steps_left(stage),
                stage.bounds,
                recorder.after_step(stage, evaluator),
            )
            recorder.painted(stage, x, outcome)
            if outcome.status.early:
                break
    return recorder.result()
