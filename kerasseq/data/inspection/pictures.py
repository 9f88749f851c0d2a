"""Checks of pictures and clips, some of which are decoded."""

from collections.abc import Sequence

from kerasseq.data.inspection.findings import Finding
from kerasseq.data.inspection.sounds import Progress
from kerasseq.data.parallel import map_in_threads
from kerasseq.data.pictures.captioned import Captioned
from kerasseq.errors import FileError
from kerasseq.media.picture import read_picture

_SIDE = 64  # rows and columns at which colours are compared
_DEVIATION = 2.0  # of 255, of the pixels of a picture of one colour
_TINY = 32


def check_pictures(
    part: str, pictures: Sequence[Captioned], progress: Progress
) -> tuple[list[Finding], int]:
    """Checks the pixels of pictures, which are decoded.

    Returns:
        The findings, and the number of pictures that can be read.
    """
    names = ("unreadable", "one_colour", "tiny")
    bad, plain, tiny = (Finding(name, part, len(pictures), "pictures") for name in names)
    readable = 0
    results = map_in_threads(_measure, pictures)
    for some, result in progress(results, len(pictures), "pictures"):
        where = some.place, some.line
        if isinstance(result, str):
            bad.add(0, *where, f"{result} ({some.path})")
            continue
        readable += 1
        height, width, deviation = result
        if deviation < _DEVIATION:
            plain.add(-deviation, *where, f"one colour ({some.path})")
        if min(height, width) < _TINY:
            tiny.add(-height * width, *where, f"{width} x {height} ({some.path})")
    return [bad, plain, tiny], readable


def _measure(picture: Captioned) -> tuple[int, int, float] | str:
    """Returns height, width and the deviation of the pixels, or why a picture cannot be read."""
    try:
        frames = read_picture(picture.path)
    except FileError as error:
        return error.kind
    height, width = frames.shape[1:3]
    some = frames[0, :: max(1, height // _SIDE), :: max(1, width // _SIDE)]
    return height, width, float(some.std(axis=(0, 1)).max())
