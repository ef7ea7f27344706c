"""Odd arguments of transfer() and its parts, and the right answers."""

import warnings
from pathlib import Path

import numpy as np
from helpers import picture, random_weights
from odd import Row, refused, works
from PIL import Image

from neural_style import Checkpoint, masks, transfer
from neural_style.iterative import SaveEvery, StopWhen, TimeLimit

PHOTO, ART, INF, NAN = picture(24, 32, 1), picture(32, 24, 2), float("inf"), float("nan")
QUICK = dict(
    size=32,
    start_size=None,
    steps=1,
    content_layers=["conv1_1"],
    style_layers=["conv1_1", "conv2_1"],
    weights=random_weights(),
    progress=False,
)


def prepare():
    Image.fromarray(PHOTO).save("photo.png")
    Image.fromarray(ART).save("art.png")


def run(style=ART, content=PHOTO, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, of a noise of 1e300
        return transfer(content, style, **{**QUICK, **options})


def sized(width, height):
    return works(lambda result: result.image.size == (width, height))


def no(name, words, **options):
    return Row(name, lambda: run(**options), refused(words))


def yes(name, answer=None, seconds=20, slow=False, **options):
    return Row(name, lambda: run(**options), answer or sized(32, 24), seconds, slow)


def reads(name, words, slow=False, **options):
    """As no(), where a FloatingPointError names the term."""
    return Row(name, lambda: run(**options), refused(words, FloatingPointError), slow=slow)


def stops():
    callback = StopWhen(1, 2)
    return run(steps=9, callback=callback)


ROWS = [
    no("style=[(pic, 0)]", "shares of a style blend", style=[(ART, 0)]),
    no("style=[]", "style must be a picture, or a list", style=[]),
    Row(
        "style=generator", lambda: run(style=(one for one in [ART])), refused("Received: generator")
    ),
    no("style=(pic, 0.5)", "Received: float", style=(ART, 0.5)),
    no("style=[(pic, True)]", "shares of a style blend.*True", style=[(ART, True)]),
    yes(
        "style=[(pic, np.float32(.5)), …]",
        style=[(ART, np.float32(0.5)), (PHOTO, np.float32(0.5))],
        slow=True,
    ),
    no("style=[(pic, -1)]", "shares of a style blend.*-1", style=[(ART, -1)]),
    no("style=[(pic, inf)]", "shares of a style blend.*inf", style=[(ART, INF)]),
    no(
        "style=[(pic, 1e308), (pic, 1e308)]",
        "shares of a style blend must be finite, their sum too",
        style=[(ART, 1e308), (ART, 1e308)],
    ),
    no("style={'art.png': 1}", "Received: dict", style={"art.png": 1}),
    yes("60 style pictures", style=[ART] * 60, seconds=60, slow=True),
    yes("style_weight=np.float32(5)", style_weight=np.float32(5)),
    yes("style_weight=np.float64(5)", style_weight=np.float64(5), slow=True),
    no(
        "style_weight=np.array(5.)",
        "style_weight must be a finite number",
        style_weight=np.array(5.0),
    ),
    no("style_weight='5'", "style_weight='5'", style_weight="5"),
    no("style_weight=True", "style_weight=True", style_weight=True),
    reads("style_weight=1e300", "style loss is not finite", style_weight=1e300, slow=True),
    no("style_weight=10**400", "style_weight must be a finite number", style_weight=10**400),
    yes(
        "content_layers={'conv2_1': np.float32(1)}",
        content_layers={"conv2_1": np.float32(1)},
        slow=True,
    ),
    yes(
        "content_layers={'conv2_1': 0}, style_weight=0",
        lambda r, e, w: refused("must not both be 0, nor all weights of their layers")(r, e, w),
        content_layers={"conv2_1": 0},
        style_weight=0,
    ),  # the report has it that it works: on total variation alone
    no(
        "all layer weights 0",
        "must not both be 0, nor all weights of their layers",
        content_layers={"conv1_1": 0},
        style_layers={"conv1_1": 0},
    ),
    no(
        "style_layers=None",
        "style_layers must be a list of layer names.*NoneType",
        style_layers=None,
    ),
    Row(
        "style_layers=generator",
        lambda: run(style_layers=(name for name in ["conv1_1"])),
        refused("style_layers must be.*generator"),
    ),
    yes(
        "style_layers=['conv1_1', 'block1_conv1']",
        style_layers=["conv1_1", "block1_conv1"],
        slow=True,
    ),
    yes("style_layers=['conv1_1', 'conv1_1']", style_layers=["conv1_1", "conv1_1"], slow=True),
    no("network=['vgg16']", r"network=\['vgg16'\]", network=["vgg16"]),
    no("pooling=['avg']", r"pooling=\['avg'\]", pooling=["avg"]),
    no("weights=3.5", "weights must be.*float", weights=3.5),
    no("weights=a folder", "weights must be", weights="."),
    no("size=32.0", "size=32.0", size=32.0),
    no("size='32'", "size='32'", size="32"),
    yes("size=np.int16(32)", size=np.int16(32), slow=True),
    no("size=True", "size=True", size=True),
    no("size=None", "size=None", size=None),
    no("size=10**9", "the limit is", size=10**9),
    no("size=1", "these layers need", size=1),
    no("size=2", "only 2 pixels.*need 4.*padding='zeros'", size=2),
    no("size=3", "only 2 pixels.*need 4.*padding='zeros'", size=3),
    yes("size=2 with zeros", sized(2, 2), size=2, padding="zeros", slow=True),
    yes("size=3 with zeros", sized(3, 2), size=3, padding="zeros", slow=True),
    yes("size=8", sized(8, 6), size=8, slow=True),
    yes("size=16", sized(16, 12), size=16, slow=True),
    no(
        "size=17, default layers",
        "these layers need 16",
        size=17,
        content_layers=["block4_conv2"],
        style_layers=["block5_conv1"],
    ),
    yes("size=32, start_size=128", start_size=128, slow=True),
    no(
        "style_scale=1e308",
        "style_scale must be a finite number, also times size|the limit is",
        style_scale=1e308,
    ),
    no("style_scale=1e-9", "style image is only", style_scale=1e-9),
    no("steps=0", "steps=0", steps=0),
    no("steps={32: 1, 16: 1}", "from coarse to fine", steps={32: 1, 16: 1}),
    yes(
        "steps={16: 1, 32: 1}, start_size=8",
        works(lambda result: len(result.history["total"]) == 2),
        steps={16: 1, 32: 1},
        start_size=8,
        slow=True,
    ),
    no("steps={16: 0, 32: 1}", "a schedule of steps", steps={16: 0, 32: 1}),
    no("steps=10**400", "steps must be a positive integer, at most", steps=10**400),
    no("seed=-1", "seed=-1", seed=-1),
    yes("seed=2**200", seed=2**200, init="noise", slow=True),
    yes("noise_std=1e300", noise_std=1e300, init="noise", slow=True),
    yes("learning_rate=1e300, adam", learning_rate=1e300, optimizer="adam", steps=2, slow=True),
    no("learning_rate='a'", "learning_rate='a'", learning_rate="a"),
    no("init=Path('none.png')", "no picture at 'none.png'", init=Path("none.png")),
    no("init='photo.png'", r"load_image\(path\)", init="photo.png"),
    no("tile=8, below the halo", "tile must be at least", tile=8),
    no("tile=True", "tile=True", tile=True),
    no("tile='32'", "tile='32'", tile="32"),
    no("content_map all 0", "content_map is empty", content_map=np.zeros((24, 32))),
    no("content_map NaN", "content_map must have values", content_map=np.full((24, 32), NAN)),
    reads(
        "content_map 1e38",
        "content loss is not finite",
        content_map=np.full((24, 32), 1e38),
        scale={"content": "sum", "style": "relative"},
        slow=True,
    ),
    no("masks=np.ones(…)", "masks must be a list", masks=np.ones((24, 32))),
    no("masks=[(1, 2, 3)]", "region 1's mask must be H x W", masks=[(1, 2, 3)]),
    no("mask H x W x 1", "region 1's mask must be H x W", masks=[np.ones((24, 32, 1))]),
    no("masks={'content': p}", "label pictures must be", masks={"content": PHOTO}),
    no(
        "masks={'content': p, 'style': []}",
        "style",
        masks={"content": np.zeros((24, 32, 3), "uint8"), "style": []},
    ),
    no(
        "a mask of one pixel, inside=True",
        "no region has a position",
        masks=[masks.Region(np.eye(24, 32) * (np.arange(32) == 3), inside=True)],
        style_layers=["conv2_1"],
    ),
    no("preserve_color=['match']", r"preserve_color=\['match'\]", preserve_color=["match"]),
    no("scale={'content': 'mean'}", "keys 'content' and 'style'", scale={"content": "mean"}),
    no("tv_options={'exponent': nan}", "exponent=nan", tv_options={"exponent": NAN}),
    no("checkpoint='none/run.npz'", "folder 'none' does not exist", checkpoint="none/run.npz"),
    no("checkpoint='run'", "must end in .npz", checkpoint="run"),
    no("resume='yes'", "resume='yes'", resume="yes", checkpoint="run.npz"),
    yes("resume=True alone", works(), resume=True),
    Row("one array for both", lambda: run(PHOTO, PHOTO), sized(32, 24), slow=True),
    yes(
        "black on black",
        works(lambda result: "converged" in result.message or result.message == "all steps done"),
        style=np.zeros((24, 32, 3), "uint8"),
        content=np.zeros((24, 32, 3), "uint8"),
        steps=3,
        slow=True,
    ),
    yes(
        "1 x 1 on 1 x 1",
        sized(1, 1),
        padding="zeros",
        content=PHOTO[:1, :1],
        style=ART[:1, :1],
        size=1,
        style_layers=["conv1_1"],
        slow=True,
    ),
    Row(
        "callback=generator",
        lambda: run(callback=(one for one in [1])),
        refused("callback must be a function.*generator"),
    ),
    Row("SaveEvery(0.5)", lambda: SaveEvery(0.5, "frames"), refused("steps=0.5")),
    Row(
        "SaveEvery(np.int64(2))",
        lambda: SaveEvery(np.int64(2), "frames"),
        works(lambda callback: callback.steps == 2),
    ),
    Row("TimeLimit(nan)", lambda: TimeLimit(NAN), refused("seconds=nan")),
    Row("StopWhen(patience=2.0)", lambda: StopWhen(patience=2.0), refused("patience=2.0")),
    Row(
        "StopWhen(1, 2)",
        stops,
        works(
            lambda result: (
                result.message.startswith("stopped") and len(result.history["total"]) == 2
            )
        ),
    ),
    Row("Checkpoint(steps=0.3)", lambda: Checkpoint("run.npz", steps=0.3), refused("steps=0.3")),
]
