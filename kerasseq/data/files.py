"""Opening of plain, gzipped and zipped files within bounds; each failure is one sentence."""

import contextlib
import gzip
import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any

from kerasseq.errors import UserError

Paths = str | os.PathLike | Iterable[str | os.PathLike]
"""A path, or several."""

MEMBERS = (".tsv", ".tab", ".txt", ".csv", ".jsonl", ".ndjson")

# Texts shrink to a fifth, and their lines to ten bytes. A file that unpacks to more than 20 bytes
# for each byte, or to a line for each 4 bytes, was made to fill the memory; small files can do so.
_BYTES, _LINES, _ANY_BYTES, _ANY_LINES = 20, 4, 32 << 20, 500_000
# The most bytes of a file that is read as a whole, and of a packed one; COCO's captions have 92 MB.
_MAX_WHOLE, _MAX_UNPACKED = 512 << 20, 128 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def paths_of(paths: Paths) -> list[str]:
    """Returns paths as texts; a single path gives a list of one."""
    some = [paths] if isinstance(paths, str | bytes | os.PathLike) else paths
    return list(map(os.fsdecode, some))


def plain_name(path: str) -> str:
    """Returns the name of a file in lower case, without a trailing ".gz"."""
    return os.path.basename(path).lower().removesuffix(".gz")


def check_file(path: str) -> None:
    """Checks that `path` is an ordinary file that can be opened.

    Raises:
        UserError: if it is not.
    """
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        raise UserError(f"{path} does not exist.") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {_reason(error)}.") from None
    if stat.S_ISDIR(mode):
        raise UserError(f"{path} is a folder; name the files in it.")
    if not stat.S_ISREG(mode):
        raise UserError(f"{path} is a pipe or a device; write what comes from it to a file.")
    with translate_errors(path), open(path, "rb"):
        pass


@contextlib.contextmanager
def translate_errors(path: str) -> Iterator[None]:
    """Turns the failures of reading `path` into a `UserError`."""
    try:
        yield
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError) as error:
        kind = "zip" if plain_name(path).endswith(".zip") else "gzip"
        raise UserError(f"{path} is not a whole {kind} file ({error}); fetch it again.") from error
    except (OSError, RuntimeError, NotImplementedError) as error:
        raise UserError(f"{path} cannot be read: {_reason(error)}.") from error


def _reason(error: Exception) -> object:
    return getattr(error, "strerror", None) or error


@contextlib.contextmanager
def open_file(path: str, member: str | None = None) -> Iterator[io.BufferedReader]:
    """Opens a file for reading, and unpacks it if its name ends in ".gz".

    Args:
        path: the file.
        member: the file to open in a zip file.

    Raises:
        UserError: while the file is opened or read, if it is damaged or unpacks to far more bytes
            or lines than texts do.
    """
    with contextlib.ExitStack() as stack, translate_errors(path):
        file: Any = stack.enter_context(open(path, "rb"))
        size = os.fstat(file.fileno()).st_size
        if member is not None:
            archive = stack.enter_context(zipfile.ZipFile(file))
            if archive.getinfo(member).compress_type not in _METHODS:
                raise UserError(f"{path} is packed in an unusual way; pack it with deflate.")
            file = _Bounded(stack.enter_context(archive.open(member)), path, size)
        elif path.lower().endswith(".gz"):
            file = _Bounded(stack.enter_context(gzip.GzipFile(fileobj=file)), path, size)
        yield io.BufferedReader(file, 1 << 20)


class _Bounded(io.RawIOBase):
    """The contents of a packed file, within bounds that depend on its size."""

    def __init__(self, file: Any, path: str, size: int):
        self._file, self._path = file, path
        self._bytes = max(_BYTES * size, _ANY_BYTES)
        self._lines = max(size // _LINES, _ANY_LINES)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._file.readinto(buffer)
        self._bytes -= count
        self._lines -= bytes(buffer[:count]).count(b"\n")
        if self._bytes < 0 or self._lines < 0:
            raise UserError(
                f"{self._path} unpacks to far more than texts do; unpack it yourself if you trust "
                "it."
            )
        return count


def read_whole(path: str, limit: int = _MAX_WHOLE) -> bytes:
    """Returns all bytes of a file, unpacked.

    Raises:
        UserError: if there are more than `limit`, or more than 128 MiB in a packed file.
    """
    if path.lower().endswith(".gz"):
        limit = min(limit, _MAX_UNPACKED)
    with open_file(path) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise UserError(
            f"{path} has more than {limit >> 20} MiB to be read at once; cut it into smaller files."
        )
    return data


def find_zip_member(path: str) -> str:
    """Returns the name of the one table or JSON-lines file in a zip file.

    Notes and system files do not count.

    Raises:
        UserError: if there is no such file or more than one.
    """
    with translate_errors(path), zipfile.ZipFile(path) as archive:
        names = [
            name
            for name in archive.namelist()
            if name.lower().endswith(MEMBERS)
            and not name.startswith("__MACOSX/")
            and not PurePath(name).name.startswith(("_", "."))
        ]
    if len(names) != 1:
        state = f"has {', '.join(names[:4])}" if names else f"has no {', '.join(MEMBERS)} file"
        raise UserError(f"{path} {state}; one such file must be in it.")
    return names[0]
