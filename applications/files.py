"""Files that are named one by one, or by the folder that they are in."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from kerasseq.errors import UserError


def files_in(paths: Iterable[str], suffixes: Sequence[str], what: str) -> Iterator[str]:
    """The paths, with a folder's files of these suffixes in its place, in order of their names.

    Args:
        what: they are, for the error: "sound file".

    Raises:
        UserError: a folder has none.
    """
    for path in paths:
        if os.path.isdir(path):
            found = [file for file in Path(path).rglob("*") if file.suffix.lower() in suffixes]
            if not found:
                raise UserError(f"{path}: there is no {what} ({', '.join(suffixes)}) in it.")
            yield from map(str, sorted(found))
        else:
            yield path
