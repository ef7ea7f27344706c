"""Odd calls of the command line, and the right answers: exit codes, one line where something is
wrong, and what is written.
"""

import contextlib
import io
import json
import os
import re
import signal
import struct
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from unittest.mock import patch

import numpy as np
from helpers import TINY_COMMAND, interrupt, link_random_weights, picture
from odd import Row, works
from PIL import Image

from neural_style import load_image, read_record
from neural_style.__main__ import main
from neural_style.provenance.record import save_with_record

ROOT = str(Path(__file__).parents[1])
#: A run of a moment.
TINY = [*TINY_COMMAND, "--quiet"]
LOOP = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 60 40\n%%EndComments\n{} loop\n"


@dataclass
class Done:
    """What a call of the command line came to."""

    code: int
    out: str
    err: str


def call(*arguments):
    """The command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main([*arguments])
        except SystemExit as stop:  # argparse's
            code = stop.code
    return Done(code, out.getvalue(), err.getvalue())


def transfer(*arguments, content="photo.png", style="art.png", output="o.png"):
    return call("transfer", content, style, "-o", output, *TINY, *arguments)


def told(words, code=2, written=()):
    """The answer of a call that fails: this exit code, one line with these words (after argparse's
    usage, if it is argparse's), nothing written.
    """

    def answer(done, error, found):
        if error is not None:
            return f"{type(error).__name__}: {error}"
        line = re.sub(r"\Ausage: (?:.*\n)(?: .*\n)*(?=neural-style)", "", done.err)
        if (
            done.code != code
            or not re.fullmatch(r"neural-style( \w+)?: error: .*\n", line)
            or not re.search(words, line)
        ):
            return f"not {code} and one line with {words!r}: {done}"
        if found != [*written]:
            return f"wrote {found}"

    return answer


def done(*writes, words="", check=lambda: True):
    """The answer of a call that works: exit code 0, a word on nothing but `words`, these files."""
    return works(lambda done: done.code == 0 and re.fullmatch(words, done.err) and check(), writes)


# ---- Files ----


def damaged_exif(path, image):
    """A JPEG whose EXIF data has an entry of an impossible type, beside a sound orientation."""
    entries = [(0x112, 3, 1, b"\6\0\0\0"), (0x100, 2, 3, b"abc\0")]
    exif = (
        b"Exif\0\0II*\0\x08\0\0\0"
        + struct.pack("<H", len(entries))
        + b"".join(struct.pack("<HHI4s", *one) for one in entries)
        + bytes(4)
    )
    Image.fromarray(image).save(path, exif=exif)


@lru_cache(1)
def _repeatable():
    """A picture of photo.png and art.png with its record, as bytes."""
    assert transfer(output="repeatable.png").code == 0
    return Path("repeatable.png").read_bytes()


def forge(change, name="forged.png"):
    """A picture whose record was changed by `change`."""
    record = json.loads(json.dumps(read_record("repeatable.png")))
    change(record)
    save_with_record(load_image("photo.png"), name, record, keep="paths")


def prepare():
    link_random_weights()
    Image.fromarray(picture(48, 64, 1)).save("photo.png")
    Image.fromarray(picture(60, 45, 2)).save("art.png")
    Path("repeatable.png").write_bytes(_repeatable())
    left = np.zeros((48, 64), "uint8")
    left[:, :32] = 255
    Image.fromarray(left).save("m.png")
    Image.fromarray(0 * left).save("poor.png")
    damaged_exif("damaged.jpg", picture(48, 64, 3))
    Path("holiday.jpg").write_bytes(LOOP)
    np.savez("other.npz", a=np.arange(9))
    forge(lambda record: record["settings"].update(checkpoint="other.npz"))
    forge(lambda record: record.pop("settings"), "unset.png")
    forge(lambda record: record.update(content="photo.png"), "text.png")
    Path("bomb.png").write_bytes(bomb())
    Image.fromarray(picture(48, 64, 1)).save("nested.jpg")
    Path("nested.jpg.json").write_text("[" * 200_000 + "]" * 200_000)
    for folder in ("folder", "many"):
        os.makedirs(folder)
    Image.fromarray(picture(48, 64, 1)).save("many/0.png")
    damaged_exif("many/1.jpg", picture(48, 64, 3))
    Image.fromarray(picture(48, 64, 4)).save("many/2.png")


def bomb():
    """The head of a PNG of 20,000 x 20,000 pixels."""
    import zlib

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(bytes(100)))
        + chunk(b"IEND", b"")
    )


# ---- Processes ----


def process(*arguments, environment=None, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "neural_style", *arguments],
        env={**os.environ, "PYTHONPATH": ROOT, **(environment or {})},
        text=True,
        **options,
    )


def nobody_reads():
    """Standard output is a pipe into a program that ends at once; two stages, each with a line."""
    options = [*TINY[:-1], "--start-size", "16", "--style-layers", "conv1_1"]
    reader, writer = os.pipe()
    running = process(
        "transfer",
        "photo.png",
        "art.png",
        "-o",
        "o.png",
        *options,
        stdout=writer,
        stderr=subprocess.PIPE,
    )
    os.close(writer)
    os.close(reader)
    return Done(err=running.communicate()[1], code=running.returncode, out="")


def no_standard_error():
    """Both at once: a run that is right, and one that is not; their exit codes, and what stands on
    standard output.
    """
    running = [
        process(
            "transfer",
            content,
            "art.png",
            "-o",
            "o.png",
            *TINY,
            stdout=subprocess.PIPE,
            preexec_fn=lambda: os.close(2),
        )
        for content in ("photo.png", "none.png")
    ]
    out = [one.communicate()[0] for one in running]
    return [one.returncode for one in running], out


def early_interrupts():
    """What is wrong, where Ctrl-C comes while libraries are loading."""
    environment = {**os.environ, "PYTHONPATH": ROOT}
    return [
        interrupt("transfer", Path(f"at{seconds}"), environment, seconds)
        for seconds in (0.15, 1, 2)
    ]


def before_the_first_step():
    with patch(
        "neural_style.iterative.prepare.make_record", lambda *_: os.kill(os.getpid(), signal.SIGINT)
    ):
        return transfer()


def without_jax():
    os.makedirs("hidden")
    Path("hidden/jax.py").write_text("raise ModuleNotFoundError(\"No module named 'jax'\")")
    running = process(
        "transfer",
        "photo.png",
        "art.png",
        "-o",
        "o.png",
        *TINY,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        environment={
            "KERAS_BACKEND": "jax",
            "PYTHONPATH": os.pathsep.join([os.path.abspath("hidden"), ROOT]),
        },
    )
    out, err = running.communicate()
    return Done(running.returncode, out, err)


def over_itself():
    assert transfer("--overwrite", output="photo.png").code == 0
    return call("transfer", "--from-record", "photo.png", "-o", "o.png")


def without_pyav():
    with patch.dict(sys.modules, {"av": None}):
        return call("video", "photo.png", "--style", "poppies", "-o", "o.mp4")


ODD = os.fsdecode(b"\xff\xfe.png")
LONG = "x" * 246 + ".png"

ROWS = [
    Row("transfer photo art -o o.png", transfer, done("o.png")),
    Row(
        "transfer photo -o o.png art",
        lambda: call("transfer", "photo.png", "-o", "o.png", "art.png", *TINY),
        done("o.png"),
        slow=True,
    ),
    Row(
        "transfer photo --size 32 art -o o.png",
        lambda: call("transfer", "photo.png", *TINY, "art.png", "-o", "o.png"),
        done("o.png"),
        slow=True,
    ),
    Row(
        "-o the content itself",
        lambda: transfer(output="photo.png"),
        told("also an input.*--overwrite"),
    ),
    Row(
        "--from-record of that",
        over_itself,
        told("is not the file it was", written=["photo.png"]),
        slow=True,
    ),
    Row("-o out", lambda: transfer(output="out"), told("picture format")),
    Row("-o x.h5", lambda: transfer(output="x.h5"), told("picture format.*x.h5")),
    Row("-o x.xbm", lambda: transfer(output="x.xbm"), told("picture format.*x.xbm")),
    Row("-o 250 characters", lambda: transfer(output=LONG), done(LONG), slow=True),
    Row(
        "-o '写真 フォルダ.png'",
        lambda: transfer(output="写真 フォルダ.png"),
        done("写真 フォルダ.png"),
        slow=True,
    ),
    Row("-o a name of invalid UTF-8", lambda: transfer(output=ODD), done(ODD), slow=True),
    Row("content = style", lambda: transfer(content="art.png"), done("o.png"), slow=True),
    Row("content a folder", lambda: transfer(content="folder"), told("folder")),
    Row(
        "content a URL",
        lambda: transfer(content="http://example.org/photo.png"),
        told("no picture"),
    ),
    Row(
        "content '~/photo.png'",
        lambda: transfer(content="~/photo.png"),
        told("no picture at '~/photo.png'"),
    ),
    Row(
        "content with damaged EXIF",
        lambda: transfer(content="damaged.jpg"),
        done("o.png", words=r"(.*damaged\.jpg.*\n)?"),
        slow=True,
    ),
    Row(
        "style: PostScript named .jpg",
        lambda: transfer(style="holiday.jpg"),
        told("'holiday.jpg' is not a picture"),
    ),
    Row("--style-scale 1e308", lambda: transfer("--style-scale", "1e308"), told("style_scale")),
    Row("--style-weight nan", lambda: transfer("--style-weight", "nan"), told("style_weight=nan")),
    Row("--style-weight -1", lambda: transfer("--style-weight", "-1"), told("style_weight=-1")),
    Row("--seed 1.5", lambda: transfer("--seed", "1.5"), told("--seed.*1.5")),
    Row("--style-layers ''", lambda: transfer("--style-layers", ""), told("no layer ''")),
    Row(
        "--style-layers conv1_1=x",
        lambda: transfer("--style-layers", "conv1_1=x"),
        told("--style-layers.*conv1_1=x"),
    ),
    Row(
        "--blend 1,2 for one style", lambda: transfer("--blend", "1,2"), told("2 shares, 1 styles")
    ),
    Row("--init ''", lambda: transfer("--init", ""), told("init=''")),
    Row("--init photo", lambda: transfer("--init", "photo"), told("init='photo'")),
    Row("--preset nothing", lambda: transfer("--preset", "nothing"), told("nothing")),
    Row("--scale x", lambda: transfer("--scale", "x"), told("scale must be.*'x'")),
    Row(
        "--masks m.png photo art -o …",
        lambda: call("transfer", "--masks", "m.png", "photo.png", "art.png", "-o", "o.png", *TINY),
        told("--masks took every name after it: put CONTENT and STYLE before it"),
    ),
    Row(
        "--tv-options power=2",
        lambda: transfer("--tv-options", "power=2"),
        told("tv_options must be.*'power': 2"),
    ),
    Row(
        "--tv-options exponent",
        lambda: transfer("--tv-options", "exponent"),
        told("--tv-options: expected NAME=VALUE.*'exponent'"),
    ),
    Row("--steps 16=x", lambda: transfer("--steps", "16=x"), told("--steps: expected.*'16=x'")),
    Row(
        "--steps to another size",
        lambda: transfer("--steps", "16=2,40=1"),
        told("a schedule of steps must be.*40: 1"),
    ),
    Row("--steps 16=2,32=1", lambda: transfer("--steps", "16=2,32=1"), done("o.png")),
    Row("--scale content=mean", lambda: transfer("--scale", "content=mean"), told("scale must be")),
    Row("--noise-std -1", lambda: transfer("--noise-std", "-1"), told("noise_std=-1")),
    Row("--noise-std 12", lambda: transfer("--init=noise", "--noise-std=12"), done("o.png")),
    Row("--normalize", lambda: transfer("--normalize"), done("o.png")),
    Row("--resume alone", lambda: transfer("--resume"), told("resume.*needs a checkpoint")),
    Row(
        "--checkpoint an .npz of other data",
        lambda: transfer("--checkpoint", "other.npz"),
        told("'other.npz' is not a checkpoint"),
    ),
    Row(
        "--from-record forged.png",
        lambda: call("transfer", "--from-record", "forged.png", "-o", "o.png"),
        told("'forged.png' has no record"),
    ),
    Row(
        "--from-record without settings",
        lambda: call("transfer", "--from-record", "unset.png", "-o", "o.png"),
        told("'unset.png' has no record"),
    ),
    Row(
        "--from-record, content a text",
        lambda: call("transfer", "--from-record", "text.png", "-o", "o.png"),
        told("'text.png' has no record"),
    ),
    Row(
        "--from-record bomb.png",
        lambda: call("transfer", "--from-record", "bomb.png", "-o", "o.png"),
        told("no record"),
    ),
    Row(
        "--from-record of nested lists",
        lambda: call("transfer", "--from-record", "nested.jpg", "-o", "o.png"),
        told("no record"),
    ),
    Row(
        "stylize --style starry_night=inf,poppies=1",
        lambda: call(
            "stylize", "photo.png", "-o", "o.png", "--style", "starry_night=inf,poppies=1"
        ),
        told("share"),
        slow=True,
    ),
    Row(
        "stylize share nan",
        lambda: call(
            "stylize", "photo.png", "-o", "o.png", "--style", "starry_night=nan,poppies=1"
        ),
        told("share"),
        slow=True,
    ),
    Row(
        "stylize share -1",
        lambda: call("stylize", "photo.png", "-o", "o.png", "--style", "starry_night=-1,poppies=1"),
        told("share"),
    ),
    Row(
        "stylize -o the photo",
        lambda: call("stylize", "photo.png", "-o", "photo.png", "--style", "poppies"),
        told("also an input.*--overwrite"),
    ),
    Row(
        "stylize unknown style",
        lambda: call("stylize", "photo.png", "-o", "o.png", "--style", "mona_lisa"),
        told("must be one of.*poppies"),
    ),
    Row(
        "stylize --style of no painting",
        lambda: call("stylize", "photo.png", "-o", "o.png", "--style", "none.png"),
        told("none.png"),
    ),
    Row(
        "stylize --strength 2",
        lambda: call(
            "stylize", "photo.png", "-o", "o.png", "--style", "art.png", "--strength", "2"
        ),
        told("strength must be"),
    ),
    Row(
        "stylize -o the painting",
        lambda: call("stylize", "photo.png", "-o", "art.png", "--style", "art.png"),
        told("also an input.*--overwrite"),
    ),
    Row(
        "stylize a folder with one damaged EXIF",
        lambda: call("stylize", "many", "-o", "painted", "--style", "poppies", "--quiet"),
        done(
            *(os.path.join("painted", name) for name in ("0.png", "1.jpg", "2.png")),
            words=r"(.*1\.jpg.*\n)?",
        ),
        slow=True,
    ),
    Row(
        "matte with a poor mask",
        lambda: call("matte", "photo.png", "-o", "o.png", "--mask", "poor.png"),
        told("--mask is empty"),
    ),
    Row("video without PyAV", without_pyav, told('PyAV: pip install "av', code=1)),
    Row(
        "video without FILM",
        lambda: call("video", "--style", "art.png", "-o", "o.mp4"),
        told("either FILM or --camera"),
    ),
    Row(
        "weights --weights none.h5",
        lambda: call("weights", "--weights", "none.h5"),
        told("no file 'none.h5'"),
    ),
    Row("no command", call, told("required.*COMMAND")),
    Row(
        "train, no such folder",
        lambda: call("train", "art.png", "nowhere", "-o", "n.keras"),
        told("no folder.*nowhere"),
    ),
    Row(
        "output piped into a program that ends (| true)",
        nobody_reads,
        works(
            lambda done: (
                done.code == 0
                and "Traceback" not in done.err
                and load_image("o.png").shape == (24, 32, 3)
            ),
            ["o.png"],
        ),
        seconds=60,
        slow=True,
    ),
    Row(
        "2>&- (no stderr)",
        no_standard_error,
        works(
            lambda found: (
                found[0] == [0, 2] and found[1][0].startswith("o.png: ") and found[1][1] == ""
            ),
            ["o.png"],
        ),
        seconds=60,
        slow=True,
    ),
    Row(
        "Ctrl-C after 0.15, 1, 2 s (imports)",
        early_interrupts,
        works(lambda wrong: wrong == [None] * 3),
        seconds=60,
        slow=True,
    ),
    Row(
        "Ctrl-C before the first step",
        before_the_first_step,
        works(
            lambda done: (
                (done.code, done.out, done.err)
                == (130, "", "neural-style: interrupted; nothing was written\n")
            ),
            [],
        ),
    ),
    Row(
        "KERAS_BACKEND=jax without jax",
        without_jax,
        works(
            lambda done: (
                done.code == 1 and done.err == "neural-style: error: No module named 'jax'\n"
            ),
            ["hidden/jax.py"],
        ),
        seconds=60,
        slow=True,
    ),
]
