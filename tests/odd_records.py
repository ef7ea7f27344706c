"""Odd records, and the right answers."""

import copy
import json
import os
from functools import lru_cache
from pathlib import Path

import numpy as np
from helpers import picture, random_weights
from odd import Row, refused, works
from odd_pictures import png
from PIL import Image, PngImagePlugin

from neural_style import read_record, save_image, transfer
from neural_style.provenance.read import arguments_of
from neural_style.provenance.record import KEY

QUICK = dict(
    size=32,
    start_size=None,
    steps=1,
    content_layers=["conv1_1"],
    style_layers=["conv1_1"],
    weights=random_weights(),
    progress=False,
)
PHOTO, ART = picture(24, 32, 1), picture(24, 32, 2)


@lru_cache(1)
def _result():
    """A run of photo.png and art.png in the current folder, as any of the folders has them."""
    return transfer("photo.png", "art.png", **QUICK)


def prepare():
    save_image(PHOTO, "photo.png")
    save_image(ART, "art.png")
    np.savez("precious.npz", a=1)
    _result()


def record():
    return copy.deepcopy(_result().record)


def forged(**changes):
    """What arguments_of gives for a picture whose record has these settings changed; None: without
    that setting.
    """
    made = record()
    for name, value in changes.items():
        made["settings"][name] = value
    return of(made)


def of(made):
    """arguments_of a PNG with this record."""
    write(json.dumps(made))
    return arguments_of(read_record("bad.png"))


def write(text, compressed=False):
    info = PngImagePlugin.PngInfo()
    info.add_itxt(KEY, text, zip=compressed)
    Image.fromarray(PHOTO).save("bad.png", pnginfo=info)


def text(text, compressed=False):
    write(text, compressed)
    return read_record("bad.png")


def part(change):
    """read_record of a good picture's bytes, changed."""
    _result().save("good.png")
    Path("bad.png").write_bytes(change(Path("good.png").read_bytes()))
    return read_record("bad.png")


def wrong_crc(data):
    at = data.index(b"iTXt") + 20
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def replaced():
    _result().save("out.jpg")
    Image.fromarray(ART).save("out.jpg")
    return read_record("out.jpg")


def without(name):
    made = record()
    del made["settings"][name]
    return of(made)


def with_part(name, value):
    made = record()
    made[name] = value
    return of(made)


def another_weights_file():
    made = record()
    made["weights"]["sha256"] = "0" * 64
    return of(made)


def again():
    _result().save("out.png")
    return (
        transfer(**arguments_of(read_record("out.png")), progress=False).image.tobytes()
        == _result().image.tobytes()
    )


def private():
    """The bytes of a picture of a photo that lies in a telling folder."""
    os.makedirs("alice/Acme divorce")
    save_image(PHOTO, "alice/Acme divorce/IMG_2031.jpg")
    transfer(os.path.abspath("alice/Acme divorce/IMG_2031.jpg"), "art.png", **QUICK).save(
        "share.png"
    )
    with Image.open("share.png") as image:
        return Path("share.png").read_bytes() + json.dumps(image.text).encode()


def gps():
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    Image.fromarray(PHOTO).save("gps.jpg", exif=exif)
    transfer("gps.jpg", "art.png", **QUICK).save("out.jpg")
    with Image.open("out.jpg") as image:
        return dict(image.getexif())


def refused_as(words):
    """Refused, with nothing written but what the row itself laid there."""
    return lambda r, e, w: refused(words)(
        r, e, [name for name in w if name not in ("bad.png", "good.png", "out.jpg", "out.jpg.json")]
    )


NONE = "has no record of a run"
ROWS = [
    Row(
        "record of 2 M characters",
        lambda: text(json.dumps({**record(), "note": "x" * 2_000_000})),
        works(lambda found: len(found["note"]) == 2_000_000),
        slow=True,
    ),
    Row(
        "compressed record of 2 MB",
        lambda: text(json.dumps({**record(), "note": "x" * 2_000_000}), compressed=True),
        refused_as(NONE),
    ),
    Row("record of 70 M characters", lambda: text("x" * 70_000_000), refused_as(NONE), slow=True),
    Row(
        "read_record(20,000 x 20,000 bomb)",
        lambda: part(lambda data: png(20_000, 20_000)),
        refused_as(NONE),
    ),
    Row("PNG cut at 60", lambda: part(lambda data: data[:60]), refused_as(NONE)),
    Row("cut at 200", lambda: part(lambda data: data[:200]), refused_as(NONE)),
    Row("cut 30 bytes before the end", lambda: part(lambda data: data[:-30]), refused_as(NONE)),
    Row("wrong CRC", lambda: part(wrong_crc), refused_as(NONE)),
    Row(
        "sidecar of 200,000 nested lists",
        lambda: (
            Path("out.jpg").write_bytes(b""),
            Path("out.jpg.json").write_text("[" * 200_000),
            read_record("out.jpg"),
        ),
        refused_as(NONE),
    ),
    Row("read_record(folder)", lambda: read_record("."), refused(NONE)),
    Row("out.jpg replaced by another picture", replaced, refused_as("is of another picture")),
    Row(
        "settings have checkpoint: 'precious.npz'",
        lambda: forged(checkpoint="precious.npz"),
        refused_as(NONE),
    ),
    Row(
        "settings have content, style",
        lambda: forged(content="photo.png", style="art.png"),
        refused_as(NONE),
    ),
    Row(
        "settings have masks, content_map as text",
        lambda: forged(masks=["photo.png"], content_map="photo.png"),
        refused_as(NONE),
    ),
    Row(
        "settings have steps 10^9, size 8192",
        lambda: forged(steps=10**9, size=8192),
        works(lambda given: given["steps"] == 10**9),
        slow=True,
    ),
    Row(
        "no init among the settings",
        lambda: without("init"),
        works(lambda given: "init" not in given),
        slow=True,
    ),
    Row("style 5", lambda: with_part("style", 5), refused_as(NONE)),
    Row("style 'abc'", lambda: with_part("style", "abc"), refused_as(NONE)),
    Row("steps [1]", lambda: forged(steps=[1]), refused_as(NONE)),
    Row("settings a list", lambda: with_part("settings", [1]), refused_as(NONE)),
    Row("settings have color", lambda: forged(colour=1), refused_as(NONE)),
    Row("content a text", lambda: with_part("content", "photo.png"), refused_as(NONE)),
    Row(
        "weights file changed since, or sha256 000…",
        another_weights_file,
        refused_as("weights are not those of the run"),
        slow=True,
    ),
    Row("the same run again", again, works(bool), slow=True),
    Row(
        "content='/…/Acme divorce/IMG_2031.jpg', save PNG",
        private,
        works(
            lambda data: b"Acme" not in data and b"alice" not in data and b"IMG_2031.jpg" in data
        ),
        slow=True,
    ),
    Row("content with GPS in its EXIF", gps, works(lambda exif: exif == {}), slow=True),
]
