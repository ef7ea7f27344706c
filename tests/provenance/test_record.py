"""The record of a run: in a PNG, beside a JPEG; enough to make the picture again, byte for byte."""

import copy
import inspect
import json
import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from helpers import link_random_weights, picture, random_weights
from PIL import Image

from neural_style import load_image, read_record, transfer
from neural_style.__main__ import main
from neural_style.images.save import save_image
from neural_style.provenance.identity import digest
from neural_style.provenance.read import arguments_of
from neural_style.provenance.record import save_with_record
from neural_style.provenance.schema import SETTINGS

QUICK = dict(
    weights=random_weights(),
    size=64,
    start_size=32,
    steps=3,
    style_layers=("conv1_1", "conv2_1"),
    content_layers={"conv2_2": 1.0},
    progress=False,
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_image(picture(48, 64, 1), "content.png")
    save_image(picture(64, 48, 2), "style.png")
    return tmp_path


@pytest.mark.slow
def test_what_a_record_holds_and_that_it_travels_with_the_picture(folder):
    result = transfer("content.png", "style.png", **QUICK, seed=5)
    for name in ("out.png", "out.jpg", "out.webp"):
        result.save(name, record="paths")
        record = dict(read_record(name))
        assert (
            record.pop("picture", None) == (None if name == "out.png" else {"sha256": digest(name)})
            and record == result.record
        )
    assert sorted(os.listdir()) == [
        "content.png",
        "out.jpg",
        "out.jpg.json",
        "out.png",
        "out.webp",
        "out.webp.json",
        "style.png",
    ]
    record = read_record("out.jpg.json")
    assert record["content"]["path"] == "content.png" and len(record["content"]["sha256"]) == 64
    assert record["settings"]["seed"] == 5 and record["settings"]["style_layers"] == [
        "conv1_1",
        "conv2_1",
    ]
    assert record["weights"]["source"] == "random" and len(record["weights"]["sha256"]) == 64
    assert set(record["versions"]) == {
        "neural_style",
        "python",
        "tensorflow",
        "keras",
        "scipy",
        "numpy",
        "pillow",
    }
    assert (
        record["message"] == result.message
        and record["seconds"] == result.seconds
        and record["steps"] == 9
    )
    np.testing.assert_array_equal(load_image("out.png"), np.asarray(result.image))


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {},
        pytest.param({"init": "noise", "seed": 7, "noise_std": 3.0}, marks=pytest.mark.slow),
        pytest.param({"steps": {32: 2, 48: 2, 64: 2}}, marks=pytest.mark.slow),
        pytest.param({"scale": {"content": "mean", "style": "relative"}}, marks=pytest.mark.slow),
        pytest.param(
            {"optimizer": "adam", "learning_rate": 5.0, "bounds": False}, marks=pytest.mark.slow
        ),
    ],
)
def test_the_same_picture_again(folder, settings):
    first = transfer(
        "content.png", [("style.png", np.int64(2)), ("content.png", 1.0)], **{**QUICK, **settings}
    )
    first.save("out.png")
    again = transfer(**arguments_of(read_record("out.png")), progress=False)
    assert again.image.tobytes() == first.image.tobytes()


@pytest.mark.slow
def test_a_start_from_a_file_is_repeated_too(folder):
    save_image(picture(48, 64, 8), "start.png")
    first = transfer("content.png", "style.png", init=Path("start.png"), **QUICK)
    first.save("out.png")
    arguments = arguments_of(read_record("out.png"))
    assert arguments["init"] == Path("start.png")
    assert transfer(**arguments, progress=False).image.tobytes() == first.image.tobytes()


@pytest.mark.slow
def test_the_command_line_repeats_a_run(folder, capfd):
    link_random_weights()
    line = (
        "transfer content.png style.png -o out.png --size 64 --start-size 32 --steps 3 --weights"
        " random.h5 --quiet"
    )
    assert main(line.split()) == 0
    assert main(["transfer", "--from-record", "out.png", "-o", "again.png", "--quiet"]) == 0
    assert load_image("again.png").tobytes() == load_image("out.png").tobytes()
    assert main(["transfer", "--from-record", "out.png", "-o", "third.png", "--steps", "4"]) == 2
    assert "repeats a run as it was. Received besides: steps" in capfd.readouterr().err
    assert main(["transfer", "-o", "third.png"]) == 2
    assert "needs CONTENT and STYLE, or --from-record" in capfd.readouterr().err


@pytest.mark.slow
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


@pytest.mark.slow
def test_what_is_left_out_and_arrays_are_recorded_too(folder):
    record = transfer(Image.open("content.png"), None, init=picture(48, 64, 4), **QUICK).record
    assert record["style"] is None and record["content"]["path"] is None
    assert set(record["settings"]["init"]) == {"path", "sha256"}
    json.dumps(record)


# ---- Strangers' records
# ------------------------------------------------------------------------------------------------


@lru_cache(1)
def _record():
    """Of the folder's pictures, which are the same in every test."""
    return transfer("content.png", "style.png", **QUICK).record


def a_record(**settings):
    record = copy.deepcopy(_record())
    return {**record, "settings": {**record["settings"], **settings}}


def test_the_settings_of_a_record_are_transfers_picture_making_arguments():
    keywords = {
        name
        for name, parameter in inspect.signature(transfer).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    assert set(SETTINGS) == keywords - {"callback", "progress", "checkpoint", "resume"}


@pytest.mark.parametrize(
    "name,value",
    [
        ("checkpoint", "precious.npz"),
        ("resume", True),
        ("callback", None),
        ("progress", False),
        ("content", "content.png"),
        ("style", "style.png"),
        ("weights", "content.png"),
        ("init", "content.png"),
        ("masks", ["content.png"]),
        ("masks", {"content": "content.png", "style": "style.png"}),
        ("content_map", "content.png"),
        ("network", ["vgg16"]),
        ("steps", "all"),
        ("size", 1e9),
        ("error", {"content": "mean"}),
        ("overwrite", True),
    ],
)
def test_a_forged_record_is_none(folder, name, value):
    np.savez("precious.npz", a=1)
    before = Path("precious.npz").read_bytes()
    with pytest.raises(ValueError, match="no record"):
        arguments_of(a_record(**{name: value}))
    save_with_record(Image.open("content.png"), "forged.png", a_record(**{name: value}))
    with pytest.raises(ValueError, match="has no record"):
        read_record("forged.png")
    assert main(["transfer", "--from-record", "forged.png", "-o", "o.png", "--quiet"]) == 2
    assert Path("precious.npz").read_bytes() == before and not Path("o.png").exists()


@pytest.mark.parametrize(
    "path",
    [
        "fifo",
        "/dev/zero",
        "/dev/stdin",
        ".",
        "\\\\host\\share\\a.png",
        "//host/share/a.png",
        "/proc/self/environ",
        "a\0b",
        "other.png",
    ],
)
def test_a_file_that_a_record_names_is_opened_only_if_it_is_the_one_meant(
    folder, path, monkeypatch
):
    """Nothing but an ordinary file of this machine is opened, and what it holds must have the
    digest.
    """
    os.mkfifo("fifo")
    save_image(picture(9, 9), "other.png")
    record, opened = a_record(), []
    record["content"], record["style"] = {"path": path, "sha256": "0" * 64}, None
    monkeypatch.setattr(
        "neural_style.provenance.read.file_digest",
        lambda place: opened.append(str(place)) or "1" * 64,
    )
    with pytest.raises(
        (ValueError, FileNotFoundError),
        match="another machine|neither beside|is not the file it was",
    ):
        arguments_of(record)
    assert set(opened) == ({"other.png"} if path == "other.png" else set())


@pytest.mark.slow
def test_names_by_default_whole_paths_on_request_or_nothing(folder):
    os.makedirs("alice/Acme divorce/photos")
    save_image(picture(48, 64, 1), "alice/Acme divorce/photos/IMG_2031.png")
    result = transfer(
        os.path.abspath("alice/Acme divorce/photos/IMG_2031.png"),
        "style.png",
        masks=[(Path("content.png"), Path("style.png"))],
        **QUICK,
    )
    for suffix in (".png", ".jpg"):
        files = [Path(f"out{suffix}"), *([Path("out.jpg.json")] if suffix == ".jpg" else [])]
        for keep, named, told in [
            (True, True, False),
            ("paths", True, True),
            (False, False, False),
        ]:
            for file in files:
                file.unlink(missing_ok=True)
            result.save(f"out{suffix}", record=keep)
            data = b"".join(file.read_bytes() for file in files if file.exists())
            assert (b"IMG_2031.png" in data, b"Acme divorce" in data) == (named, told)
    with pytest.raises(ValueError, match="record='all'"):
        result.save("out.png", record="all")


@pytest.mark.slow
def test_repeating_looks_beside_the_picture_and_in_the_current_folder_by_digest(
    folder, monkeypatch
):
    os.mkdir("results")
    first = transfer("content.png", "style.png", **QUICK)
    first.save("results/out.png")
    os.rename(
        "content.png", "results/content.png"
    )  # beside the picture; the style is still in the current folder
    save_image(picture(48, 64, 9), "content.png")  # another one of that name
    given = arguments_of(read_record("results/out.png"))
    assert given["content"] == "results/content.png" and given["style"][0][0] == "style.png"
    assert transfer(**given, progress=False).image.tobytes() == first.image.tobytes()
    assert main(["transfer", "--from-record", "results/out.png", "-o", "again.png", "--quiet"]) == 0
    assert load_image("again.png").tobytes() == first.image.tobytes()


@pytest.mark.slow
def test_other_weights_than_the_runs_are_refused(folder):
    from neural_style.vgg import download, weights

    layers = weights.vgg_weights("vgg16", None).layers
    download._write_h5(layers, Path("mine.h5"))
    transfer("content.png", "style.png", **{**QUICK, "weights": "mine.h5"}).save("out.png")
    assert arguments_of("out.png")["weights"].sha256 == digest("mine.h5")
    download._write_h5(
        {name: (kernel * 2, bias) for name, (kernel, bias) in layers.items()}, Path("mine.h5")
    )
    with pytest.raises(ValueError, match="'mine.h5' is not the file it was"):
        arguments_of("out.png")
    record = a_record()
    record["weights"]["sha256"] = "0" * 64
    with pytest.raises(ValueError, match="weights are not those of the run"):
        arguments_of(record)


@pytest.mark.network
def test_weights_loaded_before_and_layers_of_any_collection_are_recorded_and_repeated(folder):
    from neural_style.vgg import vgg_weights

    options = {
        **QUICK,
        "style_layers": {"conv1_1", "conv2_1"},
        "content_layers": {"conv2_2": 1}.keys(),
    }
    first = transfer(
        "content.png",
        "style.png",
        **{**options, "weights": vgg_weights("vgg16", "torchvision")},
        checkpoint="run.npz",
    )
    first.save("out.png")
    assert read_record("out.png")["settings"]["weights"] == "torchvision"
    assert (
        transfer(**arguments_of("out.png"), progress=False).image.tobytes() == first.image.tobytes()
    )


@pytest.mark.slow
def test_records_of_earlier_versions_are_read_and_of_later_ones_not(folder):
    first = transfer("content.png", "style.png", **QUICK)
    first.save("out.png", record="paths")
    earlier = {name: value for name, value in read_record("out.png").items() if name != "schema"}
    del earlier["settings"]["alpha"]
    for name, was in (("scale", "error"), ("statistic", "style_loss")):
        earlier["settings"][was] = earlier["settings"].pop(name)
    assert (
        transfer(**arguments_of(earlier), progress=False).image.tobytes() == first.image.tobytes()
    )
    del earlier["settings"]["padding"]  # VGG had zeros around each layer's input then
    assert arguments_of(earlier)["padding"] == "zeros"
    for schema in (3, -1, "1", True):
        with pytest.raises(ValueError, match="its schema"):
            arguments_of({**earlier, "schema": schema})


@pytest.mark.slow
def test_an_input_is_not_overwritten_by_its_result(folder):
    before = Path("content.png").read_bytes()
    result = transfer("content.png", "style.png", **QUICK)
    os.symlink("content.png", "link.png")
    for name in ("content.png", "./style.png", "link.png"):
        with pytest.raises(ValueError, match="is also an input"):
            result.save(name)
    assert Path("content.png").read_bytes() == before
    result.save("content.png", overwrite=True)
    assert load_image("content.png").tobytes() == result.image.tobytes()
