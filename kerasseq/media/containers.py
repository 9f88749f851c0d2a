"""Containers of tracks, which PyAV reads: their kinds, and opening them without other files."""

import contextlib
import os
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from kerasseq.errors import UserError
from kerasseq.media.files import CUT_OFF, ContentError
from kerasseq.media.mov import check_sample_counts

_KINDS = (
    ("mov", rb"....(ftyp|moov|mdat|wide|pnot|free|skip)"),
    ("matroska", rb"\x1aE\xdf\xa3"),
    ("avi", rb"RIFF....AVI "),
    ("mpeg", rb"\0\0\x01\xba"),
    ("mpegvideo", rb"\0\0\x01\xb3"),
    ("ogg", rb"OggS"),
    ("asf", rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
    ("flv", rb"FLV\x01"),
    ("mpegts", rb"G.{187}G.{187}G"),
    ("mpegts", rb".{4}G.{191}G.{191}G"),
    ("aac", rb"\xff[\xf0\xf1\xf8\xf9]"),
    ("mp3", rb"ID3|\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff]"),
    ("amr", rb"#!AMR"),
    ("flac", rb"fLaC.{17}[%s]\0{4}" % re.escape(bytes(range(0, 256, 16)))),  # of no known length
)
_FIRST_PAGE = b"OggS\0\x02"  # of a stream
_BLOCK = 1 << 20
_EBML, _SEGMENT = b"\x1aE\xdf\xa3", b"\x18S\x80g"
_AVIF = re.compile(rb"....ftyp(avif|avis)", re.DOTALL)
_HEIC = re.compile(rb"....ftyp(heic|heix|hevc|hevx|heim|heis|hevm|hevs)", re.DOTALL)
_EITHER = re.compile(rb"....ftyp(mif1|msf1)", re.DOTALL)


def detect_container(file: BinaryIO) -> str | None:
    """Returns PyAV's name for the kind of a file, by its first bytes; None for other kinds."""
    head = _head(file)
    if any(kind.match(head) for kind in (_AVIF, _HEIC, _EITHER)):
        return None
    kinds = (name for name, begin in _KINDS if re.match(begin, head, re.DOTALL))
    return next(kinds, None)


def is_heic(file: BinaryIO) -> bool:
    """Tells whether a file is a HEIC picture, which Pillow does not read."""
    head = _head(file)
    brands = head[16 : int.from_bytes(head[:4], "big")]
    return bool(_HEIC.match(head) or (_EITHER.match(head) and b"avif" not in brands))


def is_plain_ogg(file: BinaryIO) -> bool:
    """Tells whether an Ogg file has one stream of Vorbis or Opus, and no other stream."""
    if not re.match(rb"OggS.{24}(\x01vorbis|OpusHead)", _head(file), re.DOTALL):
        return False
    file.seek(4)
    rest = b""
    while block := file.read(_BLOCK):
        if _FIRST_PAGE in rest + block:
            break
        rest = block[1 - len(_FIRST_PAGE) :]
    file.seek(0)
    return not block


def check_matroska_size(file: BinaryIO) -> None:
    """Checks that a Matroska or WebM file has the size that its header says.

    PyAV reads a file that is cut off up to its end, and does not tell the size in the header.

    Raises:
        ContentError: if the file is shorter.
    """
    file.seek(0)
    head = file.read(256).ljust(256, b"\0")
    size, _, place = _matroska_number(head, 4)
    place += size
    if head[:4] == _EBML and head[place : place + 4] == _SEGMENT:
        size, known, place = _matroska_number(head, place + 4)
        if known and place + size > file.seek(0, os.SEEK_END):
            raise ContentError(CUT_OFF.format("picture"))
    file.seek(0)


def _matroska_number(head: bytes, place: int) -> tuple[int, bool, int]:
    """Returns a number, whether it is known, and where it ends: RFC 8794, section 4."""
    length = 9 - head[place].bit_length()
    bits = 7 * length
    value = int.from_bytes(head[place : place + length], "big") & ((1 << bits) - 1)
    return value, value != (1 << bits) - 1, place + length


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    head = file.read(400)
    file.seek(0)
    return head


@contextlib.contextmanager
def open_container(
    file: BinaryIO, kind: str | None, limits: dict[str, str] | None = None
) -> Iterator[Any]:
    """Opens a container with PyAV; other files that it names are not opened.

    Args:
        file: open for reading.
        kind: the result of `detect_container`.
        limits: options of every decoder.

    Raises:
        ContentError: if the file announces more frames than it can hold.
        UserError: if PyAV is not installed.
    """
    try:
        import av
    except ModuleNotFoundError as error:
        raise UserError(
            'Videos, m4a and webm need the package av: pip install "kerasseq[pictures]"'
        ) from error
    if kind is None:
        raise ValueError("of no kind that is known")
    safe = {"protocol_whitelist": "none", "format_whitelist": kind}
    if kind == "mov":
        check_sample_counts(file)
        safe |= {"enable_drefs": "0", "use_absolute_path": "0"}
    with av.open(
        _Quiet(file),
        format=kind,
        container_options=safe,
        metadata_errors="replace",
        io_open=_refuse,
    ) as opened:
        for stream in opened.streams:
            if stream.type in ("audio", "video"):
                stream.codec_context.options = dict(limits or {})
        yield opened


class _Quiet:
    """A file for PyAV whose `seek` does not raise: PyAV would write that to the terminal."""

    def __init__(self, file: BinaryIO):
        self.read, self.tell, self._seek = file.read, file.tell, file.seek

    def seek(self, offset: int, whence: int = 0) -> int:
        """Goes to a place; returns -1, which PyAV takes for an error, if there is no such place."""
        try:
            return self._seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return -1


def _refuse(url: str, flags: int, options: dict) -> Any:
    raise PermissionError(f"{url} is another file, which is not opened")
