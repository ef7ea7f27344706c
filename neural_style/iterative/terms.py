"""What one stage of transfer() starts from and what it minimises: its first x, and the losses with
their targets.
"""

from dataclasses import dataclass, replace

from ..images.filters import matting_laplacian
from ..images.load import load_image
from ..images.masks import resized, shrink
from ..losses.content import content_loss
from ..losses.loss import layer_weights, weighted_sum
from ..losses.photorealism import photorealism_loss
from ..losses.regularizers import total_variation_loss
from ..losses.style import style_loss, style_statistics
from ..optimize.targets import describe
from ..vgg.layers import receptive_fields
from ..vgg.preprocessing import preprocess
from .schedule import scaled
from .settings import scales


@dataclass(frozen=True)
class Part:
    """A region at one stage: its share of the picture, {layer: weight} where it has positions, its
    mask at each of these (None: everywhere), and the style images, [(picture, mask at each layer or
    None, share)]."""

    area: float
    weights: dict
    mask: dict | None
    styles: list


def build_losses(
    extractor,
    content,
    styles,
    regions,
    content_map,
    *,
    terms,
    content_layers,
    style_layers,
    scale,
    tv_options,
    statistic,
    network,
    tiling,
):
    """{term: loss} for content, style, total variation and photorealism, as far as `terms` has
    them; targets are computed here, once.

    Args:
        extractor: the network. content: H x W x 3, or None. styles: [(picture, share)], of this
            stage's size.
        regions: [masks.Region] with their masks as arrays, [] for one style everywhere.
            content_map: H x W, or None.
        terms: names of the losses wanted. tiling: a Tiling. The rest is transfer()'s.
    """
    content_form, style_form = scales(scale)
    content_names = [*layer_weights(content_layers)] if "content" in terms else []
    parts = _parts(content, styles, regions, style_layers, network) if "style" in terms else []
    compared = parts if style_form == "relative" and content is not None else []
    losses, maps, own = {}, None, []
    if content_names or compared:
        measures = [style_statistics([*part.weights], statistic, part.mask) for part in compared]
        maps, own = describe(extractor, preprocess(content), content_names, measures, tiling)
    if "content" in terms:
        weight_maps = (
            None
            if content_map is None
            else _at_layers(content_map, content.shape, content_names, network)
        )
        losses["content"] = content_loss(maps, content_layers, content_form, weight_maps)
    if "style" in terms:
        side = max(tiling.smallest, *(content if content is not None else styles[0][0]).shape[:2])
        tiling = (
            tiling if tiling.tile else replace(tiling, tile=side)
        )  # a larger style image takes no more memory either

        def of_part(part, content_statistics):
            blend = []
            for image, mask, share in part.styles:
                measure = style_statistics([*part.weights], statistic, mask)
                blend.append(
                    (describe(extractor, preprocess(image), [], [measure], tiling)[1][0], share)
                )
            return style_loss(
                blend, part.weights, style_form, content_statistics, statistic, part.mask
            )

        weighted = [
            (part.area, of_part(part, own[number] if compared else None))
            for number, part in enumerate(parts)
        ]
        losses["style"] = weighted_sum(weighted) if regions else weighted[0][1]
    if "tv" in terms:
        losses["tv"] = total_variation_loss(**(tv_options or {}))
    if "photorealism" in terms:
        losses["photorealism"] = photorealism_loss(matting_laplacian(content))
    return losses


def check_regions(content, styles, regions, stages, style_layers, network, style_scale):
    """Raise a ValueError if at some stage no region has a position at any of the style layers."""
    for stage in stages if regions else ():
        if "style" in stage.weights:
            images = [
                (load_image(image, scaled(stage.size, style_scale)), share)
                for image, share in styles
            ]
            _parts(load_image(content, stage.size), images, regions, style_layers, network)


def _parts(content, styles, regions, style_layers, network):
    weights = layer_weights(style_layers)
    if not regions:
        return [Part(1.0, weights, None, [(image, None, share) for image, share in styles])]
    parts = []
    for region in regions:
        of_region, mask = _styles_of(region, styles), resized(region.content, content.shape)
        masks = _at_layers(mask, content.shape, weights, network, region.inside)
        style_masks = (
            None
            if region.style is None
            else _at_layers(region.style, of_region[0][0].shape, weights, network, region.inside)
        )
        there = {
            name: w
            for name, w in weights.items()
            if masks[name].any() and (style_masks is None or style_masks[name].any())
        }
        if there:  # a small region may be gone at a coarse stage
            parts.append(
                Part(
                    float(mask.mean()),
                    there,
                    masks,
                    [(image, style_masks, share) for image, share in of_region],
                )
            )
    if not parts:
        raise ValueError(
            "no region has a position at any of the style layers; give larger ones, or inside=False"
        )
    return parts


def _styles_of(region, styles):
    """[(picture, share)] of a region: its own style image; or, of what can be seen of a photo that
    keeps its alpha, all of them.
    """
    return styles if region.image is None else [(styles[region.image][0], 1.0)]


def _at_layers(mask, shape, names, network, inside=False):
    """{name: a full mask at the size of the layer}, for a picture of `shape`."""
    mask = resized(mask, shape)
    return {
        name: shrink(mask, stride, halo if inside else 0)
        for name, (stride, halo) in receptive_fields(names, network).items()
    }
