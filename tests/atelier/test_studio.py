"""The studio without a browser: what it paints, refines, stops, saves and shows as code."""

import io
import threading

import numpy as np
import pytest
from helpers import picture
from PIL import Image

import neural_style
from neural_style import arguments_of, read_record, studio, stylize, transfer
from neural_style.__main__ import main
from neural_style.atelier import painter, previews

pytest.importorskip("anywidget")
pytest_plugins = ["one_pass_fixtures"]
pytestmark = pytest.mark.usefixtures("one_pass_offline", "quick")

#: transfer() of random weights, in milliseconds.
QUICK = {"weights": None, "content_layers": ["conv2_1"], "style_layers": ["conv1_2", "conv2_1"]}


@pytest.fixture
def quick(monkeypatch):
    """Small pictures, and runs of a few steps."""
    monkeypatch.setattr(painter, "REST", 0.05)
    monkeypatch.setattr(painter, "LIVE", 0.0)
    monkeypatch.setattr(previews, "TRIAL", 32)
    monkeypatch.setattr(previews, "LEAST", 32)

    def fast(*given, **options):
        options = {"steps": 3, **options, **QUICK}
        return transfer(*given, **{**options, "start_size": None})

    monkeypatch.setattr(painter, "transfer", fast)


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(("photo", "one", "other")):
        Image.fromarray(picture(48, 64, number)).save(f"{name}.png")
    return tmp_path


@pytest.fixture
def made(files):
    opened = studio("photo.png", {"one.png": 0.75, "other.png": 0.25}, size=64)
    yield opened
    opened.close()
    assert opened.wait(20)


def seen(view):
    """What the page shows at the right."""
    return np.asarray(Image.open(io.BytesIO(view.after)).convert("RGB"), int)


def run(code, **names):
    """The last `result` of the code that a studio shows."""
    given = {"stylize": stylize, "transfer": painter.transfer, **names}
    lines = [line for line in code.splitlines() if not line.startswith("from neural_style import")]
    exec("\n".join(lines), given)
    return given["result"]


def test_it_opens_with_its_picture(made):
    """Also where no kernel runs."""
    styles = [("one.png", 0.75), ("other.png", 0.25)]
    assert np.array_equal(np.asarray(made.image), stylize("photo.png", styles, size=64))
    assert np.abs(seen(made.view) - np.asarray(made.image, int)).mean() < 8  # a JPEG
    still = made._repr_mimebundle_()["image/jpeg"]
    assert Image.open(io.BytesIO(still)).size == (64, 48)
    assert made.controls.status.startswith("64 px, ") and not made.controls.trouble


def test_the_picture_follows_the_sliders_and_the_code_makes_it(made):
    for name, value in [("strength", 0.5), ("style_scale", 0.5), ("keep_colors", True)]:
        setattr(made.controls, name, value)
    made.mixer.shares = [0.2, 0.6]
    assert made.wait(30) and not made.controls.trouble
    options = {"size": 64, "strength": 0.5, "style_scale": 0.5, "preserve_color": "luminance"}
    styles = [("one.png", 0.25), ("other.png", 0.75)]
    assert np.array_equal(np.asarray(made.image), stylize("photo.png", styles, **options))
    made._pressed("code")
    assert made.controls.code == made.code
    assert np.array_equal(np.asarray(run(made.code)), np.asarray(made.image))
    made._pressed("code")
    assert made.controls.code == ""


def test_each_control_of_a_new_picture_is_a_setting_of_it(made):
    controls = made.controls
    assert {*controls.traits(repaints=True)} <= {*controls.settings}
    shown = [one["name"] for one in controls.looks]
    assert shown == [*controls.settings, "file"]


def test_previews_become_smaller_where_they_are_slow_and_larger_again(made, monkeypatch):
    made.controls.size = 256
    assert made.wait(30)
    made._painter._preview_size = made._painter._largest = 200
    for preview, size in ((-1.0, 160), (1e6, 192), (1e6, 200)):  # too long; far from it
        monkeypatch.setattr(painter, "PREVIEW", preview)
        for number in range(painter.RECENT):
            made.controls.strength = number / 20
            assert made.wait(30)
        assert made._painter._preview_size == size


def test_only_the_last_of_many_moves_is_painted_whole(made, monkeypatch):
    whole, real = [], made._painter._previews.painted

    def painted(choice, size=None):
        if size == choice.size:
            whole.append(choice.strength)
        return real(choice, size)

    monkeypatch.setattr(made._painter._previews, "painted", painted)
    monkeypatch.setattr(painter, "REST", 1.0)
    made._painter._preview_size = 32
    for number in range(20):
        made.controls.strength = number / 20
    assert made.wait(30) and whole == [0.95]


def test_a_photo_of_another_shape_is_dropped_in(made):
    made.photo.add(Image.fromarray(picture(64, 40, 7)), "mine.png", dropped=True)
    assert made.wait(30)
    assert made.image.size == (40, 64) and seen(made.view).shape == (64, 40, 3)
    assert "mine.png was dropped in" in made.code


def test_refine_is_transfer_from_the_picture(made):
    first = np.asarray(made.image)
    made.refine()
    assert made.controls.running and made.wait(60) and not made.controls.trouble
    assert not made.controls.running and made.controls.ready
    assert len(made.result.history["total"]) == 3 and made.result.status.name == "DONE"
    assert not np.array_equal(np.asarray(made.image), first)
    assert np.array_equal(np.asarray(run(made.code).image), np.asarray(made.image))


def test_stop_keeps_the_best_so_far(made, monkeypatch):
    shown = []

    def show(choice, painted):
        shown.append(painted)
        if len(shown) == 4:
            made._pressed("stop")

    monkeypatch.setattr(made._painter, "_show", show)
    real = painter.transfer
    monkeypatch.setattr(
        painter, "transfer", lambda *given, **more: real(*given, **{"steps": 500, **more})
    )
    made.refine()
    assert made.wait(60)
    steps = len(made.result.history["total"])
    assert 4 <= steps < 20 and made.result.status.early and made.controls.ready
    assert f"steps={steps}" in made.code
    assert np.array_equal(np.asarray(run(made.code).image), np.asarray(made.image))


def test_closing_the_output_ends_the_work(made, monkeypatch):
    begun, real = threading.Event(), painter.transfer

    def endless(*given, callback, **more):
        def follow(here):
            begun.set()
            callback(here)

        return real(*given, callback=follow, **{"steps": 10_000, **more})

    monkeypatch.setattr(painter, "transfer", endless)
    for view in "ab":
        made.controls._handle_custom_msg({"kind": "opened", "view": view}, [])
    made.refine()
    assert begun.wait(60)
    made.controls._handle_custom_msg({"kind": "closed", "view": "a"}, [])
    assert not made.wait(0.5)  # it is shown elsewhere, too
    made.controls._handle_custom_msg({"kind": "closed", "view": "b"}, [])
    assert made.wait(30)


def test_save_writes_the_picture_with_its_record(made):
    made._pressed("save")
    assert made.controls.status == "saved as painted.png"
    assert made.save().name == "painted-2.png"
    arguments = arguments_of(read_record("painted.png"))
    assert np.array_equal(np.asarray(stylize(**arguments)), np.asarray(made.image))
    with pytest.raises(TypeError, match="no replacements"):
        arguments_of("painted.png", size=32)
    record = read_record("painted.png")
    for wrong in ({"style": None}, {"content": None}, {"settings": {"tile": 64}}):
        with pytest.raises(ValueError, match="no record of a run"):
            arguments_of({**record, **wrong})
    made.refine()
    assert made.wait(60)
    made.save("refined.png")
    assert read_record("refined.png")["settings"]["size"] == 64
    made.controls.file = "missing/out.png"
    made._pressed("save")
    assert "missing" in made.controls.trouble


def test_the_command_line_says_what_such_a_record_is(made, capfd):
    made.save("painted.png")
    assert main(["transfer", "--from-record", "painted.png", "-o", "again.png"]) == 2
    assert "painted in one pass, by stylize()" in capfd.readouterr().err


def test_an_error_is_a_line_in_the_place_of_a_traceback(made, monkeypatch, capfd):
    def broken(choice, size=None):
        raise ValueError("the painting is broken")

    with monkeypatch.context() as patch:
        patch.setattr(made._painter._previews, "painted", broken)
        made.controls.strength = 0.3
        assert made.wait(30)
    assert made.controls.trouble == "the painting is broken" and made.image is None
    made.controls.strength = 0.4
    assert made.wait(30) and made.controls.trouble == "" and made.image is not None
    assert "Traceback" not in capfd.readouterr().err


def test_what_is_missing_is_said(made):
    made.mixer.shares = [0.0, 0.0]
    assert "share of at least one painting" in made.controls.trouble
    made.mixer.remove(0)
    made.mixer.remove(0)
    assert made.controls.trouble == "a painting must be dropped in or chosen"
    made.photo.remove(0)
    assert made.controls.trouble == "a photo and a painting must be dropped in or chosen"
    empty = neural_style.studio()
    assert empty.image is None and empty.code == ""
    with pytest.raises(RuntimeError, match="no picture to save"):
        empty.save()
    empty.close()


def test_two_studios_do_not_disturb_one_another(made, files):
    with_other = studio("photo.png", "other.png", size=48)
    made.controls.strength, with_other.controls.strength = 0.5, 0.25
    assert made.wait(30) and with_other.wait(30)
    assert made.image.size == (64, 48) and with_other.image.size == (48, 36)
    alone = stylize("photo.png", "other.png", size=48, strength=0.25)
    assert np.array_equal(np.asarray(with_other.image), np.asarray(alone))
    with_other.close()


@pytest.mark.parametrize(
    "arguments,error,words",
    [
        ({"photo": "missing.png"}, FileNotFoundError, "missing.png"),
        ({"style": "missing.png"}, FileNotFoundError, "missing.png"),
        ({"style": {"one.png": -1}}, ValueError, "share"),
        ({"style": []}, ValueError, "style must be"),
        ({"size": 0}, ValueError, "size must be"),
    ],
)
def test_bad_input(files, arguments, error, words):
    with pytest.raises(error, match=words):
        studio(**{"photo": "photo.png", "style": "one.png", **arguments})
