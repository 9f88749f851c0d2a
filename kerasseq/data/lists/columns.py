"""The columns of a table that have the paths of files and their texts."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

from kerasseq.data.lists.tables import Sample, column_names, usual_width
from kerasseq.errors import UserError

_FILE = re.compile(r"\.[A-Za-z0-9]{2,5}(#\d+)?$")
_NUMBER = re.compile(r"[-+]?[\d.,:]+(e[-+]?\d+)?s?", re.IGNORECASE)
# The rows that can be the header; rows above the header are notes.
_HEADER_ROWS = 10

# The rows whose files are looked for.
_CHECKED_ROWS = 20


class Names(NamedTuple):
    """The usual names of two columns or fields; the first name that is there counts.

    Attributes:
        paths: the names of the paths of files.
        texts: the names of their texts.
    """

    paths: tuple[str, ...]
    texts: tuple[str, ...]


class Layout(NamedTuple):
    """The delimiter and the columns of a table.

    Attributes:
        delimiter: the character between two cells.
        quoted: whether cells can be in quotes.
        header: the names of the columns, if the table has a header.
        path: the index of the column of paths.
        text: the index of the column of texts.
        width: the number of columns.
    """

    delimiter: str
    quoted: bool
    header: tuple[str, ...] | None
    path: int
    text: int
    width: int

    def is_row(self, cells: list[str]) -> bool:
        """Tells whether cells are a row by themselves, and not the rest of a text."""
        return len(cells) == self.width and _looks_like_file(cells[self.path])


def find_layout(
    place: str, samples: Sequence[Sample], names: Names, is_file: Callable[[str], bool]
) -> Layout | None:
    """Returns the layout of a table; None if there is no sample.

    Args:
        place: the file, for messages.
        samples: the first rows, split at each delimiter.
        names: the usual names of the columns.
        is_file: tells whether there is a file of a path.

    Raises:
        UserError: if the columns are not clear.
    """
    for some, row in product(samples, range(_HEADER_ROWS)):
        header = column_names(some.rows[row]) if row < len(some.rows) else ()
        path, text = (
            next((header.index(name) for name in usual if name in header), None) for usual in names
        )
        if path is not None and text is not None:
            width = len(header) - header[::-1].index(next(filter(None, header[::-1])))
            return Layout(some.delimiter, some.quoted, header, path, text, width)
    if not samples:
        return None
    is_file = cache(is_file)
    best = max(samples, key=lambda some: _score(some, is_file))
    delimiter, quoted, rows = best
    usual = {*names.paths, *names.texts}
    width, files = usual_width(rows), _count_files(rows, is_file)
    if (usual & {*column_names(rows[0])} and not any(map(_looks_like_file, rows[0]))) or (
        width != 2 and not any(files)
    ):
        raise UserError(
            f"{place}:1: the header must name a column of paths ({', '.join(names.paths)}) "
            f"and one of texts ({', '.join(names.texts)})."
        )
    path = max(range(width), key=lambda column: (files[column], -column))
    return Layout(delimiter, quoted, None, path, _text_column(place, best, width, path), width)


def _looks_like_file(cell: str) -> bool:
    return _FILE.search(cell.strip()) is not None


def _count_files(rows: list[list[str]], is_file: Callable[[str], bool]) -> list[int]:
    """Returns for each column how many cells look like files; files that exist count more."""
    counts = [0] * max(map(len, rows))
    for number, row in enumerate(rows):
        for column, cell in enumerate(row[:9]):
            counts[column] += _looks_like_file(cell)
            if number < _CHECKED_ROWS and is_file(cell.strip()):
                counts[column] += len(rows)
    return counts


def _score(some: Sample, is_file: Callable[[str], bool]) -> tuple[int, int]:
    parted = [row for row in some.rows if len(row) > 1]
    return max(_count_files(parted, is_file)), len(parted)


def _text_column(place: str, some: Sample, width: int, path: int) -> int:
    """Returns the column of texts of a table without a header: the first without numbers alone.

    Raises:
        UserError: if there is no such column, or if another one looks more like texts.
    """
    others = [column for column in range(width) if column != path]
    if width == 2:
        return others[0]
    rows = [row for row in some.rows if len(row) >= width]
    texts = [column for column in others if not all(is_number(row[column]) for row in rows)]
    worded = [column for column in texts if any(" " in row[column].strip() for row in rows)]
    if some.delimiter == "|" and width == 3 and path == 0 and len(worded) == 2:
        return 2  # in LJ Speech the text of the book, then the text that is read
    if not texts or (worded and worded[0] != texts[0]):
        raise UserError(
            f"{place}:1: there are {width} columns and no header that tells which has the texts; "
            "add a first line with the names of the columns, such as path and text."
        )
    return texts[0]


def is_number(cell: str) -> bool:
    """Tells whether a cell is empty, a number, a time or a duration."""
    cell = cell.strip()
    return not cell or _NUMBER.fullmatch(cell) is not None
