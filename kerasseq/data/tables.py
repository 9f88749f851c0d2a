"""Tables in text files: which character parts their cells, and whether cells stand in quotes."""

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, islice
from typing import NamedTuple

from kerasseq.data.lines import BadLine, Line

Numbered = tuple[int, Line]
Row = tuple[int, list[str] | BadLine]
"""(line number from 1, cells), or in their stead what is wrong."""

# The characters between cells, the likeliest first, by the ending of a file's name.
DELIMITERS = {".csv": ",;\t|", ".tsv": "\t|;,", ".tab": "\t|;,", ".txt": "\t|;,"}

_SAMPLE = 500
"""Lines that tell how a table is written."""

_EXCEL = re.compile(r'"?sep=([,;\t|])"?[,;\t|]*')
"""The line in which Excel names the delimiter."""

_LINES_OF_A_CELL = 50
_BREAK = re.compile("[\r\n]").search

UNCLOSED = BadLine("a quote that is not closed")
STRAY = BadLine("a quote in the middle of a cell in quotes")
RETURN = BadLine("a carriage return in the middle")


class Sample(NamedTuple):
    """The first lines of a table, taken apart with one delimiter."""

    delimiter: str
    quoted: bool
    rows: list[list[str]]


def sampled(lines: Iterator[Numbered], delimiters: str) -> tuple[list[Sample], Iterator[Numbered]]:
    """The first lines, taken apart in each way that parts some of them, and all lines again."""
    first = list(islice(lines, _SAMPLE))
    if first and isinstance(first[0][1], str) and (sign := _EXCEL.fullmatch(first[0][1])):
        delimiters = sign[1]
        del first[0]
    samples = (_sample(first, delimiter) for delimiter in delimiters)
    return [some for some in samples if any(len(row) > 1 for row in some.rows)], chain(first, lines)


def _sample(first: list[Numbered], delimiter: str) -> Sample:
    # Where a comma parts cells, those that have one in them need quotes. With others, quotes may
    # be as people wrote them: if any cell has them as no program writes them, most must be right.
    quoted = delimiter in ",;" or _is_quoted(first, delimiter)
    rows = (row for _, row in rows_of(iter(first), delimiter, quoted))
    return Sample(delimiter, quoted, [row for row in rows if isinstance(row, list)])


def _is_quoted(first: list[Numbered], delimiter: str) -> bool:
    good = bad = 0
    for _, row in _quoted_rows(iter(first), delimiter, lambda _: False):
        if isinstance(row, BadLine):
            bad += row in (UNCLOSED, STRAY)
        elif row.in_quotes or row.stray:
            good, bad = good + row.in_quotes, bad + row.stray
    return good > bad


def rows_of(
    lines: Iterator[Numbered],
    delimiter: str,
    quoted: bool,
    begins: Callable[[list[str]], bool] = lambda cells: False,
) -> Iterator[Row]:
    """The rows of a table; empty lines are none. A line that is wrong costs no other.

    Args:
        begins: whether the cells of a line, which might go on with the cell in quotes before it,
            are a row of their own.
    """
    if quoted:
        for number, row in _quoted_rows(lines, delimiter, begins):
            yield number, row if isinstance(row, BadLine) else row.cells
        return
    for number, line in lines:
        if isinstance(line, BadLine):
            yield number, line
        elif not _is_empty(line, delimiter):
            yield number, RETURN if _BREAK(line) else line.split(delimiter)


def _is_empty(line: str, delimiter: str) -> bool:
    """Whether a line is no row. One of delimiters alone is a row of empty cells."""
    return delimiter not in line and (not line or line.isspace())


class _Cells(NamedTuple):
    cells: list[str]
    in_quotes: bool = False
    stray: bool = False


def _quoted_rows(
    lines: Iterator[Numbered], delimiter: str, begins: Callable[[list[str]], bool]
) -> Iterator[tuple[int, _Cells | BadLine]]:
    ahead: deque[Numbered] = deque()
    lines = iter(lines)

    def following() -> Numbered | None:
        return ahead.popleft() if ahead else next(lines, None)

    while entry := following():
        number, line = entry
        if isinstance(line, BadLine):
            yield number, line
            continue
        if _is_empty(line, delimiter):
            continue
        text, taken = line, []
        row = _taken_apart(text, delimiter)
        while row is UNCLOSED and len(taken) < _LINES_OF_A_CELL and (more := following()):
            taken.append(more)
            if isinstance(more[1], BadLine) or begins(more[1].split(delimiter)):
                break
            text += "\n" + more[1]
            row = _taken_apart(text, delimiter)
        if isinstance(row, BadLine):
            ahead.extendleft(reversed(taken))
        yield number, row


@cache
def _cell(delimiter: str) -> re.Pattern:
    d = re.escape(delimiter)
    return re.compile(rf' *"([^"]*+(?:""[^"]*+)*+)(?:" *({d}|\Z)|(")|\Z)|([^{d}]*)({d}|\Z)')


def _taken_apart(text: str, delimiter: str) -> _Cells | BadLine:
    if '"' not in text:
        return RETURN if _BREAK(text) else _Cells(text.split(delimiter))
    cells, place, in_quotes, stray, end = [], 0, False, False, ""
    pattern = _cell(delimiter)
    while True:
        found = pattern.match(text, place)
        inside, end, wrong, plain, plain_end = found.groups()
        if wrong:
            return STRAY
        if inside is not None:
            if end is None:
                return UNCLOSED
            cells.append(inside.replace('""', '"'))
            in_quotes = True
        else:
            if _BREAK(plain):
                return RETURN
            cells.append(plain)
            stray |= '"' in plain
            end = plain_end
        if not end:
            return _Cells(cells, in_quotes, stray)
        place = found.end()


def one_line(text: str) -> str:
    """A cell, whose lines become one."""
    return " ".join(text.split("\n")) if "\n" in text else text


def names_in(row: Sequence[str]) -> tuple[str, ...]:
    """The cells of a first row as names of columns."""
    return tuple(re.sub(r"[ -]+", "_", cell.strip().lower()) for cell in row)


def usual_width(rows: Iterable[Sequence[str]]) -> int:
    """The number of columns that most rows have."""
    widths = Counter(map(len, rows)).most_common(1)
    return widths[0][0] if widths else 0
