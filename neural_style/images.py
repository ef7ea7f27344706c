"""Pictures in and out: files and arrays to uint8 RGB, and uint8 RGB to what VGG takes.

An `image` is uint8 RGB, H x W x 3. An `x` is float32, 1 x H x W x 3, BGR, ImageNet's mean subtracted.
"""
import math
import os
import secrets
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

#: Mean of the ImageNet training pixels, blue, green, red, on the scale 0 to 255. VGG was trained on pixels minus it.
IMAGENET_MEAN_BGR = np.array([103.939, 116.779, 123.68], "float32")


def load_image(source, size=None):
    """Load a picture as a uint8 RGB array, H x W x 3.

    Args:
        source: a path, a PIL.Image of any mode, or an array: uint8 or uint16, H x W (grey), H x W x 3 (RGB) or
            H x W x 4 (RGBA). The orientation in a photo's EXIF data is applied, transparency is laid on white, and
            16-bit values are scaled to 8 bits.
        size: the longer side in pixels; the picture is resized by Lanczos' filter, its aspect ratio kept. None keeps
            the picture's own size.

    Raises:
        FileNotFoundError, TypeError, ValueError: what was expected and what came.
    """
    check_size(size)
    if isinstance(source, (str, os.PathLike)):
        picture = _open(Path(source), size)
    elif isinstance(source, Image.Image):
        picture = source
    elif isinstance(source, np.ndarray):
        picture = _from_array(source)
    else:
        raise TypeError("a picture must be a path, a PIL.Image or a NumPy array. "
                        f"Received: {type(source).__name__}")
    picture = _to_rgb(ImageOps.exif_transpose(picture))
    if size is not None:
        width, height = _fit(picture.size, size)
        if width * height > 2 * (Image.MAX_IMAGE_PIXELS or math.inf):
            raise ValueError(f"size={size} makes a picture of {width} x {height} pixels; the limit is "
                             f"{2 * Image.MAX_IMAGE_PIXELS:,}, twice PIL.Image.MAX_IMAGE_PIXELS")
        picture = resize(picture, (width, height))
    return np.array(picture)


def check_size(size):
    """Raise a clear error if load_image could not take `size`."""
    if size is not None and (isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1):
        raise ValueError(f"size must be a positive integer (the longer side in pixels) or None. Received: size={size!r}")


def save_image(image, path, **options):
    """Write a picture to `path`, in the format of its suffix, all or nothing.

    The file is written under a temporary name in the same folder and then renamed, so no crash leaves half a file and
    an older picture stays until the new one is whole.

    Args:
        image: a PIL.Image or a uint8 array: H x W, H x W x 3, or H x W x 4 for a format that knows alpha.
        path: where to; .png, .jpg, .webp, .tiff and whatever else Pillow writes.
        options: passed to PIL.Image.save; JPEG and WebP get quality=95 unless told otherwise.
    """
    path = Path(path)
    check_writable(path)
    picture = image if isinstance(image, Image.Image) else _from_array(np.asarray(image))
    file_format = Image.registered_extensions()[path.suffix.lower()]
    if file_format == "JPEG":
        picture = _to_rgb(picture)  # it has no alpha
    if file_format in ("JPEG", "WEBP"):
        options.setdefault("quality", 95)
    with whole_or_not(path) as file:
        picture.save(file, format=file_format, **options)


@contextmanager
def whole_or_not(path):
    """A binary file to write, that gets its name, `path`, when all is written: by no crash does half a file have a name.

    Where the system knows files without a name (Linux), it has none until then; elsewhere a temporary one.
    """
    path = Path(path)
    part = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")
    try:
        handle = os.open(path.parent, os.O_TMPFILE | os.O_RDWR, 0o666)
    except (AttributeError, OSError):  # another system, or a file system that cannot
        handle = None
    try:
        with open(part, "x+b") if handle is None else os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if handle is not None:
                os.link(f"/proc/self/fd/{handle}", part, src_dir_fd=handle)  # the last makes Python follow the link
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def check_writable(path):
    """Raise a clear error if save_image could not write to `path`: called before minutes of work, not after."""
    path = Path(path)
    suffix = path.suffix.lower()
    if Image.registered_extensions().get(suffix) not in Image.SAVE:
        raise ValueError(f"the file name must end in a picture format such as .png or .jpg. Received: {str(path)!r}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {str(path.parent)!r} does not exist")
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{str(path)!r} cannot be written")


def preprocess(image):
    """uint8 RGB, H x W x 3 -> float32 BGR minus ImageNet's mean, 1 x H x W x 3: the input of VGG.

    The same arithmetic as keras.applications.vgg16.preprocess_input, on a copy. Floats on the scale 0 to 255 are
    taken too, for pictures that are not to be rounded.
    """
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[-1] != 3:
        raise ValueError(f"image must be an RGB array, H x W x 3. Received: shape {image.shape}")
    return image[None, :, :, ::-1].astype("float32") - IMAGENET_MEAN_BGR


def deprocess(x, shape=None):
    """The inverse of preprocess: BGR minus the mean -> uint8 RGB, H x W x 3, rounded and cut to 0-255.

    Args:
        x: 1 x H x W x 3 or H x W x 3, or a flat vector together with `shape`.
        shape: shape of x, where x is flat.
    """
    x = np.asarray(x)
    x = x.reshape(x.shape if shape is None else shape)
    x = x[0] if x.ndim == 4 and x.shape[0] == 1 else x
    if x.ndim != 3 or x.shape[-1] != 3:
        raise ValueError(f"x must be 1 x H x W x 3 (or flat, with its shape). Received: shape {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError("x must be finite to become a picture. Received: NaN or infinite values")
    return np.clip(np.rint(x + IMAGENET_MEAN_BGR), 0, 255).astype("uint8")[:, :, ::-1].copy()


def resize(picture, width_height):
    """Resize a PIL.Image or uint8 array to exactly (width, height) by Lanczos' filter; returns a PIL.Image."""
    picture = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    return picture if picture.size == tuple(width_height) else picture.resize(width_height, Image.LANCZOS)


def resize_map(values, width_height):
    """Resize a float array, H x W, to exactly (width, height), by means where it becomes smaller."""
    if values.shape == tuple(width_height)[::-1]:
        return values
    resized = Image.fromarray(np.asarray(values, "float32")).resize(width_height, Image.BILINEAR)
    return np.round(np.asarray(resized), 6)  # so that what is 1 everywhere stays 1


def _fit(width_height, size):
    """(width, height) with the longer side `size` and the aspect ratio kept; no side below 1."""
    scale = size / max(width_height)
    return tuple(max(1, round(side * scale)) for side in width_height)


def _open(path, size):
    try:
        with open(path, "rb") as file, Image.open(file) as picture:  # Pillow leaves a file open that it refuses as too large
            if size is not None and picture.format == "JPEG":
                picture.draft(None, (2 * size, 2 * size))  # decode a huge JPEG at a power-of-two fraction, still >= 2 size
            picture.load()
            return picture
    except FileNotFoundError:
        raise FileNotFoundError(f"no picture at {str(path)!r}") from None
    except UnidentifiedImageError:
        raise ValueError(f"{str(path)!r} is not a picture that Pillow can read") from None
    except Image.DecompressionBombError:
        raise ValueError(f"{str(path)!r} has more than {2 * Image.MAX_IMAGE_PIXELS:,} pixels, Pillow's limit against "
                         "malicious files; if you trust it, raise PIL.Image.MAX_IMAGE_PIXELS first") from None
    except (OSError, SyntaxError) as error:
        raise ValueError(f"{str(path)!r} cannot be read as a picture: {error}") from error


def _from_array(array):
    if array.dtype == np.uint16:
        array = np.rint(array / 257).astype("uint8")  # 65535 -> 255
    if array.dtype != np.uint8:
        raise TypeError(f"a picture array must be uint8 (0 to 255) or uint16. Received: {array.dtype}")
    if 0 in array.shape or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise ValueError(f"a picture array must be H x W, H x W x 3 or H x W x 4. Received: shape {array.shape}")
    return Image.fromarray(array)


def _to_rgb(picture):
    """Any mode of Pillow to RGB; 16-bit and float greys scaled, transparency laid on white."""
    if picture.mode.startswith("I;16") or picture.mode == "I":
        return Image.fromarray(np.clip(np.rint(np.asarray(picture, "float64") / 257), 0, 255).astype("uint8")).convert("RGB")
    if picture.mode == "F":
        raise ValueError("a floating-point picture has no fixed scale; convert it to 8 or 16 bits first")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return picture.convert("RGB")
