"""Which columns of a list have the paths of files and what is written of them."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

from kerasseq.data.tables import Sample, names_in, usual_width
from kerasseq.errors import UserError

_FILE = re.compile(r"\.[A-Za-z0-9]{2,5}(#\d+)?$")
_NUMBER = re.compile(r"[-+]?[\d.,:]+(e[-+]?\d+)?s?", re.IGNORECASE)
_ABOVE = 10
"""Rows of which one may be the header; those above it are notes."""

_TRIED = 20
"""Rows whose files are looked for."""


class Names(NamedTuple):
    """Names of columns or fields, of which the first that is there counts.

    Attributes:
        paths: of those that name the file, and
        texts: of those with what is written of it.
    """

    paths: tuple[str, ...]
    texts: tuple[str, ...]


class Layout(NamedTuple):
    """How a list is written, and which of its columns count.

    Attributes:
        delimiter: what is between two cells.
        quoted: whether cells may be in quotes.
        header: the names of the columns in lower case, if the first row has them.
        path: the column of paths.
        text: the column of texts.
        width: how many columns there are.
    """

    delimiter: str
    quoted: bool
    header: tuple[str, ...] | None
    path: int
    text: int
    width: int

    def begins(self, cells: list[str]) -> bool:
        """Whether these cells are a row by themselves, and not the rest of a text."""
        return len(cells) == self.width and _is_file(cells[self.path])


def layout_of(
    place: str, samples: Sequence[Sample], names: Names, there: Callable[[str], bool]
) -> Layout | None:
    """The layout of a list; None if nothing parts its lines.

    Raises:
        UserError: the columns cannot be told.
    """
    for some, row in product(samples, range(_ABOVE)):
        header = names_in(some.rows[row]) if row < len(some.rows) else ()
        path, text = (
            next((header.index(name) for name in usual if name in header), None) for usual in names
        )
        if path is not None and text is not None:
            width = len(header) - header[::-1].index(next(filter(None, header[::-1])))
            return Layout(some.delimiter, some.quoted, header, path, text, width)
    if not samples:
        return None
    there = cache(there)
    best = max(samples, key=lambda some: _score(some, there))
    delimiter, quoted, rows = best
    usual = {*names.paths, *names.texts}
    width, files = usual_width(rows), _files(rows, there)
    if (usual & {*names_in(rows[0])} and not any(map(_is_file, rows[0]))) or (
        width != 2 and not any(files)
    ):
        raise UserError(
            f"{place}:1: the header must name a column of paths ({', '.join(names.paths)}) "
            f"and one of texts ({', '.join(names.texts)})."
        )
    path = max(range(width), key=lambda column: (files[column], -column))
    return Layout(delimiter, quoted, None, path, _text_column(place, best, width, path), width)


def _is_file(cell: str) -> bool:
    return _FILE.search(cell.strip()) is not None


def _files(rows: list[list[str]], there: Callable[[str], bool]) -> list[int]:
    """Of each column, how many cells are files, or at least look as if they were."""
    found = [0] * max(map(len, rows))
    for number, row in enumerate(rows):
        for column, cell in enumerate(row[:9]):
            found[column] += _is_file(cell)
            if number < _TRIED and there(cell.strip()):
                found[column] += len(rows)
    return found


def _score(some: Sample, there: Callable[[str], bool]) -> tuple[int, int]:
    parted = [row for row in some.rows if len(row) > 1]
    return max(_files(parted, there)), len(parted)


def _text_column(place: str, some: Sample, width: int, path: int) -> int:
    """The column of texts, without a header: the first one that is not all numbers.

    Raises:
        UserError: there is none, or another looks more like texts.
    """
    others = [column for column in range(width) if column != path]
    if width == 2:
        return others[0]
    rows = [row for row in some.rows if len(row) >= width]
    texts = [column for column in others if not all(is_number(row[column]) for row in rows)]
    worded = [column for column in texts if any(" " in row[column].strip() for row in rows)]
    if some.delimiter == "|" and width == 3 and path == 0 and len(worded) == 2:
        return 2  # LJ Speech has what is written in books, and then what is read
    if not texts or (worded and worded[0] != texts[0]):
        raise UserError(
            f"{place}:1: there are {width} columns and no header that tells which has the texts; "
            "add a first line with the names of the columns, such as path and text."
        )
    return texts[0]


def is_number(cell: str) -> bool:
    """Whether a cell is empty or a number, a time or a length of time."""
    cell = cell.strip()
    return not cell or _NUMBER.fullmatch(cell) is not None
