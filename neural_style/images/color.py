"""Colours of one picture moved to those of another, and kept.

Gatys, Bethge, Hertzmann and Shechtman 2016, "Preserving Color in Neural Artistic Style Transfer",
has both ways: `transfer(..., preserve_color="match")` recolours the painting to the photo before,
"luminance" paints brightness alone and keeps the photo's chroma.
"""

import numpy as np

FORMS = ("symmetric", "cholesky")


SPACES = ("rgb", "lab")


#: What transfer(preserve_color=...) knows.
PRESERVE = ("luminance", "match", "match_cholesky", "histogram")


#: Luma and colour differences of full-range R'G'B': ITU-R BT.601-7, section 2.5, with ITU-T T.871's
#: (JFIF's) scale: rows Y', C_B and C_R, each on the scale of R'G'B', the differences about 0.
YCC = np.array(
    [
        [0.299, 0.587, 0.114],
        [-0.299 / 1.772, -0.587 / 1.772, 0.886 / 1.772],
        [0.701 / 1.402, -0.587 / 1.402, -0.114 / 1.402],
    ]
)


#: Linear sRGB to CIE XYZ: IEC 61966-2-1, with its white point, D65, in the rows' sums.
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def color_statistics(image, weights=None):
    """Mean (3,) and covariance (3 x 3) of a picture's RGB pixels, on the scale 0 to 255, weighted
    by H x W numbers.
    """
    return _statistics(_pixels(image), weights)


def _statistics(pixels, weights=None):
    weights = np.ones(pixels.shape[:2]) if weights is None else weights
    weights = (weights / weights.sum()).reshape(-1, 1)
    pixels = pixels.reshape(-1, 3)
    mean = (weights * pixels).sum(axis=0)
    return mean, (weights * (pixels - mean)).T @ (pixels - mean)


def match_color(image, reference, form="symmetric", space="rgb"):
    """Give `image` the colour mean and covariance of `reference`; uint8 RGB in and out, rounded and
    cut to 0-255.

    Args:
        image: uint8 RGB, H x W x 3.
        reference: another picture, or its (mean, covariance) from color_statistics, of RGB.
        form: of the transform; see color_transform.
        space: of the colours that the transform is affine in: "rgb", or "lab", CIE L*a*b*: the
            simplest of recolourings, after Reinhard et al. 2001, and the one that a photo's new
            light should be compared with.
    """
    if space not in SPACES:
        raise ValueError(f"space must be one of {SPACES}. Received: space={space!r}")
    if space == "lab":
        if isinstance(reference, tuple):
            raise ValueError("with space='lab', reference must be a picture. Received: a tuple")
        lab = rgb_to_lab(_pixels(image))
        matrix, offset = color_transform(
            _statistics(lab), _statistics(rgb_to_lab(_pixels(reference))), form
        )
        return _rounded(lab_to_rgb(lab @ matrix.T + offset))
    matrix, offset = color_transform(image, reference, form)
    return _rounded(_pixels(image) @ matrix.T + offset)


def color_transform(image, reference, form="symmetric"):
    """A (3 x 3) and b (3,) such that the colours A c + b have the reference's mean and covariance
    (Gatys et al., section 4).

        "symmetric":  A = S_r^(1/2) S_i^(-1/2)          symmetric square roots: equations 6 to 8
        "cholesky":   A = L_r L_i^(-1), S = L L^T       equation 5: red first, so the roles of the channels differ

    A direction in which `image` hardly varies is not stretched without limit: its variances are
    floored at one grey level squared, so on such a picture the covariances agree only in the other
    directions. image and reference are each a picture or its color_statistics.
    """
    if form not in FORMS:
        raise ValueError(f"form must be one of {FORMS}. Received: form={form!r}")
    (mean, covariance), (target_mean, target_covariance) = (
        one if isinstance(one, tuple) else color_statistics(one) for one in (image, reference)
    )
    if form == "symmetric":
        matrix = _matrix_power(target_covariance, 0.5) @ _matrix_power(covariance, -0.5)
    else:
        matrix = _lower(target_covariance, 1e-9) @ np.linalg.inv(_lower(covariance, 1.0))
    return matrix, target_mean - matrix @ mean


def match_luminance(image, reference):
    """Luma Y' of `image` as a grey RGB picture, with the mean and standard deviation of the
    reference's (section 5).

    Luma in which `image` hardly varies is not stretched by more than its deviation floored at one
    grey level.
    """
    luma, target = _pixels(image) @ YCC[0], _pixels(reference) @ YCC[0]
    luma = (luma - luma.mean()) * (target.std() / max(luma.std(), 1.0)) + target.mean()
    return _rounded(np.repeat(luma[..., None], 3, axis=-1))


def transfer_luminance(image, content):
    """The luma Y' of `image` with the chroma (C_B, C_R) of `content`: uint8 RGB, both of one size,
    in and out.

    Where the chroma leaves no room for so bright or dark a luma, the nearest that fits R'G'B' is
    taken, so chroma is kept exactly, up to the final rounding.
    """
    return _rounded(luminance_of(_pixels(image), content))


def luminance_of(pixels, content):
    """transfer_luminance of a picture that is not rounded, float H x W x 3; the result is not
    rounded either.
    """
    return _with_luma(pixels @ YCC[0], _pixels(content))


def match_histogram(image, reference):
    """Give each of the three channels of `image` in CIE L*a*b* the histogram of the reference's;
    uint8 RGB in and out.

    The p-th quantile of the one becomes the p-th of the other, for all p. L*a*b*: CIE 15:2004,
    section 8.2.1, of sRGB, IEC 61966-2-1. Colours that sRGB does not have are cut to the nearest
    value in each channel.
    """
    lab, target = rgb_to_lab(_pixels(image)), rgb_to_lab(_pixels(reference))
    matched = [_match_channel(lab[..., channel], target[..., channel]) for channel in range(3)]
    return _rounded(lab_to_rgb(np.stack(matched, axis=-1)))


def recolored_style(style, content, mode):
    """The style image as preserve_color=`mode` lets the network see it."""
    if mode == "luminance":
        return match_luminance(style, content)
    if mode == "histogram":
        return match_histogram(style, content)
    return match_color(style, content, "cholesky" if mode == "match_cholesky" else "symmetric")


def grey(image):
    """Luma Y' of a picture as a grey RGB picture."""
    return _rounded(np.repeat((_pixels(image) @ YCC[0])[..., None], 3, axis=-1))


def rgb_to_lab(rgb):
    """R'G'B', 0 to 255, ... x 3 -> CIE L*a*b* (L* from 0 to 100)."""
    v = np.asarray(rgb, "float64") / 255
    linear = np.where(v <= 0.04045, v / 12.92, ((np.maximum(v, 0.04045) + 0.055) / 1.055) ** 2.4)
    t = linear @ (XYZ / XYZ.sum(axis=1, keepdims=True)).T
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.stack(
        [116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])],
        axis=-1,
    )


def lab_to_rgb(lab):
    """The inverse of rgb_to_lab, not rounded; colours that sRGB does not have are cut to 0-255."""
    lab = np.asarray(lab, "float64")
    y = (lab[..., 0] + 16) / 116
    f = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=-1)
    t = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    linear = np.clip((t * XYZ.sum(axis=1)) @ np.linalg.inv(XYZ).T, 0, 1)
    return 255 * np.where(
        linear <= 0.0031308,
        12.92 * linear,
        1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055,
    )


def _with_luma(luma, content):
    if luma.shape != content.shape[:2]:
        raise ValueError(
            f"image and content must have one size. Received: {luma.shape} and {content.shape[:2]}"
        )
    offsets = (
        content - (content @ YCC[0])[..., None]
    )  # R'G'B' less Y': a function of the chroma alone
    return np.clip(luma, -offsets.min(axis=-1), 255 - offsets.max(axis=-1))[..., None] + offsets


def _match_channel(values, target):
    flat = values.ravel()
    order = np.argsort(flat, kind="stable")
    ranks = np.empty(flat.size)
    ranks[order] = (np.arange(flat.size) + 0.5) / flat.size
    target = np.sort(target.ravel())
    quantiles = np.interp(ranks, (np.arange(target.size) + 0.5) / target.size, target)
    _, inverse, counts = np.unique(flat, return_inverse=True, return_counts=True)
    return (np.bincount(inverse, quantiles) / counts)[inverse].reshape(
        values.shape
    )  # equal values stay equal: no new grain


def _pixels(image):
    """H x W x 3, float64, of a uint8 RGB picture."""
    array = np.asarray(image)
    if array.dtype != np.uint8:
        raise TypeError(f"a picture array must be uint8 (0 to 255). Received: {array.dtype}")
    if array.ndim != 3 or array.shape[-1] != 3:
        raise ValueError(f"a picture array must be H x W x 3. Received: shape {array.shape}")
    return array.astype("float64")


def _rounded(pixels):
    return np.clip(np.rint(pixels), 0, 255).astype("uint8")


def _matrix_power(covariance, power):
    variances, axes = np.linalg.eigh(covariance)
    return (axes * np.maximum(variances, 0.0 if power > 0 else 1.0) ** power) @ axes.T


def _lower(covariance, floor):
    """L of L L^T = covariance, its variances floored."""
    variances, axes = np.linalg.eigh(covariance)
    return np.linalg.cholesky((axes * np.maximum(variances, floor)) @ axes.T)
