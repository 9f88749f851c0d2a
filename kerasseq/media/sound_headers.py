"""Corrections of the sizes in the headers of sound files.

A program that writes to a pipe does not know the size beforehand, and writes 0, the largest number,
or a number near it. The recording is complete: it reaches to the end of the file.
"""

import io
import os
import re
import struct
from typing import BinaryIO, NamedTuple

from kerasseq.media.files import CUT_OFF, ContentError

Patches = dict[int, bytes]
"""Maps places of a file to the bytes to read there, instead of the bytes of the file."""

_CUT_OFF = CUT_OFF.format("recording")
_EMPTY = "the recording is empty"

# A size that is near one of these numbers is unknown.
_LARGEST = (0x7F000000, 1 << 31, 1 << 32, 1 << 63, 1 << 64)
_NEAR = 1 << 16

# Some writers count an odd byte of padding, and others do not.
_SLACK = 16

_W64_RIFF = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_W64_END = bytes.fromhex("f3acd3118cd100c04f8edb8a")

_TAGS = re.compile(rb"LIST|id3 |ID3 |bext|fact|cue |PEAK|afsp|iXML")


class PatchedFile(io.FileIO):
    """A file that is read as if it had other bytes in some places.

    Args:
        path: the file.
        patches: maps places to bytes.
    """

    def __init__(self, path: str, patches: Patches):
        super().__init__(path)
        self._patches = patches

    def readinto(self, buffer) -> int:
        """Fills a buffer, and returns the number of bytes."""
        first = self.tell()
        count = super().readinto(buffer)
        view = memoryview(buffer).cast("B")
        for place, data in self._patches.items():
            for index in range(max(first, place), min(first + count, place + len(data))):
                view[index - first] = data[index - place]
        return count


def find_patches(file: BinaryIO) -> Patches:
    """Returns the bytes that correct the sizes in the header of a sound file.

    Raises:
        ContentError: if the file is shorter than its header says, or has no samples.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(16)
    patches: Patches = {}
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        patches = _wave(file, size, head[:4])
    elif head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        patches = _aiff(file, size)
    elif head == _W64_RIFF:
        patches = _w64(file, size)
    elif head[:4] == b"caff":
        patches = _caf(file, size)
    elif head[:4] in (b".snd", b"dns."):
        patches = _au(file, size, ">" if head[:4] == b".snd" else "<")
    elif head[:7] == b"NIST_1A":
        _check_sphere(file, size)
    file.seek(0)
    return patches


def _unknown(size: int) -> bool:
    return size <= 0 or any(abs(size - some) <= _NEAR for some in _LARGEST)


def _real_length(declared: int, actual: int) -> int:
    """Returns the length of a body, by the length in the header and the length in the file.

    Raises:
        ContentError: if the file is cut off, or if the body is empty.
    """
    if actual <= 0:
        raise ContentError(_EMPTY)
    if _unknown(declared):
        return actual
    if declared > actual + _SLACK:
        raise ContentError(_CUT_OFF)
    return min(declared, actual)


class _Chunk(NamedTuple):
    """A chunk of a file.

    Attributes:
        name: of the chunk.
        length: of the body.
        field: the place of the length.
        body: the place of the body.
    """

    name: bytes
    length: int
    field: int
    body: int


def _chunks(file: BinaryIO, place: int, format: str, counted: int = 0, unit: int = 2):
    """Yields the chunks from a place on.

    Args:
        file: open for reading.
        place: where the first chunk begins.
        format: of the name and the length, for `struct`.
        counted: the bytes before the body that the length includes.
        unit: a chunk begins at a multiple of this number.
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
    wide, patches = None, {}
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
            declared = 0  # the file has the size that its header says, so it is not cut off
        end = _without_trailer(file, chunk.body, size, order) if _unknown(declared) else size
        real = _real_length(declared, end - chunk.body)
        if kind == b"BW64":  # another name of RF64, which libsndfile does not know
            patches[0] = b"RF64"
        if real != declared:
            patches[chunk.field] = struct.pack(order + "I", min(real, 0xFFFFFFF0))
            if wide:
                patches[chunk.field] = b"\xff" * 4
                patches[wide[0]] = struct.pack("<QQ", size - 8, real)
            elif kind in (b"RF64", b"BW64"):
                patches[0] = b"RIFF"
        break
    return patches


def _is_chain(file: BinaryIO, place: int, size: int, order: str) -> bool:
    """Tells whether the file has nothing but chunks from a place to its end."""
    for chunk in _chunks(file, place, order + "4sI"):
        if not re.fullmatch(rb"[A-Za-z][ -~]{3}", chunk.name):
            return False
        place = chunk.body + chunk.length + chunk.length % 2
    return place in (size, size + 1)


def _without_trailer(file: BinaryIO, body: int, size: int, order: str) -> int:
    """Returns where samples of unknown length end: before the tags that some writers add."""
    first = max(body, size - _NEAR)
    file.seek(first)
    for tag in _TAGS.finditer(file.read()):
        place = first + tag.start()
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
        # The length includes eight bytes before the samples.
        samples = _real_length(chunk.length - 8, size - chunk.body - 8)
        if samples == chunk.length - 8:
            break
        patches = {4: struct.pack(">I", size - 8), chunk.field: struct.pack(">I", samples + 8)}
        if common and width > 0:
            patches[common] = struct.pack(">I", samples // width)
        return patches
    return {}


def _w64(file: BinaryIO, size: int) -> Patches:
    for chunk in _chunks(file, 40, "<16sq", counted=24, unit=8):
        if chunk.name == b"data" + _W64_END:
            real = _real_length(chunk.length, size - chunk.body)
            if real != chunk.length:
                return {16: struct.pack("<q", size), chunk.field: struct.pack("<q", real + 24)}
            break
    return {}


def _caf(file: BinaryIO, size: int) -> Patches:
    for chunk in _chunks(file, 8, ">4sq", unit=1):
        if chunk.name == b"data":  # four bytes with a number of edits precede the samples
            real = _real_length(chunk.length - 4, size - chunk.body - 4)
            if real != chunk.length - 4:
                return {chunk.field: struct.pack(">q", real + 4)}
            break
    return {}


def _au(file: BinaryIO, size: int, order: str) -> Patches:
    file.seek(4)
    first, declared = struct.unpack(order + "II", file.read(8))
    real = _real_length(declared, size - first)
    return {} if real == declared else {8: struct.pack(order + "I", real)}


def _check_sphere(file: BinaryIO, size: int) -> None:
    """Checks that a NIST file of uncompressed samples is as long as its header says."""
    file.seek(0)
    head = file.read(1024)
    names = (b"sample_count", b"sample_n_bytes", b"channel_count")
    fields = [re.search(rb"^%s -i (\d{1,18})$" % name, head, re.MULTILINE) for name in names]
    coded = re.search(rb"^sample_coding -s\d+ (pcm|ulaw|alaw)$", head, re.MULTILINE)
    if all(fields) and (coded or b"sample_coding" not in head):
        samples, width, channels = (int(some[1]) for some in fields)
        _real_length(samples * width * channels, size - 1024)
