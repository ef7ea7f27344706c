"""The picture formats that the library reads and writes."""

from typing import IO

from PIL import Image

from .._shared.optional import load

#: Pillow's names of the formats that are read. Files are given to no other decoder of Pillow,
#: because some decoders run other programs on the file (PostScript).
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

#: {suffix: Pillow's name} of the formats that are written.
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

#: Formats that can keep transparency.
WITH_ALPHA = ("PNG", "WEBP", "TIFF")

#: Formats that can name their color space.
TAGGED = ("PNG", "JPEG", "WEBP", "TIFF", "AVIF")

#: Formats that can have 16 bits a channel.
WITH_16_BITS = ("PNG", "TIFF")

#: Suffixes of the files in a folder that count as pictures.
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

#: What can become of a picture's transparency.
ALPHAS = ("white", "keep")

#: The brands in the first bytes of HEIC and AVIF files.
_HEIC = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_AVIF = (b"avif", b"avis")


def _formats(file: IO[bytes]) -> list[str]:
    """List the formats that an open file may have: those of READABLE that this Pillow knows."""
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


def _known_formats() -> dict:
    """Return the formats that this Pillow knows, keyed by their names."""
    Image.init()
    return Image.OPEN
