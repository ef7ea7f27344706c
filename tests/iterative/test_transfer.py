"""transfer() end to end, small: on random weights where only the machinery counts, on real ones
where the result does.
"""

import sys

import numpy as np
import pytest
from helpers import picture, random_weights
from PIL import Image

from neural_style import TransferResult, deprocess, load_image, read_record, stylize, transfer
from neural_style.images import match_color
from neural_style.images.color_modes import color_mode
from neural_style.iterative import start
from neural_style.iterative.inputs import INITS
from neural_style.iterative.schedule import schedule
from neural_style.vgg import feature_network

pytest_plugins = ["one_pass_fixtures"]

module = sys.modules["neural_style.iterative.stage"]
CONTENT, STYLE = picture(48, 64, 1), picture(60, 45, 2)
QUICK = {
    "weights": random_weights(),
    "size": 64,
    "start_size": None,
    "steps": 3,
    "content_layers": ["conv2_2"],
    "style_layers": ["conv1_1", "conv2_1"],
    "progress": False,
}


@pytest.fixture(
    scope="module", params=["random", pytest.param("torchvision", marks=pytest.mark.network)]
)
def parameters(request):
    """The weights of `result`."""
    return random_weights() if request.param == "random" else request.param


@pytest.fixture(scope="module")
def result(parameters):
    return transfer(
        CONTENT, STYLE, weights=parameters, size=64, start_size=32, steps=8, progress=False
    )


def test_result(result, tmp_path):
    assert isinstance(result, TransferResult) and isinstance(result.image, Image.Image)
    assert (
        result.image.size == (64, 48) and result.message == "all steps done" and result.seconds > 0
    )
    assert set(result.history) == {"total", "content", "style", "tv"}
    assert {len(values) for values in result.history.values()} == {16 + 8}  # two stages
    for total, *terms in zip(*result.history.values()):
        assert sum(terms) == pytest.approx(total, rel=1e-5)
    assert result.settings["size"] == 64 and result.settings["style_weight"] > 0
    result.save(tmp_path / "out.png")
    np.testing.assert_array_equal(load_image(tmp_path / "out.png"), np.asarray(result.image))
    assert result._repr_jpeg_()[:2] == b"\xff\xd8"


def test_the_loss_falls(result):
    for stage in (slice(0, 16), slice(16, None)):
        total = result.history["total"][stage]
        assert total[-1] < total[0]
    assert result.history["style"][-1] < 0.5 * result.history["style"][0]


@pytest.mark.slow
def test_same_seed_same_bytes_and_another_seed_another_picture():
    a, b, c = (
        np.asarray(transfer(CONTENT, STYLE, init="noise", seed=seed, **QUICK).image)
        for seed in (7, 7, 8)
    )
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()


@pytest.mark.slow
def test_default_settings_give_the_same_bytes_twice(result, parameters):
    again = transfer(
        CONTENT, STYLE, weights=parameters, size=64, start_size=32, steps=8, progress=False
    )
    assert again.image.tobytes() == result.image.tobytes()


PLAIN = [name for name in INITS if name != "one_pass"]


@pytest.mark.parametrize("init", [*PLAIN, CONTENT[::-1]], ids=[*PLAIN, "picture"])
def test_inits(init):
    """After one step on a picture that needs hardly any change, the start still shows."""
    start = {
        "recolored": match_color(CONTENT, STYLE),
        "content": CONTENT,
        "style": load_image(STYLE, 64),
        "noise": deprocess(np.random.default_rng(3).uniform(0, 255, CONTENT.shape) - 128),
    }.get(init if isinstance(init, str) else "", init)
    start = np.asarray(Image.fromarray(start).resize((64, 48), Image.LANCZOS))
    after = np.asarray(transfer(CONTENT, STYLE, init=init, seed=3, **{**QUICK, "steps": 1}).image)
    assert abs(after.astype(int) - start).mean() < 10


def test_a_head_start_is_what_one_pass_paints(one_pass_offline, monkeypatch):
    """At the first stage's size, of all pixels and of regions."""
    starts, real = [], start.one_pass
    monkeypatch.setattr(start, "one_pass", lambda *given: starts.append(real(*given)) or starts[-1])
    left = np.zeros(CONTENT.shape[:2])
    left[:, :40] = 1
    settings = {**QUICK, "size": 64, "start_size": None, "steps": 1}
    for masks in (None, [left, 1 - left]):
        transfer(CONTENT, STYLE, init="one_pass", masks=masks, **settings)
        expected = stylize(load_image(CONTENT, 64), load_image(STYLE, 64), masks=masks)
        assert np.array_equal(starts.pop(), expected)
    with pytest.raises(ValueError, match="'one_pass' needs the picture"):
        transfer(None, STYLE, init="one_pass", **QUICK)


@pytest.mark.slow
def test_inputs_of_every_kind(tmp_path):
    Image.fromarray(CONTENT).save(tmp_path / "content.png")
    pictures = [
        transfer(c, s, **QUICK).image.tobytes()
        for c, s in [
            (CONTENT, STYLE),
            (str(tmp_path / "content.png"), Image.fromarray(STYLE)),
            (tmp_path / "content.png", [STYLE]),
            (CONTENT, [(STYLE, 2.0)]),
            (CONTENT, [(STYLE, 1), (STYLE, 3)]),
        ]
    ]
    assert pictures[0] == pictures[1] == pictures[2] == pictures[3]
    assert (
        abs(
            np.frombuffer(pictures[4], "uint8").astype(int) - np.frombuffer(pictures[0], "uint8")
        ).mean()
        < 2
    )
    other = transfer(CONTENT, [STYLE, picture(50, 50, 9)], **QUICK)
    assert other.image.tobytes() != pictures[0]


@pytest.mark.slow
def test_layer_weights_paper_errors_and_terms_left_out():
    result = transfer(
        CONTENT,
        STYLE,
        scale="paper",
        content_weight=1e-3,
        tv_weight=0,
        pooling="max",
        normalize=False,
        **{**QUICK, "style_layers": {"conv1_1": 0.2, "conv2_1": 0.8}, "content_layers": "conv2_2"},
    )
    assert set(result.history) == {"total", "content", "style"}
    assert set(transfer(CONTENT, STYLE, content_weight=0, **QUICK).history) == {
        "total",
        "style",
        "tv",
    }
    content_only = transfer(CONTENT, STYLE, style_weight=0, tv_weight=0, init="content", **QUICK)
    np.testing.assert_array_equal(np.asarray(content_only.image), load_image(CONTENT, 64))


@pytest.mark.slow
@pytest.mark.parametrize("given, coarse", [({}, 8.0), ({"coarse_weight": 1}, 2.0)])
def test_content_counts_fourfold_before_the_last_stage(monkeypatch, given, coarse):
    weights = []
    real = module.Evaluator
    monkeypatch.setattr(module, "Evaluator", lambda *args: weights.append(args[2]) or real(*args))
    transfer(
        CONTENT,
        STYLE,
        **{**QUICK, "start_size": 32, "steps": 1},
        content_weight=2.0,
        style_weight=3.0,
        **given,
    )
    assert [(w["content"], w["style"]) for w in weights] == [(coarse, 3.0), (2.0, 3.0)]


@pytest.mark.slow
def test_bounds_keep_every_step_in_range():
    low, high = module.PIXEL_RANGE
    seen = {}
    for bounds in (True, False):
        seen[bounds] = []
        transfer(
            CONTENT,
            STYLE,
            init="noise",
            style_weight=1e3,
            bounds=bounds,
            callback=lambda intermediate_result: seen[bounds].append(
                intermediate_result.x.reshape(48, 64, 3)
            ),
            **{**QUICK, "steps": 8},
        )
    assert all((x >= low - 1e-3).all() and (x <= high + 1e-3).all() for x in seen[True])
    assert any((x < low - 1).any() or (x > high + 1).any() for x in seen[False])


def test_callback_stops_the_whole_run_and_keeps_the_picture():
    def stop(intermediate_result):
        if len(seen.append(intermediate_result.fun) or seen) == 2:
            raise StopIteration

    seen = []
    result = transfer(CONTENT, STYLE, **{**QUICK, "start_size": 32, "steps": 5}, callback=stop)
    assert (
        result.message == "stopped by the callback"
        and result.history["total"] == seen
        and len(seen) == 2
    )


def test_an_interrupt_keeps_the_best_picture_at_the_size_asked_for():
    def interrupt(intermediate_result):
        if len(seen.append(1) or seen) == 3:
            raise KeyboardInterrupt

    seen = []
    result = transfer(CONTENT, STYLE, **{**QUICK, "start_size": 32, "steps": 5}, callback=interrupt)
    assert result.message == "interrupted" and result.image.size == (64, 48)


@pytest.mark.slow
def test_sizes_that_are_no_multiple_of_16():
    result = transfer(picture(37, 53), picture(71, 49), **{**QUICK, "size": 53, "start_size": 30})
    assert result.image.size == (53, 37)


def test_numbers_that_are_not_finite_end_the_run_with_the_last_good_picture():
    seen = []
    with pytest.raises(
        FloatingPointError, match="(content|style|tv).* loss is not finite: .*learning_rate"
    ) as caught:
        transfer(
            CONTENT,
            STYLE,
            **{
                **QUICK,
                "optimizer": "sgd",
                "learning_rate": 1e30,
                "bounds": False,
                "tv_weight": 1.0,
            },
            callback=seen.append,
        )
    result = caught.value.result
    np.testing.assert_array_equal(np.asarray(result.image), seen[-1].image)
    assert (
        result.message.startswith("stopped: the ")
        and len(result.history["total"]) == len(seen) >= 1
    )


def test_an_interrupt_between_stages_keeps_the_picture_and_one_before_any_does_not(monkeypatch):
    module = sys.modules["neural_style.iterative.stage"]
    real, calls = module.targets_of, []

    def interrupted(at):
        def describe(*arguments):
            if len(calls.append(1) or calls) == at:
                raise KeyboardInterrupt
            return real(*arguments)

        return describe

    monkeypatch.setattr(
        module, "targets_of", interrupted(4)
    )  # content, its statistics and the style of the first stage, then this
    result = transfer(CONTENT, STYLE, **{**QUICK, "start_size": 32})
    assert result.message == "interrupted" and result.image.size == (64, 48)
    calls.clear()
    monkeypatch.setattr(module, "targets_of", interrupted(1))
    with pytest.raises(KeyboardInterrupt):
        transfer(CONTENT, STYLE, **QUICK)


def test_either_side_may_be_left_out():
    content_only = transfer(CONTENT, None, **QUICK)
    assert set(content_only.history) == {"total", "content", "tv"} and content_only.image.size == (
        64,
        48,
    )
    texture = transfer(None, STYLE, **{**QUICK, "start_size": 32})
    assert set(texture.history) == {"total", "style", "tv"} and texture.image.size == (
        48,
        64,
    )  # of the style's proportions
    for result in (content_only, texture):
        assert result.history["total"][-1] < result.history["total"][0]


def test_noise_std():
    after = transfer(
        CONTENT,
        STYLE,
        init="noise",
        noise_std=0.01,
        style_weight=1e-9,
        content_weight=1e-9,
        seed=3,
        tv_weight=0,
        learning_rate=1e-6,
        optimizer="adam",
        **QUICK,
    )
    np.testing.assert_allclose(
        np.asarray(after.image).mean(axis=(0, 1)), [124, 117, 104], atol=0.01
    )  # ImageNet's mean


@pytest.mark.slow
def test_style_scale(monkeypatch):
    sizes = []
    real = module.load_image
    monkeypatch.setattr(
        module, "load_image", lambda image, size=None: sizes.append(size) or real(image, size)
    )
    pictures = [
        transfer(CONTENT, STYLE, style_scale=scale, **QUICK).image.tobytes()
        for scale in (0.5, 1.0, 1.5)
    ]
    assert {32, 64, 96} <= set(sizes) and len(set(pictures)) == 3


@pytest.mark.network
@pytest.mark.parametrize("optimizer", ["lbfgs", "scipy", "adam", "sgd"])
def test_each_optimizer_lowers_the_loss_within_bounds(optimizer):
    seen = []
    result = transfer(
        CONTENT,
        STYLE,
        weights="torchvision",
        size=64,
        start_size=None,
        steps=30,
        progress=False,
        optimizer=optimizer,
        callback=lambda intermediate_result: seen.append(intermediate_result.x),
    )
    assert min(result.history["total"]) < 0.5 * result.history["total"][0] and len(seen) == 30
    low, high = module.PIXEL_RANGE
    assert all(
        (x.reshape(48, 64, 3) >= low - 1e-3).all() and (x.reshape(48, 64, 3) <= high + 1e-3).all()
        for x in seen
    )


def test_schedule():
    assert schedule(512, 128, None) == [(128, 113), (256, 80), (512, 57)]
    assert schedule(256, 128, None) == [(128, 127), (256, 90)]
    assert schedule(256, 128, 100) == [(128, 200), (256, 100)]
    assert schedule(300, 128, 10) == [(128, 23), (300, 10)]
    assert schedule(1024, 128, None) == [*schedule(512, 128, None), (1024, 40)]
    assert schedule(2048, 128, None)[-1] == (2048, 40) and schedule(64, 128, None) == [(64, 200)]
    assert schedule(4096, 128, None)[0] == (128, 200)
    assert (
        schedule(512, None, 50) == schedule(512, 512, 50) == schedule(512, 900, 50) == [(512, 50)]
    )


@pytest.mark.slow
def test_progress_shows_terms_and_time_and_silence_is_silent(capfd):
    transfer(CONTENT, STYLE, **QUICK)
    assert capfd.readouterr() == ("", "")
    transfer(CONTENT, STYLE, **{**QUICK, "progress": True})
    out = capfd.readouterr().out
    assert "64 x 48  step 3/3  content " in out and "  style " in out and "left" in out


@pytest.mark.parametrize(
    "changes,error,words",
    [
        ({"content": "nowhere.jpg"}, FileNotFoundError, "nowhere.jpg"),
        ({"content": __file__}, ValueError, "is not a picture"),
        ({"style": []}, ValueError, "style must be"),
        ({"style": [(STYLE, -1)]}, ValueError, r"at least 0, and one above. Received: \[-1\]"),
        ({"style": [(STYLE, 0), (STYLE, 0.0)]}, ValueError, r"one above. Received: \[0, 0.0\]"),
        ({"style": [(STYLE, float("nan"))]}, ValueError, r"Received: \[nan\]"),
        ({"content": None, "style": None}, ValueError, "not both be None"),
        ({"content": None, "style_weight": 0}, ValueError, "missing content or style"),
        ({"style": None, "content_weight": 0}, ValueError, "missing content or style"),
        ({"content": None, "init": "recolored"}, ValueError, "'recolored' needs the picture"),
        ({"style": None, "init": "style"}, ValueError, "'style' needs the picture"),
        ({"optimizer": "rmsprop"}, ValueError, "rmsprop"),
        ({"optimizer": "adam", "learning_rate": 0}, ValueError, "learning_rate=0"),
        ({"optimizer": "sgd", "learning_rate": -1.0}, ValueError, "learning_rate=-1.0"),
        ({"style_scale": 0}, ValueError, "style_scale=0"),
        ({"noise_std": -1}, ValueError, "noise_std=-1"),
        ({"tv_options": {"exponent": 0.5}}, ValueError, "exponent=0.5"),
        ({"scale": {"content": "paper"}}, ValueError, "keys 'content' and 'style'"),
        ({"scale": {"content": "paper", "style": "sqrt"}}, ValueError, "sqrt"),
        ({"style_layers": ("conv9_1",)}, ValueError, "conv9_1"),
        ({"style_layers": {"conv1_1": -1}}, ValueError, "conv1_1: -1"),
        ({"content_layers": ()}, ValueError, "at least one"),
        ({"style_weight": -1.0}, ValueError, "style_weight=-1.0"),
        ({"content_weight": float("nan")}, ValueError, "content_weight=nan"),
        ({"tv_weight": float("inf")}, ValueError, "tv_weight=inf"),
        ({"style_weight": "a lot"}, ValueError, "'a lot'"),
        ({"content_weight": 0, "style_weight": 0}, ValueError, "not both be 0"),
        ({"size": 0}, ValueError, "size=0"),
        ({"size": 64.5}, ValueError, "size=64.5"),
        ({"tile": 10}, ValueError, "tile=10"),
        ({"seed": "one"}, ValueError, "seed='one'"),
        ({"start_size": -2}, ValueError, "start_size=-2"),
        ({"coarse_weight": 0}, ValueError, "coarse_weight must be .* above 0.*coarse_weight=0"),
        ({"steps": 0}, ValueError, "steps=0"),
        ({"init": "contents"}, ValueError, "contents"),
        ({"scale": "absolute"}, ValueError, "absolute"),
        ({"network": "vgg11"}, ValueError, "vgg11"),
        ({"weights": "nowhere.h5"}, FileNotFoundError, "nowhere.h5"),
        ({"pooling": "sum"}, ValueError, "sum"),
        ({"precision": "half"}, ValueError, "half"),
        (
            {"content": picture(1, 1), "size": 8, "style_layers": ["conv5_1"]},
            ValueError,
            "only 8 pixels.*need 16",
        ),
        ({"style": picture(2, 90)}, ValueError, "style image is only 1 pixels"),
    ],
)
def test_bad_input_is_told_before_any_network_is_built(changes, error, words, monkeypatch):
    monkeypatch.setattr(
        feature_network, "feature_extractor", lambda *a, **k: pytest.fail("a network was built")
    )
    with pytest.raises(error, match=words):
        transfer(**{"content": CONTENT, "style": STYLE, **QUICK, **changes})


def test_the_name_transfer_can_be_patched():
    from unittest import mock

    import neural_style

    with mock.patch("neural_style.transfer") as patched:
        assert neural_style.transfer is patched
    assert neural_style.transfer is transfer and "transfer" in dir(neural_style)


LUMA = np.array([0.299, 0.587, 0.114])


def chroma(image):
    """C_B and C_R, JFIF's."""
    image = np.asarray(image, "float64")
    return (image[..., [2, 0]] - (image @ LUMA)[..., None]) / [1.772, 1.402]


@pytest.mark.slow
def test_luminance_keeps_the_contents_chroma_and_a_stopped_run_does_too():
    result = transfer(CONTENT, STYLE, preserve_color="luminance", **{**QUICK, "steps": 10})
    assert (
        np.abs(chroma(result.image) - chroma(load_image(CONTENT, 64))).max() < 0.8
    )  # what rounding R'G'B' makes of it
    assert np.abs(np.asarray(result.image) @ LUMA - load_image(CONTENT, 64) @ LUMA).mean() > 3

    def stop(here):
        raise StopIteration

    stopped = transfer(
        CONTENT, STYLE, preserve_color="luminance", callback=stop, **{**QUICK, "start_size": 32}
    )
    assert np.abs(chroma(stopped.image) - chroma(load_image(CONTENT, 64))).max() < 0.8


@pytest.mark.slow
@pytest.mark.parametrize(
    "mode",
    [
        "match",
        *(pytest.param(mode, marks=pytest.mark.slow) for mode in ("match_cholesky", "histogram")),
    ],
)
def test_the_style_comes_in_the_contents_colors(mode):
    result = transfer(CONTENT, STYLE, preserve_color=mode, **{**QUICK, "steps": 10})
    by_hand = transfer(
        CONTENT,
        color_mode(mode).style(load_image(STYLE, 64), load_image(CONTENT, 64)),
        **{**QUICK, "steps": 10},
    )
    np.testing.assert_array_equal(np.asarray(result.image), np.asarray(by_hand.image))
    plain = transfer(CONTENT, STYLE, **{**QUICK, "steps": 10})
    means = [
        np.asarray(picture).mean(axis=(0, 1)) for picture in (CONTENT, result.image, plain.image)
    ]
    assert np.abs(means[1] - means[0]).max() < 0.5 * np.abs(means[2] - means[0]).max()


def test_preserve_color_asks_for_both_and_for_a_known_way():
    for content, style in ((None, STYLE), (CONTENT, None)):
        with pytest.raises(ValueError, match="preserve_color needs both"):
            transfer(content, style, preserve_color="match", **QUICK)
    with pytest.raises(ValueError, match="preserve_color must be None, one of .*histogram"):
        transfer(CONTENT, STYLE, preserve_color="hue", **QUICK)


# ---- Transparency, 16 bits, what ends a run
# ----------------------------------------------------------------------------


def cut_out():
    """CONTENT, of which a disc can be seen."""
    height, width = CONTENT.shape[:2]
    y, x = np.mgrid[:height, :width]
    alpha = np.clip(
        255 * (1.2 - np.hypot((y - height / 2) / height, (x - width / 2) / width) * 3), 0, 255
    ).astype("uint8")
    return np.dstack([np.where(alpha[..., None] > 0, CONTENT, 0).astype("uint8"), alpha])


@pytest.mark.slow
def test_the_photos_alpha_is_kept_on_request(tmp_path):
    rgba = cut_out()
    result = transfer(rgba, STYLE, alpha="keep", **QUICK)
    size = (result.image.width, result.image.height)
    expected = np.asarray(Image.fromarray(rgba[..., 3]).resize(size, Image.LANCZOS), "int")
    assert (
        result.image.mode == "RGBA"
        and np.abs(np.asarray(result.image)[..., 3].astype(int) - expected).max() <= 1
    )
    assert result.pixels.shape == (size[1], size[0], 4)
    result.save(tmp_path / "a.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), np.asarray(result.image))
    result.save(tmp_path / "a.jpg")
    assert (
        np.abs(load_image(tmp_path / "a.jpg")[0, 0].astype(int) - 255).max() <= 8
        and result._repr_jpeg_()
    )
    assert transfer(CONTENT, STYLE, alpha="keep", **QUICK).image.mode == "RGB"
    assert transfer(rgba, STYLE, **QUICK).image.mode == "RGB"
    two = transfer(rgba, [(STYLE, 1.0), (CONTENT, 2.0)], alpha="keep", **QUICK)
    assert two.image.mode == "RGBA" and two.image.tobytes() != result.image.tobytes()
    with pytest.raises(ValueError, match="wholly transparent"):
        transfer(
            np.dstack([CONTENT, np.zeros(CONTENT.shape[:2], "uint8")]), STYLE, alpha="keep", **QUICK
        )


@pytest.mark.slow
def test_what_cannot_be_seen_has_no_part_in_the_style():
    """The hidden colors say nothing: the same picture comes out whatever they are."""
    rgba, other = cut_out(), cut_out()
    other[..., :3] = np.where(rgba[..., 3:] > 0, rgba[..., :3], 77)
    one, same = (transfer(pixels, STYLE, alpha="keep", **QUICK) for pixels in (rgba, other))
    assert one.image.tobytes() == same.image.tobytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"preserve_color": "luminance"},
        {"masks": [np.linspace(0, 1, CONTENT.shape[1]) * np.ones((CONTENT.shape[0], 1))]},
        {"start_size": 32, "callback": lambda here: (_ for _ in ()).throw(StopIteration)},
    ],
)
def test_the_pixels_before_rounding_are_the_picture(options, tmp_path):
    import cv2

    result = transfer(CONTENT, STYLE, **{**QUICK, **options})
    picture_8 = np.asarray(result.image, "float32")
    assert result.pixels.dtype == np.float32 and result.pixels.shape == picture_8.shape
    assert np.abs(result.pixels - picture_8).max() <= (
        4 if "callback" in options else 1.01
    )  # one that is enlarged goes through two roundings
    assert len(np.unique(result.pixels)) > 256
    result.save(tmp_path / "a.png", bits=16)
    assert np.array_equal(
        cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)[..., ::-1],
        np.rint(result.pixels * 257),
    )
    assert read_record(tmp_path / "a.png")["schema"] == 2


@pytest.mark.parametrize("error", [MemoryError("no more"), SystemExit(3), RuntimeError("a bug")])
@pytest.mark.parametrize("when", [1, 3])
def test_whatever_ends_a_run_carries_the_best_picture(monkeypatch, error, when):
    real, evaluations = module.Evaluator.on_device, []

    def evaluate(self, x):
        evaluations.append(1)
        if len(evaluations) > when:
            raise error
        return real(self, x)

    monkeypatch.setattr(module.Evaluator, "on_device", evaluate)
    steps = []
    with pytest.raises(type(error)) as caught:
        transfer(CONTENT, STYLE, **{**QUICK, "callback": lambda here: steps.append(here.image)})
    if steps:
        assert np.array_equal(
            np.asarray(caught.value.result.image),
            np.asarray(
                Image.fromarray(steps[-1]).resize(caught.value.result.image.size, Image.LANCZOS)
            ),
        )
        assert caught.value.result.message.startswith("stopped: ")
    else:
        assert caught.value.result is None


def test_bad_regions_and_bad_checkpoints_are_told_before_any_network_is_built(
    monkeypatch, tmp_path
):
    from neural_style import masks

    np.savez(tmp_path / "data.npz", lessons=np.arange(9))
    before = (tmp_path / "data.npz").read_bytes()
    one_pixel = np.zeros(CONTENT.shape[:2])
    one_pixel[5, 5] = 1
    monkeypatch.setattr(
        feature_network, "feature_extractor", lambda *a, **k: pytest.fail("a network was built")
    )
    for options, words in [
        ({"masks": [masks.Region(one_pixel, inside=True)]}, "no region has a position"),
        ({"checkpoint": tmp_path / "data.npz"}, "is not a checkpoint"),
        ({"checkpoint": tmp_path / "data.npz", "resume": True}, "is not a checkpoint"),
    ]:
        with pytest.raises(ValueError, match=words):
            transfer(CONTENT, STYLE, **{**QUICK, **options})
    assert (tmp_path / "data.npz").read_bytes() == before


@pytest.mark.parametrize("best", ["float32", "bfloat16"])
def test_auto_is_the_faster_precision_and_is_told_and_recorded(best, monkeypatch, capsys):
    from neural_style.iterative import settings

    monkeypatch.setattr(settings, "best_precision", lambda: best)
    monkeypatch.setattr("neural_style.vgg.extractor.fast_bfloat16", lambda: True)
    result = transfer(CONTENT, STYLE, **{**QUICK, "steps": 1, "progress": True})
    assert result.record["settings"]["precision"] == best
    assert ("convolutions in bfloat16" in capsys.readouterr().out) == (best == "bfloat16")
    given = {**QUICK, "steps": 1, "precision": "float32"}
    assert transfer(CONTENT, STYLE, **given).record["settings"]["precision"] == "float32"
