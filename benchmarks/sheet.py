"""Sheets of pictures on white."""

from PIL import Image

from neural_style import load_image
from neural_style.images.resize import resize


def strip(pictures, height, gap):
    """Pictures side by side, all of one height, with white to the right of and below each.

    Args:
        pictures: Whatever load_image takes.
        height: In pixels.
        gap: Pixels of white.
    """
    images = [Image.fromarray(load_image(picture)) for picture in pictures]
    images = [
        resize(image, (round(height * image.width / image.height), height)) for image in images
    ]
    row = Image.new("RGB", (sum(image.width + gap for image in images), height + gap), "white")
    left = 0
    for image in images:
        row.paste(image, (left, 0))
        left += image.width + gap
    return row


def sheet(strips, columns=1):
    """Strips of one height, row by row.

    Args:
        strips: From strip().
        columns: How many stand side by side.
    """
    width, height = max(one.width for one in strips), strips[0].height
    size = columns * width, -(-len(strips) // columns) * height
    whole = Image.new("RGB", size, "white")
    for number, one in enumerate(strips):
        whole.paste(one, (number % columns * width, number // columns * height))
    return whole
