"""Lists of files and texts: tables with commas or tabs, and JSON lines."""

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from kerasseq.data.files import check_file, plain_name
from kerasseq.data.json_texts import checked, decoded, whole_json
from kerasseq.data.layouts import Layout, Names, layout_of
from kerasseq.data.lines import BadLine, Line, numbered_lines
from kerasseq.data.tables import DELIMITERS, names_in, one_line, rows_of, sampled

T = TypeVar("T")
Found = Iterator[tuple[int, T | str]]
"""(line number from 1, what is there), or in its stead a text that says what is wrong."""

Lines = Iterator[tuple[int, Line]]

OBJECTS = (".json", ".jsonl", ".ndjson")
TABLES = (".csv", ".tsv", ".txt", ".tab")

NO_COLUMNS = "no path and text with a tab or comma between"
_NEEDS_QUOTES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}


class Columns(NamedTuple):
    """What a row of a table has.

    Attributes:
        path: of the file.
        text: what is written of it.
        more: all cells by the names of their columns, if the table has a header.
    """

    path: str
    text: str
    more: dict[str, str]


def made(place: str, found: Found, make: Callable[[str, int, Any], Any]) -> Iterator:
    """(place, line, `make(place, line, what is there)` or what is wrong) of each line."""
    for number, row in found:
        yield place, number, row if isinstance(row, str) else make(place, number, row)


def by_ending(path: str, readers: dict[tuple[str, ...], T]) -> T | None:
    """What reads a file whose name ends so; None is nothing.

    Raises:
        UserError: there is no such file.
    """
    check_file(path)
    name = plain_name(path)
    return next((reader for endings, reader in readers.items() if name.endswith(endings)), None)


def metadata(folder: Path) -> Path | None:
    """The list of a folder in Hugging Face's layout, if there is one."""
    files = (folder / f"metadata{ending}" for ending in (".csv", ".jsonl"))
    return next((file for file in files if file.is_file()), None)


def beside(place: str, path: str) -> str:
    """A path that is relative to the folder of a list."""
    return os.path.join(os.path.dirname(place), path)


def field(row: dict, names: Sequence[str]) -> str | None:
    """The first of the fields that is there as a text."""
    return next((row[name] for name in names if isinstance(row.get(name), str)), None)


def table(
    place: str, lines: Lines, names: Names, there: Callable[[str], bool] = lambda path: False
) -> Found[Columns]:
    """The rows of a table with or without a header.

    The ending of the file's name tells what is likely between two cells, and the first lines tell
    what is. Cells may be in quotes, and then have commas, tabs and new lines in them.

    Args:
        lines: of the file.
        there: whether there is a file of that path, as the table has it.

    Raises:
        UserError: while it is read, if the columns of paths and texts cannot be told.
    """
    ending = os.path.splitext(plain_name(place))[1]
    samples, lines = sampled(lines, DELIMITERS.get(ending, DELIMITERS[".tsv"]))
    layout = layout_of(place, samples, names, there)
    if layout is None:
        for number, line in lines:
            if isinstance(line, BadLine):
                yield number, line.kind
            elif line.strip():
                yield number, NO_COLUMNS
        return
    passed = layout.header is None
    for number, row in rows_of(lines, layout.delimiter, layout.quoted, layout.begins):
        if isinstance(row, BadLine):
            yield number, row.kind
        elif passed:
            yield number, _columns(row, layout)
        elif names_in(row) == layout.header:
            passed = True
        else:
            yield number, "above the names of the columns"


def _columns(row: list[str], layout: Layout) -> Columns | str:
    while len(row) > layout.width and not row[-1].strip():
        row.pop()
    if len(row) > layout.width and (layout.header or layout.delimiter != "\t"):
        return (
            f"more columns than in the first line: {_NEEDS_QUOTES[layout.delimiter]} needs quotes"
        )
    if len(row) <= max(layout.path, layout.text) or not row[layout.path].strip():
        return NO_COLUMNS
    more = dict(zip(layout.header or (), row, strict=False))
    return Columns(row[layout.path].strip(), one_line(row[layout.text]).strip(), more)


def objects(place: str) -> Found[dict]:
    """JSON objects, one a line or all in a list; the line is then the place in the list."""
    lines = numbered_lines(place)
    first = next(lines, (1, ""))
    if isinstance(first[1], BadLine) or not isinstance(decoded(first[1]), dict):
        whole = whole_json(place)
        if isinstance(whole, list | dict):
            yield from in_list(whole if isinstance(whole, list) else [whole])
            return
    for number, line in chain([first], lines):
        if isinstance(line, BadLine):
            yield number, line.kind
        elif line.strip():
            yield number, checked(decoded(line))


def in_list(rows: list) -> Found[dict]:
    """The objects of a list."""
    return ((number, checked(row)) for number, row in enumerate(rows, 1))
