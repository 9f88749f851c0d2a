"""Picture and video files as frames of red, green and blue."""

import contextlib
import math
import os
import re
import threading
import warnings
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from kerasseq.errors import FileError, UserError
from kerasseq.media.containers import container, is_heic
from kerasseq.media.endings import FORMATS, VIDEOS
from kerasseq.media.files import ContentError, check_file, failures
from kerasseq.media.gif import gif_frames
from kerasseq.media.picture_modes import coloured
from kerasseq.media.video import video_frames

MOST_PIXELS = 89_478_485
"""Of a frame: Pillow's own limit, a quarter of a GiB in RGB."""

MOST_DECODED = 400_000_000
"""Pixels of all frames of an animated picture that are decoded."""

MOST_FRAMES = 20_000
"""Of an animated picture."""

MOST_SCANNED = 6_000_000_000
"""Pixels of all scans of a progressive JPEG picture; one of usual making has ten scans."""

_HUGE = f"more than {MOST_PIXELS / 1e6:.0f} million pixels"
_CUT_OFF = "the picture is cut off"

# Of a TIFF picture, and the pixels of a BMP picture in run lengths: each takes a step of Python.
_MOST_STRIPS, _MOST_IN_RUNS = 100_000, 10_000_000

_LARGE = 16_000_000  # pixels of which one picture is decoded at a time, whatever the threads

_TILE = (322, 323)  # width and height of a tile: TIFF 6.0, section 15

# Of other formats, further "frames" are pages, sizes, layers or a phone's previews.
_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")

_EBML, _SEGMENT = b"\x1aE\xdf\xa3", b"\x18S\x80g"

# Python's list of warning filters is the whole process's.
_opening = threading.Lock()
_large = threading.Lock()


class PictureError(FileError):
    """A picture or a video that cannot be used."""


def read_picture(
    path: str | os.PathLike, size: tuple[int, int] | None = None, frames: int = 1
) -> np.ndarray:
    """A picture or a clip as (F, H, W, 3) uint8 in RGB, F from 1 to `frames`.

    Pillow reads pictures of the formats in `endings.FORMATS`, of any mode (see `coloured`), turned
    as their EXIF data says and laid over white where they are transparent. GIF, WebP, PNG and AVIF
    may be animated. PyAV reads videos. The kind of a file is told by what is in it.

    Of a longer clip one takes the middle frame of each of `frames` equal parts, so that a single
    frame is the middle one: first frames are often black or blank.

    Args:
        size: (H, W) to squash to; None leaves the size as it is.
        frames: at most.

    Raises:
        PictureError: if there is no such file, it is a URL, no picture, cut off or damaged, or has
            more than MOST_PIXELS a frame, or more of them to decode than MOST_DECODED, which shows
            before anything is decoded.
        UserError: if Pillow, or for a video PyAV, is not installed.
    """
    path = os.fspath(path)
    if is_url(path):
        raise PictureError(path, "a URL, which is not fetched: download it first")
    check_file(path, PictureError, "picture")
    with failures(path, PictureError, "picture"), open(path, "rb") as file:
        if is_heic(file):
            raise ContentError("a HEIC picture, which is not read: convert it to JPEG")
        kind = container(file)
        if kind or path.lower().endswith(VIDEOS):
            return np.stack(list(_video(file, kind, size, frames)))
        return np.stack(list(_picture(file, size, frames)))


def is_url(path: str) -> bool:
    """Whether a path is none, but begins with http:// or the like."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", path) is not None


def squashed(clip: np.ndarray, size: tuple[int, int], frames: int) -> np.ndarray:
    """A clip (F, H, W, 3) uint8 with at most `frames` frames of `size`, as from `read_picture`."""
    from_array = _pillow().fromarray
    return np.stack([_pixels(from_array(clip[i]), size) for i in chosen(len(clip), frames)])


def chosen(there: int, frames: int) -> list[int]:
    """Which of the frames that are there one takes: the middle one of each of equal parts."""
    if there <= frames:
        return list(range(there))
    return [(2 * part + 1) * there // (2 * frames) for part in range(frames)]


def _pillow() -> Any:
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise UserError(
            'Pictures need the package pillow: pip install "kerasseq[pictures]"'
        ) from error
    return Image


def _picture(file: BinaryIO, size, frames: int) -> Iterator[np.ndarray]:
    with _opened(file) as image:
        _check_end(file, image.format)
        _check_parts(file, image)
        _check_steps(image)
        if size and image.format in ("JPEG", "MPO"):
            # The decoder itself can halve a photo up to three times; the last step is ours. The
            # square holds either way up.
            image.draft(None, (2 * max(size), 2 * max(size)))
        there = _frames_of(image) if image.format in _ANIMATED else 1
        with _large if image.width * image.height > _LARGE else contextlib.nullcontext():
            for index in chosen(there, frames):
                if there > 1:
                    image.seek(index)
                yield _pixels(_upright(coloured(image), image), size)
            if there > 1:  # where a file was cut off often shows in the last frame alone
                image.seek(there - 1)
                image.load()


def _check_parts(file: BinaryIO, image: Any) -> None:
    """Refuse a picture of usual size with a tile or with scans that are out of all proportion."""
    if image.format == "TIFF" and math.prod(map(image.tag_v2.get, _TILE, (0, 0))) > MOST_PIXELS:
        raise ContentError(_HUGE)
    if image.format in ("JPEG", "MPO"):
        place = file.tell()
        file.seek(0)
        scans = sum(block.count(b"\xff\xda") for block in iter(lambda: file.read(1 << 20), b""))
        file.seek(place)
        if scans * image.width * image.height > MOST_SCANNED:
            raise ContentError(f"{scans:,} scans, which take too long to decode")


def _check_steps(image: Any) -> None:
    """Refuse what Pillow decodes in too many steps; nothing is decoded yet."""
    if len(image.tile) > _MOST_STRIPS:
        raise ContentError(f"{len(image.tile):,} strips or tiles, which take too long to decode")
    in_runs = any(tile[0] == "bmp_rle" for tile in image.tile)
    if in_runs and image.width * image.height > _MOST_IN_RUNS:
        raise ContentError(
            f"more than {_MOST_IN_RUNS / 1e6:.0f} million pixels in run lengths, which take too "
            "long to decode"
        )


def _frames_of(image: Any) -> int:
    """How many frames an animated picture has, if all of them can be decoded in reasonable time."""
    if image.format == "GIF":
        most = min(MOST_FRAMES, MOST_DECODED // (image.width * image.height))
        there = gif_frames(image.fp, most + 1)
    else:
        there = image.n_frames
    if there > MOST_FRAMES:
        raise ContentError(f"more than {MOST_FRAMES:,} frames")
    if there > 1 and there * image.width * image.height > MOST_DECODED:
        raise ContentError(f"more than {MOST_DECODED / 1e6:,.0f} million pixels in all frames")
    return there


def _opened(file: BinaryIO) -> Any:
    pillow = _pillow()
    try:
        with _opening, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", pillow.DecompressionBombWarning)
            return pillow.open(file, formats=FORMATS)
    except (pillow.DecompressionBombWarning, pillow.DecompressionBombError) as error:
        raise ContentError(_HUGE) from error


def _check_end(file: BinaryIO, kind: str) -> None:
    """Refuse what is cut off between two frames, which Pillow takes for the end."""
    place = file.tell()
    there = file.seek(0, os.SEEK_END)
    if kind == "GIF":
        file.seek(max(0, there - 64))  # some writers fill up the last block
        whole = file.read().rstrip(b"\0\r\n").endswith(b";")
    elif kind == "WEBP":
        file.seek(4)
        whole = int.from_bytes(file.read(4), "little") + 8 <= there
    elif kind == "MATROSKA":
        whole = _segment_end(file) <= there
    else:
        whole = True
    file.seek(place)
    if not whole:
        raise ContentError(_CUT_OFF)


def _segment_end(file: Any) -> int:
    """The last byte of a Matroska or WebM file, as its header has it; 0 if it does not say."""
    file.seek(0)
    head = file.read(256).ljust(256, b"\0")
    size, _, place = _number(head, 4)
    place += size
    if head[:4] != _EBML or head[place : place + 4] != _SEGMENT:
        return 0
    size, known, place = _number(head, place + 4)
    return place + size if known else 0


def _number(head: bytes, place: int) -> tuple[int, bool, int]:
    """A number of Matroska's, whether it is known, and where it ends: RFC 8794, section 4."""
    length = 9 - head[place].bit_length()
    bits = 7 * length
    value = int.from_bytes(head[place : place + length], "big") & ((1 << bits) - 1)
    return value, value != (1 << bits) - 1, place + length


def _upright(image: Any, file: Any) -> Any:
    """Turned and mirrored as the orientation in its file's EXIF data says, if that can be read."""
    turn = _pillow().Transpose
    turns = {
        2: turn.FLIP_LEFT_RIGHT,
        3: turn.ROTATE_180,
        4: turn.FLIP_TOP_BOTTOM,
        5: turn.TRANSPOSE,
        6: turn.ROTATE_270,
        7: turn.TRANSVERSE,
        8: turn.ROTATE_90,
    }
    try:
        with _opening, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            orientation = file.getexif().get(0x0112)
    except Exception:  # damaged EXIF data harm no picture
        return image
    return image.transpose(turns[orientation]) if orientation in turns else image


def _pixels(image: Any, size: tuple[int, int] | None) -> np.ndarray:
    """(H, W, 3) uint8 of an RGB image, squashed by antialiased bicubic interpolation."""
    if size and image.size != (size[1], size[0]):
        image = image.resize((size[1], size[0]), _pillow().Resampling.BICUBIC, reducing_gap=3.0)
    return np.asarray(image)


def _video(file: BinaryIO, kind: str | None, size, frames: int) -> Iterator[np.ndarray]:
    if kind == "matroska":
        _check_end(file, "MATROSKA")
    from_array = _pillow().fromarray
    for pixels in video_frames(file, kind, lambda there: chosen(there, frames), MOST_PIXELS):
        yield _pixels(from_array(pixels), size)
