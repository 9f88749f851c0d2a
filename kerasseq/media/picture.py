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
from kerasseq.media.containers import check_matroska_size, detect_container, is_heic
from kerasseq.media.endings import FORMATS, VIDEOS
from kerasseq.media.files import CUT_OFF, ContentError, check_file, translate_errors
from kerasseq.media.gif import count_gif_frames
from kerasseq.media.picture_modes import to_rgb
from kerasseq.media.video import read_video_frames

MAX_PIXELS = 89_478_485
"""The most pixels of a frame: Pillow's own limit, a quarter of a GiB in RGB."""

MAX_DECODED = 400_000_000
"""The most pixels of all frames of an animated picture."""

MAX_FRAMES = 20_000
"""The most frames of an animated picture."""

MAX_SCANNED = 6_000_000_000
"""The most pixels of all scans of a progressive JPEG picture; an ordinary one has ten scans."""

_HUGE = f"more than {MAX_PIXELS / 1e6:.0f} million pixels"
# The strips of a TIFF picture, and the pixels of a run-length encoded BMP picture: Pillow takes a
# step of Python for each of them.
_MAX_STRIPS, _MAX_IN_RUNS = 100_000, 10_000_000

_LARGE = 16_000_000  # pixels of a picture that no other thread decodes at the same time

_TILE = (322, 323)  # width and height of a tile: TIFF 6.0, section 15

# The "frames" of other formats are pages, sizes, layers or previews.
_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")

# Python's warning filters belong to the whole process.
_opening = threading.Lock()
_large = threading.Lock()


class PictureError(FileError):
    """A picture or a video that cannot be used."""


def read_picture(
    path: str | os.PathLike, size: tuple[int, int] | None = None, frames: int = 1
) -> np.ndarray:
    """Reads a picture or a clip: (F, H, W, 3) uint8 in RGB, F from 1 to `frames`.

    Pillow reads the picture formats of `endings.FORMATS` in any mode; see `to_rgb`. Pictures are
    rotated as their EXIF data says, and transparent pixels are white. GIF, WebP, PNG and AVIF can
    be animated. PyAV reads videos. The contents of a file and not its name decide on its kind.

    A longer clip is divided into `frames` equal parts, and the middle frame of each part is taken.
    So a single frame is the middle one: first frames are often black or blank.

    Args:
        path: the file.
        size: (H, W) of the result, whatever the shape of the picture; None keeps its size.
        frames: the most frames.

    Raises:
        PictureError: if there is no such file, if it is a URL, not a picture, cut off or damaged,
            or if it has more pixels than MAX_PIXELS in a frame or MAX_DECODED in all, which is
            known before anything is decoded.
        UserError: if Pillow, or PyAV for a video, is not installed.

    Example:

    >>> from PIL import Image
    >>> import kerasseq
    >>> Image.new("RGB", (40, 30), "red").save("red.png")
    >>> clip = kerasseq.media.read_picture("red.png", size=(16, 16))
    >>> clip.shape, clip[0, 0, 0].tolist()
    ((1, 16, 16, 3), [255, 0, 0])
    """
    path = os.fspath(path)
    if is_url(path):
        raise PictureError(path, "a URL, which is not fetched: download it first")
    check_file(path, PictureError, "picture")
    with translate_errors(path, PictureError, "picture"), open(path, "rb") as file:
        if is_heic(file):
            raise ContentError("a HEIC picture, which is not read: convert it to JPEG")
        kind = detect_container(file)
        if kind or path.lower().endswith(VIDEOS):
            return np.stack(list(_read_video(file, kind, size, frames)))
        return np.stack(list(_read_picture(file, size, frames)))


def is_url(path: str) -> bool:
    """Tells whether a path begins with http:// or the like."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", path) is not None


def resize_clip(clip: np.ndarray, size: tuple[int, int], frames: int) -> np.ndarray:
    """Returns a clip (F, H, W, 3) uint8 of a size, as `read_picture` does.

    Args:
        clip: (F, H, W, 3) uint8 in RGB.
        size: (H, W) of the result.
        frames: the most frames.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> clip = np.zeros((9, 30, 40, 3), "uint8")
    >>> kerasseq.media.resize_clip(clip, size=(16, 16), frames=3).shape
    (3, 16, 16, 3)
    """
    from_array = _pillow().fromarray
    return np.stack([_resize(from_array(clip[i]), size) for i in choose_frames(len(clip), frames)])


def choose_frames(total: int, frames: int) -> list[int]:
    """Returns the indices of frames to take: the middle one of each of `frames` equal parts."""
    if total <= frames:
        return list(range(total))
    return [(2 * part + 1) * total // (2 * frames) for part in range(frames)]


def _pillow() -> Any:
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise UserError(
            'Pictures need the package pillow: pip install "kerasseq[pictures]"'
        ) from error
    return Image


def _read_picture(file: BinaryIO, size, frames: int) -> Iterator[np.ndarray]:
    with _open(file) as image:
        _check_end(file, image.format)
        _check_parts(file, image)
        _check_steps(image)
        if size and image.format in ("JPEG", "MPO"):
            # The decoder can halve a photo up to three times; `_resize` does the rest. The square
            # is large enough for either orientation.
            image.draft(None, (2 * max(size), 2 * max(size)))
        total = _count_frames(image) if image.format in _ANIMATED else 1
        with _large if image.width * image.height > _LARGE else contextlib.nullcontext():
            for index in choose_frames(total, frames):
                if total > 1:
                    image.seek(index)
                yield _resize(_rotate(to_rgb(image), image), size)
            if total > 1:  # often only the last frame shows that a file is cut off
                image.seek(total - 1)
                image.load()


def _check_parts(file: BinaryIO, image: Any) -> None:
    """Checks that a tile or the scans of a picture are not far larger than the picture."""
    if image.format == "TIFF" and math.prod(map(image.tag_v2.get, _TILE, (0, 0))) > MAX_PIXELS:
        raise ContentError(_HUGE)
    if image.format in ("JPEG", "MPO"):
        place = file.tell()
        file.seek(0)
        scans = sum(block.count(b"\xff\xda") for block in iter(lambda: file.read(1 << 20), b""))
        file.seek(place)
        if scans * image.width * image.height > MAX_SCANNED:
            raise ContentError(f"{scans:,} scans, which take too long to decode")


def _check_steps(image: Any) -> None:
    """Checks that Pillow does not take too many steps; nothing is decoded yet."""
    if len(image.tile) > _MAX_STRIPS:
        raise ContentError(f"{len(image.tile):,} strips or tiles, which take too long to decode")
    in_runs = any(tile[0] == "bmp_rle" for tile in image.tile)
    if in_runs and image.width * image.height > _MAX_IN_RUNS:
        raise ContentError(
            f"more than {_MAX_IN_RUNS / 1e6:.0f} million pixels in run lengths, which take too "
            "long to decode"
        )


def _count_frames(image: Any) -> int:
    """Returns the number of frames of an animated picture, if it is within bounds."""
    if image.format == "GIF":
        limit = min(MAX_FRAMES, MAX_DECODED // (image.width * image.height))
        total = count_gif_frames(image.fp, limit + 1)
    else:
        total = image.n_frames
    if total > MAX_FRAMES:
        raise ContentError(f"more than {MAX_FRAMES:,} frames")
    if total > 1 and total * image.width * image.height > MAX_DECODED:
        raise ContentError(f"more than {MAX_DECODED / 1e6:,.0f} million pixels in all frames")
    return total


def _open(file: BinaryIO) -> Any:
    pillow = _pillow()
    try:
        with _opening, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", pillow.DecompressionBombWarning)
            return pillow.open(file, formats=FORMATS)
    except (pillow.DecompressionBombWarning, pillow.DecompressionBombError) as error:
        raise ContentError(_HUGE) from error


def _check_end(file: BinaryIO, kind: str) -> None:
    """Checks that a file is not cut off between two frames, which Pillow takes for the end."""
    place = file.tell()
    size = file.seek(0, os.SEEK_END)
    if kind == "GIF":
        file.seek(max(0, size - 64))  # some writers fill up the last block
        whole = file.read().rstrip(b"\0\r\n").endswith(b";")
    elif kind == "WEBP":
        file.seek(4)
        whole = int.from_bytes(file.read(4), "little") + 8 <= size
    else:
        whole = True
    file.seek(place)
    if not whole:
        raise ContentError(CUT_OFF.format("picture"))


def _rotate(image: Any, file: Any) -> Any:
    """Rotates and mirrors an image as the EXIF data of its file says, if that can be read.

    `ImageOps.exif_transpose` does not fit: it takes an image with its EXIF data, and copies it
    without the tags that `to_rgb` needs.
    """
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
    except Exception:  # a picture with damaged EXIF data can be used
        return image
    return image.transpose(turns[orientation]) if orientation in turns else image


def _resize(image: Any, size: tuple[int, int] | None) -> np.ndarray:
    """Returns an RGB image as (H, W, 3) uint8, resized by antialiased bicubic interpolation."""
    if size and image.size != (size[1], size[0]):
        image = image.resize((size[1], size[0]), _pillow().Resampling.BICUBIC, reducing_gap=3.0)
    return np.asarray(image)


def _read_video(file: BinaryIO, kind: str | None, size, frames: int) -> Iterator[np.ndarray]:
    if kind == "matroska":
        check_matroska_size(file)
    from_array = _pillow().fromarray
    for pixels in read_video_frames(
        file, kind, lambda total: choose_frames(total, frames), MAX_PIXELS
    ):
        yield _resize(from_array(pixels), size)
