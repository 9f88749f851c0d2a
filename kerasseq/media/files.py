"""What all readers of sound, pictures and clips ask of a file."""

import contextlib
import os
import re
import stat
from collections.abc import Iterator

from kerasseq.errors import FileError, UserError


class ContentError(ValueError):
    """What is wrong inside a file, in words that its reader's error takes over."""


_CUT_OFF = re.compile("truncat|broken data stream|unexpected end|premature end", re.IGNORECASE)


def check_file(path: str, error: type[FileError], what: str) -> None:
    """Refuse what is no ordinary file with something in it; no pipe or device is ever opened.

    Args:
        error: the class to raise.
        what: the file is, for the message: "recording".

    Raises:
        FileError: of the class `error`.
    """
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the path
        raise error(path, f"there is no such {what}") from None
    except OSError as reason:
        raise error(path, f"cannot be read: {reason.strerror}") from reason
    if stat.S_ISDIR(found.st_mode):
        there = os.access(path, os.R_OK | os.X_OK)
        raise error(path, "a folder, not a file" if there else "a folder that cannot be opened")
    if not stat.S_ISREG(found.st_mode):
        raise error(path, "not a file but a pipe, a socket or a device")
    if not found.st_size:
        raise error(path, "the file is empty")


@contextlib.contextmanager
def failures(path: str, error: type[FileError], what: str) -> Iterator[None]:
    """Turn whatever a decoder raises into one error that names the file.

    Args:
        error: the class to raise.
        what: the file is meant to be: "sound".
    """
    try:
        yield
    except UserError:
        raise
    except ContentError as reason:
        raise error(path, str(reason)) from reason
    except MemoryError as reason:
        raise error(path, "too large for the memory that there is") from reason
    except Exception as reason:  # decoders raise whatever a damaged file leads them to
        if isinstance(reason, OSError) and reason.errno and reason.filename == path:
            raise error(path, f"cannot be read: {reason.strerror}") from reason
        cut = _CUT_OFF.search(str(reason))
        kind = f"the {what} is cut off" if cut else f"not a {what} file, or a damaged one"
        raise error(path, kind) from reason
