"""Zip files: how much is in them is known, and bounded, before it is unpacked."""

import contextlib
import errno
import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from kerasseq.errors import FileError, UserError
from kerasseq.printable import printable

# The bytes that are unpacked at once, by method: LZMA makes up to 7,000 bytes of one.
_CHUNKS = {zipfile.ZIP_STORED: 1 << 20, zipfile.ZIP_DEFLATED: 1 << 20, zipfile.ZIP_LZMA: 1 << 12}

_LONGEST_NAME = 80

# What is in a zip may be this many times as large as the zip, and this many bytes more.
_MOST_TIMES, _MOST_MORE = 10, 64 << 20


@contextlib.contextmanager
def opened_zip(path: str | Path, what: str) -> Iterator[zipfile.ZipFile]:
    """A zip file for as long as the block runs.

    Args:
        what: it is to be, for the error: "a .keras file".

    Raises:
        FileError: it is none, or is cut off or damaged.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise FileError(path, "not a file")
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except UserError:
        raise
    except Exception as error:  # a damaged zip raises nearly anything
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        raise FileError(path, f"not {what}, or cut off or damaged") from error


def checked_members(
    archive: zipfile.ZipFile, path: str | Path, times: int = _MOST_TIMES
) -> dict[str, zipfile.ZipInfo]:
    """The files in a zip by name, without its folders.

    Args:
        times: what is in the zip may be this many times as large as the zip, and 64 MiB more.

    Raises:
        FileError: one is a link, encrypted, packed in an unusual way or there twice, or they are
            too large for the size of the zip.
    """
    found: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = shown(info.filename)
        if stat.S_ISLNK(info.external_attr >> 16):
            raise FileError(path, f"{name} in it is a link to another file")
        if info.flag_bits & 1:
            raise FileError(path, f"{name} in it is encrypted")
        if info.compress_type not in _CHUNKS:
            raise FileError(path, f"{name} in it is packed in a way that is not supported")
        if info.filename in found:
            raise FileError(path, f"{name} is in it twice")
        if not info.is_dir():
            found[info.filename] = info
    size, most = sum(info.file_size for info in found.values()), os.stat(path).st_size
    if size > times * most + _MOST_MORE:
        raise FileError(
            path, f"what is in it would take {size:,} bytes, too many for a file of {most:,}"
        )
    return found


def shown(name: str) -> str:
    """A name for an error, which may be of any length and have any characters."""
    name = printable(name)
    return name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "..."


def unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, output: BinaryIO) -> None:
    """Write a file of a zip to `output`, never more than the zip announces.

    Raises:
        zipfile.BadZipFile: it is shorter than announced, or damaged.
    """
    left = info.file_size
    with archive.open(info) as file:
        while data := file.read(_CHUNKS[info.compress_type]):
            left -= len(data)
            output.write(data)
    if left:
        raise zipfile.BadZipFile(f"{info.filename} is not as long as announced")
