"""Each preset against the formula its source publishes, written out in NumPy on the features that
the network gives.

Non-square pictures; content and style image of one size, since that is where the published formulas
are defined.
"""

import inspect

import numpy as np
import pytest
from helpers import half_pixel, nearest_by_cosine, picture

from neural_style import deprocess, feature_extractor, load_image, preprocess, presets, transfer
from neural_style.images.filters import matting_laplacian
from neural_style.images.resize import resize
from neural_style.iterative import Neighbors
from neural_style.losses.loss import layer_weights

CONTENT, STYLE = picture(48, 64, 1), picture(48, 64, 2)
RELU_1 = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
BLOCK_1 = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1")


def columns(f):
    """F of the papers: N channels x M positions."""
    return f[0].reshape(-1, f.shape[-1]).T


def squares(F, P):
    return np.sum((F - P) ** 2)


def corner_differences(image):
    """Differences down and to the right of all pixels but the last row and column, as Keras' and
    Torch's programs take them.
    """
    corner = image[:, :-1, :-1]
    return image[:, 1:, :-1] - corner, image[:, :-1, 1:] - corner


def gatys(x, content, style, alpha):
    F, P = columns(x["conv4_2"]), columns(content["conv4_2"])
    E = 0
    for layer in ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"):
        F_l, S_l = columns(x[layer]), columns(style[layer])
        N, M = F_l.shape
        E += 1 / 5 * 1 / (4 * N**2 * M**2) * squares(F_l @ F_l.T, S_l @ S_l.T)
    N, M = F.shape
    return {"content": alpha * 0.5 * squares(F, P) / (N * M), "style": 1.0 * E}


def gatys_2015(x, content, style):
    return gatys(x, content, style, alpha=5)


def gatys_2016(x, content, style):
    """With the letters of the paper; then as the authors' code has it, which must agree."""
    terms = gatys(x, content, style, alpha=5e-4)
    mse = np.mean((x["conv4_2"] - content["conv4_2"]) ** 2)
    gram_mse = 0
    for layer in ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"):
        G, A = (columns(f[layer]) @ columns(f[layer]).T for f in (x, style))
        gram_mse += np.mean(((G - A) / columns(x[layer]).shape[1]) ** 2)
    code = {"content": 1e6 * mse / 4e9, "style": 1e9 / 5 * gram_mse / 4e9}
    assert {name: pytest.approx(value) for name, value in terms.items()} == code
    return terms


def gatys_pytorch(x, content, style):
    """Its GramMSELoss and MSELoss, with weights 1e3 / n**2 and 1."""

    def gram(f):  # N x M, divided by the number of positions
        return columns(f) @ columns(f).T / columns(f).shape[1]

    return {
        "content": 1e0 * np.mean((x["relu4_2"] - content["relu4_2"]) ** 2),
        "style": sum(
            1e3 / n**2 * np.mean((gram(x[layer]) - gram(style[layer])) ** 2)
            for layer, n in zip(RELU_1, (64, 128, 256, 512, 512))
        ),
    }


def keras_program(x, content, style, content_layer, style_layers, style_weight, tv_weight):
    height, width = x["image"].shape[1:3]
    style_loss = 0
    for layer in style_layers:
        C, S = columns(x[layer]), columns(style[layer])
        style_loss += (
            style_weight
            / len(style_layers)
            * squares(S @ S.T, C @ C.T)
            / (4.0 * 3**2 * (height * width) ** 2)
        )
    a, b = corner_differences(x["image"])
    return {
        "content": 0.025 * squares(x[content_layer], content[content_layer]),
        "style": style_loss,
        "tv": tv_weight * np.sum((a**2 + b**2) ** 1.25),
    }


def keras_example(x, content, style):
    return keras_program(
        x,
        content,
        style,
        "block2_conv2",
        ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3"),
        5.0,
        1.0,
    )


def chollet_dlwp(x, content, style):
    return keras_program(x, content, style, "block5_conv2", BLOCK_1, 1.0, 1e-4)


def vgg16_avgpool(x, content, style):
    def gram(f):
        return columns(f) @ columns(f).T / f.size

    return {
        "content": np.mean((x["block5_conv3"] - content["block5_conv3"]) ** 2),
        "style": sum(
            w * np.mean((gram(x[layer]) - gram(style[layer])) ** 2)
            for layer, w in zip(BLOCK_1, (0.2, 0.4, 0.3, 0.5, 0.2))
        ),
    }


def johnson_neural_style(x, content, style):
    def gram(f):  # C x H x W, divided by the number of elements
        return columns(f) @ columns(f).T / f.size

    a, b = corner_differences(x["image"])
    return {
        "content": 5 * np.mean((x["relu4_2"] - content["relu4_2"]) ** 2),
        "style": sum(1e2 * np.mean((gram(x[layer]) - gram(style[layer])) ** 2) for layer in RELU_1),
        "tv": 1e-3 * 0.5 * np.sum(a**2 + b**2),
    }


def deep_photo(x, content, style):
    V = x["image"].reshape(-1, 3) / 255
    return {
        **johnson_neural_style(x, content, style),
        "photorealism": 1e4 * np.sum(V * (matting_laplacian(CONTENT) @ V)),
    }


def anishathalye(x, content, style):
    def l2_loss(t):  # TensorFlow's: half the sum of squares
        return 0.5 * np.sum(t**2)

    def gram(f):
        return columns(f) @ columns(f).T / f.size

    image, p = x["image"], content["relu4_2"]
    down, right = image[:, 1:] - image[:, :-1], image[:, :, 1:] - image[:, :, :-1]
    return {
        "content": 5e0 * 1.0 * (2 * l2_loss(x["relu4_2"] - p) / p.size),
        "style": (
            5e2
            * sum(
                0.2 * 2 * l2_loss(gram(x[layer]) - gram(style[layer])) / gram(style[layer]).size
                for layer in RELU_1
            )
        ),
        "tv": 1e2 * 2 * (l2_loss(down) / down.size + l2_loss(right) / right.size),
    }


def neural_style_tf(x, content, style):
    F, P = columns(x["conv4_2"]), columns(content["conv4_2"])
    N, M = F.shape
    style_loss = 0
    for layer in ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"):
        G, A = (columns(f[layer]) @ columns(f[layer]).T for f in (x, style))
        n, m = columns(x[layer]).shape
        style_loss += 0.2 * 1 / (4 * n**2 * m**2) * squares(G, A)
    style_loss /= 5
    image = x["image"]
    return {
        "content": 5e0 * 1 / (2 * N**0.5 * M**0.5) * squares(F, P),
        "style": 1e4 * style_loss,
        "tv": (
            1e-3
            * (
                np.abs(image[:, 1:] - image[:, :-1]).sum()
                + np.abs(image[:, :, 1:] - image[:, :, :-1]).sum()
            )
        ),
    }


def crowsonkb(x, content, style):
    def moments(f):
        f = columns(f).astype("float64")
        mean = f.mean(axis=1)
        return mean, f @ f.T / f.shape[1] - np.outer(mean, mean)

    def root(matrix):
        values, vectors = np.linalg.eigh(matrix)
        return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T

    def wasserstein(f, s):
        (mean, C), (other, S) = moments(f), moments(s)
        between = root(root(S) @ C @ root(S))
        return np.mean((mean - other) ** 2) + np.mean(np.diag(C + S - 2 * between))

    image = x["image"] / 255  # the program's scale; its losses are those of features over 57.6
    rows, below = image[:, 1:] - image[:, :-1], image[:, :, 1:] - image[:, :, :-1]
    falling, rising = image[:, 1:, 1:] - image[:, :-1, :-1], image[:, 1:, :-1] - image[:, :-1, 1:]
    stencil = 2 * (
        np.mean(rows**2) / 3
        + np.mean(below**2) / 3
        + np.mean(falling**2) / 12
        + np.mean(rising**2) / 12
    )
    weights = np.array([256, 64, 16, 4, 1]) / 341
    scale = (255 * 0.226) ** 2
    F, P = x["relu4_2"], content["relu4_2"]
    return {
        "content": 0.015 * np.mean((F - P) ** 2),
        "style": sum(w * wasserstein(x[layer], style[layer]) for w, layer in zip(weights, RELU_1)),
        "tv": scale * 2 * stencil,
    }


PUBLISHED = {
    "crowsonkb": crowsonkb,
    "gatys_2015": gatys_2015,
    "gatys_2016": gatys_2016,
    "gatys_pytorch": gatys_pytorch,
    "keras_example": keras_example,
    "chollet_dlwp": chollet_dlwp,
    "vgg16_avgpool": vgg16_avgpool,
    "johnson_neural_style": johnson_neural_style,
    "anishathalye": anishathalye,
    "neural_style_tf": neural_style_tf,
    "deep_photo": deep_photo,
}

#: Those whose targets change from stage to stage, each with a test of its own.
BY_NEIGHBORS = ("nnst", "strotss")

#: This library's own: two losses that are each held to their formulas.
OWN = ("in_place",)


def test_every_preset_has_its_formula_here():
    assert {*PUBLISHED, *BY_NEIGHBORS, *OWN} == set(presets.NAMES)


#: The others are left to the slow tier.
QUICK = ("vgg16_avgpool",)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK)) for name in PUBLISHED],
)
def test_losses_are_the_published_ones(name):
    preset, seen = presets.get(name), []
    sides = [48, 64] if isinstance(preset["steps"], dict) else [64]
    steps = dict.fromkeys(sides, 2) if len(sides) > 1 else 2
    result = transfer(
        CONTENT,
        STYLE,
        callback=lambda intermediate_result: seen.append(intermediate_result),
        **{
            "precision": "float32",
            **preset,
            "weights": None,
            "size": 64,
            "steps": steps,
            "progress": False,
        },
    )
    layers = [*layer_weights(preset["content_layers"]), *layer_weights(preset["style_layers"])]
    extractor = feature_extractor(
        layers,
        network=preset["network"],
        weights=None,
        pooling=preset.get("pooling", "avg"),
        normalize=preset.get("normalize", False),
        padding=preset["padding"],
    )

    def features(x):
        return {layer: np.asarray(f, "float64") for layer, f in extractor(x).items()}

    targets = {
        side: [features(preprocess(load_image(image, side))) for image in (CONTENT, STYLE)]
        for side in sides
    }
    assert len(seen) == 2 * seen[-1].stages
    for step, intermediate_result in enumerate(seen):
        side = sides[min(intermediate_result.stage, len(sides)) - 1]
        shape = (1, side * 3 // 4, side, 3)
        x = features(intermediate_result.x.reshape(shape).astype("float32"))
        published = PUBLISHED[name](x, *targets[side])
        if intermediate_result.stage < len(
            np.atleast_1d(preset.get("photorealism_weight", 0))
        ):  # Luan et al.'s first stage
            published["photorealism"] = 0
        assert {term for term in result.history if term != "total"} == set(published)
        rel = 5e-4 if preset.get("statistic") == "wasserstein" else 1e-4  # eigenvalues in float32
        for term, expected in published.items():
            assert result.history[term][step] == pytest.approx(expected, rel=rel), term
        assert (
            intermediate_result.fun
            == result.history["total"][step]
            == pytest.approx(sum(published.values()), rel=rel)
        )


def nnst_columns(features, image):
    """For each of conv1_1 to conv4_3: its part of the hypercolumns, positions x channels."""
    grid = tuple(side // 4 for side in image.shape[:2])
    found = features(preprocess(image))
    parts = [half_pixel(found[layer][0], grid) for layer in NNST_LAYERS]
    return [part.reshape(-1, part.shape[-1]) / part.shape[-1] for part in parts]


def nnst_distance(f, t):
    cosine = (f * t).sum(axis=1) / np.linalg.norm(f, axis=1) / np.linalg.norm(t, axis=1)
    return np.mean(1 - cosine)


NNST_LAYERS = [f"conv{b}_{c}" for b, n in ((1, 2), (2, 2), (3, 3), (4, 3)) for c in range(1, n + 1)]


def test_nnst_is_the_published_one():
    extractor = feature_extractor(
        NNST_LAYERS, weights=None, pooling=presets.nnst["pooling"], normalize=False
    )

    def features(x):
        return {layer: np.asarray(f, "float64") for layer, f in extractor(x).items()}

    seen, sides = [], (32, 64, 64)
    options = {**presets.nnst, "size": 64, "steps": [(side, 2) for side in sides]}
    transfer(
        CONTENT,
        STYLE,
        callback=lambda here: seen.append(here),
        **{**options, "weights": None, "progress": False, "precision": "float32"},
    )
    before = None
    for stage, side in enumerate(sides):
        content, style = (load_image(image, side) for image in (CONTENT, STYLE))
        turned = [
            nnst_columns(features, np.ascontiguousarray(np.rot90(style, n))) for n in range(4)
        ]
        source = [np.concatenate(parts) for parts in zip(*turned)]
        steps = [here for here in seen if here.stage == stage + 1]
        assert len(steps) == 2
        if stage == 0:
            query = content
        else:
            width, height = content.shape[1::-1]
            first = np.asarray(resize(before, (width, height)), float)
            smaller = np.asarray(
                resize(resize(content, (width // 2, height // 2)), (width, height))
            )
            detailed = first + content - smaller.astype(float)
            query = np.clip(np.rint(0.25 * detailed + 0.75 * content), 0, 255).astype("uint8")
        for here in steps:
            x = deprocess(here.x, here.shape)
            own = {layer: f[0] for layer, f in features(here.x.reshape(here.shape)).items()}
            grid = tuple(n // 4 for n in x.shape[:2])
            parts = [half_pixel(own[layer], grid) for layer in NNST_LAYERS]
            parts = [part.reshape(-1, part.shape[-1]) / part.shape[-1] for part in parts]
            if stage < 2:
                looking = np.concatenate(nnst_columns(features, query), 1)
                there = np.concatenate(source, 1)
                target = there[nearest_by_cosine(looking, there)]
                expected = nnst_distance(np.concatenate(parts, 1), target)
            else:
                looking = nnst_columns(features, before)
                expected = np.mean(
                    [
                        nnst_distance(part, s[nearest_by_cosine(q, s)])
                        for part, q, s in zip(parts, looking, source)
                    ]
                )
            assert here.fun == pytest.approx(expected, rel=2e-3)
        before = x


STROTSS_LAYERS = [
    f"conv{name}" for name in ("1_1", "1_2", "2_1", "2_2", "3_1", "3_2", "3_3", "4_3", "5_3")
]


def strotss_columns(extractor, x, grid):
    """The pixels' and layers' means over the cells of a grid, or half-pixel bilinear values of
    coarser layers, n x 2179; and the colors in Y' C_B C_R, n x 3.
    """
    features = {name: np.asarray(f, "float64")[0] for name, f in extractor(x).items()}
    parts = []
    for name in (*STROTSS_LAYERS, "image"):
        f = features[name]
        cell = f.shape[0] // grid[0], f.shape[1] // grid[1]
        if min(cell) >= 1:
            f = f[: grid[0] * cell[0], : grid[1] * cell[1]]
            f = f.reshape(grid[0], cell[0], grid[1], cell[1], -1).mean(axis=(1, 3))
        else:
            f = half_pixel(f, grid)
        parts.append(f.reshape(-1, f.shape[-1]))
    bgr = (parts[-1] + [103.939, 116.779, 123.68]) / 255
    blue, green, red = bgr.T
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    ycc = np.stack([luma, (blue - luma) / 1.772, (red - luma) / 1.402], axis=1)
    return np.concatenate(parts, axis=1) / 57.4, ycc


def strotss(a, hues, content, style, style_hues, alpha):
    def cosine(x, y):
        lengths = np.linalg.norm(x, axis=1)[:, None] * np.linalg.norm(y, axis=1)
        return 1 - x @ y.T / lengths

    def relaxed(C):
        return max(C.min(axis=1).mean(), C.min(axis=0).mean())

    def similar(x):
        D = cosine(x, x)
        return D / D.sum(axis=0)

    d = a.shape[1]
    mean = np.abs(a.mean(axis=0) - style.mean(axis=0)).sum() / d
    covariance = np.abs(np.cov(a.T, bias=True) - np.cov(style.T, bias=True)).sum() / d**2
    kept = len(a) * np.mean(np.abs(similar(a) - similar(content)))
    colors = relaxed(np.linalg.norm(hues[:, None] - style_hues[None], axis=2))
    total = alpha * kept + mean + covariance + relaxed(cosine(a, style)) + colors / alpha
    return total / (2 + alpha + 1 / alpha)


def test_strotss_is_the_published_one():
    options = {**presets.strotss, "size": 64, "steps": {32: 2, 64: 2}}
    extractor = feature_extractor(STROTSS_LAYERS, weights=None, pooling="max", normalize=False)
    seen = []
    transfer(
        CONTENT,
        STYLE,
        callback=lambda here: seen.append(here),
        **{**options, "weights": None, "progress": False, "precision": "float32"},
    )
    assert len(seen) == 4
    for here in seen:
        side = max(here.shape[1:3])
        grid = tuple(n // 4 for n in here.shape[1:3])
        content, style, a = (
            strotss_columns(extractor, x, grid)
            for x in (
                *(preprocess(load_image(image, side)) for image in (CONTENT, STYLE)),
                here.x.reshape(here.shape).astype("float32"),
            )
        )
        expected = strotss(*a, content[0], *style, alpha=2 * 64 / side)
        assert here.fun == pytest.approx(expected, rel=2e-3)


def test_the_rest_of_each_preset():
    for name, normalize, init in (("gatys_2015", False, "noise"), ("gatys_2016", True, "content")):
        preset = presets.get(name)
        assert (preset["network"], preset["pooling"]) == ("vgg19", "avg")
        assert (preset["normalize"], preset["init"], preset["steps"]) == (normalize, init, 500)
    later = presets.gatys_pytorch
    assert (later["network"], later["pooling"], later["normalize"], later["init"]) == (
        "vgg19",
        "max",
        False,
        "content",
    )
    # 500 evaluations with a shorter side of 512 pixels, 200 with 800, on a 4:3 photo
    assert {round(side * 3 / 4): steps for side, steps in later["steps"].items()} == {
        512: 500,
        800: 200,
    }
    assert (
        presets.anishathalye["optimizer"] == "adam" and presets.anishathalye["learning_rate"] == 10
    )
    assert presets.keras_example["pooling"] == "max" and presets.keras_example["steps"] == 10 * 20
    assert presets.vgg16_avgpool["noise_std"] == 1 and presets.vgg16_avgpool["steps"] == 30 * 20
    assert presets.neural_style_tf["init"] == presets.chollet_dlwp["init"] == "content"
    assert (
        presets.deep_photo["photorealism_weight"][0] == 0
        and len(presets.deep_photo["photorealism_weight"]) == 2
    )
    crowson = presets.crowsonkb
    sizes = list(crowson["steps"])
    assert [round(512 / 2 ** (n / 2)) for n in range(4, -1, -1)] == sizes
    assert sum(crowson["style_layers"].values()) == pytest.approx(1)
    for name in {*presets.NAMES} - {*OWN}:
        assert presets.get(name)["start_size"] is None, f"{name}: one size, as published"


def test_in_place_is_neighbors_beside_the_default_style():
    """Its terms and weights, and no other; what each computes is tested where it is written."""
    preset = {**presets.in_place, "size": 64, "steps": [(32, 1), (64, 1)]}
    assert preset["terms"] == [Neighbors(weight=5.0)]
    defaults = {name: p.default for name, p in inspect.signature(transfer).parameters.items()}
    changed = {name for name, value in presets.in_place.items() if value != defaults[name]}
    assert changed == {"content_weight", "style_weight", "terms"}
    result = transfer(CONTENT, STYLE, **{**preset, "weights": None, "progress": False})
    assert set(result.history) == {"total", "style", "neighbors", "tv"}


def test_an_unknown_preset_lists_the_known():
    with pytest.raises(ValueError, match="gatys_2016.*Received: 'gatys_2017'"):
        presets.get("gatys_2017")
