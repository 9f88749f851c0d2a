"""Picture and video files as frames of red, green and blue."""

import contextlib
import os
import re
import threading
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from kerasseq.errors import FileError, UserError

PICTURES = tuple(
    ".jpg .jpeg .png .gif .webp .avif .bmp .tif .tiff .apng .jp2 .ppm .pgm .pbm".split()
)
"""What the names of picture files end with; others that Pillow reads are read too."""
VIDEOS = tuple(".mp4 .m4v .mov .webm .mkv .avi .mpg .mpeg .ogv .wmv .flv .3gp .ts".split())
"""What the names of video files end with; these alone are read by PyAV."""

MOST_PIXELS = 89_478_485
"""Of a frame: Pillow's own limit, a quarter of a GiB in RGB."""

_HUGE = f"more than {MOST_PIXELS / 1e6:.0f} million pixels"
_DAMAGED = "not a picture file, or a damaged one"
_CUT_OFF = "the picture is cut off"

# Of other formats, further "frames" are pages, sizes, layers or a phone's previews.
_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")

_WHITE = (255, 255, 255, 255)

_EBML, _SEGMENT = b"\x1aE\xdf\xa3", b"\x18S\x80g"

# Python's list of warning filters is the whole process's.
_opening = threading.Lock()


class PictureError(FileError):
    """A picture or a video that cannot be used."""


def read_picture(
    path: str | os.PathLike, size: tuple[int, int] | None = None, frames: int = 1
) -> np.ndarray:
    """A picture or a clip as (F, H, W, 3) uint8 in RGB, F from 1 to `frames`.

    Pictures are whatever Pillow reads, of any mode, turned as their EXIF data says and laid over
    white where they are transparent. GIF, WebP, PNG and AVIF may be animated. Files named as
    VIDEOS are read by PyAV.

    Of a longer clip one takes the middle frame of each of `frames` equal parts, so that a single
    frame is the middle one: first frames are often black or blank.

    Args:
        size: (H, W) to squash to; None leaves the size as it is.
        frames: at most.

    Raises:
        PictureError: if there is no such file, it is a URL, no picture, cut off or damaged, or has
            more than MOST_PIXELS a frame, which is read from the header before anything is decoded.
        UserError: if Pillow, or for a video PyAV, is not installed.
    """
    path = os.fspath(path)
    if is_url(path):
        raise PictureError(path, "a URL, which is not fetched: download it first")
    if not os.path.isfile(path):
        raise PictureError(path, "there is no such picture")
    read = _video if path.lower().endswith(VIDEOS) else _picture
    try:
        if not os.path.getsize(path):
            raise PictureError(path, "the file is empty")
        return np.stack(list(read(path, size, frames)))
    except OSError as error:
        raise PictureError(path, f"cannot be read: {error.strerror or error}") from error


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


@contextlib.contextmanager
def _failures(path: str) -> Iterator[None]:
    """What is raised while a file is decoded, as a PictureError."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # decoders raise whatever a damaged file leads them to
        cut = re.search("truncat|broken data stream|unexpected end", str(error).lower())
        raise PictureError(path, _CUT_OFF if cut else _DAMAGED) from error


def _picture(path: str, size, frames: int) -> Iterator[np.ndarray]:
    pillow = _pillow()
    with open(path, "rb") as file, _failures(path), _opened(pillow, path, file) as image:
        _check_end(path, file, image.format)
        if size and image.format in ("JPEG", "MPO"):
            # The decoder itself can halve a photo up to three times; the last step is ours. The
            # square holds either way up.
            image.draft(None, (2 * max(size), 2 * max(size)))
        there = image.n_frames if image.format in _ANIMATED else 1
        for index in chosen(there, frames):
            if there > 1:
                image.seek(index)
            coloured = _coloured(pillow, image)
            yield _pixels(_upright(pillow, coloured, image), size)
        if there > 1:  # where a file was cut off often shows in the last frame alone
            image.seek(there - 1)
            image.load()


def _opened(pillow: Any, path: str, file: Any) -> Any:
    try:
        with _opening, warnings.catch_warnings():
            warnings.simplefilter("error", pillow.DecompressionBombWarning)
            return pillow.open(file)
    except (pillow.DecompressionBombWarning, pillow.DecompressionBombError) as error:
        raise PictureError(path, _HUGE) from error


def _check_end(path: str, file: Any, kind: str) -> None:
    """Refuse what is cut off between two frames, which Pillow takes for the end."""
    there = os.path.getsize(path)
    place = file.tell()
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
        raise PictureError(path, _CUT_OFF)


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


def _coloured(pillow: Any, image: Any) -> Any:
    """A Pillow image of any mode in RGB; what is transparent is white."""
    image.load()
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return pillow.alpha_composite(pillow.new("RGBA", image.size, _WHITE), image).convert("RGB")
    if image.mode.startswith("I"):  # 16 bits, in Pillow's 32 or not
        grey = np.asarray(image).clip(0, 65535) >> 8
    elif image.mode == "F":
        grey = np.nan_to_num(np.asarray(image)).clip(0, 1) * 255
    else:
        return image.convert("RGB")
    return pillow.fromarray(grey.astype(np.uint8)).convert("RGB")


def _upright(pillow: Any, image: Any, file: Any) -> Any:
    """Turned and mirrored as the orientation in its file's EXIF data says, if that can be read."""
    turn = pillow.Transpose
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
        orientation = file.getexif().get(0x0112)
    except Exception:  # damaged EXIF data harm no picture
        return image
    return image.transpose(turns[orientation]) if orientation in turns else image


def _pixels(image: Any, size: tuple[int, int] | None) -> np.ndarray:
    """(H, W, 3) uint8 of an RGB image, squashed by antialiased bicubic interpolation."""
    if size and image.size != (size[1], size[0]):
        image = image.resize((size[1], size[0]), _pillow().Resampling.BICUBIC, reducing_gap=3.0)
    return np.asarray(image)


def _video(path: str, size, frames: int) -> Iterator[np.ndarray]:
    try:
        import av
    except ModuleNotFoundError as error:
        raise UserError('Videos need the package av: pip install "kerasseq[pictures]"') from error
    pillow = _pillow()
    with open(path, "rb") as raw:
        _check_end(path, raw, "MATROSKA")
    with _failures(path), av.open(path) as file:
        if not file.streams.video:
            raise PictureError(path, "there are no pictures in it")
        stream = file.streams.video[0]
        if stream.width * stream.height > MOST_PIXELS:
            raise PictureError(path, _HUGE)
        times, keys = _times(path, file, stream)
        wanted = [times[index] for index in chosen(len(times), frames)]
        for frame in _frames_at(path, file, stream, wanted, keys):
            pixels = np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90)
            yield _pixels(pillow.fromarray(np.ascontiguousarray(pixels)), size)


def _times(path: str, file: Any, stream: Any) -> tuple[list[int], list[int]]:
    """When each frame of a video is shown, and which of these begin anew; nothing is decoded."""
    packets = [
        (packet.dts if packet.pts is None else packet.pts, packet.is_keyframe)
        for packet in file.demux(stream)
    ]
    times = sorted(time for time, _ in packets if time is not None)
    if not times:
        raise PictureError(path, "there are no pictures in it")
    if len(times) < stream.frames:  # as the header announces; 0 if it does not
        raise PictureError(path, _CUT_OFF)
    return times, sorted(time for time, key in packets if key and time is not None)


def _frames_at(path: str, file: Any, stream: Any, wanted: Sequence, keys: list) -> Iterator:
    """The frames that are shown at the times that are wanted."""
    found, here = None, None
    for time in wanted:
        before = max((key for key in keys if key <= time), default=None)
        if here is None or (before is not None and before > here):
            file.seek(before or 0, stream=stream)
            found = file.decode(stream)
        here = time
        frame = next((frame for frame in found if frame.pts is None or frame.pts >= time), None)
        if frame is None:
            raise PictureError(path, _CUT_OFF)
        yield frame
