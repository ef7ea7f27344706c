"""neural-style transfer."""

import argparse
import contextlib
import os
import tempfile
from dataclasses import is_dataclass
from pathlib import Path

from ..presets import NAMES as PRESETS
from .common import _complain, _integer_or_none, _layers, _numbers, _tile
from .interrupts import SAVING


def _add_transfer(commands):
    command = commands.add_parser(
        "transfer",
        help="paint a photo in the style of a painting",
        description=(
            "Paint CONTENT in the style of STYLE. Options not given have the preset's values, "
            "or else transfer()'s defaults."
        ),
        argument_default=argparse.SUPPRESS,
    )
    command.add_argument(
        "content",
        metavar="CONTENT",
        nargs="?",
        help="the photo: a picture file; none: a texture of STYLE",
    )
    command.add_argument(
        "style",
        metavar="STYLE",
        nargs="*",
        help="the painting; several are blended; none: CONTENT from its layers alone",
    )
    command.add_argument(
        "--blend", type=_numbers, metavar="S,S,...", help="shares of several STYLEs (equal)"
    )
    command.add_argument(
        "--preset",
        metavar="NAME",
        help="settings of the paper or of another program: " + ", ".join(PRESETS),
    )
    command.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help="the picture to write; its suffix sets the format",
    )
    command.add_argument("--size", type=int, help="longer side of the result in pixels (512)")
    command.add_argument(
        "--start-size",
        type=_integer_or_none,
        metavar="SIZE",
        help="longer side of the first, coarse stage (128); none: one stage at --size",
    )
    command.add_argument(
        "--steps", type=int, help="iterations of the optimiser at --size (25,600 / size)"
    )
    command.add_argument(
        "--content-weight", type=float, metavar="W", help="weight of the content loss"
    )
    command.add_argument("--style-weight", type=float, metavar="W", help="weight of the style loss")
    command.add_argument(
        "--tv-weight", type=float, metavar="W", help="weight of total variation: more is smoother"
    )
    command.add_argument(
        "--photorealism-weight",
        type=float,
        metavar="W",
        help="keep every patch an affine recolouring of CONTENT's (0)",
    )
    command.add_argument("--content-layers", type=_layers, metavar="L[=W],...", help="e.g. conv4_2")
    command.add_argument(
        "--style-layers", type=_layers, metavar="L[=W],...", help="e.g. conv1_1,conv2_1=0.5"
    )
    command.add_argument(
        "--style-scale", type=float, metavar="S", help="size of STYLE in sizes of the result (1)"
    )
    command.add_argument(
        "--init", help="recolored (default), content, style, noise, or a picture file"
    )
    command.add_argument("--network", choices=("vgg16", "vgg19"), help="feature network (vgg16)")
    command.add_argument(
        "--weights", help="imagenet (default), torchvision, or a .h5, .mat or .npz file"
    )
    command.add_argument("--pooling", choices=("avg", "max"), help="pooling of the network (avg)")
    command.add_argument(
        "--error", help="scale of the losses: relative (default), paper, mean, sum"
    )
    command.add_argument(
        "--optimizer", choices=("lbfgs", "adam", "sgd"), help="lbfgs (default), adam or sgd"
    )
    command.add_argument("--learning-rate", type=float, metavar="R", help="of adam and sgd")
    command.add_argument(
        "--precision", choices=("float32", "bfloat16"), help="of the convolutions (float32)"
    )
    command.add_argument(
        "--tile",
        type=_tile,
        help="longer side of a tile in pixels; auto (default): as memory asks; none",
    )
    command.add_argument(
        "--preserve-color",
        metavar="HOW",
        help="keep CONTENT's colours: luminance, match, match_cholesky or histogram",
    )
    command.add_argument(
        "--masks",
        nargs="+",
        metavar="MASK",
        help=(
            "masks of CONTENT, a picture file for each region; each takes its own "
            "STYLE, or all the only one"
        ),
    )
    command.add_argument(
        "--style-masks", nargs="+", metavar="MASK", help="with --masks: the part of STYLE for each"
    )
    command.add_argument(
        "--labels",
        nargs="+",
        metavar="LABELS",
        help=(
            "colour-coded label pictures in place of masks: CONTENT's, then one "
            "for each STYLE; the same colour means the same region"
        ),
    )
    command.add_argument(
        "--inside", action="store_true", help="count only what lies wholly in a region"
    )
    command.add_argument(
        "--content-map", metavar="MASK", help="where to keep CONTENT (white) and where not (black)"
    )
    command.add_argument(
        "--statistic",
        metavar="NAME",
        help="what of STYLE is compared: gram (default), moments or wasserstein",
    )
    command.add_argument(
        "--strokes-from",
        metavar="PICTURE",
        help="a STYLE for the fine layers, blocks 1 and 2; STYLE gives the others",
    )
    command.add_argument(
        "--no-bounds", dest="bounds", action="store_false", help="let pixels leave 0-255 on the way"
    )
    command.add_argument("--seed", type=int, help="of the noise, with --init noise (0)")
    command.add_argument(
        "--alpha",
        choices=("white", "keep"),
        help="CONTENT's transparency: laid on white (default), or kept in OUT",
    )
    command.add_argument(
        "--bits",
        type=int,
        choices=(8, 16),
        help="of a channel in OUT: 8 (default), or 16 in .png and .tiff",
    )
    command.add_argument(
        "--record",
        choices=("names", "paths", "none"),
        help=(
            "what OUT's record says of its inputs: file names (default) or whole "
            "paths; none: no record"
        ),
    )
    command.add_argument(
        "--overwrite", action="store_true", help="let OUT replace one of its inputs"
    )
    command.add_argument(
        "--checkpoint", metavar="FILE", help="keep the state of the run in this .npz file"
    )
    command.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint, where there is one"
    )
    command.add_argument(
        "--from-record",
        metavar="PICTURE",
        help="repeat the run that made this picture, in place of all else",
    )
    command.add_argument("--quiet", dest="progress", action="store_false", help="no progress bar")
    command.set_defaults(run=_transfer)


def _transfer(arguments, interrupts):
    options = vars(arguments)
    output, record = Path(options.pop("output")), options.pop("from_record", None)
    saving = {
        "record": {"names": True, "paths": "paths", "none": False}[options.pop("record", "names")],
        "bits": options.pop("bits", 8),
        "overwrite": options.pop("overwrite", False),
    }

    from .._shared.display import say
    from ..images.save import check_writable
    from ..provenance.record import check_sidecar

    given = _texts(options)
    options = _inputs(options) if record is None else _repeated(record, options)
    check_writable(
        output,
        saving["bits"],
        options.get("alpha", "white"),
        [record, *given, *_texts(options)],
        saving["overwrite"],
    )
    check_sidecar(output, saving["record"])

    from ..iterative.transfer import transfer

    try:
        result = transfer(**options, callback=interrupts)
    except Exception as error:
        interrupts.phase = SAVING
        if getattr(error, "result", None) is not None:
            _save_elsewhere(error.result, output, saving)
        raise
    interrupts.phase = SAVING
    try:
        result.save(output, **saving)
    except Exception as error:
        _complain(f"error: {error}")
        _save_elsewhere(result, output, saving)
        return 1
    say(
        f"{output}: {result.image.width} x {result.image.height}, {result.seconds:.0f} s,"
        f" {result.message}"
    )
    return 0


def _save_elsewhere(result, output, saving):
    """Save the picture of a run that failed, or that could not be written to `output`: beside it,
    or where there is room, and say where.
    """
    for place in (
        output.with_name(f"{output.stem}-rescued{output.suffix}"),
        output.with_name(f"rescued{output.suffix}"),
        Path(tempfile.gettempdir(), f"neural-style-rescued-{os.getpid()}{output.suffix}"),
    ):
        with contextlib.suppress(Exception):
            if not place.exists():
                result.save(place, **saving)
                _complain(f"the picture so far is in {place}")
                return
    _complain("the picture so far could not be written anywhere")


def _texts(options):
    """All texts and paths among the options, also those within regions: any may be the name of a
    file.
    """
    if isinstance(options, (str, os.PathLike)):
        return [options]
    within = (
        options
        if isinstance(options, (list, tuple))
        else (
            options.values()
            if isinstance(options, dict)
            else (vars(options).values() if is_dataclass(options) else ())
        )
    )
    return [text for item in within for text in _texts(item)]


def _inputs(options):
    """transfer()'s arguments from the options on the command line."""
    from .. import presets

    if options.get("content") is None or not options.get("style"):
        greedy = [
            f"--{name.replace('_', '-')}"
            for name in ("masks", "style_masks", "labels")
            if name in options
        ]
        raise ValueError(
            "transfer needs CONTENT and STYLE, or --from-record"
            + (
                f"; {' and '.join(greedy)} took every name after it: put CONTENT and STYLE"
                " before it"
                if greedy
                else ""
            )
        )
    if "preset" in options:
        options = {**presets.get(options.pop("preset")), **options}
    style, shares = options.pop("style"), options.pop("blend", None)
    if shares is not None and len(shares) != len(style):
        raise ValueError(
            f"--blend needs a share for each STYLE. Received: {len(shares)} shares, {len(style)}"
            " styles"
        )
    options["content"] = None if options["content"] == "none" else options["content"]
    _regions(options, len(style))
    if "strokes_from" in options:
        options["style"] = _strokes_and_shapes(options.pop("strokes_from"), style, options)
        style = None
    if style is not None:
        options["style"] = (
            None if style == ["none"] else list(zip(style, shares)) if shares else style
        )
    if Path(options.get("init") or "").suffix:
        options["init"] = Path(options["init"])
    return options


def _regions(options, styles):
    """--masks, --style-masks, --labels and --inside, in place, as transfer()'s masks."""
    masks, of_style, labels, inside = (
        options.pop(name, None) for name in ("masks", "style_masks", "labels", "inside")
    )
    if (masks and labels) or (not masks and (of_style or (inside and not labels))):
        raise ValueError("regions need either --masks, with or without --style-masks, or --labels")
    if of_style and len(of_style) != len(masks):
        raise ValueError(
            f"--style-masks needs a mask for each of --masks. Received: {len(of_style)} and"
            f" {len(masks)}"
        )
    if masks and styles not in (1, len(masks)):
        raise ValueError(
            f"--masks needs one STYLE, or one for each mask. Received: {styles} styles,"
            f" {len(masks)} masks"
        )
    if labels and len(labels) != 1 + styles:
        raise ValueError(
            "--labels needs CONTENT's label picture and one for each STYLE. Received:"
            f" {len(labels)}, {styles} styles"
        )
    if labels:
        options["masks"] = {"content": labels[0], "style": labels[1:], "inside": bool(inside)}
    elif masks:
        from ..images.masks import Region

        options["masks"] = [
            Region(mask, of_style and of_style[number], number if styles > 1 else 0, bool(inside))
            for number, mask in enumerate(masks)
        ]


def _strokes_and_shapes(strokes, style, options):
    """[(picture, style layers)]: blocks 1 and 2 from `strokes`, the deeper ones from the only
    STYLE.
    """
    from ..iterative.transfer import STYLE_LAYERS
    from ..vgg.layers import check_layers

    if len(style) != 1 or style == ["none"]:
        raise ValueError(f"--strokes-from goes with one STYLE. Received: {len(style)}")
    names = check_layers(options.get("style_layers", STYLE_LAYERS), options.get("network", "vgg16"))
    fine = [name for name, layer in names.items() if layer < "block3"]
    coarse = [name for name in names if name not in fine]
    if not fine or not coarse:
        raise ValueError("--strokes-from needs style layers in blocks 1 or 2, and deeper ones")
    return [(strokes, fine), (style[0], coarse)]


def _repeated(record, options):
    """transfer()'s arguments from the record of a picture."""
    from ..provenance.read import arguments_of, read_record

    kept = {
        name: options.pop(name) for name in ("progress", "checkpoint", "resume") if name in options
    }
    given = [name for name, value in options.items() if value not in (None, [])]
    if given:
        raise ValueError(
            f"--from-record repeats a run as it was. Received besides: {', '.join(given)}"
        )
    return {**arguments_of(read_record(record)), **kept}
