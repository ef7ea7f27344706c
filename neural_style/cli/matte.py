"""neural-style matte."""

import argparse

from .common import Commands
from .interrupts import Interrupts
from .options import add_options
from .signatures import constant, parameters
from .values import integers

#: Parameters of trimap_from_mask() and estimate_alpha() that are no options made from their
#: signatures, and why.
LEFT_OUT = {
    "mask": "--mask, one of three ways to mark the subject",
    "image": "the argument IMAGE",
    "trimap": "--trimap, one of three ways to mark the subject",
}


def add_matte(commands: Commands) -> None:
    """Add the command "matte".

    Args:
        commands: The program's commands.
    """
    command = commands.add_parser(
        "matte",
        help="Cut a subject out, with hair and smoke",
        description=(
            "Cut the subject out of IMAGE, as a PNG with alpha or laid on another picture."
        ),
    )
    command.add_argument("image", metavar="IMAGE", help="The picture file with the subject")
    command.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help="A .png, .webp or .tiff; with --background any picture",
    )
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--trimap",
        metavar="FILE",
        help=(
            "A picture that is white in the subject, black in the background, "
            "and gray elsewhere; a few strokes suffice"
        ),
    )
    what.add_argument(
        "--mask",
        metavar="FILE",
        help=(
            "A picture that is roughly white in the subject; "
            "--width sets the unknown band at the edge"
        ),
    )
    what.add_argument(
        "--rectangle",
        type=integers,
        metavar="L,T,W,H",
        help="Left, top, width and height around the subject, in pixels",
    )
    for function in ("trimap_from_mask", "estimate_alpha"):
        add_options(
            command, "images.matting", function, leave_out=LEFT_OUT, texts={"method": _methods()}
        )
    command.add_argument("--background", metavar="FILE", help="Lay the subject on this picture")
    command.add_argument(
        "--overwrite", action="store_true", help="Let OUT replace one of its inputs"
    )
    command.set_defaults(run=run_matte)


def _methods() -> str:
    """Return the help of --method: what each of the methods is."""
    methods = constant("images.matting", "METHODS")
    default = parameters("images.matting", "estimate_alpha")["method"].default
    described = "; ".join(f"{name}: {source}" for name, source in methods.items())
    return f"How alpha is estimated. {described} (default: {default})"


def run_matte(arguments: argparse.Namespace, interrupts: Interrupts) -> int:
    """Run the command "matte".

    Args:
        arguments: The parsed arguments.
        interrupts: The phase of the program, which this command does not change.

    Returns:
        The exit code.
    """
    from .._shared.display import say
    from ..images.load import load_image
    from ..images.masks import check_map, from_rectangle
    from ..images.matting import (
        composite,
        cut_out,
        estimate_alpha,
        estimate_foreground,
        trimap_from_mask,
    )
    from ..images.save import check_writable, save_image

    check_writable(
        arguments.output,
        alpha="white" if arguments.background else "keep",
        overwrite=arguments.overwrite,
        inputs=[arguments.image, arguments.trimap, arguments.mask, arguments.background],
    )
    width = {"width": arguments.width} if "width" in arguments else {}
    method = {"method": arguments.method} if "method" in arguments else {}
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
        trimap = trimap_from_mask(mask, **width)
    alpha = estimate_alpha(image, trimap, **method)
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
