"""Checks and errors that the readers of sound, pictures and clips share."""

import contextlib
import os
import re
import stat
from collections.abc import Iterator

from kerasseq.errors import FileError, UserError


class ContentError(ValueError):
    """An error inside a file; its text becomes part of the reader's error."""


CUT_OFF = "the {} is cut off"

_CUT_OFF_MESSAGE = re.compile(
    "truncat|broken data stream|unexpected end|premature end", re.IGNORECASE
)


def check_file(path: str, error: type[FileError], what: str) -> None:
    """Checks that a path is an ordinary file that is not empty; pipes and devices are not opened.

    Args:
        path: the file.
        error: the class of the error.
        what: the kind of the file, for the message: "recording".

    Raises:
        FileError: of the class `error`.
    """
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the path
        raise error(path, f"there is no such {what}") from None
    except OSError as reason:
        raise error(path, f"cannot be read: {reason.strerror}") from reason
    if stat.S_ISDIR(status.st_mode):
        readable = os.access(path, os.R_OK | os.X_OK)
        raise error(path, "a folder, not a file" if readable else "a folder that cannot be opened")
    if not stat.S_ISREG(status.st_mode):
        raise error(path, "not a file but a pipe, a socket or a device")
    if not status.st_size:
        raise error(path, "the file is empty")


@contextlib.contextmanager
def translate_errors(path: str, error: type[FileError], what: str) -> Iterator[None]:
    """Turns all errors of a decoder into one error that names the file.

    Args:
        path: the file.
        error: the class of the error.
        what: the kind of the file, for the message: "sound".
    """
    try:
        yield
    except UserError:
        raise
    except ContentError as reason:
        raise error(path, str(reason)) from reason
    except MemoryError as reason:
        raise error(path, "too large for the memory that there is") from reason
    except Exception as reason:  # a damaged file can lead a decoder to any error
        if isinstance(reason, OSError) and reason.errno and reason.filename == path:
            raise error(path, f"cannot be read: {reason.strerror}") from reason
        cut = _CUT_OFF_MESSAGE.search(str(reason))
        kind = CUT_OFF.format(what) if cut else f"not a {what} file, or a damaged one"
        raise error(path, kind) from reason
