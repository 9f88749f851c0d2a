"""The lines of a text file in any usual encoding, read lazily and within bounds."""

import codecs
import os
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO, NamedTuple

from kerasseq.data.files import open_file

LINES_AT_ONCE = 8192

MAX_LINE = 1 << 20
"""The most characters of a line."""

_BLOCK = 1 << 18
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class BadLine(NamedTuple):
    """A line that is not a text, or a row that cannot be read.

    Attributes:
        kind: what is wrong with it.
    """

    kind: str


Line = str | BadLine
NumberedLine = tuple[int, Line]


def text_of(line: Line) -> str:
    """Returns the text of a line; a bad line has an empty text."""
    return line if isinstance(line, str) else ""


def line_batches(path: str, member: str | None = None) -> Iterator[list[Line]]:
    r"""Yields the lines of a file, 8,192 at a time.

    Only "\n" or "\r\n" ends a line; U+2028 and similar characters are part of the text. If a file
    has no "\n", "\r" ends a line. The encoding is UTF-8, or UTF-16 with or without a byte order
    mark.

    Args:
        path: the file.
        member: the file in a zip file.
    """
    with open_file(path, member) as file:
        lines: list[Line] = []
        for some in _read_lines(file):
            lines += some
            while len(lines) >= LINES_AT_ONCE:
                yield lines[:LINES_AT_ONCE]
                del lines[:LINES_AT_ONCE]
        if lines:
            yield lines


def numbered_lines(path: str | os.PathLike, member: str | None = None) -> Iterator[NumberedLine]:
    """Yields (number from 1, line) of a file; see `line_batches`."""
    return enumerate(chain.from_iterable(line_batches(os.fspath(path), member)), 1)


def stream_lines(file: BinaryIO) -> Iterator[Line]:
    """Yields the lines of a file while another program writes it."""
    return chain.from_iterable(_read_lines(file))


def _read_lines(file: BinaryIO) -> Iterator[list[Line]]:
    read = getattr(file, "read1", file.read)
    first = read(_BLOCK)
    encoding, mark = _encoding(first)
    blocks = chain([first[mark:]], iter(lambda: read(_BLOCK), b""))
    if encoding != "utf-8":
        blocks = _to_utf8(blocks, encoding)
    first = next(blocks, b"")
    end = b"\r" if b"\r" in first[:-1] and b"\n" not in first else b"\n"
    return _split(chain([first], blocks), end)


def _split(blocks: Iterable[bytes], end: bytes) -> Iterator[list[Line]]:
    rest, too_long = b"", False
    for block in blocks:
        whole, found_end, rest = (rest + block).rpartition(end)
        if found_end:
            lines = _decode_lines(whole, end)
            if too_long:
                lines[0] = _TOO_LONG
            too_long = False
            yield lines
        if len(rest) > 4 * MAX_LINE:
            rest, too_long = b"", True
    if too_long:
        yield [_TOO_LONG]
    elif rest:
        yield _decode_lines(rest, end)


def _decode_lines(data: bytes, end: bytes) -> list[Line]:
    other = "\r" if end == b"\n" else "\n"
    lines: list[Line]
    try:
        lines = [_strip(line, other) for line in data.decode().split(end.decode())]
    except UnicodeDecodeError:
        lines = [_decode_line(line, other) for line in data.split(end)]
    if b"\0" in data:
        lines = [_NUL if isinstance(line, str) and "\0" in line else line for line in lines]
    if len(data) > MAX_LINE:
        lines = [
            _TOO_LONG if isinstance(line, str) and len(line) > MAX_LINE else line for line in lines
        ]
    return lines


_TOO_LONG, _NUL = BadLine(f"longer than {MAX_LINE:,} characters"), BadLine("a NUL byte in it")


def _strip(line: str, other: str) -> str:
    return line.removesuffix("\r") if other == "\r" else line.removeprefix("\n")


def _decode_line(line: bytes, other: str) -> Line:
    try:
        return _strip(line.decode(), other)
    except UnicodeDecodeError:
        return BadLine("not valid UTF-8")


def _encoding(first: bytes) -> tuple[str, int]:
    """Returns the encoding of a text, by its first bytes, and the length of its byte order mark."""
    for mark, encoding in _MARKS:
        if first.startswith(mark):
            return encoding, len(mark)
    sample = first[: 1 << 16]
    for encoding, high, end in (("utf-16-le", 1, b"\n\0"), ("utf-16-be", 0, b"\0\n")):
        # Letters of ASCII and ends of lines have a high byte of zero, and no low one has.
        zeros = sample[high::2].count(0)
        ends = 2 * sample.count(end) >= sample.count(b"\n")
        if zeros and ends and not sample[1 - high :: 2].count(0) and 64 * zeros > len(sample):
            return encoding, 0
    return "utf-8", 0


def _to_utf8(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yields the bytes in UTF-8; bytes that are not a text stay so."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    for block in blocks:
        yield decoder.decode(block).encode("utf-8", "surrogatepass")
    if decoder.getstate()[0]:
        yield b"\xff"
