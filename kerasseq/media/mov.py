"""The number of samples that the boxes of an MP4 or MOV file announce.

PyAV allocates memory for them when it opens a file, before it could be asked for their number.

ISO/IEC 14496-12: sections 4.2 (boxes), 8.6.6 (elst), 8.7.3 (stsz), 8.8.8 (trun).
"""

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

from kerasseq.media.files import ContentError

# The boxes that contain the boxes with numbers of samples.
_PARENTS = (b"moov", b"trak", b"edts", b"mdia", b"minf", b"stbl", b"moof", b"traf")

_SLACK = 4  # samples for each byte: coded sound counts the samples that it decodes to
_MAX_EDITED = 2_000_000


_TOO_MANY = "more frames or samples are announced than can be in the file"


def check_sample_counts(file: BinaryIO) -> None:
    """Checks that a file does not announce far more samples than it can hold.

    Raises:
        ContentError: if it does.
    """
    size = file.seek(0, os.SEEK_END)
    samples = fragments = edits = 0
    for name, body in _boxes(file, 0, size):
        file.seek(body)
        first, second = struct.unpack(">4xII", file.read(12).ljust(12, b"\0"))
        if name == b"stsz":  # the size of all samples, or 0 and the size of each; their count
            samples = max(samples, second)
            if second * max(first, 1) > _SLACK * size:
                raise ContentError(_TOO_MANY)
        elif name == b"trun":
            fragments += first
        elif name == b"elst":
            edits = max(edits, first)
        if fragments > _SLACK * size or edits * (samples + fragments) > _MAX_EDITED:
            raise ContentError(_TOO_MANY)
    file.seek(0)


def _boxes(file: BinaryIO, place: int, end: int, depth: int = 0) -> Iterator[tuple[bytes, int]]:
    """Yields (name, place of the body) of the boxes that can have numbers of samples."""
    while place + 8 <= end:
        file.seek(place)
        head = file.read(16)
        if len(head) < 8:
            return
        length, name, width = int.from_bytes(head[:4], "big"), head[4:8], 8
        if length == 1 and len(head) == 16:
            length, width = int.from_bytes(head[8:], "big"), 16
        last = end if length == 0 else min(end, place + length)
        yield name, place + width
        if name in _PARENTS and depth < len(_PARENTS):
            yield from _boxes(file, place + width, last, depth + 1)
        if last < place + 8:
            return
        place = last
