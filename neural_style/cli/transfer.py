"""neural-style transfer."""

import argparse
from pathlib import Path
from typing import Any

from ..presets import NAMES as PRESETS
from .common import Commands, complain
from .interrupts import SAVING, Interrupts
from .options import add_options
from .rescue import save_elsewhere
from .transfer_inputs import repeated_inputs, texts_in, transfer_inputs
from .values import numbers

#: Parameters of transfer() that are no options made from its signature, and why.
LEFT_OUT = {
    "content": "the argument CONTENT",
    "style": "the arguments STYLE, with --blend and --strokes-from",
    "masks": "--masks, --style-masks, --labels and --inside",
    "terms": "objects of Python",
    "callback": "a function of Python; here the interrupts'",
    "progress": "--quiet",
}

#: Types for parameters of transfer() whose own annotation no text can give.
TYPES = {"content_map": "Path | None"}

#: What --record means to TransferResult.save().
RECORDS = {"names": True, "paths": "paths", "none": False}


def add_transfer(commands: Commands) -> None:
    """Add the command "transfer".

    Args:
        commands: The program's commands.
    """
    command = commands.add_parser(
        "transfer",
        help="Paint a photo in the style of a painting",
        description=(
            "Paint CONTENT in the style of STYLE. Options not given have the preset's values, "
            "or else transfer()'s defaults."
        ),
        argument_default=argparse.SUPPRESS,
    )
    _add_pictures(command)
    _add_regions(command)
    _add_output(command)
    group = command.add_argument_group("options of transfer()")
    add_options(group, "iterative.transfer", "transfer", leave_out=LEFT_OUT, types=TYPES)
    command.set_defaults(run=run_transfer)


def _add_pictures(command: argparse.ArgumentParser) -> None:
    """Add the arguments that say what to paint, from what, and by which settings."""
    command.add_argument(
        "content",
        metavar="CONTENT",
        nargs="?",
        help="The photo: a picture file; none: a texture of STYLE",
    )
    command.add_argument(
        "style",
        metavar="STYLE",
        nargs="*",
        help="The painting; several are blended; none: CONTENT from its layers alone",
    )
    command.add_argument(
        "--blend", type=numbers, metavar="S,S,...", help="Shares of the STYLEs (default: equal)"
    )
    command.add_argument(
        "--strokes-from",
        metavar="PICTURE",
        help=(
            "Take the style of the fine layers, blocks 1 and 2, from this picture, "
            "and that of the others from STYLE"
        ),
    )
    command.add_argument(
        "--preset",
        metavar="NAME",
        help="Settings of the paper or of another program: " + ", ".join(PRESETS),
    )
    command.add_argument(
        "--from-record",
        metavar="PICTURE",
        help="Repeat the run that made this picture; goes with no option that changes the picture",
    )


def _add_regions(command: argparse.ArgumentParser) -> None:
    """Add the options for regions with styles of their own."""
    command.add_argument(
        "--masks",
        nargs="+",
        metavar="MASK",
        help=(
            "Masks of CONTENT, one picture file for each region. Each region takes its own "
            "STYLE, or all take the only one"
        ),
    )
    command.add_argument(
        "--style-masks",
        nargs="+",
        metavar="MASK",
        help="With --masks: the part of STYLE for each region",
    )
    command.add_argument(
        "--labels",
        nargs="+",
        metavar="LABELS",
        help=(
            "Color-coded label pictures in place of masks: one for CONTENT, then one "
            "for each STYLE. The same color means the same region"
        ),
    )
    command.add_argument(
        "--inside",
        action="store_true",
        help="Count only positions whose whole receptive field lies in a region",
    )


def _add_output(command: argparse.ArgumentParser) -> None:
    """Add the options that say where and how the result is written."""
    command.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help="The picture to write; its suffix sets the format",
    )
    command.add_argument(
        "--bits",
        type=int,
        choices=(8, 16),
        help="Bits of a channel in OUT: 8 (default), or 16 in .png and .tiff",
    )
    command.add_argument(
        "--record",
        choices=tuple(RECORDS),
        help=(
            "What OUT's record says of its inputs: file names (default) or whole "
            "paths. none: write no record"
        ),
    )
    command.add_argument(
        "--overwrite", action="store_true", help="Let OUT replace one of its inputs"
    )
    command.add_argument(
        "--quiet", dest="progress", action="store_false", help="Show no progress bar"
    )


def run_transfer(arguments: argparse.Namespace, interrupts: Interrupts) -> int:
    """Run the command "transfer".

    Args:
        arguments: The parsed arguments.
        interrupts: The callback of the run. Its phase is SAVING from the end of the run on.

    Returns:
        The exit code.
    """
    options = vars(arguments)
    output, record = Path(options.pop("output")), options.pop("from_record", None)
    saving: dict[str, Any] = {
        name: options.pop(name) for name in ("bits", "overwrite") if name in options
    }
    if "record" in options:
        saving["record"] = RECORDS[options.pop("record")]

    from .._shared.display import say

    options = _checked(options, record, output, saving)

    from ..iterative.transfer import transfer

    try:
        result = transfer(**options, callback=interrupts)
    except Exception as error:
        interrupts.phase = SAVING
        rescued = getattr(error, "result", None)
        if rescued is not None:
            save_elsewhere(rescued, output, saving)
        raise
    interrupts.phase = SAVING
    try:
        result.save(output, **saving)
    except Exception as error:
        complain(f"error: {error}")
        save_elsewhere(result, output, saving)
        return 1
    say(
        f"{output}: {result.image.width} x {result.image.height}, {result.seconds:.0f} s,"
        f" {result.message}"
    )
    return 0


def _checked(
    options: dict[str, Any], record: str | None, output: Path, saving: dict[str, Any]
) -> dict[str, Any]:
    """Return transfer()'s arguments, after a check that the result can be written."""
    from ..images.save import check_writable
    from ..provenance.record import check_sidecar

    given = texts_in(options)
    options = transfer_inputs(options) if record is None else repeated_inputs(record, options)
    writing = {name: value for name, value in saving.items() if name != "record"}
    if "alpha" in options:
        writing["alpha"] = options["alpha"]
    check_writable(output, inputs=[record, *given, *texts_in(options)], **writing)
    check_sidecar(output, **({"keep": saving["record"]} if "record" in saving else {}))
    return options
