"""The sizes in the headers of sound files, which a writer to a pipe cannot know beforehand.

Such writers put 0, the largest number, or one near it, where a size belongs. The recording is
whole: it reaches to the end of the file.
"""

import io
import os
import re
import struct
from typing import BinaryIO, NamedTuple

from kerasseq.media.files import ContentError

Patches = dict[int, bytes]
"""What to read at which place of a file, instead of what is there."""

_CUT_OFF = "the recording is cut off"
_EMPTY = "the recording is empty"

# The numbers near which a size is meant to be unknown, and how near.
_LARGEST = (0x7F000000, 1 << 31, 1 << 32, 1 << 63, 1 << 64)
_NEAR = 1 << 16

# An odd byte of padding is counted by some writers and not by others.
_SLACK = 16

_W64_RIFF = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_W64_END = bytes.fromhex("f3acd3118cd100c04f8edb8a")

_TAGS = re.compile(rb"LIST|id3 |ID3 |bext|fact|cue |PEAK|afsp|iXML")


class Patched(io.FileIO):
    """A file that is read as if there were other bytes in some places.

    Args:
        path: the file.
        patches: the bytes and where they begin.
    """

    def __init__(self, path: str, patches: Patches):
        super().__init__(path)
        self._patches = patches

    def readinto(self, buffer) -> int:
        """Fill a buffer and return the number of bytes."""
        first = self.tell()
        count = super().readinto(buffer)
        view = memoryview(buffer).cast("B")
        for place, data in self._patches.items():
            for index in range(max(first, place), min(first + count, place + len(data))):
                view[index - first] = data[index - place]
        return count


def patches(file: BinaryIO) -> Patches:
    """The bytes that give a sound file's header the sizes that it really has.

    Raises:
        ContentError: the header tells a size, and the file is shorter, or has no samples at all.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(16)
    found: Patches = {}
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        found = _wave(file, size, head[:4])
    elif head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        found = _aiff(file, size)
    elif head == _W64_RIFF:
        found = _w64(file, size)
    elif head[:4] == b"caff":
        found = _caf(file, size)
    elif head[:4] in (b".snd", b"dns."):
        found = _au(file, size, ">" if head[:4] == b".snd" else "<")
    elif head[:7] == b"NIST_1A":
        _check_sphere(file, size)
    file.seek(0)
    return found


def _unknown(size: int) -> bool:
    return size <= 0 or any(abs(size - some) <= _NEAR for some in _LARGEST)


def _real(declared: int, there: int) -> int:
    """The length of a body of which a header tells one length and the file has another.

    Raises:
        ContentError: the file is cut off, or there is nothing in it.
    """
    if there <= 0:
        raise ContentError(_EMPTY)
    if _unknown(declared):
        return there
    if declared > there + _SLACK:
        raise ContentError(_CUT_OFF)
    return min(declared, there)


class _Chunk(NamedTuple):
    """A named piece of a file: where its length and its body stand, and that length."""

    name: bytes
    length: int
    field: int
    body: int


def _chunks(file: BinaryIO, place: int, format: str, counted: int = 0, unit: int = 2):
    """Every chunk from a place on whose name and length are there.

    Args:
        format: of the name and the length, for `struct`.
        counted: bytes before the body that the length counts.
        unit: chunks begin at a multiple of this.
    """
    width = struct.calcsize(format)
    while True:
        file.seek(place)
        head = file.read(width)
        if len(head) < width:
            return
        name, length = struct.unpack(format, head)
        body = max(length - counted, 0)
        yield _Chunk(name, length - counted, place + len(name), place + width)
        place += width + body + -body % unit


def _wave(file: BinaryIO, size: int, kind: bytes) -> Patches:
    order = ">" if kind == b"RIFX" else "<"
    file.seek(4)
    (riff,) = struct.unpack(order + "I", file.read(4))
    wide, found = None, {}
    for chunk in _chunks(file, 12, order + "4sI"):
        if chunk.name == b"ds64" and kind in (b"RF64", b"BW64"):
            file.seek(chunk.body + 8)
            wide = chunk.body, *struct.unpack("<Q", file.read(8))
        if chunk.name != b"data":
            continue
        declared = wide[1] if wide and chunk.length == 0xFFFFFFFF else chunk.length
        if declared == 0 and _is_chain(file, chunk.body, size, order):
            raise ContentError(_EMPTY)
        if riff + 8 == size and declared > size - chunk.body:
            declared = 0  # the whole is as long as it says, so that its part is not cut off
        end = _without_trailer(file, chunk.body, size, order) if _unknown(declared) else size
        real = _real(declared, end - chunk.body)
        if kind == b"BW64":  # the same by another name, which libsndfile does not know
            found[0] = b"RF64"
        if real != declared:
            found[chunk.field] = struct.pack(order + "I", min(real, 0xFFFFFFF0))
            if wide:
                found[chunk.field] = b"\xff" * 4
                found[wide[0]] = struct.pack("<QQ", size - 8, real)
            elif kind in (b"RF64", b"BW64"):
                found[0] = b"RIFF"
        break
    return found


def _is_chain(file: BinaryIO, place: int, size: int, order: str) -> bool:
    """Whether chunks follow each other from a place to the end of the file, and nothing else."""
    for chunk in _chunks(file, place, order + "4sI"):
        if not re.fullmatch(rb"[A-Za-z][ -~]{3}", chunk.name):
            return False
        place = chunk.body + chunk.length + chunk.length % 2
    return place in (size, size + 1)


def _without_trailer(file: BinaryIO, body: int, size: int, order: str) -> int:
    """Where samples of unknown length end: before the tags that some writers put behind them."""
    first = max(body, size - _NEAR)
    file.seek(first)
    for found in _TAGS.finditer(file.read()):
        place = first + found.start()
        if (place - body) % 2 == 0 and _is_chain(file, place, size, order):
            return place
    return size


def _aiff(file: BinaryIO, size: int) -> Patches:
    common, width = None, 0
    for chunk in _chunks(file, 12, ">4sI"):
        if chunk.name == b"COMM":
            file.seek(chunk.body)
            channels, _, bits = struct.unpack(">hIh", file.read(8))
            common, width = chunk.body + 2, channels * -(-bits // 8)
        if chunk.name != b"SSND":
            continue
        # Eight bytes that precede the samples are counted.
        samples = _real(chunk.length - 8, size - chunk.body - 8)
        if samples == chunk.length - 8:
            break
        found = {4: struct.pack(">I", size - 8), chunk.field: struct.pack(">I", samples + 8)}
        if common and width > 0:
            found[common] = struct.pack(">I", samples // width)
        return found
    return {}


def _w64(file: BinaryIO, size: int) -> Patches:
    for chunk in _chunks(file, 40, "<16sq", counted=24, unit=8):
        if chunk.name == b"data" + _W64_END:
            real = _real(chunk.length, size - chunk.body)
            if real != chunk.length:
                return {16: struct.pack("<q", size), chunk.field: struct.pack("<q", real + 24)}
            break
    return {}


def _caf(file: BinaryIO, size: int) -> Patches:
    for chunk in _chunks(file, 8, ">4sq", unit=1):
        if chunk.name == b"data":  # a count of edits precedes the samples, of four bytes
            real = _real(chunk.length - 4, size - chunk.body - 4)
            if real != chunk.length - 4:
                return {chunk.field: struct.pack(">q", real + 4)}
            break
    return {}


def _au(file: BinaryIO, size: int, order: str) -> Patches:
    file.seek(4)
    first, declared = struct.unpack(order + "II", file.read(8))
    real = _real(declared, size - first)
    return {} if real == declared else {8: struct.pack(order + "I", real)}


def _check_sphere(file: BinaryIO, size: int) -> None:
    """Refuse a NIST file of uncompressed samples that is shorter than its header says."""
    file.seek(0)
    head = file.read(1024)
    names = (b"sample_count", b"sample_n_bytes", b"channel_count")
    found = [re.search(rb"^%s -i (\d{1,18})$" % name, head, re.MULTILINE) for name in names]
    coded = re.search(rb"^sample_coding -s\d+ (pcm|ulaw|alaw)$", head, re.MULTILINE)
    if all(found) and (coded or b"sample_coding" not in head):
        samples, width, channels = (int(some[1]) for some in found)
        _real(samples * width * channels, size - 1024)
