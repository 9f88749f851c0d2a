"""The number of frames of a GIF, by its blocks; nothing is decoded.

Pillow counts without a bound, and decodes the frames on the way to a frame.

GIF89a specification, 1990: sections 15, 18 to 20, 22 and 23.
"""

from typing import BinaryIO

_IMAGE, _EXTENSION = b",", b"!"


def count_gif_frames(file: BinaryIO, limit: int) -> int:
    """Returns the number of frames, or `limit` if there are more."""
    place = file.tell()
    file.seek(0)
    head = file.read(13)
    if head[10] & 0x80:
        file.seek(3 << (head[10] & 7) + 1, 1)
    count = 0
    while count < limit and (kind := file.read(1)) in (_IMAGE, _EXTENSION):
        if kind == _IMAGE:
            flags = (file.read(9) or b"\0")[-1]
            file.seek((3 << (flags & 7) + 1 if flags & 0x80 else 0) + 1, 1)
            count += 1
        else:
            file.seek(1, 1)
        while (length := file.read(1)) not in (b"", b"\0"):
            file.seek(length[0], 1)
    file.seek(place)
    return count
