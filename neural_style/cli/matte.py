"""neural-style matte."""

from .common import _integers


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
