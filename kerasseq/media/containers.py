"""Files of several tracks, read by PyAV: which kind one is, and opening it and nothing else."""

import contextlib
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from kerasseq.errors import UserError
from kerasseq.media.mov import check_counts

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
_AVIF = re.compile(rb"....ftyp(avif|avis)", re.DOTALL)
_HEIC = re.compile(rb"....ftyp(heic|heix|hevc|hevx|heim|heis|hevm|hevs)", re.DOTALL)
_EITHER = re.compile(rb"....ftyp(mif1|msf1)", re.DOTALL)


def container(file: BinaryIO) -> str | None:
    """The name by which PyAV knows a file's kind, told by its first bytes; None is another."""
    head = _head(file)
    if any(kind.match(head) for kind in (_AVIF, _HEIC, _EITHER)):
        return None
    kinds = (name for name, begin in _KINDS if re.match(begin, head, re.DOTALL))
    return next(kinds, None)


def is_heic(file: BinaryIO) -> bool:
    """Whether a file is a picture of a phone's kind that Pillow does not read."""
    head = _head(file)
    brands = head[16 : int.from_bytes(head[:4], "big")]
    return bool(_HEIC.match(head) or (_EITHER.match(head) and b"avif" not in brands))


def is_plain_ogg(file: BinaryIO) -> bool:
    """Whether an Ogg file is one stream of Vorbis or Opus, and no other stream comes after it."""
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


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    head = file.read(400)
    file.seek(0)
    return head


@contextlib.contextmanager
def opened(file: BinaryIO, kind: str | None, limits: dict[str, str] | None = None) -> Iterator[Any]:
    """A container of PyAV's on an open file; nothing that the file names is opened.

    Args:
        kind: what `container` gave.
        limits: options of every decoder.

    Raises:
        ContentError: more frames are announced than can be in the file.
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
        check_counts(file)
        safe |= {"enable_drefs": "0", "use_absolute_path": "0"}
    with av.open(
        _Quiet(file),
        format=kind,
        container_options=safe,
        metadata_errors="replace",
        io_open=_refuse,
    ) as found:
        for stream in found.streams:
            if stream.type in ("audio", "video"):
                stream.codec_context.options = dict(limits or {})
        yield found


class _Quiet:
    """A file that a damaged header may send to any place; PyAV writes of errors to the terminal."""

    def __init__(self, file: BinaryIO):
        self.read, self.tell, self._seek = file.read, file.tell, file.seek

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, or stay and return -1, which PyAV takes for an error, if there is none."""
        try:
            return self._seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return -1


def _refuse(url: str, flags: int, options: dict) -> Any:
    raise PermissionError(f"{url} is another file, which is not opened")
