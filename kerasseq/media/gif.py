"""How many frames a GIF has: its blocks are counted, and none is decoded.

GIF89a specification, 1990: sections 15, 18 to 20, 22 and 23.
"""

from typing import BinaryIO

_IMAGE, _EXTENSION = b",", b"!"


def gif_frames(file: BinaryIO, most: int) -> int:
    """The number of frames, or `most` if there are more."""
    here = file.tell()
    file.seek(0)
    head = file.read(13)
    if head[10] & 0x80:
        file.seek(3 << (head[10] & 7) + 1, 1)
    count = 0
    while count < most and (kind := file.read(1)) in (_IMAGE, _EXTENSION):
        if kind == _IMAGE:
            flags = (file.read(9) or b"\0")[-1]
            file.seek((3 << (flags & 7) + 1 if flags & 0x80 else 0) + 1, 1)
            count += 1
        else:
            file.seek(1, 1)
        while (length := file.read(1)) not in (b"", b"\0"):
            file.seek(length[0], 1)
    file.seek(here)
    return count
