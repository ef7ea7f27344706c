"""The formats of pictures that are read and written."""

from PIL import Image

from .._shared.optional import load

#: Pillow's names of the formats that are read. No other decoder of Pillow's sees a file: some run
#: other programs on it (PostScript).
READABLE = (
    "PNG",
    "JPEG",
    "MPO",
    "WEBP",
    "TIFF",
    "BMP",
    "GIF",
    "PPM",
    "JPEG2000",
    "AVIF",
    "HEIF",
    "ICO",
    "TGA",
)


#: Suffix -> Pillow's name of the formats that are written.
WRITABLE = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".ppm": "PPM",
    ".tga": "TGA",
    ".jp2": "JPEG2000",
    ".avif": "AVIF",
}


#: The formats that keep transparency, those that can be told their color space, and those with 16
#: bits a channel.
WITH_ALPHA, TAGGED, WITH_16_BITS = (
    ("PNG", "WEBP", "TIFF"),
    ("PNG", "JPEG", "WEBP", "TIFF", "AVIF"),
    ("PNG", "TIFF"),
)


#: Suffixes by which a folder's files are taken for pictures.
SUFFIXES = (
    *WRITABLE,
    ".jpe",
    ".jfif",
    ".mpo",
    ".heic",
    ".heif",
    ".ico",
    ".pgm",
    ".pbm",
    ".pnm",
    ".j2k",
    ".dib",
    ".apng",
    ".avifs",
)


ALPHAS = ("white", "keep")


_HEIC = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")


_AVIF = (b"avif", b"avis")


def _formats(file):
    """Pillow's names of the formats that `file` may have: READABLE, as far as this Pillow knows
    them.
    """
    head = file.read(12)
    file.seek(0)
    known = _known_formats()
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC and "HEIF" not in known:
        load("pillow_heif").register_heif_opener()
        known = Image.OPEN
    if head[4:8] == b"ftyp" and head[8:12] in _AVIF and "AVIF" not in known:
        raise ValueError(
            "this build of Pillow cannot read AVIF; use Pillow's own wheels from version 11.3 on"
        )
    return [name for name in READABLE if name in known]


def _known_formats():
    Image.init()
    return Image.OPEN
