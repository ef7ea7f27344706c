"""Color profiles: convert pictures to sRGB, and tag pictures as sRGB."""

import io
import logging
import struct
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageCms

logger = logging.getLogger("neural_style")


def _in_srgb(picture: Image.Image, name: object) -> Image.Image:
    """Convert a picture of 8 bits, in any mode and color profile, to RGB or RGBA in sRGB."""
    alpha = picture.convert("RGBA").getchannel("A") if picture.has_transparency_data else None
    profile = picture.info.get("icc_profile")
    rgb = picture.convert("RGB") if alpha is None else picture.convert("RGBA").convert("RGB")
    if profile:
        try:
            mode, transform = _to_srgb(profile)
            if transform is not None and (
                mode == "RGB" or picture.mode == mode or (picture.mode == "LA" and mode == "L")
            ):
                source = rgb if mode == "RGB" else picture.convert(mode)
                rgb = ImageCms.applyTransform(source, transform) or source
        except Exception as error:  # LittleCMS has a different exception for each kind of damage
            logger.warning(
                "%s has a color profile that cannot be read, so it is taken as sRGB: %s",
                name,
                error,
            )
    if alpha is not None:
        rgb.putalpha(alpha)
    return rgb


@lru_cache(maxsize=16)
def _to_srgb(profile: bytes) -> tuple[str, Any]:
    """Return Pillow's mode of an embedded profile, and the transform from the profile to sRGB.

    The transform is None if it would change no value by more than 1.
    """
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    space = source.profile.xcolor_space.strip()
    mode = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}.get(space)
    if mode is None:
        raise ValueError(f"its colors are {space}")
    transform = ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    if mode == "CMYK":
        return mode, transform
    steps = np.arange(0, 256, 15, dtype="uint8")
    probe = Image.fromarray(
        np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(len(steps), -1, 3)
        if mode == "RGB"
        else np.arange(256, dtype="uint8")[None]
    )
    changed = np.asarray(ImageCms.applyTransform(probe, transform), "int16")
    return mode, (
        None if np.abs(changed - np.asarray(probe.convert("RGB"))).max() <= 1 else transform
    )


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """Return an sRGB profile to embed in a file.

    The profile's date is fixed, so that the same picture always gives the same file.
    """
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    data[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    return bytes(data)
