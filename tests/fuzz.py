"""Damaged and forged files, by the thousand: each must load, or be refused by a ValueError of ours;
soon, in little memory, nothing written.

    python tests/fuzz.py TARGET COUNT [SEED]      one of TARGETS; prints what came as JSON, and fails at the first wrong answer

A mutant is made from a good file: bits turned, bytes replaced, parts cut out, doubled or cut off,
numbers made extreme. Where a format has checksums or is a container (PNG, zip), half of the mutants
get them right again, so that what lies within is read.
"""

import faulthandler
import io
import json
import os
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
import zipfile
import zlib
from fractions import Fraction
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
PACKAGE = str(Path(__file__).parents[1] / "neural_style")
#: Of a mutant: seconds that it may take, and bytes that all of them may add to the process.
SECONDS, MOST_BYTES = 20, 1_000_000_000

ODD = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    1e308,
    float("nan"),
    2**63,
    10**400,
    "",
    "x",
    "x" * 2000,
    "../../etc/passwd",
    "//host/share",
    "\\\\host\\share",
    "/dev/zero",
    "\0",
    [],
    {},
    [[]],
    [{}],
    {"path": "/dev/zero", "sha256": "0" * 64},
    {"path": None, "sha256": "0" * 64},
    {"name": "..", "sha256": "0" * 64},
]
NAMES = [
    "checkpoint",
    "resume",
    "callback",
    "progress",
    "content",
    "style",
    "masks",
    "weights",
    "init",
    "size",
    "path",
    "name",
    "sha256",
    "schema",
    "stage",
    "done",
    "x",
]


# ---- Mutants
# ---------------------------------------------------------------------------------------------------------


def mutate(data, rng):
    """One to four changes of the bytes."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        if not data:
            return bytes(data)
        at, length = int(rng.integers(len(data))), int(rng.integers(1, 1 + min(64, len(data))))
        change = rng.integers(7)
        if change == 0:
            data[at] ^= 1 << int(rng.integers(8))
        elif change == 1:
            data[at : at + length] = rng.bytes(length)
        elif change == 2:
            del data[at : at + length]
        elif change == 3:
            data[at:at] = data[at : at + length]
        elif change == 4:
            del data[at:]
        elif change == 5:
            data[at : at + 4] = struct.pack(
                *(
                    ("<I", ">I")[rng.integers(2)],
                    [0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x10000, 0xFFFF][rng.integers(6)],
                )
            )
        else:
            data[at : at + length] = [b"\0", b"\xff"][rng.integers(2)] * length
    return bytes(data)


def mutate_json(value, rng):
    """A value of the tree replaced, removed or added."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        name = [*value][rng.integers(len(value))]
        change = rng.integers(4)
        if change == 0:
            return {key: item for key, item in value.items() if key != name}
        if change == 1:
            return {**value, NAMES[rng.integers(len(NAMES))]: ODD[rng.integers(len(ODD))]}
        return {**value, name: mutate_json(value[name], rng)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = int(rng.integers(len(value)))
        return (
            value[:at] + [mutate_json(value[at], rng)] + value[at + 1 :] * int(rng.integers(1, 3))
        )
    return ODD[rng.integers(len(ODD))]


def mutate_png(data, rng):
    """A PNG with one chunk changed and its checksum right."""
    chunks, at = [], 8
    while at + 8 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    number = int(rng.integers(len(chunks)))
    chunks[number] = chunks[number][0], mutate(chunks[number][1], rng)
    return data[:8] + b"".join(
        struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks
    )


def mutate_zip(data, rng, json_name=None):
    """A zip with one member changed and its checksum right; a JSON member as a tree."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = [*members][rng.integers(len(members))]
    if name == json_name and rng.random() < 0.7:
        members[name] = json.dumps(mutate_json(json.loads(members[name]), rng)).encode()
    else:
        members[name] = mutate(members[name], rng)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


# ---- Targets: (good files, how a mutant is made, how it is read)
# ------------------------------------------------------------


def pictures():
    from PIL import Image, ImageCms

    from neural_style.images.load import load_image, load_with_alpha

    image = Image.fromarray(colors(40, 56))
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    good = {}
    for name, options in {
        "a.png": {"exif": exif, "icc_profile": profile},
        "a.jpg": {"exif": exif, "icc_profile": profile},
        "a.webp": {"exif": exif},
        "lzw.tif": {"compression": "tiff_lzw", "exif": exif},
        "a.tif": {},
        "a.gif": {},
        "a.bmp": {},
        "a.ppm": {},
        "a.tga": {},
        "a.jp2": {},
        "a.ico": {"sizes": [(32, 32)]},
        "a.avif": {},
    }.items():
        image.save(name, **options)
        good[name] = Path(name).read_bytes()
    image.convert("LA").save("alpha.png")
    image.convert("P").save("palette.png")
    image.convert("CMYK").save("cmyk.jpg")
    good |= {name: Path(name).read_bytes() for name in ("alpha.png", "palette.png", "cmyk.jpg")}

    def change(name, data, rng):
        return (
            mutate_png(data, rng)
            if name.endswith(".png") and rng.random() < 0.5
            else mutate(data, rng)
        )

    def read(path):
        load_image(path)
        load_with_alpha(path, 24)

    return good, change, read


def labels():
    from PIL import Image

    from neural_style import masks

    Image.fromarray((colors(24, 32) > 127).astype("uint8") * 255).save("labels.png")
    good = {"labels.png": Path("labels.png").read_bytes()}
    return (
        good,
        lambda name, data, rng: mutate_png(data, rng) if rng.random() < 0.7 else mutate(data, rng),
        lambda path: masks.from_labels(path, path),
    )


def a_record():
    """A record as a run of two small files would have it, without the run."""
    import inspect

    import numpy as np
    from PIL import Image

    from neural_style.images.region import Region
    from neural_style.iterative.transfer import transfer
    from neural_style.provenance.record import make_record
    from neural_style.provenance.schema import SETTINGS
    from neural_style.vgg.weights import vgg_weights

    Image.fromarray(colors(24, 32)).save("photo.png")
    Image.fromarray(colors(24, 32)[::-1]).save("art.png")
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(transfer).parameters.items()
        if name in SETTINGS
    }
    settings = {
        **defaults,
        "weights": None,
        "steps": {16: 2, 32: 1},
        "size": 32,
        "masks": [Region("art.png", None, 0, False)],
        "content_layers": ["conv1_1"],
        "noise_std": np.float32(2),
    }
    return (
        make_record("photo.png", [("art.png", 1.0)], settings, vgg_weights("vgg16", None)),
        settings,
    )


def records():
    from neural_style.provenance import read as record
    from neural_style.provenance.record import save_with_record

    made, _ = a_record()
    import neural_style.vgg.weights as weights

    loaded = weights.vgg_weights("vgg16", None)
    record.vgg_weights = lambda *arguments: (
        loaded
    )  # it is not what is tried here, and takes half a second
    from PIL import Image

    for keep, name in ((True, "names"), ("paths", "paths")):
        for suffix in (".png", ".jpg"):
            save_with_record(Image.open("photo.png"), f"{name}{suffix}", made, keep)
    good = {
        name: Path(name).read_bytes()
        for name in ("names.png", "paths.png", "names.jpg.json", "paths.jpg.json")
    }

    def change(name, data, rng):
        if name.endswith(".json") and rng.random() < 0.8:
            value = json.loads(data)
            for _ in range(rng.integers(1, 4)):
                value = mutate_json(value, rng)
            return json.dumps(value).encode()
        return (
            mutate_png(data, rng)
            if name.endswith(".png") and rng.random() < 0.7
            else mutate(data, rng)
        )

    def read(path):
        try:
            given = record.arguments_of(record.read_record(path))
        except FileNotFoundError:  # a name that was changed: the file that it names is not there
            return
        strange = set(given) - {"content", "style", *record.SETTINGS}
        assert not strange, f"arguments that no record may give: {strange}"

    return good, change, read


def checkpoints():
    import keras
    import numpy as np

    from neural_style import Checkpoint
    from neural_style.iterative.intermediate import IntermediateResult
    from neural_style.iterative.schedule import StageSettings
    from neural_style.optimize.objective import Point
    from neural_style.optimize.pairs import Pairs

    made, _ = a_record()
    stages, shapes = (
        [StageSettings(16, 2, {"style": 1.0}), StageSettings(32, 1, {"style": 1.0})],
        [(12, 16, 3), (24, 32, 3)],
    )
    checkpoint = Checkpoint("run.npz")
    checkpoint.begin(made, False, stages, shapes)
    pairs = Pairs(3)
    x, change = map(keras.ops.convert_to_tensor, np.array([[0.0], [1.0]], "float32").repeat(576, 1))
    here, there = (
        Point(at, at, 0.0, 0.0, {}, slope, 0.0, 0.0) for at, slope in [(x, 0), (change, 576)]
    )
    pairs.remember(1.0, change, here, there)
    checkpoint(
        IntermediateResult(
            stage=1,
            done=1,
            step=1,
            history={"total": [1.0], "style": [1.0]},
            seconds=3.0,
            borders=[],
            x=np.zeros(576),
            before=None,
            memory=pairs.reader(x, None),
        )
    )
    checkpoint.close()
    good = {"run.npz": Path("run.npz").read_bytes()}

    def change(name, data, rng):
        if rng.random() < 0.4:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                members = {one: archive.read(one) for one in archive.namelist()}
            state = json.loads(str(np.lib.format.read_array(io.BytesIO(members["state.npy"]))))
            file = io.BytesIO()
            arrays = {
                name.removesuffix(".npy"): np.lib.format.read_array(io.BytesIO(member))
                for name, member in members.items()
            }
            arrays["state"] = json.dumps(mutate_json(mutate_json(state, rng), rng))
            np.savez(file, **arrays)
            return file.getvalue()
        return mutate_zip(data, rng) if rng.random() < 0.5 else mutate(data, rng)

    def read(path):
        for resume in (True, False):
            state = Checkpoint(path).begin(made, resume, stages, shapes)
            assert state.x is None or np.isfinite(state.x).all()

    return good, change, read


def networks():
    import numpy as np

    from neural_style.feedforward import build_transform_net, load_transform_net
    from neural_style.feedforward.network_file import save_transform_net

    for name, compact in (("net.keras", False), ("compact.keras", True)):
        save_transform_net(build_transform_net(1, 0, record={"style": "a"}), name, compact)
    good = {name: Path(name).read_bytes() for name in ("net.keras", "compact.keras")}

    def change(name, data, rng):
        return mutate_zip(data, rng, "config.json") if rng.random() < 0.7 else mutate(data, rng)

    def read(path):
        net = load_transform_net(path)
        assert all(np.isfinite(w).all() for w in net.get_weights())

    return good, change, read


def backups():
    import shutil

    import h5py
    import numpy as np

    from neural_style.feedforward.checkpoint import claim, last_losses, steps_done

    identity = {"styles": ["a"], "steps": 100}
    claim("folder", identity)
    with h5py.File("folder/latest.weights.h5", "w") as file:
        file["optimizer/vars/0"] = np.int64(50)
        file["weights"] = np.zeros(40, "float32")
    Path("folder/log.csv").write_text("epoch,loss,style\n0,1.5,2.5\n1,1.25,NA\n")
    good = {
        path.name: path.read_bytes()
        for path in Path("folder").iterdir()
        if path.suffix in (".json", ".h5", ".csv")
    }

    def change(name, data, rng):
        return (
            json.dumps(mutate_json(json.loads(data), rng)).encode()
            if name.endswith(".json") and rng.random() < 0.6
            else mutate(data, rng)
        )

    def read(path):
        shutil.rmtree("folder")
        Path("folder").mkdir()
        for name, data in good.items():
            Path("folder", name).write_bytes(
                path.read_bytes() if path.name.endswith(name) else data
            )
        claim("folder", identity)
        steps_done("folder", 100)
        last_losses("folder")

    return good, change, read


def films():
    from neural_style.video.read import read_frames, video_info
    from neural_style.video.write import write_video

    frames = [colors(48, 64)[:, i : i + 32].copy() for i in range(8)]
    for name in ("film.mp4", "film.mkv", "film.mov"):
        write_video(frames, name, Fraction(12))
    good = {name: Path(name).read_bytes() for name in ("film.mp4", "film.mkv", "film.mov")}

    def read(path):
        video_info(path)
        assert sum(1 for _ in read_frames(path)) < 1000

    return good, lambda name, data, rng: mutate(data, rng), read


TARGETS = {
    "pictures": pictures,
    "labels": labels,
    "records": records,
    "checkpoints": checkpoints,
    "networks": networks,
    "backups": backups,
    "films": films,
}


# ---- The trial
# -------------------------------------------------------------------------------------------------------


def colors(height, width):
    import numpy as np

    y, x = np.mgrid[:height, :width]
    return np.stack([255 * y // height, 255 * x // width, (y * x) % 256], axis=-1).astype("uint8")


def main(target, count, seed=0):
    """Try so many mutants; {"tried", "loaded", "refused", "megabytes", "seconds"}."""
    import logging
    import warnings

    import numpy as np

    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    rng, began = np.random.default_rng((seed, sum(target.encode()))), time.monotonic()
    found = {"loaded": 0, "refused": 0}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        good, change, read = TARGETS[target]()
        for name, data in good.items():
            Path(f"mutant-{name}").write_bytes(data)
            read(
                Path(f"mutant-{name}")
            )  # each good file loads, and what is loaded for the first time is no part of the memory that is measured
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        signal.signal(signal.SIGALRM, _too_long)
        for number in range(count):
            name = [*good][number % len(good)]
            path, data = Path(f"mutant-{name}"), change(name, good[name], rng)
            path.write_bytes(data)
            listing = _listing(target)
            faulthandler.dump_traceback_later(3 * SECONDS, exit=True)
            signal.alarm(SECONDS)
            try:
                read(path)
                found["loaded"] += 1
            except ValueError as error:
                found["refused"] += 1
                frames = traceback.extract_tb(error.__traceback__)
                if (
                    not frames[-1].filename.startswith(PACKAGE)
                    or not str(error)
                    or "\n" in str(error)
                ):
                    _fail(number, name, data, error)
            except BaseException as error:
                _fail(number, name, data, error)
            finally:
                signal.alarm(0)
                faulthandler.cancel_dump_traceback_later()
            if number % 50 == 0 and "keras" in sys.modules:
                sys.modules[
                    "keras"
                ].backend.clear_session()  # Keras keeps the graph of each model that was ever built
            if _listing(target) != listing:
                _fail(
                    number,
                    name,
                    data,
                    RuntimeError(f"it wrote: {set(_listing(target)) ^ set(listing)}"),
                )
        grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        if grown > MOST_BYTES:
            sys.exit(f"{target}: {grown / 1e6:.0f} MB more than before")
        os.chdir("/")
    return {
        "target": target,
        "tried": count,
        **found,
        "megabytes": grown // 10**6,
        "seconds": round(time.monotonic() - began),
    }


def _listing(target):
    """What lies in the folder, but what the target itself lays there."""
    return [
        (entry.name, entry.stat().st_size)
        for entry in sorted(os.scandir("."), key=lambda entry: entry.name)
        if not entry.name.startswith("mutant-")
        and not (target == "backups" and entry.name == "folder")
    ]


def _too_long(number, frame):
    raise TimeoutError(f"more than {SECONDS} seconds")


def _fail(number, name, data, error):
    traceback.print_exception(error)
    kept = Path(tempfile.gettempdir(), f"mutant-{number}-{name}")
    kept.write_bytes(data)
    sys.exit(f"mutant {number} of {name}: {type(error).__name__}: {error}; it is kept as {kept}")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    print(json.dumps(main(sys.argv[1], *map(int, sys.argv[2:]))))
