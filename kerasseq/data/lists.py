"""Lists of files and texts: tables with commas or tabs, and JSON lines."""

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from kerasseq.data.files import check_file, numbered_lines, plain_name
from kerasseq.errors import UserError

T = TypeVar("T")
Found = Iterator[tuple[int, T | str]]
"""(line number from 1, what is there), or in its stead a text that says what is wrong."""

OBJECTS = (".json", ".jsonl", ".ndjson")
TABLES = (".csv",)
TABS = (".tsv", ".txt", ".tab")


class Names(NamedTuple):
    """Names of columns or fields, of which the first that is there counts.

    Attributes:
        paths: of those that name the file, and
        texts: of those with what is written of it.
    """

    paths: tuple[str, ...]
    texts: tuple[str, ...]


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


def objects(place: str) -> Found[dict]:
    """A JSON object a line."""
    for number, line in numbered_lines(place):
        if line is None:
            yield number, "not valid UTF-8"
        elif line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                yield number, "not JSON"
                continue
            yield number, row if isinstance(row, dict) else {}


def table(place: str, names: Names, bare: bool = False) -> Found[tuple[str, str]]:
    """Path and text of rows with commas, and quotes around what has commas or new lines.

    Args:
        bare: whether rows of two columns may do without a header.
    """

    def texts() -> Iterator[str]:
        for number, line in numbered_lines(place):
            if line is None:
                raise UserError(f"{place}:{number}: not valid UTF-8.")
            yield line + "\n"

    rows = csv.reader(texts(), skipinitialspace=True)
    try:
        first = next(rows, [])
        columns = _header(first, names)
        if columns is None and bare and len(first) == 2:
            columns = (0, 1)
            yield rows.line_num, _columns(first, columns)
        elif columns is None:
            raise UserError(
                f"{place}:1: the header must name a column of paths ({', '.join(names.paths)}) "
                f"and one of texts ({', '.join(names.texts)})."
            )
        for row in rows:
            if len(row) > len(first):
                yield rows.line_num, "more columns than in the first line: a comma needs quotes"
            elif row:
                yield rows.line_num, _columns(row, columns)
    except csv.Error as error:
        raise UserError(f"{place}:{rows.line_num}: not comma-separated: {error}.") from error


def tabs(place: str, names: Names) -> Found[tuple[str, str]]:
    """Path and text of rows with tabs; without a header, of the first two columns."""
    columns = (0, 1)
    for number, line in numbered_lines(place):
        if line is None:
            yield number, "not valid UTF-8"
            continue
        row = line.split("\t")
        if number == 1 and (found := _header(row, names)):
            columns = found
        elif line.strip():
            yield number, _columns(row, columns)


def _header(row: list[str], names: Names) -> tuple[int, int] | None:
    """The columns of the path and of the text, if this is a header."""
    found = [name.strip().lower() for name in row]
    path, text = (
        next((found.index(name) for name in some if name in found), None) for some in names
    )
    return None if path is None or text is None else (path, text)


def _columns(row: list[str], columns: tuple[int, int]) -> tuple[str, str] | str:
    if len(row) <= max(columns) or not row[columns[0]].strip():
        return "no path and text with a tab or comma between"
    path, text = (row[column].strip() for column in columns)
    return path, text
