"""Odd calls of train_transform_net(), and the right answers."""

import contextlib
import os
from functools import lru_cache
from pathlib import Path

from helpers import picture, random_weights
from odd import Row, refused, works
from odd_pictures import POSTSCRIPT, damaged_exif, with_ghostscript
from PIL import Image

from neural_style import train_transform_net
from neural_style.feedforward.network import TransformNet

ART = picture(40, 40, 2)
QUICK = dict(
    width=1,
    residual_blocks=0,
    crop=32,
    batch_size=1,
    steps=2,
    style_size=40,
    network="vgg16",
    weights=random_weights(),
    progress=False,
    content_layers=["conv1_1"],
    style_layers=["conv1_1"],
)


@lru_cache(2)
def photo(seed):
    return picture(40, 48, seed)


def prepare():
    os.mkdir("photos")
    for number in (0, 1):
        Image.fromarray(photo(number)).save(f"photos/{number}.png")
    os.mkdir("mydata")
    Path("mydata/training.json").write_text('{"lesson": 1}')
    Path("mydata/log.csv").write_text("when,what\n1,2\n")
    Path("file").write_text("mine")
    os.mkdir("folder.keras")
    for name, text in (("damaged", '{"styles": '), ("list", "[1, 2]")):
        os.mkdir(name)
        Path(name, "training.json").write_text(text)


def train(style=ART, photos="photos", output=None, **options):
    return train_transform_net(style, photos, output, **{**QUICK, **options})


def twice_into_mydata():
    with contextlib.suppress(ValueError):
        train(checkpoint="mydata")
    return train(checkpoint="mydata")


def with_damaged_exif():
    Path("photos/damaged.jpg").write_bytes(damaged_exif())
    return train()


def with_postscript():
    Path("photos/holiday.jpg").write_text(POSTSCRIPT)
    return with_ghostscript(train)


def small_style():
    return train(picture(5, 5), style_size=5)


def is_net(net):
    return isinstance(net, TransformNet)


ROWS = [
    Row("2 steps", train, works(lambda net: net.record["steps"] == 2, writes=[]), slow=True),
    Row(
        "checkpoint= a folder with another training.json, log.csv",
        lambda: train(checkpoint="mydata"),
        refused("checkpoint must be a folder of its own"),
    ),
    Row("… asked for again", twice_into_mydata, refused("checkpoint must be a folder of its own")),
    Row(
        "checkpoint= a file",
        lambda: train(checkpoint="file"),
        refused("checkpoint must be a folder"),
    ),
    Row(
        "training.json of damaged JSON",
        lambda: train(checkpoint="damaged"),
        refused(r"training\.json' cannot be read"),
    ),
    Row(
        "training.json a list",
        lambda: train(checkpoint="list"),
        refused(r"training\.json' must hold an object"),
    ),
    Row("resume='yes'", lambda: train(resume="yes"), refused("resume must be.*'yes'")),
    Row("terms='tv'", lambda: train(terms="tv"), refused("terms must be a list.*'tv'")),
    Row("terms=[0.5]", lambda: train(terms=[0.5]), refused("a term must be.*Received: float")),
    Row("one photo with damaged EXIF", with_damaged_exif, works(is_net), slow=True),
    Row(
        "PostScript named .jpg among the photos",
        with_postscript,
        works(lambda result: result[1] == "" and is_net(result[0])),
        slow=True,
    ),
    Row("crop=31", lambda: train(crop=31), refused("crop=31")),
    Row("crop=33", lambda: train(crop=33), works(is_net), slow=True),
    Row("crop=True", lambda: train(crop=True), refused("crop=True")),
    Row("crop=1000", lambda: train(crop=1000), refused("smaller than the crop of 1000")),
    Row("steps=0", lambda: train(steps=0), refused("steps=0")),
    Row("steps=2.0", lambda: train(steps=2.0), refused("steps=2.0")),
    Row("seed=-1", lambda: train(seed=-1), refused("seed=-1")),
    Row("width=0", lambda: train(width=0), refused("width=0")),
    Row("width=2.5", lambda: train(width=2.5), refused("width=2.5")),
    Row("residual_blocks=-1", lambda: train(residual_blocks=-1), refused("residual_blocks=-1")),
    Row(
        "learning_rate=nan", lambda: train(learning_rate=float("nan")), refused("learning_rate=nan")
    ),
    Row(
        "learning_rate=1e30",
        lambda: train(learning_rate=1e30),
        refused("a lower learning_rate", FloatingPointError),
        slow=True,
    ),
    Row("style_weight=inf", lambda: train(style_weight=float("inf")), refused("style_weight=inf")),
    Row("style={}", lambda: train({}), refused("style must be.*empty")),
    Row("style=[]", lambda: train([]), refused("Received: list")),
    Row(
        "style={'../up': …}, output='nets'",
        lambda: train({"../up": ART}, output="nets"),
        refused("name of a style must be a plain file name.*up"),
    ),
    Row("output='n.h5'", lambda: train(output="n.h5"), refused("must end in .keras")),
    Row("output a folder", lambda: train(output="folder.keras"), refused("cannot be written")),
    Row("photos=list", lambda: train(photos=["photos/0.png"]), refused("photos must be.*list")),
    Row(
        "photos= a folder without pictures",
        lambda: train(photos="mydata"),
        refused("has no pictures"),
    ),
    Row("start='poppies'", lambda: train(start="poppies"), refused("start must be.*str")),
    Row("callbacks=3", lambda: train(callbacks=3), refused("callbacks=3")),
    Row("strategy='mirrored'", lambda: train(strategy="mirrored"), refused("strategy='mirrored'")),
    Row(
        "name='a/b'",
        lambda: train(name="a/b"),
        works(lambda net: net.record["style"] == "a/b"),
        slow=True,
    ),
    Row("style of 5 x 5", small_style, works(is_net), slow=True),
    Row("batch_size=0", lambda: train(batch_size=0), refused("batch_size=0")),
    Row("precision='half'", lambda: train(precision="half"), refused("'half'")),
]
