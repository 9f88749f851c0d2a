"""Video files as frames of red, green and blue, read by PyAV."""

import bisect
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import numpy as np

from kerasseq.media.containers import open_container
from kerasseq.media.files import CUT_OFF, ContentError

MAX_DECODED = 4_000_000_000
"""The most pixels of all frames that are decoded, including those before a wanted frame."""

MAX_FRAMES = 500_000

# In these containers, `seek` takes the time at which a frame is decoded, not shown.
_WITHOUT_INDEX = ("mpegts", "mpeg", "mpegvideo")


def read_video_frames(
    file: BinaryIO, kind: str | None, choose: Callable[[int], list[int]], max_pixels: int
) -> Iterator[np.ndarray]:
    """Yields some frames of a video, each (H, W, 3) uint8 in RGB, upright.

    Args:
        file: open for reading.
        kind: the container, as `detect_container` returns it.
        choose: maps the number of frames to the indices of the wanted frames.
        max_pixels: the most pixels of a frame.

    Raises:
        ContentError: if there are no frames, too many or too large ones, or if the file is cut
            off.
        UserError: if PyAV is not installed.
    """
    with open_container(file, kind, {"max_pixels": str(max_pixels)}) as clip:
        if not clip.streams.video:
            raise ContentError("there are no pictures in it")
        stream = clip.streams.video[0]
        pixels = stream.width * stream.height
        if pixels > max_pixels:
            raise ContentError(f"more than {max_pixels / 1e6:.0f} million pixels")
        times, keys = _times(clip, stream)
        wanted = [times[index] for index in choose(len(times))]
        if _frames_to_decode(times, keys, wanted) * pixels > MAX_DECODED:
            raise ContentError(
                f"more than {MAX_DECODED / 1e6:,.0f} million pixels before the frames wanted"
            )
        delay = _delay(clip, stream) if kind in _WITHOUT_INDEX else 0
        for frame in _frames_at(clip, stream, wanted, keys, delay):
            pixels = np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90)
            yield np.ascontiguousarray(pixels)


def _times(clip: Any, stream: Any) -> tuple[list[int], list[int]]:
    """Returns the times of all frames and of the key frames; nothing is decoded."""
    times, keys = [], []
    for packet in clip.demux(stream):
        time = packet.dts if packet.pts is None else packet.pts
        if time is None:
            continue
        times.append(time)
        if packet.is_keyframe:
            keys.append(time)
        if len(times) > MAX_FRAMES:
            raise ContentError(f"more than {MAX_FRAMES:,} frames")
    if not times:
        raise ContentError("there are no pictures in it")
    if len(times) < stream.frames:  # as the header announces; 0 if it does not
        raise ContentError(CUT_OFF.format("picture"))
    return sorted(times), sorted(keys)


def _frames_to_decode(times: list[int], keys: list[int], wanted: list[int]) -> int:
    """Returns the number of frames to decode for the frames at the wanted times."""
    count, last = 0, -1
    for time in wanted:
        place = bisect.bisect_left(times, time)
        before = bisect.bisect_right(keys, time) - 1
        first = bisect.bisect_left(times, keys[before]) if before >= 0 else 0
        count += place + 1 - max(first, last + 1)
        last = place
    return count


def _delay(clip: Any, stream: Any) -> int:
    """Returns the longest time between the decoding and the showing of a frame."""
    clip.seek(0)
    both = ((packet.pts, packet.dts) for packet in clip.demux(stream))
    return max((pts - dts for pts, dts in both if None not in (pts, dts)), default=0)


def _frames_at(
    clip: Any, stream: Any, wanted: list[int], keys: list[int], delay: int
) -> Iterator[Any]:
    """Yields the frames that are shown at the wanted times; see `_delay`."""
    frames, last = None, None
    for time in wanted:
        before = max((key for key in keys if key <= time), default=None)
        if last is None or (before is not None and before > last):
            clip.seek((before or 0) - delay, stream=stream)
            frames = clip.decode(stream)
        last = time
        frame = next((frame for frame in frames if frame.pts is None or frame.pts >= time), None)
        if frame is None:
            raise ContentError(CUT_OFF.format("picture"))
        yield frame
