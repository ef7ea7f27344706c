"""Doors: what one adds to a run from outside the package, by public names alone."""

from dataclasses import dataclass
from functools import partial

import keras
import numpy as np
import pytest
from helpers import picture
from keras import ops

import neural_style
from neural_style import (
    Evaluator,
    arguments_of,
    read_record,
    stylize_video,
    train_transform_net,
    transfer,
)
from neural_style.losses import Statistic
from neural_style.losses.loss import Loss
from neural_style.losses.regularizers import total_variation_loss
from neural_style.optimize.status import Outcome, Status
from neural_style.optimize.tiled_evaluator import TiledEvaluator
from neural_style.optimize.tiling import Tiling
from neural_style.provenance.objects import described, made_again

CONTENT, STYLE = picture(48, 64, 1), picture(60, 45, 2)


@pytest.fixture(scope="module")
def own():
    """A small network of one's own, with named outputs."""
    inputs = keras.Input((None, None, 3))
    initial = partial(keras.initializers.RandomNormal, stddev=0.05)
    x = a = keras.layers.Conv2D(6, 3, padding="same", kernel_initializer=initial(seed=1))(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = b = keras.layers.ReLU()(x)
    x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.Conv2D(
        8, 3, padding="same", dilation_rate=2, kernel_initializer=initial(seed=2)
    )(x)
    c = keras.layers.LeakyReLU()(keras.layers.Add()([x, keras.layers.Dropout(0.5)(x)]))
    flat = keras.layers.GlobalAveragePooling2D()(c)
    return keras.Model(inputs, {"first": a, "fine": b, "coarse": c, "vector": flat}, name="mine")


@pytest.fixture
def quick(own):
    return {
        "network": own,
        "content_layers": ["coarse"],
        "style_layers": ["fine", "coarse"],
        "size": 64,
        "start_size": 32,
        "steps": 3,
        "progress": False,
    }


# ---- (a) a regularizer


@dataclass(frozen=True)
class Symmetry:
    """How far the picture is from its mirror image: a regularizer of one's own in 12 lines."""

    weight: float = 1e-3
    name = "symmetry"
    layers = ()

    def loss(self, stage):
        def energy(x):  # 1 x H x W x 3
            return ops.mean(ops.square(x - ops.flip(x, axis=2)))

        return Loss({"image": energy}, lambda sums: sums["image"], scope="image")


@dataclass(frozen=True)
class Calm:
    """Holds a layer's features down, in tiles too."""

    weight: float = 1e-4
    layers: tuple = ("coarse",)
    name = "calm"

    def loss(self, stage):
        positions = np.prod(stage.features(stage.content, self.layers)["coarse"].shape)
        return Loss(
            {"coarse": lambda f: ops.sum(ops.square(f))},
            lambda sums: sums["coarse"] / float(positions),
        )


def asymmetry(image):
    pixels = np.asarray(image, "float64")
    return np.mean(np.square(pixels - pixels[:, ::-1]))


def test_a_regularizer_works_from_coarse_to_fine(quick):
    plain = transfer(CONTENT, STYLE, **quick)
    seen = []
    mirrored = transfer(
        CONTENT, STYLE, terms=[Symmetry(1.0)], callback=lambda r: seen.append(r), **quick
    )
    assert set(mirrored.history) == {"total", "content", "style", "tv", "symmetry"}
    assert len(mirrored.history["symmetry"]) == 9 and min(mirrored.history["symmetry"]) > 0
    assert asymmetry(mirrored.image) < 0.2 * asymmetry(plain.image)
    last = seen[-1]
    assert last.terms["symmetry"] == pytest.approx(asymmetry(last.x.reshape(48, 64, 3)), rel=1e-4)
    assert sum(last.terms.values()) == pytest.approx(last.fun, rel=1e-5)


@pytest.mark.slow
def test_a_regularizer_is_in_the_progress_bar_and_the_preview(quick, capsys):
    pytest.importorskip("matplotlib")
    from neural_style.plotting import preview

    seen = []
    transfer(
        CONTENT,
        STYLE,
        terms=[Symmetry()],
        callback=lambda r: seen.append(preview(r.image, r.history, "")),
        **{**quick, "progress": True, "steps": 1},
    )
    assert "symmetry" in capsys.readouterr().out
    labels = [text.get_text() for text in seen[-1].axes[1].get_legend().get_texts()]
    assert "symmetry" in labels


@pytest.mark.slow
@pytest.mark.parametrize("term", [Symmetry(1.0), Calm()], ids=["image", "layer"])
def test_a_regularizer_works_in_tiles(quick, term):
    quick = {**quick, "start_size": None, "size": 128, "steps": 1}
    content = picture(96, 128, 1)
    whole = transfer(content, STYLE, terms=[term], tile=None, **quick)
    tiled = transfer(content, STYLE, terms=[term], tile=48, **quick)
    for name, values in whole.history.items():
        np.testing.assert_allclose(tiled.history[name], values, rtol=2e-4, err_msg=name)


@pytest.mark.slow
def test_a_regularizer_goes_through_a_checkpoint(quick, tmp_path):
    path = tmp_path / "run.npz"

    def stop(here):
        if here.step == 4:
            raise StopIteration

    options = {**quick, "terms": [Symmetry()], "checkpoint": path}
    stopped = transfer(CONTENT, STYLE, callback=stop, **options)
    assert stopped.status is Status.STOPPED and len(stopped.history["symmetry"]) == 4
    with pytest.raises(ValueError, match="another setting terms"):
        transfer(CONTENT, STYLE, **{**options, "terms": [Symmetry(2e-3)]})
    with pytest.raises(ValueError, match="another setting terms"):
        transfer(CONTENT, STYLE, **{**options, "terms": ()})
    resumed = transfer(CONTENT, STYLE, **options)
    assert resumed.history["symmetry"][:4] == stopped.history["symmetry"]
    assert len(resumed.history["symmetry"]) == 9 and resumed.status is Status.DONE


@pytest.mark.slow
def test_a_regularizer_is_in_the_record_and_made_again(quick, tmp_path, monkeypatch):
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    Image.fromarray(CONTENT).save("photo.png")
    Image.fromarray(STYLE).save("art.png")
    plain = {**quick, "network": "vgg16", "weights": None, "content_layers": ["conv1_2"]}
    plain = {**plain, "style_layers": ["conv1_1"], "terms": [Symmetry(0.5)]}
    first = transfer("photo.png", "art.png", **plain)
    first.save("out.png")
    [described] = read_record("out.png")["settings"]["terms"]
    assert described == {"class": f"{__name__}.Symmetry", "arguments": {"weight": 0.5}}
    again = arguments_of("out.png")
    assert again["terms"] == [Symmetry(0.5)]
    np.testing.assert_array_equal(
        np.asarray(transfer(**again, progress=False).image), np.asarray(first.image)
    )
    assert arguments_of("out.png", terms=[Symmetry(2.0)])["terms"] == [Symmetry(2.0)]
    record = read_record("out.png")
    record["settings"]["terms"][0]["class"] = "nowhere.Symmetry"
    with pytest.raises(ValueError, match=r"import nowhere first.*arguments_of\(record, terms="):
        arguments_of(record)
    record["settings"]["terms"][0]["class"] = "os.system"
    with pytest.raises(ValueError, match="no such dataclass"):
        arguments_of(record)


@pytest.mark.slow
def test_a_regularizer_works_in_films(quick, tmp_path):
    pytest.importorskip("av")
    frames = [CONTENT[:32, i : i + 48] for i in (0, 2, 4)]
    neural_style.video.write_video(frames, tmp_path / "film.mp4", 10)
    options = {**quick, "size": 48, "start_size": None, "progress": False}
    mirrored = []
    for terms in ((), [Symmetry(1.0)]):
        out = tmp_path / f"out{len(terms)}.mp4"
        stylize_video(
            tmp_path / "film.mp4", STYLE, out, method="independent", terms=terms, **options
        )
        mirrored.append(
            np.mean([asymmetry(frame) for _, frame in neural_style.video.read_frames(out)])
        )
    assert mirrored[1] < 0.3 * mirrored[0]


@pytest.mark.slow
def test_a_regularizer_works_in_training(tmp_path):
    from PIL import Image

    for number in range(4):
        Image.fromarray(picture(64, 64, number)).save(tmp_path / f"{number}.png")
    net = train_transform_net(
        STYLE,
        tmp_path,
        width=4,
        residual_blocks=1,
        crop=32,
        batch_size=2,
        steps=2,
        style_size=64,
        weights=None,
        content_layers=["conv1_2"],
        style_layers=["conv1_1"],
        terms=[Symmetry(1e-3)],
        progress=False,
    )
    assert net.record["losses"]["symmetry"] > 0
    assert net.record["settings"]["terms"][0]["class"] == f"{__name__}.Symmetry"


@pytest.mark.parametrize(
    "term,error,words",
    [
        (3, TypeError, "a term must be an object"),
        (Symmetry, TypeError, "a term must be an object"),
        (Symmetry(0.0), ValueError, "weight of the term 'symmetry'.*above 0.*0.0"),
        (Symmetry("much"), ValueError, "weight of the term 'symmetry'"),
        (Calm(layers=("conv9",)), ValueError, "no output 'conv9'"),
        (Calm(layers="coarse"), TypeError, "layers of the term 'calm'"),
    ],
)
def test_bad_terms(quick, term, error, words):
    with pytest.raises(error, match=words):
        transfer(CONTENT, STYLE, terms=[term], **quick)


def test_names_of_terms_are_their_own(quick):
    with pytest.raises(ValueError, match="must be its own.*'symmetry'"):
        transfer(CONTENT, STYLE, terms=[Symmetry(), Symmetry()], **quick)

    @dataclass(frozen=True)
    class Content(Symmetry):
        name = "content"

    with pytest.raises(ValueError, match="must be its own.*'content'"):
        transfer(CONTENT, STYLE, terms=[Content()], **quick)

    @dataclass(frozen=True)
    class Number(Symmetry):
        def loss(self, stage):
            return 3.0

    with pytest.raises(TypeError, match=r"'symmetry' must return .*Loss. Received: float"):
        transfer(CONTENT, STYLE, terms=[Number()], **quick)


# ---- (b) a style statistic


@dataclass(frozen=True)
class ThirdMoments:
    """Mean and third moment of each channel."""

    power: int = 3

    def sums(self, f, m):
        mf = f if m is None else m * f
        return {
            "sum": ops.sum(mf, axis=(1, 2)),
            "cubes": ops.sum(mf * f ** (self.power - 1), axis=(1, 2)),
        }

    def describe(self, means):
        return {
            "mean": means["sum"],
            "cubes": ops.sign(means["cubes"]) * ops.sqrt(ops.abs(means["cubes"]) + 1e-6),
        }

    def distance(self, a, b):
        return sum(ops.sum(ops.square(a[key] - b[key])) for key in b)


@pytest.mark.slow
def test_a_style_statistic_with_masks(quick):
    left = np.zeros((48, 64))
    left[:, :32] = 1
    result = transfer(
        CONTENT, [STYLE, CONTENT], masks=[left, 1 - left], statistic=ThirdMoments(), **quick
    )
    assert result.history["style"][-1] < result.history["style"][6]
    assert result.record["settings"]["statistic"] == {
        "class": f"{__name__}.ThirdMoments",
        "arguments": {"power": 3},
    }


@pytest.mark.slow
def test_a_style_statistic_in_tiles(quick):
    quick = {**quick, "start_size": None, "size": 128, "steps": 1}
    content = picture(96, 128, 1)
    whole, tiled = (
        transfer(content, STYLE, statistic=ThirdMoments(), tile=tile, **quick)
        for tile in (None, 48)
    )
    np.testing.assert_allclose(tiled.history["style"], whole.history["style"], rtol=2e-4)


def test_a_statistic_made_of_functions_is_told_and_must_be_given_again(quick):
    third = ThirdMoments()
    statistic = Statistic(third.sums, third.describe, third.distance)
    result = transfer(CONTENT, STYLE, statistic=statistic, **{**quick, "steps": 1})
    told = result.record["settings"]["statistic"]
    assert told["arguments"]["sums"]["function"].endswith("ThirdMoments.sums")
    with pytest.raises(ValueError, match=r"give the object: arguments_of\(record, statistic="):
        made_again("statistic", told)


def test_a_picture_in_a_term_is_told_by_its_digest():
    """So that a checkpoint of another picture is another run's."""

    @dataclass(frozen=True)
    class Towards(Symmetry):
        image: object = None

    one, other = (described(Towards(image=picture(4, 4, seed))) for seed in (1, 2))
    assert len(one["arguments"]["image"]["sha256"]) == 64 and one != other
    with pytest.raises(ValueError, match="no such dataclass|cannot make again"):
        made_again("terms", [one])


def test_bad_statistics(quick):
    for statistic in (ThirdMoments, 3, object()):
        with pytest.raises(TypeError, match="statistic must be one of"):
            transfer(CONTENT, STYLE, statistic=statistic, **quick)
    with pytest.raises(ValueError, match="supports only scale='relative' or 'mean'"):
        transfer(CONTENT, STYLE, statistic=ThirdMoments(), scale="paper", **quick)


# ---- (c) an optimizer


@pytest.mark.slow
@pytest.mark.parametrize("kind", [keras.optimizers.Adam, keras.optimizers.Lion])
def test_an_optimizer_of_keras(quick, kind):
    optimizer = kind(5.0)
    quick = {**quick, "steps": 12, "start_size": None}
    results = [transfer(CONTENT, STYLE, optimizer=optimizer, **quick) for _ in range(2)]
    np.testing.assert_array_equal(*(np.asarray(result.image) for result in results))
    assert min(results[0].history["total"]) < results[0].history["total"][0]
    described = results[0].record["settings"]["optimizer"]
    assert described["class"] == f"keras.optimizers.{kind.__name__}"
    assert described["arguments"]["learning_rate"] == 5.0


@pytest.mark.slow
def test_adam_of_ones_own_is_the_adam_of_that_name(quick):
    named = transfer(CONTENT, STYLE, optimizer="adam", learning_rate=5.0, **quick)
    own = transfer(CONTENT, STYLE, optimizer=keras.optimizers.Adam(5.0), **quick)
    np.testing.assert_array_equal(np.asarray(named.image), np.asarray(own.image))


def test_an_optimizer_is_made_again(quick, tmp_path):
    again = made_again("optimizer", described(keras.optimizers.Lion(3.0, beta_1=0.8)))
    assert isinstance(again, keras.optimizers.Lion)
    assert (float(again.learning_rate), again.beta_1) == (3.0, 0.8)


def descend(evaluator, x, steps, bounds, callback):
    """Plain gradient descent, as a function."""
    from scipy.optimize import OptimizeResult

    x = np.array(x, "float64").ravel()
    for _ in range(steps):
        loss, grad = evaluator(x)
        callback(OptimizeResult(x=x.copy(), fun=loss))
        x = x - 8 * grad / abs(grad).max()
    return x, Outcome(Status.CONVERGED, "down the slope")


@pytest.mark.slow
def test_a_function_optimizes(quick):
    result = transfer(CONTENT, STYLE, optimizer=descend, **{**quick, "start_size": None})
    assert (result.status, result.message) == (Status.CONVERGED, "down the slope")
    assert result.history["total"][-1] < result.history["total"][0]
    plain = transfer(
        CONTENT, STYLE, optimizer=lambda *given: descend(*given)[0], **{**quick, "steps": 1}
    )
    assert plain.status is Status.DONE
    assert result.record["settings"]["optimizer"] == {"function": f"{__name__}.descend"}
    with pytest.raises(ValueError, match=r"give it: arguments_of\(record, optimizer="):
        arguments_of({**result.record, "content": None, "style": None}, network=quick["network"])


@pytest.mark.parametrize(
    "signal,status", [(StopIteration, Status.STOPPED), (KeyboardInterrupt, Status.INTERRUPTED)]
)
def test_a_function_that_is_ended_keeps_the_best_picture_so_far(quick, signal, status):
    pictures = []

    def end(here):
        pictures.append((here.fun, here.image))
        if here.step == 5:  # in the second stage
            raise signal

    options = {**quick, "steps": {32: 3, 64: 2}}
    result = transfer(CONTENT, STYLE, optimizer=descend, callback=end, **options)
    assert result.status is status and len(pictures) == 5
    assert result.image.size == (64, 48)
    best = min(pictures[3:], key=lambda pair: pair[0])[1]
    np.testing.assert_array_equal(np.asarray(result.image), best)


def test_bad_optimizers(quick):
    for optimizer, error, words in (
        ("newton", ValueError, "optimizer must be one of"),
        (3, TypeError, "optimizer must be one of"),
        (keras.optimizers.Adam, TypeError, r"must be an instance, such as Adam\(\)"),
        (lambda *given: np.zeros(5), TypeError, "must return x, 2304 numbers"),
    ):
        with pytest.raises(error, match=words):
            transfer(CONTENT, STYLE, optimizer=optimizer, **quick)
    with pytest.raises(ValueError, match="learning_rate goes with"):
        transfer(CONTENT, STYLE, optimizer=keras.optimizers.Adam(), learning_rate=1.0, **quick)


# ---- (d) a color mode


@dataclass(frozen=True)
class Warm:
    """The result a little redder, the style as it is, the content in gray."""

    red: int = 20

    def style(self, style, content):
        return style

    def content(self, content):
        return np.repeat(content.mean(axis=-1, keepdims=True), 3, axis=-1).astype("uint8")

    def result(self, picture, content):
        shifted = picture.astype("float32") + np.array([self.red, 0, 0], "float32")
        return np.clip(shifted, 0, 255).astype(picture.dtype)


@pytest.mark.slow
def test_a_color_mode(quick):
    plain, warm = (
        np.asarray(transfer(Warm().content(CONTENT), STYLE, preserve_color=mode, **quick).image)
        for mode in (None, Warm(10))
    )
    np.testing.assert_array_equal(warm[..., 1:], plain[..., 1:])
    np.testing.assert_array_equal(warm[..., 0], np.minimum(plain[..., 0].astype(int) + 10, 255))
    with pytest.raises(ValueError, match="preserve_color must be None, one of"):
        transfer(CONTENT, STYLE, preserve_color=Symmetry(), **quick)


# ---- (e) a network


def test_a_network_of_ones_own_from_coarse_to_fine(quick, own):
    result = transfer(CONTENT, STYLE, **quick)
    assert result.history["total"][-1] < result.history["total"][6]
    assert result.record["settings"]["network"] == {"model": "mine"}
    assert result.record["weights"]["source"] == "model"
    with pytest.raises(ValueError, match=r"give it: arguments_of\(record, network="):
        arguments_of({**result.record, "content": None, "style": None})
    again = arguments_of({**result.record}, content=CONTENT, style=STYLE, network=own)
    np.testing.assert_array_equal(
        np.asarray(transfer(**again, progress=False).image), np.asarray(result.image)
    )


@pytest.mark.slow
def test_tiles_of_a_network_of_ones_own_are_exact(own):
    """Strides and halo are found from its layers: the gradient in tiles is the whole one's."""
    from neural_style.losses.content import content_loss
    from neural_style.losses.style import style_loss
    from neural_style.vgg.feature_network import FeatureNetwork

    layers = ["fine", "coarse"]
    network = FeatureNetwork(own)
    assert network.receptive_fields(layers) == {"fine": (1, 1), "coarse": (2, 6)}
    extractor = network.extractor(layers, network.parameters())
    x = neural_style.preprocess(picture(90, 130, 3))
    target = {name: np.asarray(f) for name, f in extractor(x[:, ::-1]).items()}
    losses = {
        "content": content_loss({"coarse": target["coarse"]}, ["coarse"]),
        "style": style_loss(target, layers),
    }
    weights = {"content": 1.0, "style": 10.0}
    whole = Evaluator(extractor, losses, weights, x.shape)
    tiled = TiledEvaluator(
        extractor, losses, weights, x.shape, Tiling(48, *network.geometry(layers))
    )
    (loss, grad), (tiled_loss, tiled_grad) = whole(x), tiled(x)
    assert tiled_loss == pytest.approx(loss, rel=1e-5)
    np.testing.assert_allclose(tiled_grad, grad, atol=1e-4 * abs(grad).max())


def strided(padding="same"):
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, padding=padding, activation="relu")(inputs)
    return keras.Model(inputs, {"half": x}, name="strided")


@pytest.mark.slow
def test_a_network_that_cannot_be_cut_says_why(quick):
    quick = {**quick, "content_layers": ["half"], "style_layers": ["half"], "start_size": None}
    even, odd = picture(96, 128, 1), picture(97, 129, 1)
    small = {**quick, "network": strided(), "steps": 1}
    whole, tiled = (
        transfer(even, STYLE, tile=tile, **{**small, "size": 128}) for tile in (None, 48)
    )
    np.testing.assert_allclose(tiled.history["total"], whole.history["total"], rtol=1e-4)
    with pytest.raises(ValueError, match="multiples of 2.*Received: 129 x 97"):
        transfer(odd, STYLE, tile=48, **{**small, "size": 129})
    assert transfer(odd, STYLE, **{**small, "size": 129}).image.size == (129, 97)
    valid = {**quick, "network": strided("valid"), "steps": 1}
    with pytest.raises(ValueError, match="must have padding='same'. Received: padding='valid'"):
        transfer(even, STYLE, tile=48, **{**valid, "size": 128})
    assert transfer(even, STYLE, **{**valid, "size": 128}).image.size == (128, 96)


def test_bad_networks(quick, own):
    nameless = keras.Model(own.input, own.output["fine"])
    inputs = keras.Input((64, 64, 3))
    fixed = keras.Model(inputs, {"fine": keras.layers.Conv2D(3, 3, padding="same")(inputs)})
    for network, words in (
        (nameless, "keras.Model with named outputs"),
        (fixed, "pictures of any size"),
        (3, "network must be"),
    ):
        with pytest.raises(TypeError, match=words):
            transfer(CONTENT, STYLE, **{**quick, "network": network})
    for options, words in (
        ({"style_layers": ["conv1_1"]}, "has no output 'conv1_1'.*It has first, fine, coarse"),
        ({"style_layers": ["vector"]}, "has no output 'vector'"),
        ({"pooling": "max"}, "pooling is for network='vgg16'"),
        ({"normalize": True}, "normalize is for network='vgg16'"),
    ):
        with pytest.raises(ValueError, match=words):
            transfer(CONTENT, STYLE, **{**quick, **options})


# ---- (f) sums of losses


def test_losses_are_weighted_and_added(own):
    from neural_style.losses.content import content_loss
    from neural_style.losses.style import style_loss
    from neural_style.vgg.feature_network import FeatureNetwork

    layers = ["fine", "coarse"]
    network = FeatureNetwork(own)
    extractor = network.extractor(layers, network.parameters())
    x = neural_style.preprocess(picture(96, 128, 3))
    target = {name: np.asarray(f) for name, f in extractor(x[:, ::-1]).items()}
    a = content_loss({"coarse": target["coarse"]}, ["coarse"])
    b = style_loss(target, layers)
    mirror = Symmetry().loss(None)
    mixed = 0.3 * a + 0.7 * b + mirror * 1e-4 + 1e-5 * total_variation_loss()
    features = extractor(x)
    expected = (
        0.3 * float(a(features))
        + 0.7 * float(b(features))
        + 1e-4 * float(mirror(features))
        + 1e-5 * float(total_variation_loss()(features))
    )
    assert float(mixed(features)) == pytest.approx(expected, rel=1e-5)
    assert float(sum([a, b])(features)) == pytest.approx(
        float(a(features)) + float(b(features)), rel=1e-5
    )
    assert float((0.5 * (a + b))(features)) == pytest.approx(
        0.5 * (float(a(features)) + float(b(features))), rel=1e-5
    )
    whole = Evaluator(extractor, {"mixed": mixed}, {"mixed": 2.0}, x.shape)
    tiled = TiledEvaluator(
        extractor, {"mixed": mixed}, {"mixed": 2.0}, x.shape, Tiling(48, *network.geometry(layers))
    )
    (loss, grad), (tiled_loss, tiled_grad) = whole(x), tiled(x)
    assert loss == pytest.approx(2 * expected, rel=1e-5)
    assert tiled_loss == pytest.approx(loss, rel=1e-5) and set(tiled.terms) == {"mixed"}
    np.testing.assert_allclose(tiled_grad, grad, atol=1e-4 * abs(grad).max())
    with pytest.raises(TypeError):
        a + 3
    with pytest.raises(TypeError):
        "much" * a


def test_a_record_makes_nothing_but_what_its_setting_asks_for(tmp_path):
    """A record may come from a stranger: no other dataclass of this process is called."""
    folder = str(tmp_path / "made")
    forged = {
        "class": "neural_style.iterative.callbacks.SaveEvery",
        "arguments": {"steps": 1, "folder": folder},
    }
    for setting in ("terms", "optimizer", "statistic", "preserve_color", "network"):
        with pytest.raises(ValueError, match="no such dataclass"):
            made_again(setting, forged)
    with pytest.raises(ValueError, match="not one of keras.optimizers"):
        made_again("optimizer", {"class": "keras.optimizers.deserialize", "arguments": {}})
    assert not (tmp_path / "made").exists()


def test_losses_that_cannot_be_right_are_told(quick):
    """A layer that was not asked for, more than one number, an unknown scope."""

    def run(sums, value=lambda sums: sums["image"]):
        class Wrong:
            name, weight, layers = "symmetry", 1.0, ()

            def loss(self, stage):
                return Loss(sums, value)

        return transfer(CONTENT, STYLE, terms=[Wrong()], **quick)

    with pytest.raises(ValueError, match="'symmetry' needs the layers first.*among its `layers`"):
        run(sums={"first": ops.sum}, value=lambda sums: sums["first"])
    with pytest.raises(TypeError, match=r"'symmetry' must be one number. Received: shape \(1, 24"):
        run(sums={"image": lambda x: x})
    with pytest.raises(TypeError, match="'symmetry' must be one number. Received: dict"):
        run(sums={"image": ops.sum}, value=lambda sums: sums)
    with pytest.raises(ValueError, match="scope must be one of.*Received: scope='all'"):
        Loss({"image": ops.sum}, lambda sums: sums["image"], scope="all")


def test_a_term_that_is_no_dataclass_is_a_warning(quick, caplog):
    class Bare:
        name, weight, layers = "bare", 1.0, ()
        loss = Symmetry().loss

    transfer(CONTENT, STYLE, terms=[Bare()], **{**quick, "steps": 1, "start_size": None})
    assert "Bare is no dataclass: the record of this run cannot make it again" in caplog.text


def test_the_packages_own_objects_are_made_again_in_a_new_process(tmp_path):
    import subprocess
    import sys

    code = (
        "from neural_style.provenance.objects import described, made_again\n"
        "told = {'class': 'neural_style.images.color_modes.Match', 'arguments': {'form': 'cholesky'}}\n"
        "print(made_again('preserve_color', told))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "Match(form='cholesky')", done.stderr
    with pytest.raises(ValueError, match="written in a script or a notebook; give the object"):
        made_again("terms", {"class": "__main__.Own", "arguments": {"weight": 1.0}})
