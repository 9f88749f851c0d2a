"""Conversion of Pillow's images of every mode to red, green and blue."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from kerasseq.media.files import ContentError

_WHITE = (255, 255, 255, 255)

_BAND = 1 << 22  # pixels that are converted at a time

_BITS, _SAMPLE_FORMAT, _UNSIGNED = 258, 339, 1  # of TIFF 6.0, sections 8 and 19


def to_rgb(image: Any) -> Any:
    """Returns an image of any mode in RGB.

    Transparent pixels are white. Greys of more than 8 bits are scaled from 8, 12 or 16 bits, the
    least that hold all of them, to 8 bits. Floats from 0 to 1 are multiplied by 255; floats with a
    maximum of 32 to 255 stay. In other ranges the largest number is white, and the smaller of 0
    and the smallest number is black. NaN is black.

    Raises:
        ContentError: if no pixel is a number.
    """
    from PIL import Image

    image.load()
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    result = Image.new("RGB", image.size)
    convert = _converter(image)
    for box in _bands(image):
        result.paste(convert(image.crop(box)), box)
    return result


def _bands(image: Any) -> Iterator[tuple[int, int, int, int]]:
    """Yields boxes that cover an image."""
    rows = max(1, _BAND // image.width)
    for top in range(0, image.height, rows):
        yield 0, top, image.width, min(image.height, top + rows)


def _converter(image: Any) -> Any:
    """Returns a function that converts a band of an image to RGB."""
    if image.mode == "F" or image.mode.startswith("I"):
        return _convert_greys(image)
    if image.mode == "LAB":
        return _convert_lab()
    return _blend_with_white if image.has_transparency_data else lambda band: band.convert("RGB")


def _blend_with_white(band: Any) -> Any:
    from PIL import Image

    if band.mode == "La":  # which Pillow converts to LA alone
        band = band.convert("LA")
    band = band.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", band.size, _WHITE), band).convert("RGB")


def _convert_lab() -> Any:
    from PIL import ImageCms

    profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(*profiles, "LAB", "RGB")
    return lambda band: ImageCms.applyTransform(band, transform)


def _convert_greys(image: Any) -> Any:
    from PIL import Image

    tags = getattr(image, "tag_v2", {})
    bits = max(tags.get(_BITS, (0,)))
    unsigned = image.mode == "I" and bits == 32 and tags.get(_SAMPLE_FORMAT, (1,))[0] == _UNSIGNED

    def numbers(band: Any) -> np.ndarray:
        values = np.asarray(band)
        return values.view(np.uint32) if unsigned else values

    low, high = _range(numbers(image.crop(box)) for box in _bands(image))
    black, white = _black_and_white(low, high, bits, image.mode == "F")

    def convert(band: Any) -> Any:
        values = np.nan_to_num(numbers(band).astype(np.float64), nan=black)
        values = (values.clip(black, white) - black) * (255 / (white - black))
        return Image.fromarray(values.astype(np.uint8)).convert("RGB")

    return convert


def _range(arrays: Iterator[np.ndarray]) -> tuple[float, float]:
    """Returns the smallest and the largest finite number."""
    ends = []
    for some in arrays:
        if (some := some[np.isfinite(some)]).size:
            ends.append((some.min(), some.max()))
    if not ends:
        raise ContentError("no pixel is a number")
    return float(min(low for low, _ in ends)), float(max(high for _, high in ends))


def _black_and_white(low: float, high: float, bits: int, floats: bool) -> tuple[float, float]:
    if floats and 0 <= low and high <= 1:
        return 0.0, 1.0
    if floats and 0 <= low and 32 <= high <= 255:
        return 0.0, 255.0
    if not floats and 0 <= low and high <= 65535:
        least = bits if bits in (12, 14) else 8
        of = next(of for of in (8, 12, 16) if of >= least and high < 1 << of)
        return 0.0, 255.0 * (1 << of - 8)
    return min(low, 0.0), high if high > min(low, 0.0) else min(low, 0.0) + 1
