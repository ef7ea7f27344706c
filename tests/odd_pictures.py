"""Odd pictures and files, and the right answers."""

import io
import os
import stat
import struct
import zlib
from pathlib import Path

import numpy as np
from helpers import picture
from odd import Row, refused, works
from PIL import Image, ImageCms

from neural_style import deprocess, load_image, save_image
from neural_style.images.save import check_writable

RGB = picture(12, 20, 1)
POSTSCRIPT = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 60 40\n%%EndComments\nshowpage\n"
ENDLESS = POSTSCRIPT.replace("showpage", "{} loop")


def with_ghostscript(call):
    """(what call() gives or raises, what a program called gs was called with, so far as it was
    called).
    """
    os.makedirs("bin", exist_ok=True)
    Path("bin/gs").write_text(f"#!/bin/sh\necho called >> {os.getcwd()}/bin/log\n")
    os.chmod("bin/gs", 0o755)
    before, os.environ["PATH"] = os.environ["PATH"], f"{os.getcwd()}/bin:{os.environ['PATH']}"
    try:
        result = call()
    except ValueError as error:
        result = error
    finally:
        os.environ["PATH"] = before
    return result, Path("bin/log").read_text() if Path("bin/log").exists() else ""


def damaged_exif(file_format="JPEG"):
    """The bytes of a picture whose EXIF data cannot be read: entries that point beyond their end,
    of types that do not exist.
    """
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112], exif[0x010E] = 6, "a description"
    Image.fromarray(RGB).save(file, file_format, exif=exif)
    data = bytearray(file.getvalue())
    at = data.index(
        b"\x01\x12" if b"MM\0*" in data else b"\x12\x01"
    )  # the orientation's entry: tag, type, count, value
    data[at + 2 : at + 8] = b"\x00\x63\xff\xff\xff\xff"
    if file_format == "PNG":
        at = data.index(b"eXIf")
        (length,) = struct.unpack(">I", data[at - 4 : at])
        data[at + 4 + length : at + 8 + length] = struct.pack(
            ">I", zlib.crc32(data[at : at + 4 + length])
        )
    return bytes(data)


def png(width, height, bits=8, kind=2, rows=b""):
    """A PNG that claims a size, with the compressed rows that are given."""

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))
        + chunk(b"IDAT", rows or zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


def adobe_rgb():
    """An ICC profile of Adobe RGB (1998): primaries adapted to D50, gamma 2.19921875."""

    def s15(*values):
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    text = b"desc" + b"\0" * 4 + struct.pack(">I", 6) + b"Adobe\0" + b"\0" * 79
    tags = {
        b"desc": text,
        b"cprt": b"text" + b"\0" * 4 + b"none\0\0\0\0",
        b"wtpt": b"XYZ " + b"\0" * 4 + s15(0.9642, 1.0, 0.8249),
    }
    for name, values in (
        ("r", (0.60974, 0.31111, 0.01947)),
        ("g", (0.20528, 0.62567, 0.06087)),
        ("b", (0.14919, 0.06322, 0.74457)),
    ):
        tags[f"{name}XYZ".encode()] = b"XYZ " + b"\0" * 4 + s15(*values)
        tags[f"{name}TRC".encode()] = b"curv" + b"\0" * 4 + struct.pack(">IH", 1, 563)
    table, body = b"", b""
    for name, data in tags.items():
        data += b"\0" * (-len(data) % 4)
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(data))
        body += data
    head = struct.pack(
        ">I4sI4s4s4s6H4sIIIIIII3i",
        0,
        b"\0" * 4,
        0x02200000,
        b"mntr",
        b"RGB ",
        b"XYZ ",
        2000,
        1,
        1,
        0,
        0,
        0,
        b"acsp",
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        *(round(value * 65536) for value in (0.9642, 1.0, 0.8249)),
    )
    head = head + b"\0" * (128 - len(head))
    profile = head + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(profile)) + profile[4:]


def saved(suffix, image=None, **options):
    (Image.fromarray(RGB) if image is None else image).save(f"a{suffix}", **options)
    return load_image(f"a{suffix}")


def turned(suffix, **options):
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(suffix, exif=exif, **options)


def pages(suffix, **options):
    first, second = Image.fromarray(RGB), Image.fromarray(255 - RGB)
    return saved(suffix, first, save_all=True, append_images=[second], **options)


def is_turned(image):
    return np.abs(image.astype(int) - np.rot90(RGB, -1)).mean() < 40 and image.shape == (20, 12, 3)


def first(image):
    return np.abs(image.astype(int) - RGB).mean() < 12


def several(calls):
    """The names of those whose call is not refused by a ValueError."""

    def refused_all(name, call):
        try:
            call()
        except ValueError:
            return False
        return True

    return [name for name, call in calls.items() if refused_all(name, call)]


def mutants():
    """7,768 damaged files: what is raised that is no ValueError."""
    rng, strange = np.random.default_rng(0), []
    good = {
        "a.jpg": damaged_exif(),
        "b.webp": damaged_exif("WEBP"),
        "c.tif": damaged_exif("TIFF"),
        "d.png": damaged_exif("PNG"),
    }
    for number in range(7768):
        name = [*good][number % 4]
        data = bytearray(good[name])
        for _ in range(3):
            data[rng.integers(len(data))] = rng.integers(256)
        Path(name).write_bytes(data)
        try:
            load_image(name)
        except ValueError:
            pass
        except Exception as error:
            strange.append(error)
    return strange


def profile():
    Image.new("RGB", (4, 4), (100, 180, 90)).save("adobe.png", icc_profile=adobe_rgb())
    return load_image("adobe.png")[0, 0].tolist()


def bits_32():
    Image.fromarray(np.full((9, 9), 200, "int32")).save("a.tif")
    return load_image("a.tif")


def gray_16():
    Image.fromarray(np.full((9, 9), 200 * 257, "uint16")).save("a.png")
    return load_image("a.png")


def lab():
    ImageCms.profileToProfile(
        Image.fromarray(RGB),
        ImageCms.createProfile("sRGB"),
        ImageCms.createProfile("LAB"),
        outputMode="LAB",
    ).save("a.tif")
    return load_image("a.tif")


def postscript(text):
    Path("holiday.jpg").write_text(text)
    error, log = with_ghostscript(lambda: load_image("holiday.jpg"))
    return isinstance(error, ValueError) and log == ""


def damaged(file_format):
    Path("damaged").write_bytes(damaged_exif(file_format))
    return load_image("damaged").shape == RGB.shape


def large():
    rows = zlib.compress((b"\0" + b"\0" * 1625) * 13000)
    Path("large.png").write_bytes(png(13000, 13000, 1, 0, rows))
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return load_image("large.png", 64).shape == (64, 64, 3)


def named(name):
    """Saved under this name, and loaded: the same."""
    check_writable(name)
    save_image(RGB, name)
    return np.array_equal(load_image(name), RGB)


def permissions(umask=None, mode=None):
    """Of a.png, after it was written under that umask or over a file of that mode."""
    before = os.umask(0o022 if umask is None else umask)
    try:
        if mode is not None:
            Path("a.png").touch()
            os.chmod("a.png", mode)
        save_image(RGB, "a.png")
        return stat.S_IMODE(os.stat("a.png").st_mode)
    finally:
        os.umask(before)


def link():
    save_image(RGB, "target.png")
    os.symlink("target.png", "link.png")
    save_image(255 - RGB, "link.png")
    return os.path.islink("link.png") and np.array_equal(load_image("target.png"), 255 - RGB)


def without_proc():
    real = os.path.exists
    os.path.exists = lambda path: False if str(path).startswith("/proc/") else real(path)
    try:
        check_writable("a.png")
        save_image(RGB, "a.png")
    finally:
        os.path.exists = real
    return sorted(os.listdir()) == ["a.png"] and np.array_equal(load_image("a.png"), RGB)


def full_disk():
    """The disk is full at fsync: the error comes through, the old picture stays, and nothing is
    left.
    """
    save_image(RGB, "a.png")
    real = os.fsync

    def full(handle):
        raise OSError(28, "No space left on device")

    os.fsync = full
    try:
        save_image(255 - RGB, "a.png")
    except OSError as error:
        return (
            error.errno == 28
            and os.listdir() == ["a.png"]
            and np.array_equal(load_image("a.png"), RGB)
        )
    finally:
        os.fsync = real


def closed():
    image = Image.fromarray(RGB)
    image.close()
    return load_image(image)


def premultiplied():
    return load_image(Image.new("La", (4, 4)))


def bytes_path():
    class Odd:
        def __fspath__(self):
            return b"photo.png"

    return load_image(Odd())


def prepare():
    pass


true = works(bool)
ROWS = [
    Row("load_image(b'photo.png')", lambda: load_image(b"photo.png"), refused("Received: bytes")),
    Row("load_image('~/x.png')", lambda: load_image("~/x.png"), refused("no picture at '~/x.png'")),
    Row(
        "load_image('http://…')",
        lambda: load_image("http://localhost/x.png"),
        refused("no picture at"),
    ),
    Row("load_image('')", lambda: load_image(""), refused("cannot be read")),
    Row("load_image('\\0')", lambda: load_image("\0"), refused("no picture|cannot be read")),
    Row(
        "load_image(open file)", lambda: load_image(io.StringIO("a")), refused("Received: StringIO")
    ),
    Row("load_image(BytesIO)", lambda: load_image(io.BytesIO(b"a")), refused("Received: BytesIO")),
    Row("load_image(folder)", lambda: load_image("."), refused("a folder or a device")),
    Row(
        "load_image('/dev/null')", lambda: load_image("/dev/null"), refused("a folder or a device")
    ),
    Row(
        "load_image('/dev/zero')", lambda: load_image("/dev/zero"), refused("a folder or a device")
    ),
    Row("multi-page TIFF", lambda: pages(".tif"), works(first)),
    Row("multi-page TIFF, LZW", lambda: pages(".tif", compression="tiff_lzw"), works(first)),
    Row("TIFF, orientation 6", lambda: turned(".tif"), works(is_turned)),
    Row(
        "multi-page TIFF, orientation 6",
        lambda: turned(".tif", save_all=True, append_images=[Image.fromarray(255 - RGB)]),
        works(is_turned),
    ),
    Row("JPEG, orientation 6", lambda: turned(".jpg", quality=95), works(is_turned)),
    Row("PNG, orientation 6", lambda: turned(".png"), works(is_turned)),
    Row("WebP, orientation 6", lambda: turned(".webp", lossless=True), works(is_turned)),
    Row("animated WebP", lambda: pages(".webp", lossless=True), works(first)),
    Row("APNG", lambda: pages(".png"), works(first)),
    Row("MPO (two pictures)", lambda: pages(".mpo", quality=95), works(first)),
    Row(
        "CMYK JPEG",
        lambda: saved(".jpg", Image.fromarray(RGB).convert("CMYK"), quality=100, subsampling=0),
        works(first),
    ),
    Row("16-bit gray PNG", gray_16, works(lambda image: (image == 200).all())),
    Row(
        "32-bit integer TIFF of value 200",
        bits_32,
        lambda r, e, w: refused("32-bit integer picture has no fixed scale")(r, e, []),
    ),
    Row("LAB TIFF", lab, works(first)),
    Row(
        "PNG with an Adobe RGB profile, (100,180,90)",
        profile,
        works(lambda color: np.abs(np.subtract(color, (0, 181, 83))).max() <= 1),
    ),
    Row("PostScript named holiday.jpg", lambda: postscript(POSTSCRIPT), true),
    Row("PostScript with an endless loop named .jpg", lambda: postscript(ENDLESS), true, seconds=2),
    Row("JPEG with damaged EXIF (3 bytes changed)", lambda: damaged("JPEG"), true),
    Row(
        "WebP with damaged EXIF",
        lambda: damaged("WEBP") and mutants() == [],
        true,
        seconds=40,
        slow=True,
    ),
    Row("13000 x 13000 one-bit PNG of 20 KB, size=64", large, true, slow=True),
    Row(
        "save to a name of invalid UTF-8, load it",
        lambda: named(os.fsdecode(b"\xff\xfe.png")),
        true,
    ),
    Row("save to 80 CJK characters", lambda: named("画" * 80 + ".png"), true),
    Row(
        "save to a name of 246 to 255 bytes",
        lambda: all(named("a" * (size - 4) + ".png") for size in range(246, 256)),
        true,
    ),
    Row(
        "save to .h5 .hdf .xbm .msp .palm .blp .wmf .emf .grib .bufr",
        lambda: several(
            {
                suffix: lambda suffix=suffix: check_writable(f"a{suffix}")
                for suffix in [
                    ".h5",
                    ".hdf",
                    ".xbm",
                    ".msp",
                    ".palm",
                    ".blp",
                    ".wmf",
                    ".emf",
                    ".grib",
                    ".bufr",
                ]
            }
        ),
        works(lambda accepted: accepted == [], writes=[]),
    ),
    Row(
        "save 512 x 300 to .ico",
        lambda: save_image(picture(300, 512), "a.ico"),
        refused("picture format"),
    ),
    Row(
        "save under umask 077", lambda: permissions(umask=0o077), works(lambda mode: mode == 0o600)
    ),
    Row(
        "save over a file of mode 0600, umask 022",
        lambda: permissions(mode=0o600),
        works(lambda mode: mode == 0o600),
    ),
    Row(
        "save to a symlink", link, true
    ),  # as any program writes through a link; the report has it that the link was replaced
    Row("save where there is no /proc", without_proc, true),
    Row("save on a full disk", full_disk, true),
    Row("PIL mode La", premultiplied, refused("PIL.Image cannot be read")),
    Row(
        "array of dtype >u2",
        lambda: load_image(np.zeros((4, 4), ">u2")),
        (
            works(lambda image: image.shape == (4, 4, 3))
            if np.dtype(">u2") == np.uint16
            else refused("Received: >u2")
        ),
    ),
    Row("closed PIL image", closed, refused("PIL.Image cannot be read")),
    Row("PathLike of bytes", bytes_path, refused("must be a path.*Received: Odd")),
    Row("deprocess('abc')", lambda: deprocess("abc"), refused("x must be")),
]
