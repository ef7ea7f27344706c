"""Regions with styles of their own, and one painting's strokes with the shapes of another."""

from typing import Any

from .signatures import parameters


def regions(options: dict[str, Any], styles: int) -> Any:
    """Make transfer()'s masks from --masks, --style-masks, --labels and --inside.

    Args:
        options: The options that were given; these four are taken out.
        styles: The number of STYLEs.

    Returns:
        A list of Regions, or two label pictures; None where no regions were given.

    Raises:
        ValueError: Options that do not go together, or numbers of files that do not agree.
    """
    names = ("masks", "style_masks", "labels", "inside")
    masks, of_style, labels, inside = (options.pop(name, None) for name in names)
    if (masks and labels) or (not masks and (of_style or (inside and not labels))):
        raise ValueError("regions need either --masks, with or without --style-masks, or --labels")
    if labels:
        _check_labels(labels, styles)
        return {"content": labels[0], "style": labels[1:], "inside": bool(inside)}
    if not masks:
        return None
    _check_masks(masks, of_style, styles)

    from ..images.masks import Region

    return [
        Region(mask, of_style and of_style[number], number if styles > 1 else 0, bool(inside))
        for number, mask in enumerate(masks)
    ]


def strokes_and_shapes(
    strokes: str, style: list[str], options: dict[str, Any]
) -> list[tuple[str, list[str]]]:
    """Pair two paintings with style layers: one gives the strokes, the other the shapes.

    Args:
        strokes: The picture of --strokes-from, for blocks 1 and 2.
        style: The STYLEs, of which there must be one, for the deeper blocks.
        options: The options that were given, of which style_layers and network are read.

    Returns:
        [(picture, style layers)], as transfer() takes them.

    Raises:
        ValueError: Several STYLEs or none, or style layers on one side only.
    """
    from ..vgg.layers import check_layers

    if len(style) != 1 or style == ["none"]:
        raise ValueError(f"--strokes-from goes with one STYLE. Received: {len(style)}")
    given = {
        name: options.get(name, parameters("iterative.transfer", "transfer")[name].default)
        for name in ("style_layers", "network")
    }
    names = check_layers(given["style_layers"], given["network"])
    fine = [name for name, layer in names.items() if layer < "block3"]
    coarse = [name for name in names if name not in fine]
    if not fine or not coarse:
        raise ValueError("--strokes-from needs style layers in blocks 1 or 2, and deeper ones")
    return [(strokes, fine), (style[0], coarse)]


def _check_masks(masks: list[str], of_style: list[str] | None, styles: int) -> None:
    """Raise a clear error if there is not a mask of the style, and a style, for each mask."""
    if of_style and len(of_style) != len(masks):
        raise ValueError(
            f"--style-masks needs a mask for each of --masks. Received: {len(of_style)} and"
            f" {len(masks)}"
        )
    if styles not in (1, len(masks)):
        raise ValueError(
            f"--masks needs one STYLE, or one for each mask. Received: {styles} styles,"
            f" {len(masks)} masks"
        )


def _check_labels(labels: list[str], styles: int) -> None:
    """Raise a clear error if there is not one label picture for CONTENT and one for each STYLE."""
    if len(labels) != 1 + styles:
        raise ValueError(
            "--labels needs CONTENT's label picture and one for each STYLE. Received:"
            f" {len(labels)}, {styles} styles"
        )
