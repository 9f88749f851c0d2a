"""Files that are named one by one, or by the folder that they are in."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from kerasseq.errors import UserError

_NAMED = 3


@dataclass
class Found:
    """What there is at some paths.

    Attributes:
        files: the paths of the files to read.
        left_out: how many files of folders have names that end otherwise, by how they end.
        named: the first few of those.
        hidden: how many files have names that begin with a dot, and are left out for that.
    """

    files: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    named: list[str] = field(default_factory=list)
    hidden: int = 0

    def note(self, what: str) -> str:
        """A sentence on what was left out of folders; empty if nothing was.

        Args:
            what: the files are: "sound file".
        """
        kinds = [f"{count:,} × {ending}" for ending, count in self.left_out.most_common()]
        kinds += [f"{self.hidden:,} × hidden"] * bool(self.hidden)
        if not kinds:
            return ""
        count = self.left_out.total() + self.hidden
        names = ", ".join(self.named) + ", ..." * (self.left_out.total() > len(self.named))
        return (
            f"{count:,} left out, whose names are not those of {what}s: {', '.join(kinds)}"
            + f" ({names})" * bool(names)
        )


def files_in(paths: Iterable[str], endings: Sequence[str], what: str) -> Found:
    """The paths, with a folder's files of these endings in its place, in order of their names.

    Links to folders are followed, but none to where one has been. A folder that cannot be opened
    stays among the files, so that its reader says what is wrong with it. Hidden files and folders
    are left out.

    Args:
        endings: of the names that are taken from folders, in lower case.
        what: they are, for the error: "sound file".

    Raises:
        UserError: a folder has none.
    """
    found = Found()
    for path in paths:
        if not os.path.isdir(path):
            found.files.append(path)
        elif some := _in_folder(path, endings, found):
            found.files += sorted(some)
        else:
            others = f", but {found.note(what)}" if found.note(what) else ""
            raise UserError(f"{path}: there is no {what} ({', '.join(endings)}) in it{others}.")
    return found


def _in_folder(top: str, endings: Sequence[str], found: Found) -> list[str]:
    files: list[str] = []
    for path in _below(top, files.append):
        name = os.path.basename(path)
        ending = os.path.splitext(name)[1].lower()
        if name.startswith("."):
            found.hidden += 1
        elif ending in endings:
            files.append(path)
        else:
            found.left_out[ending or "no ending"] += 1
            if len(found.named) < _NAMED:
                found.named.append(path)
    return files


def _below(top: str, closed: Callable[[str], None]) -> Iterator[str]:
    """The files in a folder and in those in it; each folder once, and no hidden one.

    Args:
        closed: called with the path of each folder that cannot be opened.
    """
    been = {os.path.realpath(top)}
    walk = os.walk(top, onerror=lambda error: closed(error.filename), followlinks=True)
    for folder, folders, names in walk:
        places = {name: os.path.realpath(os.path.join(folder, name)) for name in sorted(folders)}
        folders.clear()
        for name, place in places.items():
            if place not in been and not name.startswith("."):
                been.add(place)
                folders.append(name)
        yield from (os.path.join(folder, name) for name in sorted(names))
