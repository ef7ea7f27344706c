"""Each preset against the formula its source publishes, written out in NumPy on the features that
the network gives.

Non-square pictures; content and style image of one size, since that is where the published formulas
are defined.
"""

import numpy as np
import pytest
from helpers import picture

from neural_style import feature_extractor, load_image, preprocess, presets, transfer
from neural_style.images.filters import matting_laplacian
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


PUBLISHED = {
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


def test_every_preset_has_its_formula_here():
    assert set(PUBLISHED) == set(presets.NAMES)


#: The others are left to the slow tier.
QUICK = ("vgg16_avgpool",)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK)) for name in presets.NAMES],
)
def test_losses_are_the_published_ones(name):
    preset, seen = presets.get(name), []
    sides = [48, 64] if isinstance(preset["steps"], dict) else [64]
    steps = dict.fromkeys(sides, 2) if len(sides) > 1 else 2
    result = transfer(
        CONTENT,
        STYLE,
        callback=lambda intermediate_result: seen.append(intermediate_result),
        **{**preset, "weights": None, "size": 64, "steps": steps, "progress": False},
    )
    layers = [*layer_weights(preset["content_layers"]), *layer_weights(preset["style_layers"])]
    extractor = feature_extractor(
        layers,
        network=preset["network"],
        weights=None,
        pooling=preset.get("pooling", "avg"),
        normalize=preset.get("normalize", False),
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
        for term, expected in published.items():
            assert result.history[term][step] == pytest.approx(expected, rel=1e-4), term
        assert (
            intermediate_result.fun
            == result.history["total"][step]
            == pytest.approx(sum(published.values()), rel=1e-4)
        )


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
    for name in presets.NAMES:
        assert presets.get(name)["start_size"] is None, f"{name}: one size, as published"


def test_an_unknown_preset_lists_the_known():
    with pytest.raises(ValueError, match="gatys_2016.*Received: 'gatys_2017'"):
        presets.get("gatys_2017")
