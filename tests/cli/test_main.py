import inspect
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from helpers import TINY_COMMAND, link_random_weights, needs_tensorflow, picture
from PIL import Image

import neural_style
from neural_style import (
    TransferResult,
    load_image,
    presets,
    save_image,
    stylize,
    train_transform_net,
    transfer,
)
from neural_style.__main__ import main
from neural_style.cli.interrupts import Interrupts
from neural_style.cli.values import layers
from neural_style.feedforward import build_transform_net, load_transform_net, save_transform_net
from neural_style.images.region import Region
from neural_style.video import video_info, write_video

pytest_plugins = ["one_pass_fixtures"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_image(picture(48, 64, 1), "content.png")
    save_image(picture(60, 45, 2), "style.png")
    (tmp_path / "text.jpg").write_text("not a picture")
    link_random_weights()
    return tmp_path


def command(*arguments):
    root = os.path.dirname(os.path.dirname(neural_style.__file__))
    environment = {**os.environ, "PYTHONPATH": root}
    return subprocess.run(
        [sys.executable, "-m", "neural_style", *arguments],
        capture_output=True,
        text=True,
        env=environment,
    )


@pytest.mark.timing
def test_help_answers_in_under_a_second():
    seconds = []
    for _ in range(3):
        started = time.monotonic()
        done = command("transfer", "--help")
        seconds.append(time.monotonic() - started)
    assert min(seconds) < 1 and done.returncode == 0


def test_help_tells_the_options():
    done = command("transfer", "--help")
    assert done.returncode == 0
    for option in (
        "--size --steps --network --weights --style-weight --content-weight --tv-weight "
        "--init --pooling --seed --precision"
    ).split():
        assert option in done.stdout


@pytest.mark.slow
def test_transfer_as_a_process_is_silent_but_for_its_own_words(folder):
    done = command(
        "transfer",
        "content.png",
        "style.png",
        "-o",
        "out.jpg",
        "--size",
        "64",
        "--start-size",
        "none",
        "--steps",
        "2",
        "--weights",
        "random.h5",
        "--quiet",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("out.jpg: 64 x 48,") and done.stdout.count("\n") == 1
    assert load_image(folder / "out.jpg").shape == (48, 64, 3)


@pytest.mark.slow
@pytest.mark.parametrize(
    "number,code,message",
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "interrupted")],
)
def test_a_signal_saves_the_picture_so_far(folder, number, code, message, capsys):
    environment = {**os.environ, "PYTHONPATH": str(Path(neural_style.__file__).parent.parent)}
    (folder / "temporary").mkdir()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "neural_style",
            "transfer",
            "content.png",
            "style.png",
            "-o",
            "out.png",
            "--size",
            "64",
            "--start-size",
            "none",
            "--steps",
            "100000",
            "--weights",
            "random.h5",
            "--checkpoint",
            "run.npz",
        ],
        env={**environment, "TMPDIR": str(folder / "temporary")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # a job in the background ignores it
    assert process.stdout.readline().startswith("about ")
    time.sleep(4)
    assert not os.listdir(
        "temporary"
    )  # TensorFlow writes none of its functions anew, and a kill would leave none there
    assert (
        main(
            (
                "transfer content.png style.png -o other.png --weights random.h5 --checkpoint "
                "run.npz --quiet"
            ).split()
        )
        == 1
    )
    assert (
        capsys.readouterr().err
        == "neural-style: error: another run is working on 'run.npz'; wait until it ends, or give"
        " another path\n"
    )
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == code and message in out and err == ""
    assert load_image("out.png").shape == (48, 64, 3) and os.path.exists("run.npz")


def test_options_reach_transfer(folder, monkeypatch):
    import neural_style.iterative.transfer  # noqa: F401

    module, received = sys.modules["neural_style.iterative.transfer"], {}
    signature = inspect.signature(module.transfer)

    def transfer(**options):
        signature.bind(**options)  # every option is one of transfer()'s
        received.update(options)
        return TransferResult(Image.new("RGB", (4, 4)), {}, "all done", 1.0, {})

    monkeypatch.setattr(module, "transfer", transfer)
    assert (
        main(
            (
                "transfer content.png style.png style.png -o out.png --size 100 --start-size "
                "none --steps 9 --content-weight 2 --style-weight 3 --tv-weight 0 "
                "--content-layers conv4_2 --style-layers conv1_1,conv2_1=0.5 --init content.png "
                "--network vgg19 --weights w.h5 --pooling max --scale paper --precision "
                "bfloat16 --no-bounds --seed 4 --quiet"
            ).split()
        )
        == 0
    )
    assert received.pop("init") == Path("content.png") and isinstance(
        received.pop("callback"), Interrupts
    )
    assert received == dict(
        content="content.png",
        style=["style.png", "style.png"],
        size=100,
        start_size=None,
        steps=9,
        content_weight=2.0,
        style_weight=3.0,
        tv_weight=0.0,
        content_layers=["conv4_2"],
        style_layers={"conv1_1": 1.0, "conv2_1": 0.5},
        network="vgg19",
        weights="w.h5",
        pooling="max",
        scale="paper",
        precision="bfloat16",
        bounds=False,
        seed=4,
        progress=False,
    )


@pytest.fixture
def stub(monkeypatch):
    """transfer() in name only: a list of what it was called with; .result and .error are what it
    returns or raises.
    """

    class Stub(list):
        result, error = (
            TransferResult(Image.fromarray(picture(24, 32)), {}, "all steps done", 1.0, {}),
            None,
        )

        def __call__(self, **options):
            self.append(options)
            if self.error is not None:
                raise self.error
            return self.result

    import neural_style.iterative.transfer  # noqa: F401

    stub = Stub()
    monkeypatch.setattr(sys.modules["neural_style.iterative.transfer"], "transfer", stub)
    return stub


@pytest.mark.parametrize(
    "arguments",
    [
        "content.png style.png -o out.png --size 64 --quiet",
        "content.png -o out.png style.png --size 64 --quiet",
        "-o out.png content.png --size 64 style.png --quiet",
        "--size 64 --quiet -o out.png content.png style.png",
        "content.png --quiet style.png --size 64 -o out.png",
    ],
)
def test_names_and_options_come_in_any_order(folder, stub, arguments):
    assert main(["transfer", *arguments.split()]) == 0
    [received] = stub
    assert received.pop("callback") and received == {
        "content": "content.png",
        "style": ["style.png"],
        "size": 64,
        "progress": False,
    }


def test_masks_that_swallow_the_names_are_told(folder, stub, capfd):
    assert (
        main(["transfer", "--masks", "left.png", "content.png", "style.png", "-o", "out.png"]) == 2
    )
    assert (
        capfd.readouterr().err.endswith(
            "--masks took every name after it: put CONTENT and STYLE before it\n"
        )
        and not stub
    )
    assert (
        main("transfer --masks left.png --style-masks content.png style.png -o out.png".split())
        == 2
    )
    assert "--masks and --style-masks took every name after it" in capfd.readouterr().err


@pytest.mark.parametrize(
    "error,code",
    [
        (ValueError("a"), 2),
        (TypeError("a"), 2),
        (FileNotFoundError("a"), 2),
        (PermissionError("a"), 2),
        (IsADirectoryError("a"), 2),
        (OSError(28, "No space left on device"), 1),
        (BrokenPipeError("a"), 1),
        (MemoryError("a"), 1),
        (MemoryError(), 1),
        (RuntimeError("a"), 1),
        (FloatingPointError("a"), 1),
        (ImportError("a"), 1),
        (RecursionError("a"), 1),
    ],
)
def test_exit_code_2_is_for_bad_input_alone(folder, stub, error, code, capfd):
    stub.error = error
    assert main(["transfer", "content.png", "style.png", "-o", "out.png"]) == code
    assert capfd.readouterr() == (
        "",
        f"neural-style: error: {str(error) or type(error).__name__}\n",
    )


@pytest.mark.parametrize("kind", [FloatingPointError, MemoryError, OSError])
def test_a_run_that_fails_leaves_the_picture_so_far(folder, stub, kind, capfd):
    Path("out.png").write_bytes(b"of before")
    stub.error = kind("the end")
    stub.error.result = stub.result
    assert main(["transfer", "content.png", "style.png", "-o", "out.png"]) == 1
    assert (
        capfd.readouterr().err
        == "neural-style: the picture so far is in out-rescued.png\nneural-style: error: the end\n"
    )
    assert (
        load_image("out-rescued.png").tobytes() == stub.result.image.tobytes()
        and Path("out.png").read_bytes() == b"of before"
    )


def test_a_disk_that_is_full_at_the_end_has_the_picture_saved_elsewhere(
    folder, stub, monkeypatch, tmp_path_factory, capfd
):
    """Full is the folder's disk, as fsync tells; the temporary folder's is not. Then that is full,
    too.
    """
    real, full = os.fsync, [folder]

    def fsync(handle):
        if any(
            Path(os.readlink(f"/proc/self/fd/{handle}")).is_relative_to(place) for place in full
        ):
            raise OSError(28, "No space left on device")
        real(handle)

    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    before = sorted(folder.iterdir())
    assert main(["transfer", "content.png", "style.png", "-o", "out.png"]) == 1
    out, err = capfd.readouterr()
    [place] = elsewhere.iterdir()
    assert (
        out == ""
        and err
        == "neural-style: error: [Errno 28] No space left on device\nneural-style: the picture so"
        f" far is in {place}\n"
    )
    assert (
        load_image(place).tobytes() == stub.result.image.tobytes()
        and sorted(folder.iterdir()) == before
    )
    full.append(elsewhere)
    assert main(["transfer", "content.png", "style.png", "-o", "out.png"]) == 1
    assert capfd.readouterr().err.endswith(
        "neural-style: the picture so far could not be written anywhere\n"
    )
    assert sorted(folder.iterdir()) == before


def test_a_picture_is_saved_where_there_is_no_proc(folder, stub, monkeypatch):
    real = os.path.exists
    monkeypatch.setattr(
        os.path, "exists", lambda path: not str(path).startswith("/proc") and real(path)
    )
    assert main(["transfer", "content.png", "style.png", "-o", "out.png"]) == 0
    assert load_image("out.png").shape == (24, 32, 3) and not [*folder.glob(".*")]


def test_without_standard_output_the_picture_is_saved(folder, stub, monkeypatch, capsys):
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError(32, "Broken pipe")

    for out in (None, Closed()):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            assert main(["transfer", "content.png", "style.png", "-o", "out.png"]) == 0
        assert load_image("out.png").shape == (24, 32, 3) and capsys.readouterr().err == ""
        os.remove("out.png")


@pytest.mark.slow
def test_processes_whose_standard_files_are_closed_or_read_by_nobody(folder):
    """Both at once: | true, and 0<&- >&- 2>&-, where the next file to be opened would be standard
    output.
    """
    options = (
        "--size 32 --steps 2 --weights random.h5 --content-layers conv1_2 --style-layers conv1_1"
    ).split()
    environment = {**os.environ, "PYTHONPATH": str(Path(neural_style.__file__).parent.parent)}
    reader, writer = os.pipe()
    command = [
        sys.executable,
        "-m",
        "neural_style",
        "transfer",
        "content.png",
        "style.png",
        *options,
    ]
    piped = subprocess.Popen(
        [*command, "-o", "piped.png", "--start-size", "16"],
        env=environment,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(reader)
    os.close(writer)
    closed = subprocess.Popen(
        [*command, "-o", "closed.png", "--checkpoint", "run.npz"],
        env=environment,
        preexec_fn=lambda: [os.close(number) for number in (0, 1, 2)],
    )
    err = piped.communicate()[1]
    assert (
        (piped.returncode, closed.wait()) == (0, 0)
        and "Traceback" not in err
        and "Exception ignored" not in err
    )
    assert load_image("piped.png").shape == load_image("closed.png").shape == (24, 32, 3)
    assert {path.name for path in folder.iterdir()} == {
        "content.png",
        "style.png",
        "text.jpg",
        "random.h5",
        "piped.png",
        "closed.png",
        "run.npz",
    }


def test_inputs_are_not_overwritten_unless_asked(folder, stub, capfd):
    Path("same.png").symlink_to("content.png")
    regions_in(folder)
    given = {
        name: Path(name).read_bytes()
        for name in ("content.png", "style.png", "left.png", "other.png")
    }
    for output, options in [
        ("content.png", ""),
        ("same.png", ""),
        ("./style.png", ""),
        ("left.png", "--masks left.png"),
        ("other.png", "--init other.png"),
        ("other.png", "--strokes-from other.png"),
        ("left.png", "--content-map left.png"),
    ]:
        assert main(["transfer", "content.png", "style.png", "-o", output, *options.split()]) == 2
        assert (
            "is also an input; give the output another name, or allow it to overwrite the input"
            " (overwrite=True, --overwrite)" in capfd.readouterr().err
        )
    assert not stub and all(Path(name).read_bytes() == data for name, data in given.items())
    assert main(["transfer", "content.png", "style.png", "-o", "content.png", "--overwrite"]) == 0
    assert load_image("content.png").tobytes() == stub.result.image.tobytes()


@pytest.mark.slow
def test_a_repeated_runs_inputs_are_not_overwritten_either(folder, capfd):
    assert (
        main(["transfer", "content.png", "style.png", "-o", "out.png", *TINY_COMMAND, "--quiet"])
        == 0
    )
    capfd.readouterr()
    assert main(["transfer", "--from-record", "out.png", "-o", "style.png", "--quiet"]) == 2
    assert main(["transfer", "--from-record", "out.png", "-o", "out.png", "--quiet"]) == 2
    assert capfd.readouterr().err.count("is also an input") == 2


@pytest.mark.parametrize(
    "arguments,words",
    [
        ("nowhere.jpg style.png -o out.png", "no picture at 'nowhere.jpg'"),
        ("text.jpg style.png -o out.png", "is not a picture"),
        ("content.png style.png -o out.txt", "picture format"),
        ("content.png style.png -o none/out.png", "folder"),
        ("content.png style.png -o out.png --size 0", "size=0"),
        ("content.png style.png -o out.png --style-weight nan", "style_weight=nan"),
        ("content.png style.png -o out.png --style-weight=-1", "style_weight=-1"),
        ("content.png style.png -o out.png --style-layers conv9_9", "conv9_9"),
        ("content.png style.png -o out.png --init nothing", "nothing"),
        ("content.png style.png -o out.png --preset gatys_2017", "gatys_2016"),
        ("content.png style.png -o out.png --blend 1,2", "2 shares, 1 styles"),
        ("none none -o out.png", "not both be None"),
        ("content.png style.png -o out.png --optimizer adam --learning-rate 0", "learning_rate=0"),
        ("content.png style.png -o out.png --weights nowhere.h5", "nowhere.h5"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_code_2(folder, capfd, arguments, words):
    assert main(["transfer", *arguments.split()]) == 2
    out, err = capfd.readouterr()
    assert (
        out == ""
        and err.count("\n") == 1
        and err.startswith("neural-style: error: ")
        and words in err
    )
    assert not os.path.exists("out.png")


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "transfer",
        "transfer a b",
        "transfer a b -o c --size x",
        "paint a b -o c",
        "transfer a b -o c --pooling sum",
        "transfer a b -o c --statistic cosine",
        "matte a -o b --mask c --method magic",
        "transfer a b -o c --optimizer newton",
        "transfer a b -o c --style-layers conv1_1=x",
    ],
)
def test_a_wrong_command_line_exits_with_2(arguments, capfd):
    with pytest.raises(SystemExit) as stop:
        main(arguments.split())
    assert stop.value.code == 2
    assert "usage" in capfd.readouterr().err


@pytest.mark.network
def test_weights_tells_network_source_digest_and_place(capfd):
    assert main(["weights", "--weights", "torchvision"]) == 0
    out = capfd.readouterr().out
    assert (
        "vgg16" in out and "torchvision" in out and "vgg16_torchvision_grey_levels_notop.h5" in out
    )
    assert len(out.split("sha256")[1].split()[0]) == 64


def test_weights_that_cannot_be_had_exit_with_1(empty_cache, no_keras_download, capfd):
    assert main(["weights", "--network", "vgg19"]) == 1
    assert "network='vgg16'" in capfd.readouterr().err


def test_presets_blends_and_what_is_left_out_reach_transfer(folder, monkeypatch):
    import neural_style.iterative.transfer  # noqa: F401

    received = {}
    monkeypatch.setattr(
        sys.modules["neural_style.iterative.transfer"],
        "transfer",
        lambda **options: (
            received.update(options)
            or TransferResult(Image.new("RGB", (4, 4)), {}, "all done", 1.0, {})
        ),
    )
    assert (
        main(
            (
                "transfer content.png style.png style.png --blend 3,1 -o out.png --preset "
                "anishathalye --steps 9"
            ).split()
        )
        == 0
    )
    assert isinstance(received.pop("callback"), Interrupts)
    assert received == {
        **presets.anishathalye,
        "content": "content.png",
        "style": [("style.png", 3.0), ("style.png", 1.0)],
        "steps": 9,
    }
    received.clear()
    assert (
        main(
            (
                "transfer none style.png -o out.png --optimizer sgd --learning-rate 5 "
                "--style-scale 0.5"
            ).split()
        )
        == 0
    )
    assert received.pop("callback") and received == dict(
        content=None, style=["style.png"], optimizer="sgd", learning_rate=5.0, style_scale=0.5
    )
    received.clear()
    assert main(["transfer", "content.png", "none", "-o", "out.png"]) == 0
    assert received.pop("callback") and received == dict(content="content.png", style=None)


def received_by(stub, *arguments):
    """What transfer() was called with, apart from pictures and callback."""
    assert main(["transfer", "content.png", "style.png", "-o", "out.png", *arguments]) == 0
    received = stub.pop()
    assert received.pop("content") == "content.png" and received.pop("callback")
    return {name: value for name, value in received.items() if name != "style"}


@pytest.mark.parametrize(
    "arguments,expected",
    [
        ("--normalize", {"normalize": True}),
        ("--no-normalize --bounds", {"normalize": False, "bounds": True}),
        (
            "--tv-options exponent=1.5,reduction=mean,separate=true",
            {"tv_options": {"exponent": 1.5, "reduction": "mean", "separate": True}},
        ),
        ("--noise-std 12 --init noise", {"noise_std": 12.0, "init": "noise"}),
        ("--noise-std none", {"noise_std": None}),
        ("--steps 128=200,512=50", {"steps": {128: 200, 512: 50}}),
        (
            "--scale content=mean,style=relative",
            {"scale": {"content": "mean", "style": "relative"}},
        ),
        ("--photorealism-weight 0.5", {"photorealism_weight": 0.5}),
        ("--photorealism-weight 0,1", {"photorealism_weight": [0.0, 1.0]}),
        ("--tile none", {"tile": None}),
        ("--tile auto", {"tile": "auto"}),
        ("--tile 256", {"tile": 256}),
        ("--preserve-color none", {"preserve_color": None}),
        ("--checkpoint run.npz --resume", {"checkpoint": "run.npz", "resume": True}),
        ("--checkpoint run.npz --no-resume", {"checkpoint": "run.npz", "resume": False}),
        ("--no-resume", {"resume": False}),
    ],
)
def test_values_of_other_types_reach_transfer(folder, stub, arguments, expected):
    assert received_by(stub, *arguments.split()) == expected


def test_an_option_replaces_the_presets_value(folder, stub):
    given = ["--preset", "gatys_2016", "--no-normalize", "--tv-options", "none", "--scale", "mean"]
    expected = {**presets.gatys_2016, "normalize": False, "tv_options": None, "scale": "mean"}
    assert received_by(stub, *given) == expected


def test_a_picture_is_saved_as_asked(folder, stub, monkeypatch):
    """--bits, --record and --overwrite go to TransferResult.save(), which has the defaults."""
    saved = []
    monkeypatch.setattr(TransferResult, "save", lambda *given, **options: saved.append(options))
    received_by(stub)
    received_by(stub, "--bits", "16", "--record", "paths", "--overwrite")
    received_by(stub, "--record", "none")
    assert saved == [{}, {"bits": 16, "record": "paths", "overwrite": True}, {"record": False}]


def test_resume_needs_a_checkpoint(folder, stub, capfd):
    for arguments in (
        ["content.png", "style.png", "--resume"],
        ["--from-record", "out.png", "--resume"],
    ):
        assert main(["transfer", *arguments, "-o", "out.png"]) == 2
        assert "--resume needs a checkpoint" in capfd.readouterr().err and not stub


def test_new_options_of_trainings_and_films_reach_the_functions(folder, monkeypatch):
    from neural_style.feedforward import training
    from neural_style.video import camera, film

    net = build_transform_net(2, 0, record={"steps": 9, "settings": {"steps": 9}, "losses": {}})
    received = []

    def take(*given, **options):
        received.append(options)
        return net

    monkeypatch.setattr(training, "train_transform_net", take)
    monkeypatch.setattr(film, "stylize_video", take)
    monkeypatch.setattr(camera, "stylize_camera", take)
    train = ["--residual-blocks", "3", "--pooling", "max", "--normalize"]
    assert main(["train", "style.png", "photos", "-o", "net.keras", *train]) == 0
    assert (received[-1]["residual_blocks"], received[-1]["pooling"]) == (3, "max")
    assert received[-1]["normalize"] is True
    video = "--long-term 1,2 --next-steps 0.2 --frames :9 --style-layers=conv1_1".split()
    assert main(["video", "film.mp4", "--style", "style.png", "-o", "out.mp4", *video]) == 0
    assert received[-1] == {
        "long_term": [1, 2],
        "next_steps": 0.2,
        "frames": slice(None, 9),
        "style_layers": ["conv1_1"],
    }
    shown = camera.Shown(1, 0, 1.0)
    monkeypatch.setattr(
        camera, "stylize_camera", lambda *given, **options: take(**options) and shown
    )
    arguments = "--camera 0 --style a.keras --no-window --seconds 2 --size=64".split()
    assert main(["video", *arguments]) == 0
    assert received[-1] == {"window": False, "seconds": 2.0, "size": 64}


def test_layers():
    assert layers("conv1_1,conv2_1") == ["conv1_1", "conv2_1"]
    assert layers("conv1_1=2,conv2_1") == {"conv1_1": 2.0, "conv2_1": 1.0}


def regions_in(folder):
    """Masks and labels beside the content and the style."""
    left = np.zeros((48, 64), "uint8")
    left[:, :32] = 255
    Image.fromarray(left).save(folder / "left.png")
    Image.fromarray(255 - left).save(folder / "right.png")
    Image.fromarray(np.stack([left, left // 2, 255 - left], -1)).save(folder / "labels.png")
    upper = np.zeros((60, 45), "uint8")
    upper[:30] = 255
    Image.fromarray(upper).save(folder / "upper.png")
    Image.fromarray(np.stack([upper, upper // 2, 255 - upper], -1)).save(folder / "of_style.png")
    save_image(picture(50, 50, 3), folder / "other.png")


CONTROLS = {
    "luminance": (["--preserve-color", "luminance"], {"preserve_color": "luminance"}),
    "masks": (
        ["other.png", "--masks", "left.png", "right.png", "--inside"],
        {
            "style": ["style.png", "other.png"],
            "masks": [Region("left.png", None, 0, True), Region("right.png", None, 1, True)],
        },
    ),
    "style masks": (
        ["--masks", "left.png", "--style-masks", "upper.png"],
        {"masks": [Region("left.png", "upper.png")]},
    ),
    "labels": (
        ["--labels", "labels.png", "of_style.png"],
        {"masks": {"content": "labels.png", "style": ["of_style.png"], "inside": False}},
    ),
    "content map": (["--content-map", "left.png"], {"content_map": "left.png"}),
    "moments": (["--statistic", "moments"], {"statistic": "moments"}),
    "strokes": (
        ["--strokes-from", "other.png"],
        {"style": [("other.png", ["conv1_1"]), ("style.png", ["conv3_1"])]},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name != "masks")) for name in CONTROLS]
)
def test_controls_on_the_command_line(folder, name):
    """The same picture as from transfer(), and again from the record."""
    regions_in(folder)
    options, arguments = CONTROLS[name]
    style = ["style.png", options[0]] if options[0] == "other.png" else ["style.png"]
    options = options[len(style) - 1 :]
    common = dict(
        size=64,
        start_size=None,
        steps=2,
        content_layers=["conv2_2"],
        style_layers=["conv1_1", "conv3_1"],
        weights="random.h5",
    )
    assert (
        main(
            [
                "transfer",
                "content.png",
                *style,
                "-o",
                "out.png",
                "--size",
                "64",
                "--start-size",
                "none",
                "--steps",
                "2",
                "--weights",
                "random.h5",
                "--content-layers",
                "conv2_2",
                "--style-layers",
                "conv1_1,conv3_1",
                "--quiet",
                *options,
            ]
        )
        == 0
    )
    arguments = {"content": "content.png", "style": "style.png", **arguments}
    expected = transfer(**arguments, **common, progress=False)
    np.testing.assert_array_equal(load_image("out.png"), np.asarray(expected.image))
    assert main(["transfer", "--from-record", "out.png", "-o", "again.png", "--quiet"]) == 0
    np.testing.assert_array_equal(load_image("out.png"), load_image("again.png"))


@pytest.mark.parametrize(
    "options,words",
    [
        (["--masks", "left.png", "--labels", "labels.png", "of_style.png"], "either --masks"),
        (["--inside"], "either --masks"),
        (["--style-masks", "upper.png"], "either --masks"),
        (["--masks", "left.png", "right.png", "--style-masks", "upper.png"], "a mask for each"),
        (["other.png", "--masks", "left.png"], "one for each mask. Received: 2 styles, 1 masks"),
        (["--labels", "labels.png"], "one for each STYLE"),
        (["--preserve-color", "hue"], "preserve_color must be"),
        (["--masks", "upper.png"], "proportions of its picture"),
        (["--labels", "labels.png", "left.png"], "lack colors"),
        (["--strokes-from", "nowhere.png"], "nowhere.png"),
        (["other.png", "--strokes-from", "other.png"], "one STYLE"),
        (["--strokes-from", "other.png", "--style-layers", "conv1_1"], "and deeper ones"),
        (["--content-map", "text.jpg"], "not a picture"),
    ],
)
def test_bad_controls_are_one_line(folder, capsys, options, words):
    regions_in(folder)
    styles = [one for one in options[:1] if one == "other.png"]
    options = options[len(styles) :]
    assert (
        main(
            [
                "transfer",
                "content.png",
                "style.png",
                *styles,
                "-o",
                "out.png",
                "--weights",
                "random.h5",
                *options,
            ]
        )
        == 2
    )
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1 and not Path("out.png").exists()


@pytest.mark.slow
def test_matte(folder, capsys):
    """A disc cut out by its mask, by a trimap and by a rectangle, as a PNG with alpha and on
    another picture.
    """
    y, x = np.mgrid[:60, :80]
    disc = (y - 30) ** 2 + (x - 40) ** 2 < 18**2
    image = np.where(disc[..., None], (210, 160, 50), (30, 70, 110)) + np.random.default_rng(
        0
    ).normal(0, 3, (60, 80, 3))
    Image.fromarray(image.clip(0, 255).astype("uint8")).save("disc.png")
    Image.fromarray(np.uint8(255) * disc).save("mask.png")
    Image.fromarray(
        np.where(disc & (x < 45), 255, np.where(~disc & (x < 15), 0, 128)).astype("uint8")
    ).save("trimap.png")
    Image.open("mask.png").resize((160, 120), Image.NEAREST).save("large_mask.png")
    for options in (
        ["--mask", "mask.png", "--width", "4"],
        ["--mask", "large_mask.png", "--width", "4"],
        ["--trimap", "trimap.png"],
        ["--rectangle", "15,5,50,50", "--width", "4"],
    ):
        assert main(["matte", "disc.png", "-o", "out.png", *options]) == 0
        alpha = np.asarray(Image.open("out.png"))[..., 3] / 255
        assert np.abs(alpha - disc).mean() < 0.04
    assert "out.png: 80 x 60, 21% subject" in capsys.readouterr().out
    assert (
        main("matte disc.png -o out.jpg --mask mask.png --width 4 --background content.png".split())
        == 0
    )
    assert np.abs(load_image("out.jpg")[28:32, 38:42] - np.array([210, 160, 50.0])).mean() < 10
    assert (
        np.abs(
            load_image("out.jpg")[:8].astype(int)
            - np.asarray(Image.open("content.png").resize((80, 60), Image.LANCZOS))[:8]
        ).mean()
        < 8
    )


@pytest.mark.parametrize(
    "options,words",
    [
        (["-o", "out.jpg", "--mask", "left.png"], "a format with alpha"),
        (["-o", "out.png", "--mask", "nowhere.png"], "nowhere.png"),
        (["-o", "out.png", "--trimap", "upper.png"], "the image's size"),
        (["-o", "out.png", "--rectangle", "0,0,9"], "rectangle must be"),
        (["-o", "out.png", "--trimap", "left.png", "--background", "text.jpg"], "not a picture"),
    ],
)
def test_bad_mattes_are_one_line(folder, capsys, options, words):
    regions_in(folder)
    assert main(["matte", "content.png", *options]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1 and not Path("out.png").exists()


@pytest.mark.slow
def test_train_and_stylize(folder, capsys):
    """Both commands on the library's own functions: the same network for the same seed, the same
    picture.
    """
    photos = folder / "photos"
    photos.mkdir()
    for number in range(3):
        save_image(picture(70 + number, 80, number), photos / f"{number}.png")
    options = (
        "--crop 64 --batch-size 1 --steps 2 --style-size 48 --width 4 --style-layers "
        "conv1_2,conv2_1=0.5 --content-layers conv2_1 --weights random.h5 --quiet "
        "--name mosaic --license CC0"
    ).split()
    assert (
        main(
            [
                "train",
                "style.png",
                "photos",
                "-o",
                "net.keras",
                *options,
                "--tensorboard",
                "logs",
                "--checkpoint",
                "backup",
            ]
        )
        == 0
    )
    assert capsys.readouterr().out.startswith("net.keras: 2 steps; content ")
    assert list(Path("logs/train").iterdir()) and Path("backup/log.csv").exists()
    net = load_transform_net("net.keras")
    again = train_transform_net(
        "style.png",
        "photos",
        crop=64,
        batch_size=1,
        steps=2,
        style_size=48,
        width=4,
        progress=False,
        style_layers={"conv1_2": 1.0, "conv2_1": 0.5},
        content_layers=["conv2_1"],
        weights="random.h5",
    )
    assert all(np.array_equal(a, b) for a, b in zip(net.get_weights(), again.get_weights()))
    assert (net.record["style"], net.record["license"]) == ("mosaic", "CC0")
    assert (
        main(["stylize", "content.png", "-o", "out.png", "--style", "net.keras", "--size", "32"])
        == 0
    )
    assert capsys.readouterr().out.startswith("out.png: 32 x 24, ")
    assert np.array_equal(load_image("out.png"), np.asarray(stylize("content.png", net, size=32)))
    assert main(["stylize", "photos", "-o", "painted", "--style", "net.keras=0.5", "--quiet"]) == 0
    assert sorted(path.name for path in Path("painted").iterdir()) == ["0.png", "1.png", "2.png"]


def test_stylize_by_a_painting(folder, capsys, one_pass_offline):
    command = ["stylize", "content.png", "-o", "out.png", "--style", "style.png"]
    assert main([*command, "--strength", "0.5", "--style-scale", "2"]) == 0
    assert capsys.readouterr().out.startswith("out.png: ")
    expected = stylize("content.png", "style.png", strength=0.5, style_scale=2)
    assert np.array_equal(load_image("out.png"), np.asarray(expected))
    assert main([*command, "--strength", "2"]) == 2
    assert "strength must be" in capsys.readouterr().err


@needs_tensorflow
def test_trains_options_reach_the_function(folder, capsys, monkeypatch):
    """All of them; the strategy is made before TensorFlow is needed, as several workers want it; an
    interrupted training has its exit code.
    """
    import tensorflow as tf

    from neural_style.feedforward import resolve_network as resolving
    from neural_style.feedforward import training

    order, received = [], {}
    net = build_transform_net(
        2, 0, record={"steps": 7, "settings": {"steps": 9}, "losses": {"loss": 1.5}}
    )
    monkeypatch.setattr(
        tf.distribute, "MultiWorkerMirroredStrategy", lambda: order.append("strategy") or "workers"
    )
    monkeypatch.setattr(resolving, "resolve_network", lambda name: order.append("start") or name)
    monkeypatch.setattr(
        training, "train_transform_net", lambda **options: received.update(options) or net
    )
    options = {
        "width": 8,
        "crop": 32,
        "batch_size": 2,
        "steps": 9,
        "style_size": 100,
        "content_weight": 2.0,
        "style_weight": 3.0,
        "tv_weight": 4.0,
        "grid_weight": 5.0,
        "style_scales": 6,
        "content_layers": ["conv2_1"],
        "style_layers": {"conv1_1": 0.5},
        "learning_rate": 0.1,
        "start": "starry_night",
        "name": "mosaic",
        "license": "CC0",
        "network": "vgg19",
        "weights": "vgg.npz",
        "precision": "bfloat16",
        "checkpoint": "backup",
        "seed": 3,
    }
    given = {
        **options,
        "content_layers": "conv2_1",
        "style_layers": "conv1_1=0.5",
        "strategy": "multi-worker",
    }
    arguments = [
        text
        for name, value in given.items()
        for text in (f"--{name.replace('_', '-')}", str(value))
    ]
    assert main(["train", "style.png", "photos", "-o", "net.keras", "--quiet", *arguments]) == 130
    assert received == {
        **options,
        "style": "style.png",
        "photos": "photos",
        "output": "net.keras",
        "strategy": "workers",
        "progress": False,
        "callbacks": [mock.ANY],
    }
    assert (
        order == ["strategy", "start"]
        and capsys.readouterr().out == "net.keras: 7 steps; loss 1.500\n"
    )


def test_an_interrupt_while_a_trained_network_is_written_does_not_lose_it(folder, monkeypatch):
    from neural_style.feedforward import training

    net = build_transform_net(2, 0, record={"steps": 9, "settings": {"steps": 9}, "losses": {}})

    def train(output, callbacks, **options):
        callbacks[0].on_train_end()
        signal.raise_signal(signal.SIGINT)
        save_transform_net(net, output)
        return net

    monkeypatch.setattr(training, "train_transform_net", train)
    assert main(["train", "style.png", "photos", "-o", "net.keras"]) == 130
    assert load_transform_net("net.keras").record["steps"] == 9


def test_train_leaves_networks_that_it_starts_from_alone(folder, monkeypatch, capsys):
    """Of several styles, the folder may be there; the networks that they start from are inputs like
    any other.
    """
    from neural_style.feedforward import training

    net = build_transform_net(2, 0, record={"steps": 9, "settings": {"steps": 9}, "losses": {}})
    (folder / "nets").mkdir()
    for name in ("content", "style"):
        save_transform_net(net, f"nets/{name}.keras")
    trained = []
    monkeypatch.setattr(
        training, "train_transform_net", lambda **options: trained.append(options["output"]) or net
    )
    several = ["train", "style.png", "content.png", "photos", "--start", "nets", "--quiet"]
    (folder / "later").mkdir()
    assert main([*several, "-o", "later"]) == 0
    assert (
        main([*several, "-o", "nets"])
        == main("train style.png photos --start nets/style.keras -o nets/style.keras".split())
        == 2
    )
    assert capsys.readouterr().err.count("is also an input") == 2
    assert main([*several, "-o", "nets", "--overwrite"]) == 0 and trained == ["later", "nets"]


@pytest.mark.slow
def test_train_two_styles(folder, capsys):
    (folder / "photos").mkdir()
    save_image(picture(70, 80), folder / "photos" / "0.png")
    options = (
        "--crop 64 --batch-size 1 --steps 1 --style-size 48 --width 2 --style-layers "
        "conv1_2 --content-layers conv1_2 --weights random.h5 --quiet"
    ).split()
    assert main(["train", "style.png", "content.png", "photos", "-o", "nets", *options]) == 0
    assert (
        main(
            [
                "train",
                "style.png",
                "content.png",
                "photos",
                "-o",
                "later",
                *options,
                "--start",
                "nets",
                "--learning-rate",
                "0",
            ]
        )
        == 0
    )
    for name in ("style", "content"):
        net, later = (load_transform_net(f"{folder}/{name}.keras") for folder in ("nets", "later"))
        assert net.record["style"] == later.record["started_from"] == name
        assert all(np.array_equal(a, b) for a, b in zip(net.get_weights(), later.get_weights()))
    assert main(["train", "style.png", "content.png", "photos", "-o", "net.keras", *options]) == 2
    assert "must be a folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments,words",
    [
        (["train", "style.png", "nowhere", "-o", "net.keras"], "no folder"),
        (["train", "style.png", ".", "-o", "net.h5"], "must end in .keras"),
        (["train", "text.jpg", ".", "-o", "net.keras"], "not a picture"),
        (["train", "style.png", ".", "-o", "net.keras", "--start", "mona_lisa"], "style must be"),
        (["stylize", "content.png", "-o", "out.png", "--style", "nowhere.keras"], "no network"),
        (["stylize", "content.png", "-o", "out.png", "--style", "text.jpg"], "not a picture"),
        (["stylize", "nowhere.png", "-o", "out.png", "--style", "nowhere.keras"], "nowhere.png"),
    ],
)
def test_bad_trainings_are_one_line(folder, capsys, arguments, words):
    assert main([*arguments, "--quiet"]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1 and not Path("out.png").exists()


@pytest.mark.slow
def test_video(folder, capsys):
    """A film by a network and by optimization, and a film in a camera's place."""
    write_video([picture(48, 64, 1, noise=0)[:, i : i + 48] for i in range(6)], "film.mp4", 12)
    save_transform_net(build_transform_net(2, 0), "net.keras")
    assert main("video film.mp4 --style net.keras -o painted.mp4 --quiet --every 2".split()) == 0
    assert capsys.readouterr().out.startswith("painted.mp4: 3 frames, ")
    assert (
        main(
            (
                "video film.mp4 --style style.png -o held.mp4 --steps 1 --frames 1:3 --weights "
                "random.h5"
            ).split()
        )
        == 0
    )
    out = capsys.readouterr().out
    assert "frame 2 of 2" in out and "frames a second" in out and "held.mp4: 2 frames, " in out
    assert video_info("held.mp4").frames == 2 and video_info("held.mp4").width == 48
    assert main("video --camera film.mp4 --style net.keras -o seen.mp4 --size 32".split()) == 0
    assert " a second; " in capsys.readouterr().out and video_info("seen.mp4").width == 32


@pytest.mark.parametrize(
    "arguments,words",
    [
        (["--style", "style.png", "-o", "out.mp4"], "either FILM or --camera"),
        (["nowhere.mp4", "--style", "style.png", "-o", "out.mp4"], "no film"),
        (["text.jpg", "--style", "style.png", "-o", "out.mp4"], "is not a film"),
        (["nowhere.mp4", "--style", "style.png"], "needs --output"),
        (["--camera", "77", "--style", "nowhere.keras", "-o", "out.mp4"], "no network"),
        (["--camera", "0", "--style", "a.keras", "--every", "2"], "every"),
        (["nowhere.mp4", "--style", "a.keras", "-o", "out.mp4", "--no-window"], "--window"),
        (["nowhere.mp4", "--style", "a.keras", "-o", "out.mp4", "--seconds", "1"], "--seconds"),
    ],
)
def test_bad_films_are_one_line(folder, capsys, arguments, words):
    assert main(["video", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
