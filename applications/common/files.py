"""Finds files that are given one by one, or by the folder that they are in."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from kerasseq.errors import UserError

_MOST_EXAMPLES = 3


@dataclass
class FoundFiles:
    """The files at some paths.

    Attributes:
        files: the paths of the files to read.
        left_out: the number of files that are left out of folders, by the ending of their names.
        examples: the first few of them.
        hidden: the number of files that are left out since their names begin with a dot.
    """

    files: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    hidden: int = 0

    def describe_left_out(self, what: str) -> str:
        """Returns a sentence on the files that are left out; empty if there is none.

        Args:
            what: the name of a file that is not left out: "sound file".
        """
        kinds = [f"{count:,} × {ending}" for ending, count in self.left_out.most_common()]
        kinds += [f"{self.hidden:,} × hidden"] * bool(self.hidden)
        if not kinds:
            return ""
        count = self.left_out.total() + self.hidden
        names = ", ".join(self.examples) + ", ..." * (self.left_out.total() > len(self.examples))
        return (
            f"{count:,} left out, whose names are not those of {what}s: {', '.join(kinds)}"
            + f" ({names})" * bool(names)
        )


def expand_folders(paths: Iterable[str], endings: Sequence[str], what: str) -> FoundFiles:
    """Replaces each folder among some paths by its files, in order of their names.

    Links to folders are followed, and each folder is visited once. A folder that cannot be opened
    stays among the files, so that its reader says what is wrong with it. Hidden files and folders
    are left out.

    Args:
        endings: the endings of the names that are taken from folders, in lower case.
        what: the name of such a file, for the error: "sound file".

    Raises:
        UserError: a folder has no such file.
    """
    found = FoundFiles()
    for path in paths:
        if not os.path.isdir(path):
            found.files.append(path)
        elif some := _search(path, endings, found):
            found.files += sorted(some)
        else:
            note = found.describe_left_out(what)
            others = f", but {note}" if note else ""
            raise UserError(f"{path}: there is no {what} ({', '.join(endings)}) in it{others}.")
    return found


def _search(top: str, endings: Sequence[str], found: FoundFiles) -> list[str]:
    files: list[str] = []
    for path in _walk(top, files.append):
        name = os.path.basename(path)
        ending = os.path.splitext(name)[1].lower()
        if name.startswith("."):
            found.hidden += 1
        elif ending in endings:
            files.append(path)
        else:
            found.left_out[ending or "no ending"] += 1
            if len(found.examples) < _MOST_EXAMPLES:
                found.examples.append(path)
    return files


def _walk(top: str, closed: Callable[[str], None]) -> Iterator[str]:
    """Yields the files in a folder and its subfolders; each folder once, and no hidden one.

    Args:
        closed: called with the path of each folder that cannot be opened.
    """
    visited = {os.path.realpath(top)}
    walk = os.walk(top, onerror=lambda error: closed(error.filename), followlinks=True)
    for folder, folders, names in walk:
        places = {name: os.path.realpath(os.path.join(folder, name)) for name in sorted(folders)}
        folders.clear()
        for name, place in places.items():
            if place not in visited and not name.startswith("."):
                visited.add(place)
                folders.append(name)
        yield from (os.path.join(folder, name) for name in sorted(names))
