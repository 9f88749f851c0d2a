"""Lines of a plain, gzipped or zipped file, lazily, with every failure as one sentence."""

import contextlib
import gzip
import io
import os
import zipfile
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import PurePath

from kerasseq.data.corpus import CHUNK
from kerasseq.errors import UserError

MEMBERS = (".tsv", ".tab", ".txt", ".jsonl", ".ndjson")


def plain_name(path: str) -> str:
    """The name in lower case, without a trailing ".gz"."""
    return os.path.basename(path).lower().removesuffix(".gz")


def check_file(path: str) -> None:
    """Raise a `UserError` unless `path` is a file that can be opened."""
    if os.path.isdir(path):
        raise UserError(f"{path} is a folder; name the files in it.")
    if not os.path.exists(path):
        raise UserError(f"{path} does not exist.")
    with failures(path), open(path, "rb"):
        pass


@contextlib.contextmanager
def failures(path: str) -> Iterator[None]:
    """Turn the failures of reading `path` into a `UserError`."""
    try:
        yield
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError) as error:
        kind = "zip" if plain_name(path).endswith(".zip") else "gzip"
        raise UserError(f"{path} is not a whole {kind} file ({error}); fetch it again.") from error
    except (OSError, RuntimeError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path} cannot be read: {reason}.") from error


@contextlib.contextmanager
def opened(path: str, member: str | None = None) -> Iterator[io.BufferedReader]:
    """The bytes of a file, unpacked if its name ends in ".gz"; of a zip's member, if named."""
    with contextlib.ExitStack() as stack, failures(path):
        file = stack.enter_context(open(path, "rb"))
        if member is not None:
            archive = stack.enter_context(zipfile.ZipFile(file))
            file = stack.enter_context(archive.open(member))
        elif path.lower().endswith(".gz"):
            file = stack.enter_context(gzip.GzipFile(fileobj=file))
        yield io.BufferedReader(file, 1 << 20)


def read_whole(path: str) -> bytes:
    """All bytes of a small file, unpacked."""
    with opened(path) as file:
        return file.read()


def line_batches(path: str, member: str | None = None) -> Iterator[list[str | None]]:
    r"""The lines, some thousands at a time; None for a line that is not valid UTF-8.

    Only "\n" ends a line ("\r" before it goes with it): U+2028 and the like are text.
    """
    first = True
    with opened(path, member) as file:
        while lines := list(islice(file, CHUNK)):
            if first:
                if lines[0].startswith((b"\xff\xfe", b"\xfe\xff")):
                    raise UserError(f"{path} is in UTF-16; convert it to UTF-8.")
                lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
                first = False
            yield _decoded(lines)


def numbered_lines(path: str | os.PathLike) -> Iterator[tuple[int, str | None]]:
    """(number from 1, line), None for a line that is not UTF-8."""
    number = 0
    for lines in line_batches(os.fspath(path)):
        for line in lines:
            number += 1
            yield number, line


def _decoded(lines):
    try:
        texts = b"".join(lines).decode("utf-8").split("\n")
    except UnicodeDecodeError:
        return [_decoded_line(line) for line in lines]
    if not texts[-1]:
        texts.pop()
    return [text[:-1] if text.endswith("\r") else text for text in texts]


def _decoded_line(line):
    try:
        return line.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        return None


def zip_member(path: str) -> str:
    """The one tab-separated or JSON-lines file in a zip; notes and system files do not count.

    Raises:
        UserError: if there is none or more than one.
    """
    with failures(path), zipfile.ZipFile(path) as archive:
        names = [
            name
            for name in archive.namelist()
            if name.lower().endswith(MEMBERS)
            and not name.startswith("__MACOSX/")
            and not PurePath(name).name.startswith(("_", "."))
        ]
    if len(names) != 1:
        found = f"has {', '.join(names[:4])}" if names else f"has no {', '.join(MEMBERS)} file"
        raise UserError(f"{path} {found}; one such file must be in it.")
    return names[0]
