"""The command line: python -m neural_style, or neural-style.

Nothing heavy is imported until a command has its arguments, so --help answers at once.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import time
from dataclasses import is_dataclass
from pathlib import Path

from . import __version__
from .interrupts import SAVING, WORKING
from .presets import NAMES as PRESETS

#: Errors of what was asked for, in place of errors on the way: exit code 2 in place of 1.
BAD_INPUT = (
    ValueError,
    TypeError,
    FileNotFoundError,
    PermissionError,
    IsADirectoryError,
    NotADirectoryError,
    FileExistsError,
)
#: Errors that are told in a line. Others are mistakes of ours, and show where they happened.
ERRORS = (*BAD_INPUT, OSError, RuntimeError, ArithmeticError, ImportError, MemoryError)


def run(argv, interrupts):
    """Run the command line within an Interrupts; returns the exit code, see __main__.main."""
    arguments = _parse(argv)
    output = getattr(arguments, "output", None)
    before = _state(output)
    try:
        with _quiet_start():
            import tensorflow  # noqa: F401
        interrupts.phase = WORKING
        code = vars(arguments).pop("run")(arguments, interrupts)
        interrupts.phase = SAVING  # nothing is left to be stopped, and Python checks for signals at calls and loops alone
        return interrupts.code if interrupts.received is not None else code
    except (KeyboardInterrupt, Exception) as error:
        interrupts.phase = SAVING
        rescued = getattr(error, "result", None) is not None
        if isinstance(error, KeyboardInterrupt) or (
            interrupts.received is not None and not rescued
        ):
            _complain(
                "interrupted; "
                + (
                    "nothing was written"
                    if _state(output) == before
                    else f"what was done so far is in {output}"
                )
            )
            return interrupts.code
        if not isinstance(error, ERRORS):
            raise
        _complain(f"error: {str(error) or type(error).__name__}")
        return 2 if isinstance(error, BAD_INPUT) else 1
    finally:
        _flush()


def _state(path):
    """What tells whether a file or a folder was written to; None where there is none."""
    try:
        found = os.stat(path)
    except (OSError, TypeError, ValueError):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _complain(line):
    """A line on standard error, where there is one."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            print(f"neural-style: {line}", file=sys.stderr, flush=True)


def _flush():
    """What nobody reads any more (a closed pipe) is thrown away, not complained of at the end of
    the process.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _parse(argv):
    """The arguments; of a command, options and names may come in any order."""
    parser, commands = _parser()
    if argv and argv[0] in commands.choices:
        return commands.choices[argv[0]].parse_intermixed_args(argv[1:])
    return parser.parse_args(argv)


def _parser():
    parser = argparse.ArgumentParser(
        prog="neural-style", description="Neural style transfer (Gatys, Ecker and Bethge 2016)."
    )
    parser.add_argument("--version", action="version", version=f"neural-style {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_transfer(commands)
    _add_train(commands)
    _add_stylize(commands)
    _add_video(commands)
    _add_matte(commands)
    _add_weights(commands)
    return parser, commands


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
        "--style-loss",
        metavar="STATISTIC",
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

    from .callbacks import say
    from .images import check_writable
    from .record import check_sidecar

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

    from .iterative import transfer

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
    from . import presets

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
        from .masks import Region

        options["masks"] = [
            Region(mask, of_style and of_style[number], number if styles > 1 else 0, bool(inside))
            for number, mask in enumerate(masks)
        ]


def _strokes_and_shapes(strokes, style, options):
    """[(picture, style layers)]: blocks 1 and 2 from `strokes`, the deeper ones from the only
    STYLE.
    """
    from .features import check_layers
    from .iterative import STYLE_LAYERS

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
    from .record import arguments_of, read_record

    kept = {
        name: options.pop(name) for name in ("progress", "checkpoint", "resume") if name in options
    }
    given = [name for name, value in options.items() if value not in (None, [])]
    if given:
        raise ValueError(
            f"--from-record repeats a run as it was. Received besides: {', '.join(given)}"
        )
    return {**arguments_of(read_record(record)), **kept}


def _add_train(commands):
    command = commands.add_parser(
        "train",
        help="train a network that paints any photo in one pass",
        description=(
            "Train a feed-forward network for the style of STYLE on the photos in PHOTOS. Networks"
            " for several styles are trained together. Options not given have"
            " train_transform_net()'s defaults."
        ),
        argument_default=argparse.SUPPRESS,
    )
    command.add_argument("style", metavar="STYLE", nargs="+", help="the painting, or several")
    command.add_argument("photos", metavar="PHOTOS", help="a folder of photos, searched through")
    command.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help=(
            "the .keras file to write; for several styles, the folder for "
            "their files, named after them"
        ),
    )
    command.add_argument(
        "--width", type=int, help="filters of the first layer (16; 32 in the paper)"
    )
    command.add_argument("--crop", type=int, help="side of the training pictures in pixels (256)")
    command.add_argument(
        "--batch-size", type=int, help="pictures in a step, of all devices together (4)"
    )
    command.add_argument("--steps", type=int, help="batches (2000)")
    command.add_argument(
        "--style-size",
        type=int,
        metavar="SIZE",
        help="longer side of STYLE in pixels: larger, larger strokes (512)",
    )
    command.add_argument(
        "--content-weight", type=float, metavar="W", help="weight of the content loss"
    )
    command.add_argument("--style-weight", type=float, metavar="W", help="weight of the style loss")
    command.add_argument("--tv-weight", type=float, metavar="W", help="weight of total variation")
    command.add_argument(
        "--grid-weight",
        type=float,
        metavar="W",
        help="weight of the pattern that upsampling may leave (0.1)",
    )
    command.add_argument(
        "--style-scales",
        type=int,
        metavar="N",
        help="sizes at which the style is compared: 2: also at half the size (1)",
    )
    command.add_argument("--content-layers", type=_layers, metavar="L[=W],...", help="relu3_3")
    command.add_argument(
        "--style-layers",
        type=_layers,
        metavar="L[=W],...",
        help="relu1_2,relu2_2,relu3_3=0.3,relu4_3=0.1",
    )
    command.add_argument(
        "--learning-rate", type=float, metavar="R", help="of Muon, at the start (0.003)"
    )
    command.add_argument(
        "--start",
        metavar="NET",
        help=(
            "go on from this network: a .keras file or the name of a pretrained style; or from "
            "those in a folder, a file for each style"
        ),
    )
    command.add_argument("--name", help="of the style, for the file's record (STYLE's file name)")
    command.add_argument("--licence", help="of the style, for the file's record")
    command.add_argument("--network", choices=("vgg16", "vgg19"), help="feature network (vgg16)")
    command.add_argument(
        "--weights", help="imagenet (default), torchvision, or a .h5, .mat or .npz file"
    )
    command.add_argument(
        "--precision", choices=("float32", "bfloat16"), help="of the convolutions (float32)"
    )
    command.add_argument(
        "--strategy",
        choices=("mirrored", "multi-worker"),
        help="several devices of this machine; several machines, named in TF_CONFIG",
    )
    command.add_argument(
        "--backup",
        metavar="FOLDER",
        help="keep the state here every 50 steps, and go on from it where there is one",
    )
    command.add_argument(
        "--preview",
        metavar="FOLDER",
        help="write here every 200 steps what becomes of three of the PHOTOS",
    )
    command.add_argument("--tensorboard", metavar="FOLDER", help="write logs for TensorBoard here")
    command.add_argument("--seed", type=int, help="of all chance (0)")
    command.add_argument(
        "--overwrite", action="store_true", help="let OUT replace the network of --start"
    )
    command.add_argument("--quiet", dest="progress", action="store_false", help="no progress bar")
    command.set_defaults(run=_train)


def _train(arguments, interrupts):
    import keras

    from .callbacks import say
    from .extras import load
    from .photos import Photos
    from .stylization import resolve
    from .training import Preview, train_transform_net
    from .transform_net import load_transform_net

    options = vars(arguments)
    preview, logs = options.pop("preview", None), options.pop("tensorboard", None)
    names = [Path(style).stem for style in options["style"]]
    if len({*names}) < len(names):
        raise ValueError(
            f"the paintings must have different names. Received: {', '.join(options['style'])}"
        )
    paintings = dict(zip(names, options["style"]))
    folder = (
        Path(options["start"]) if "start" in options and Path(options["start"]).is_dir() else None
    )
    starts = {name: Path(folder, f"{name}.keras") for name in names} if folder else {}
    _check_networks(options, names, [*options["style"], *starts.values()])
    if (
        "strategy" in options
    ):  # before anything else that needs TensorFlow: several workers must meet at its start
        import tensorflow as tf

        options["strategy"] = {
            "mirrored": tf.distribute.MirroredStrategy,
            "multi-worker": tf.distribute.MultiWorkerMirroredStrategy,
        }[options["strategy"]]()

    def ended(logs=None):
        interrupts.phase = SAVING  # what was trained is written now

    callbacks = options["callbacks"] = [keras.callbacks.LambdaCallback(on_train_end=ended)]
    if preview:
        callbacks.append(
            Preview(
                Photos(options["photos"], options.get("crop", 256)).first(3), preview, steps=200
            )
        )
    if logs:
        load("tensorboard", "TensorBoard", "tensorboard")
        callbacks.append(keras.callbacks.TensorBoard(logs))
    options["style"] = paintings if len(paintings) > 1 else options["style"][0]
    if starts:
        starts = {name: load_transform_net(start) for name, start in starts.items()}
        options["start"] = starts if len(starts) > 1 else starts[names[0]]
    elif "start" in options:
        options["start"] = resolve(options["start"])
    nets = train_transform_net(**options)
    record = (nets if isinstance(nets, keras.Model) else next(iter(nets.values()))).record
    losses = ", ".join(f"{name} {value:.3f}" for name, value in record["losses"].items())
    say(f"{options['output']}: {record['steps']} steps; {losses}")
    return interrupts.code if record["steps"] < record["settings"]["steps"] else 0


def _check_networks(options, names, inputs):
    """Raise a clear error if a network that is to be written is one of the inputs, or could not be
    written.
    """
    from .files import check_output

    output, overwrite = Path(options["output"]), options.pop("overwrite", False)
    inputs = [*inputs, options.get("start"), options.get("weights")]
    for path in (
        [output]
        if len(names) == 1
        else [output / f"{name}.keras" for name in names]
        if output.is_dir()
        else []
    ):
        check_output(path, inputs, overwrite)


def _add_stylize(commands):
    command = commands.add_parser(
        "stylize",
        help="paint photos with a trained network, in one pass",
        description=(
            "Paint IMAGE, a picture or a folder of them, with a network. "
            f"Pretrained styles: {', '.join(_pretrained())}."
        ),
        argument_default=argparse.SUPPRESS,
    )
    command.add_argument("source", metavar="IMAGE")
    command.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help="the picture to write, or the folder to fill",
    )
    command.add_argument(
        "--style",
        required=True,
        type=_shares,
        metavar="NET[=S],...",
        help=(
            "the name of a pretrained style or a .keras file; several with shares are blended:"
            " starry_night=0.6,poppies=0.4"
        ),
    )
    command.add_argument(
        "--size", type=int, help="longer side of the result in pixels (IMAGE's own)"
    )
    command.add_argument("--preserve-color", metavar="HOW", help="luminance: keep IMAGE's chroma")
    command.add_argument(
        "--tile",
        type=_tile,
        help="side of the tiles in pixels; auto (default): as memory asks; none",
    )
    command.add_argument(
        "--alpha",
        choices=("white", "keep"),
        help="IMAGE's transparency: laid on white (default), or kept",
    )
    command.add_argument("--overwrite", action="store_true", help="let OUT replace IMAGE")
    command.add_argument("--quiet", dest="progress", action="store_false", help="no progress bar")
    command.set_defaults(run=_stylize)


def _stylize(arguments, interrupts):
    from .callbacks import say
    from .stylization import stylize

    options = vars(arguments)
    started = time.monotonic()
    result = stylize(net=options.pop("style"), **options)
    what = (
        f"{len(result)} pictures"
        if isinstance(result, list)
        else f"{result.width} x {result.height}"
    )
    say(f"{options['output']}: {what}, {time.monotonic() - started:.1f} s")
    return 0


def _add_video(commands):
    command = commands.add_parser(
        "video",
        help="paint a film, or what a camera sees",
        description=(
            "Paint FILM in a style; or, with --camera, what a camera sees, until q or Ctrl-C."
            " Options not given have stylize_video()'s defaults."
        ),
        argument_default=argparse.SUPPRESS,
    )
    command.add_argument("source", metavar="FILM", nargs="?")
    command.add_argument(
        "--camera", type=_camera, metavar="N", help="a camera's number, or a film in its place"
    )
    command.add_argument(
        "--style",
        required=True,
        help="a painting; or, in one pass, a pretrained style's name or a .keras file",
    )
    command.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="the film to write, .mp4, .mov or .mkv; with --camera none is needed",
    )
    command.add_argument("--method", help="temporal (default), warp, independent or network")
    command.add_argument(
        "--size", type=int, help="longer side in pixels (FILM's own; 320 for a camera)"
    )
    command.add_argument("--steps", type=int, help="of the optimiser at --size")
    command.add_argument("--style-weight", type=float, metavar="W")
    command.add_argument("--temporal-weight", type=float, metavar="W", help="more: steadier")
    command.add_argument(
        "--smooth",
        type=float,
        metavar="S",
        help="network: share of the last result, moved along the flow (0)",
    )
    command.add_argument(
        "--frames", type=_slice, metavar="FIRST:LAST", help="only these frames, counted from 0"
    )
    command.add_argument("--every", type=int, metavar="N", help="only each N-th frame")
    command.add_argument(
        "--work", metavar="FOLDER", help="for finished frames, which a killed run goes on from"
    )
    command.add_argument(
        "--weights", help="imagenet (default), torchvision, or a .h5, .mat or .npz file"
    )
    command.add_argument(
        "--seconds", type=float, metavar="S", help="with --camera: stop after so many"
    )
    command.add_argument("--overwrite", action="store_true", help="let OUT replace FILM")
    command.add_argument("--quiet", dest="progress", action="store_false", help="no progress")
    command.set_defaults(run=_video)


def _video(arguments, interrupts):
    from .callbacks import say

    options = vars(arguments)
    if ("camera" in options) == ("source" in options):
        raise ValueError("video needs either FILM or --camera")
    style = options.pop("style")
    if "camera" in options:
        from .camera import stylize_camera

        options.pop("progress", None)
        known = {
            name: options.pop(name)
            for name in ("output", "size", "seconds", "overwrite")
            if name in options
        }
        source = options.pop("camera")
        if options:
            raise ValueError(f"--camera does not go with {', '.join(options)}")
        shown = stylize_camera(source, style, **known)
        say(
            f"{shown.frames} frames in {shown.seconds:.0f} s, {shown.rate:.1f} a second;"
            f" {shown.dropped} dropped"
        )
        return 0
    from .film import stylize_video

    if "output" not in options or "seconds" in options:
        raise ValueError("a FILM needs --output, and --seconds goes with --camera")
    output, started = options.pop("output"), time.monotonic()
    count = stylize_video(options.pop("source"), style, output, **options)
    say(f"{output}: {count} frames, {time.monotonic() - started:.0f} s")
    return 0


def _camera(text):
    return int(text) if text.isdigit() else text


def _slice(text):
    return slice(*(int(number) if number else None for number in text.split(":")))


def _pretrained():
    return sorted(path.stem for path in (Path(__file__).parent / "pretrained").glob("*.keras"))


def _shares(text):
    """starry_night -> that; starry_night=0.6,poppies=0.4 -> {"starry_night": 0.6, "poppies": 0.4}."""
    layers = _layers(text)
    return (
        layers
        if isinstance(layers, dict)
        else layers[0]
        if len(layers) == 1
        else dict.fromkeys(layers, 1.0)
    )


def _add_matte(commands):
    command = commands.add_parser(
        "matte",
        help="cut a subject out, with hair and smoke",
        description=(
            "Cut the subject out of IMAGE: a PNG with alpha, or a picture on another BACKGROUND."
        ),
    )
    command.add_argument("image", metavar="IMAGE")
    command.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help="a .png, .webp or .tiff; with --background any picture",
    )
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--trimap",
        metavar="FILE",
        help="white: subject, black: background, else unknown; a few strokes will do",
    )
    what.add_argument(
        "--mask",
        metavar="FILE",
        help="the subject roughly, in white; a band along its edge is taken as unknown",
    )
    what.add_argument(
        "--rectangle",
        type=_integers,
        metavar="L,T,W,H",
        help="left, top, width and height around the subject, in pixels",
    )
    command.add_argument(
        "--width", type=int, default=10, help="of the band on each side of the edge, in pixels (10)"
    )
    command.add_argument("--method", default="cf", help="cf (default), knn, lbdm, lkm, rw or sm")
    command.add_argument("--background", metavar="FILE", help="lay the subject on this picture")
    command.add_argument(
        "--overwrite", action="store_true", help="let OUT replace one of its inputs"
    )
    command.set_defaults(run=_matte)


def _matte(arguments, interrupts):
    from .callbacks import say
    from .images import check_writable, load_image, save_image
    from .masks import check_map, from_rectangle
    from .matting import composite, cut_out, estimate_alpha, estimate_foreground, trimap_from_mask

    check_writable(
        arguments.output,
        alpha="white" if arguments.background else "keep",
        overwrite=arguments.overwrite,
        inputs=[arguments.image, arguments.trimap, arguments.mask, arguments.background],
    )
    image = load_image(arguments.image)
    background = arguments.background and load_image(arguments.background)
    if arguments.trimap:
        trimap = load_image(arguments.trimap)
    else:
        mask = (
            from_rectangle(image, arguments.rectangle)
            if arguments.rectangle
            else check_map(arguments.mask, image, "--mask")
        )
        trimap = trimap_from_mask(mask, arguments.width)
    alpha = estimate_alpha(image, trimap, arguments.method)
    save_image(
        (
            cut_out(image, alpha)
            if background is None
            else composite(estimate_foreground(image, alpha), alpha, background)
        ),
        arguments.output,
    )
    say(f"{arguments.output}: {image.shape[1]} x {image.shape[0]}, {alpha.mean():.0%} subject")
    return 0


def _add_weights(commands):
    command = commands.add_parser(
        "weights",
        help="fetch the VGG weights ahead of time and tell which are in use",
        description="Fetch, verify and describe the VGG weights that transfer would use.",
    )
    command.add_argument("--network", choices=("vgg16", "vgg19"), default="vgg16")
    command.add_argument(
        "--weights", default="imagenet", help="imagenet (default), torchvision, or a file"
    )
    command.set_defaults(run=_weights)


def _weights(arguments, interrupts):
    from .weights import load_weights

    found = load_weights(arguments.network, arguments.weights)
    print(
        f"network  {found.network}\nsource   {found.source}\nsha256   {found.sha256}\nfile    "
        f" {found.path}"
    )
    return 0


def _integer_or_none(text):
    return None if text == "none" else int(text)


def _tile(text):
    return text if text == "auto" else _integer_or_none(text)


def _integers(text):
    return tuple(int(number) for number in text.split(","))


def _numbers(text):
    return [float(number) for number in text.split(",")]


def _layers(text):
    """conv1_1,conv2_1=0.5 -> {"conv1_1": 1.0, "conv2_1": 0.5}; without weights -> a list of names."""
    pairs = [item.partition("=")[::2] for item in text.split(",")]
    if not any(weight for _, weight in pairs):
        return [name for name, _ in pairs]
    return {name: float(weight or 1) for name, weight in pairs}


@contextlib.contextmanager
def _quiet_start():
    """Keep TensorFlow's start-up chatter, which C++ writes to file descriptor 2, off the screen."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if sys.stderr is not None:
        sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
