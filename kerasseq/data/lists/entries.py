"""The entries of lists: rows of tables with a path and a text, and JSON objects."""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from kerasseq.data.examples import E, Entries, ListedExamples
from kerasseq.data.files import Paths, check_file, paths_of, plain_name
from kerasseq.data.lists.columns import Layout, Names, find_layout
from kerasseq.data.lists.json_texts import check_object, decode_json, read_json
from kerasseq.data.lists.lines import BadLine, NumberedLine, numbered_lines
from kerasseq.data.lists.tables import (
    DELIMITERS,
    column_names,
    fit_row,
    join_lines,
    read_rows,
    read_samples,
)
from kerasseq.errors import UserError

T = TypeVar("T")
Numbered = Iterator[tuple[int, T | str]]
"""(line number from 1, value) of each line; a text instead says what is wrong with the line."""

OBJECTS = (".json", ".jsonl", ".ndjson")
TABLES = (".csv", ".tsv", ".txt", ".tab")

NO_COLUMNS = "no path and text with a tab or comma between"

Reader = tuple[Callable[[], Entries[E]], list[str]]
"""A function that returns the entries of a list, and the files that it reads."""


class Columns(NamedTuple):
    """The cells of a row of a table.

    Attributes:
        path: the path of the file.
        text: the text of the file.
        more: maps the names of all columns to their cells, if the table has a header.
    """

    path: str
    text: str
    more: dict[str, str]


class ReadLists(ListedExamples[E]):
    """The examples of lists that users name, one list after the other.

    Args:
        lists: a path, or several.
        open_list: returns the `Reader` of a path.
        example: the name of one example, for messages.
        arrange: changes the entries of all lists together.

    Raises:
        UserError: if there is no list, or if `open_list` raises it.
    """

    def __init__(
        self,
        lists: Paths,
        open_list: Callable[[str], Reader],
        example: str,
        arrange: Callable[[Entries[E]], Entries[E]] = lambda entries: entries,
    ):
        lists = paths_of(lists)
        if not lists:
            raise UserError(f"Name at least one list of {example}s.")
        readers = [open_list(path) for path in lists]
        files = [file for _, some in readers for file in some]

        def entries() -> Entries[E]:
            return arrange(entry for read, _ in readers for entry in read())

        super().__init__(entries, files, " and ".join(lists), example)


def make_entries(
    place: str, lines: Numbered, make: Callable[[str, int, Any], Any]
) -> Iterator[tuple[str, int, Any]]:
    """Yields (place, line, `make(place, line, value)`) of each line, or what is wrong with it."""
    for number, value in lines:
        yield place, number, value if isinstance(value, str) else make(place, number, value)


def reader_of_file(
    path: str, table: Callable, objects: Callable, example: str, layouts: str
) -> Callable:
    """Returns the function that reads a file, by the ending of its name, applied to the path.

    Args:
        path: the file.
        table: reads a table.
        objects: reads JSON.
        example: the name of one example, for messages.
        layouts: whose layouts of folders can be read, for messages.

    Raises:
        UserError: if there is no such file, or if it has another ending.
    """
    check_file(path)
    for endings, read in ((OBJECTS, objects), (TABLES, table)):
        if plain_name(path).endswith(endings):
            return partial(read, path)
    raise UserError(
        f"{path} cannot be read as a list of {example}s: give a .tsv, .csv, .txt, .json or .jsonl "
        f"file, or a folder of {layouts} layout."
    )


def find_metadata(folder: Path) -> Path | None:
    """Returns the list of a folder in Hugging Face's layout, if there is one."""
    files = (folder / f"metadata{ending}" for ending in (".csv", ".jsonl"))
    return next((file for file in files if file.is_file()), None)


def join_to_list(place: str, path: str) -> str:
    """Returns a path that is relative to the folder of a list."""
    return os.path.join(os.path.dirname(place), path)


def find_field(fields: dict, names: Sequence[str]) -> str | None:
    """Returns the first of the fields that has a text."""
    return next((fields[name] for name in names if isinstance(fields.get(name), str)), None)


def read_table(
    place: str,
    lines: Iterator[NumberedLine],
    names: Names,
    is_file: Callable[[str], bool] = lambda path: False,
) -> Numbered[Columns]:
    """Yields the rows of a table with or without a header.

    The ending of the file's name says which delimiters are likely, and the first lines decide.
    Cells can be in quotes; such cells can have delimiters and new lines in them.

    Args:
        place: the file.
        lines: its lines.
        names: the names of the columns.
        is_file: tells whether there is a file of a path that the table has.

    Raises:
        UserError: while the table is read, if the columns of paths and texts are not clear.
    """
    ending = os.path.splitext(plain_name(place))[1]
    samples, lines = read_samples(lines, DELIMITERS.get(ending, DELIMITERS[".tsv"]))
    layout = find_layout(place, samples, names, is_file)
    if layout is None:
        for number, line in lines:
            if isinstance(line, BadLine):
                yield number, line.kind
            elif line.strip():
                yield number, NO_COLUMNS
        return
    below_header = layout.header is None
    for number, row in read_rows(lines, layout.delimiter, layout.quoted, layout.is_row):
        if isinstance(row, BadLine):
            yield number, row.kind
        elif below_header:
            yield number, _columns(row, layout)
        elif column_names(row) == layout.header:
            below_header = True
        else:
            yield number, "above the names of the columns"


def _columns(row: list[str], layout: Layout) -> Columns | str:
    reason = fit_row(row, layout.width, layout.delimiter)
    if reason and (layout.header or layout.delimiter != "\t"):
        return reason
    if len(row) <= max(layout.path, layout.text) or not row[layout.path].strip():
        return NO_COLUMNS
    more = dict(zip(layout.header or (), row, strict=False))
    return Columns(row[layout.path].strip(), join_lines(row[layout.text]).strip(), more)


def read_objects(path: str, member: str | None = None, or_whole: bool = True) -> Numbered[dict]:
    """Yields the JSON objects of a file, one a line.

    Args:
        path: the file.
        member: the file in a zip file.
        or_whole: whether the file can instead be one JSON text with a list of objects. The line
            number is then the place in the list, from 1.
    """
    lines = numbered_lines(path, member)
    first = next(lines, (1, ""))
    is_object = isinstance(first[1], str) and isinstance(decode_json(first[1]), dict)
    if or_whole and not is_object:
        whole = read_json(path)
        if isinstance(whole, list | dict):
            yield from objects_in(whole if isinstance(whole, list) else [whole])
            return
    for number, line in chain([first], lines):
        if isinstance(line, BadLine):
            yield number, line.kind
        elif line.strip():
            yield number, check_object(decode_json(line))


def objects_in(values: list) -> Numbered[dict]:
    """Yields the objects of a list."""
    return ((number, check_object(value)) for number, value in enumerate(values, 1))
