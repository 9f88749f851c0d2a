"""Zip files with bounds on the size of their content."""

import contextlib
import errno
import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from kerasseq.errors import FileError, UserError
from kerasseq.printable import escape

# The bytes to read at once, by compression method: LZMA expands a byte to up to 7,000 bytes.
_CHUNKS = {zipfile.ZIP_STORED: 1 << 20, zipfile.ZIP_DEFLATED: 1 << 20, zipfile.ZIP_LZMA: 1 << 12}

_LONGEST_NAME = 80

# The content may be this many times as large as the zip file, plus this many bytes.
_MOST_TIMES, _MOST_MORE = 10, 64 << 20


@contextlib.contextmanager
def open_zip(path: str | Path, what: str) -> Iterator[zipfile.ZipFile]:
    """Opens a zip file while the block runs.

    Args:
        path: the file.
        what: the kind of file that the caller expects, for the error: "a .keras file".

    Raises:
        FileError: the file is no zip file, or is truncated or damaged.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise FileError(path, "not a file")
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except UserError:
        raise
    except Exception as error:  # a damaged zip file raises nearly any exception
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        raise FileError(path, f"not {what}, or cut off or damaged") from error


def check_members(
    archive: zipfile.ZipFile, path: str | Path, times: int = _MOST_TIMES
) -> dict[str, zipfile.ZipInfo]:
    """Returns the files in a zip file by name, without folders.

    Args:
        archive: the open zip file.
        path: its path, for the error.
        times: the content may be this many times as large as the zip file, plus 64 MiB.

    Raises:
        FileError: a member is a link, is encrypted, has an unsupported compression or occurs twice,
            or the content is too large.
    """
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = shorten(info.filename)
        if stat.S_ISLNK(info.external_attr >> 16):
            raise FileError(path, f"{name} in it is a link to another file")
        if info.flag_bits & 1:
            raise FileError(path, f"{name} in it is encrypted")
        if info.compress_type not in _CHUNKS:
            raise FileError(path, f"{name} in it is packed in a way that is not supported")
        if info.filename in members:
            raise FileError(path, f"{name} is in it twice")
        if not info.is_dir():
            members[info.filename] = info
    size, most = sum(info.file_size for info in members.values()), os.stat(path).st_size
    if size > times * most + _MOST_MORE:
        raise FileError(
            path, f"what is in it would take {size:,} bytes, too many for a file of {most:,}"
        )
    return members


def shorten(name: str) -> str:
    """Returns a printable name of at most 83 characters, for an error."""
    name = escape(name)
    return name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "..."


def extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, output: BinaryIO) -> None:
    """Writes a file of a zip file to `output`.

    Raises:
        zipfile.BadZipFile: the file is damaged, or shorter than the zip file states.
    """
    left = info.file_size
    with archive.open(info) as file:
        while data := file.read(_CHUNKS[info.compress_type]):
            left -= len(data)
            output.write(data)
    if left:
        raise zipfile.BadZipFile(f"{info.filename} is not as long as announced")
