"""Downloads of data sets, which are resumed, verified, and complete or not there."""

import errno
import hashlib
import http.client
import os
import shutil
import sys
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from kerasseq.data.public.dataset import File, data_folder
from kerasseq.data.public.datasets import find
from kerasseq.errors import UserError

ATTEMPTS = 4
PAUSE = 2.0  # seconds before the second attempt, doubled for each one after it
_BLOCK = 1 << 16


class Progress(NamedTuple):
    """The progress of a download.

    Attributes:
        name: of the file.
        done: the number of bytes that are on disk.
        size: the number of all bytes.
        rate: the bytes a second in this run.
    """

    name: str
    done: int
    size: int
    rate: float

    def __str__(self) -> str:
        left = (self.size - self.done) / self.rate if self.rate else 0
        return (
            f"{self.name}  {self.done / 1e6:.1f} of {self.size / 1e6:.1f} MB  "
            f"{self.rate / 1e6:.1f} MB/s  {left:.0f} s left"
        )


def fetch(
    name: str,
    data_dir: str | os.PathLike | None = None,
    report: Callable[[Progress], None] | None = None,
) -> Path:
    """Downloads the missing files of a data set, and returns its folder.

    An interrupted download continues where it stopped. A file has its name only when it is
    complete and its checksum is right. An archive is replaced by the folder that it holds.

    Args:
        name: of the data set.
        data_dir: see `data_folder`.
        report: is called as bytes arrive; None writes to standard error.

    Raises:
        UserError: if a file cannot be downloaded or written, or if its checksum is wrong; if users
            must fetch the set by hand, the message says how.
    """
    dataset = find(name)
    folder = data_folder(data_dir) / dataset.folder
    if not dataset.files:
        raise UserError(
            f"{name} is fetched by hand into {folder}: {dataset.source} ({dataset.homepage})."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for file in dataset.files:
        if file.unpacks and (folder / file.unpacks).is_dir():
            continue
        path = fetch_file(file, folder, report or _Line())
        if file.unpacks:
            _unpack(path, folder, file.unpacks)
    return folder


def _unpack(archive: Path, folder: Path, name: str) -> None:
    """Moves the folder `name`, which can be anywhere in an archive, into `folder`."""
    part = folder / (name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(part, filter="data")
        os.replace(next(path for path in part.rglob(name) if path.is_dir()), folder / name)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise UserError(f"{archive} cannot be unpacked: {error}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    archive.unlink()


def fetch_file(file: File, folder: Path, report: Callable[[Progress], None]) -> Path:
    """Downloads a file, unless it is there, from the first of its addresses that has it."""
    path = folder / file.name
    if path.exists() and _sha256(path) == file.sha256:
        return path
    problems = []
    for url in file.urls:
        try:
            return _fetch_from(url, file, folder, report)
        except UserError as error:
            problems.append(str(error))
    raise UserError("\n".join(problems))


def _fetch_from(url, file, folder, report):
    part = folder / (file.name + ".part")
    stale = part.exists()
    for attempt in range(ATTEMPTS):
        try:
            _transfer(url, part, file, report)
            break
        except (OSError, http.client.HTTPException) as error:
            _give_up_if_hopeless(error, url, part)
            if attempt == ATTEMPTS - 1:
                done = part.stat().st_size if part.exists() else 0
                raise UserError(
                    f"{url} broke off after {done:,} of {file.size:,} bytes ({error}); the same "
                    "command goes on from there."
                ) from error
            time.sleep(PAUSE * 2**attempt)
    actual = _sha256(part)
    if actual == file.sha256:
        os.replace(part, folder / file.name)
        return folder / file.name
    if stale:  # what an earlier run left may have been the beginning of another version
        part.unlink()
        return _fetch_from(url, file, folder, report)
    unverified = folder / (file.name + ".unverified")
    os.replace(part, unverified)
    raise UserError(
        f"{url} is not the file that is known: its SHA-256 is {actual}, not {file.sha256}. Either "
        f"it was damaged on the way or its publisher has changed it. It is kept as {unverified}; "
        f"rename it to {file.name} to use it all the same."
    )


def _transfer(url, part, file, report):
    """Appends the missing bytes to `part`; raises OSError or HTTPException if that fails."""
    start = part.stat().st_size if part.exists() else 0
    if start >= file.size:
        part.unlink()
        start = 0
    request = urllib.request.Request(url, headers={"User-Agent": "kerasseq"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    with urllib.request.urlopen(request, timeout=60) as response:
        if response.status != http.client.PARTIAL_CONTENT:
            start = 0  # the server sends the whole file again
        with open(part, "ab" if start else "wb") as output:
            _copy(response, output, start, file, report)


def _copy(response, output: BinaryIO, start, file, report):
    done, begun = start, time.monotonic()
    expected = response.length
    while block := response.read(_BLOCK):
        output.write(block)
        done += len(block)
        seconds = max(time.monotonic() - begun, 1e-6)
        report(Progress(file.name, done, max(file.size, done), (done - start) / seconds))
    if expected is not None and done - start < expected:
        raise http.client.IncompleteRead(b"", expected - (done - start))


def _give_up_if_hopeless(error, url, part):
    if isinstance(error, urllib.error.HTTPError):
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)
        elif error.code < 500 and error.code != http.client.TOO_MANY_REQUESTS:
            raise UserError(f"{url} answers {error.code} {error.reason}.") from error
    elif isinstance(error, urllib.error.URLError) and not isinstance(error.reason, TimeoutError):
        raise UserError(f"{url} cannot be reached: {error.reason}.") from error
    elif error.args and error.args[0] in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
        raise UserError(f"{part} cannot be written: {error.strerror}.") from error


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Line:
    """Writes a line for each file to standard error, ten times a second on a terminal."""

    def __init__(self):
        self._shown = 0.0

    def __call__(self, progress: Progress) -> None:
        finished = progress.done >= progress.size
        terminal = sys.stderr.isatty()
        if finished or (terminal and time.monotonic() - self._shown > 0.1):
            self._shown = time.monotonic()
            start, end = ("\r", "\x1b[K") if terminal else ("", "")
            text = f"{start}{progress}{end}"
            print(text, end="\n" if finished else "", file=sys.stderr, flush=True)
