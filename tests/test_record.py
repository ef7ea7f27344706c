"""The record of a run: in a PNG, beside a JPEG; enough to make the picture again, byte for byte."""
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neural_style import load_image, read_record, transfer
from neural_style.__main__ import main
from neural_style.images import save_image
from neural_style.record import arguments_of, digest
from conftest import picture

QUICK = dict(weights="torchvision", size=64, start_size=32, steps=3, style_layers=("conv1_1", "conv2_1"),
             content_layers={"conv2_2": 1.0}, progress=False)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_image(picture(48, 64, 1), "content.png")
    save_image(picture(64, 48, 2), "style.png")
    return tmp_path


def test_what_a_record_holds_and_that_it_travels_with_the_picture(folder):
    result = transfer("content.png", "style.png", **QUICK, seed=5)
    for name in ("out.png", "out.jpg", "out.webp"):
        result.save(name, record="paths")
        record = dict(read_record(name))
        assert record.pop("picture", None) == (None if name == "out.png" else {"sha256": digest(name)}) and record == result.record
    assert sorted(os.listdir()) == ["content.png", "out.jpg", "out.jpg.json", "out.png", "out.webp", "out.webp.json", "style.png"]
    record = read_record("out.jpg.json")
    assert record["content"]["path"] == "content.png" and len(record["content"]["sha256"]) == 64
    assert record["settings"]["seed"] == 5 and record["settings"]["style_layers"] == ["conv1_1", "conv2_1"]
    assert record["weights"]["source"] == "torchvision" and len(record["weights"]["sha256"]) == 64
    assert set(record["versions"]) == {"neural_style", "python", "tensorflow", "keras", "scipy", "numpy", "pillow"}
    assert record["message"] == result.message and record["seconds"] == result.seconds and record["steps"] == 9
    np.testing.assert_array_equal(load_image("out.png"), np.asarray(result.image))


@pytest.mark.parametrize("settings", [
    {}, {"init": "noise", "seed": 7, "noise_std": 3.0}, {"steps": {32: 2, 48: 2, 64: 2}}, {"error": {"content": "mean", "style": "relative"}},
    {"optimizer": "adam", "learning_rate": 5.0, "bounds": False}])
def test_the_same_picture_again(folder, settings):
    first = transfer("content.png", [("style.png", np.int64(2)), ("content.png", 1.0)], **{**QUICK, **settings})
    first.save("out.png")
    again = transfer(**arguments_of(read_record("out.png")), progress=False)
    assert again.image.tobytes() == first.image.tobytes()


def test_a_start_from_a_file_is_repeated_too(folder):
    save_image(picture(48, 64, 8), "start.png")
    first = transfer("content.png", "style.png", init=Path("start.png"), **QUICK)
    first.save("out.png")
    arguments = arguments_of(read_record("out.png"))
    assert arguments["init"] == Path("start.png")
    assert transfer(**arguments, progress=False).image.tobytes() == first.image.tobytes()


def test_the_command_line_repeats_a_run(folder, capfd):
    line = "transfer content.png style.png -o out.png --size 64 --start-size 32 --steps 3 --weights torchvision --quiet"
    assert main(line.split()) == 0
    assert main("transfer --from-record out.png -o again.png --quiet".split()) == 0
    assert load_image("again.png").tobytes() == load_image("out.png").tobytes()
    assert main("transfer --from-record out.png -o third.png --steps 4".split()) == 2
    assert "repeats a run as it was. Received besides: steps" in capfd.readouterr().err
    assert main("transfer -o third.png".split()) == 2
    assert "needs CONTENT and STYLE, or --from-record" in capfd.readouterr().err


def test_inputs_that_are_gone_or_changed_or_were_no_files(folder):
    transfer("content.png", "style.png", **QUICK).save("out.png")
    save_image(picture(64, 48, 3), "style.png")
    with pytest.raises(ValueError, match="'style.png' is not the file it was"):
        arguments_of(read_record("out.png"))
    os.unlink("style.png")
    with pytest.raises(FileNotFoundError, match="style.png"):
        arguments_of(read_record("out.png"))
    transfer(picture(48, 64, 1), "content.png", **QUICK).save("array.png")
    with pytest.raises(ValueError, match="were not files"):
        arguments_of(read_record("array.png"))


def test_pictures_without_a_record(folder):
    save_image(picture(8, 8), "photo.jpg")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "photo.json").write_text(json.dumps({"content": None}))
    for name in ("content.png", "photo.jpg", "broken.png", "photo.json"):
        with pytest.raises(ValueError, match="has no record"):
            read_record(name)
    with pytest.raises(FileNotFoundError):
        read_record("nowhere.png")


def test_what_is_left_out_and_arrays_are_recorded_too(folder):
    record = transfer(Image.open("content.png"), None, init=picture(48, 64, 4), **QUICK).record
    assert record["style"] is None and record["content"]["path"] is None
    assert set(record["settings"]["init"]) == {"path", "sha256"}
    json.dumps(record)
