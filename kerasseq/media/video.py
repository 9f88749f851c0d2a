"""Video files as frames of red, green and blue, read by PyAV."""

import bisect
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import numpy as np

from kerasseq.media.containers import opened
from kerasseq.media.files import ContentError

MOST_DECODED = 4_000_000_000
"""Pixels of all frames that are decoded, those on the way to a frame that is wanted included."""

MOST_FRAMES = 500_000


# In these a place is found by when a frame there is decoded, not by when it is shown.
_WITHOUT_INDEX = ("mpegts", "mpeg", "mpegvideo")


def video_frames(
    file: BinaryIO, kind: str | None, choose: Callable[[int], list[int]], most_pixels: int
) -> Iterator[np.ndarray]:
    """Some frames of a video, each (H, W, 3) uint8 in RGB, upright.

    Args:
        file: open for reading.
        kind: of container, as `containers.container` tells.
        choose: gives the places of the frames that are wanted, from how many there are.
        most_pixels: of a frame.

    Raises:
        ContentError: there are no pictures, too many or too large ones, or the file is cut off.
        UserError: if PyAV is not installed.
    """
    with opened(file, kind, {"max_pixels": str(most_pixels)}) as clip:
        if not clip.streams.video:
            raise ContentError("there are no pictures in it")
        stream = clip.streams.video[0]
        pixels = stream.width * stream.height
        if pixels > most_pixels:
            raise ContentError(f"more than {most_pixels / 1e6:.0f} million pixels")
        times, keys = _times(clip, stream)
        wanted = [times[index] for index in choose(len(times))]
        if _frames_to_decode(times, keys, wanted) * pixels > MOST_DECODED:
            raise ContentError(
                f"more than {MOST_DECODED / 1e6:,.0f} million pixels before the frames wanted"
            )
        delay = _delay(clip, stream) if kind in _WITHOUT_INDEX else 0
        for frame in _frames_at(clip, stream, wanted, keys, delay):
            pixels = np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90)
            yield np.ascontiguousarray(pixels)


def _times(clip: Any, stream: Any) -> tuple[list[int], list[int]]:
    """When each frame of a video is shown, and which of these begin anew; nothing is decoded."""
    times, keys = [], []
    for packet in clip.demux(stream):
        time = packet.dts if packet.pts is None else packet.pts
        if time is None:
            continue
        times.append(time)
        if packet.is_keyframe:
            keys.append(time)
        if len(times) > MOST_FRAMES:
            raise ContentError(f"more than {MOST_FRAMES:,} frames")
    if not times:
        raise ContentError("there are no pictures in it")
    if len(times) < stream.frames:  # as the header announces; 0 if it does not
        raise ContentError("the picture is cut off")
    return sorted(times), sorted(keys)


def _frames_to_decode(times: list[int], keys: list[int], wanted: list[int]) -> int:
    """How many frames are decoded to get those at the times that are wanted."""
    count, here = 0, -1
    for time in wanted:
        place = bisect.bisect_left(times, time)
        before = bisect.bisect_right(keys, time) - 1
        first = bisect.bisect_left(times, keys[before]) if before >= 0 else 0
        count += place + 1 - max(first, here + 1)
        here = place
    return count


def _delay(clip: Any, stream: Any) -> int:
    """How long at most a frame is decoded before it is shown."""
    clip.seek(0)
    both = ((packet.pts, packet.dts) for packet in clip.demux(stream))
    return max((pts - dts for pts, dts in both if None not in (pts, dts)), default=0)


def _frames_at(
    clip: Any, stream: Any, wanted: list[int], keys: list[int], delay: int
) -> Iterator[Any]:
    """The frames that are shown at the times that are wanted; see `_delay`."""
    found, here = None, None
    for time in wanted:
        before = max((key for key in keys if key <= time), default=None)
        if here is None or (before is not None and before > here):
            clip.seek((before or 0) - delay, stream=stream)
            found = clip.decode(stream)
        here = time
        frame = next((frame for frame in found if frame.pts is None or frame.pts >= time), None)
        if frame is None:
            raise ContentError("the picture is cut off")
        yield frame
