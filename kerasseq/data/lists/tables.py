"""Tables in text files: the delimiter of their cells, their quotes, and their rows."""

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, islice
from typing import NamedTuple

from kerasseq.data.lists.lines import BadLine, NumberedLine

Row = tuple[int, list[str] | BadLine]
"""(line number from 1, cells) of a row; a `BadLine` instead says what is wrong with it."""

# The delimiters of a table, the most likely one first, by the ending of the file's name.
DELIMITERS = {".csv": ",;\t|", ".tsv": "\t|;,", ".tab": "\t|;,", ".txt": "\t|;,"}

_SAMPLE_LINES = 500

# The line in which Excel names the delimiter.
_EXCEL = re.compile(r'"?sep=([,;\t|])"?[,;\t|]*')

_MAX_LINES_OF_CELL = 50
_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
_BREAK = re.compile("[\r\n]").search

UNCLOSED = BadLine("a quote that is not closed")
STRAY = BadLine("a quote in the middle of a cell in quotes")
RETURN = BadLine("a carriage return in the middle")


class Sample(NamedTuple):
    """The first rows of a table, split at one delimiter.

    Attributes:
        delimiter: the character between two cells.
        quoted: whether cells can be in quotes.
        rows: the cells of each row.
    """

    delimiter: str
    quoted: bool
    rows: list[list[str]]


def read_samples(
    lines: Iterator[NumberedLine], delimiters: str
) -> tuple[list[Sample], Iterator[NumberedLine]]:
    """Splits the first lines of a table at each of some delimiters.

    Returns:
        A sample for each delimiter that splits at least one line, and an iterator over all lines.
    """
    first = list(islice(lines, _SAMPLE_LINES))
    if first and isinstance(first[0][1], str) and (sign := _EXCEL.fullmatch(first[0][1])):
        delimiters = sign[1]
        del first[0]
    samples = (_sample(first, delimiter) for delimiter in delimiters)
    return [some for some in samples if any(len(row) > 1 for row in some.rows)], chain(first, lines)


def _sample(first: list[NumberedLine], delimiter: str) -> Sample:
    # A cell with a comma in it needs quotes where commas are delimiters. With other delimiters,
    # quotes can be part of the text: if some quotes are not as programs write them, most must be.
    quoted = delimiter in ",;" or _is_quoted(first, delimiter)
    rows = (row for _, row in read_rows(iter(first), delimiter, quoted))
    return Sample(delimiter, quoted, [row for row in rows if isinstance(row, list)])


def _is_quoted(first: list[NumberedLine], delimiter: str) -> bool:
    good = bad = 0
    width = next((len(line.split(delimiter)) for _, line in first if isinstance(line, str)), 0)

    def is_row(cells: list[str]) -> bool:  # two rows, each with a lone quote, are not one cell
        return len(cells) == width

    for _, row in _quoted_rows(iter(first), delimiter, is_row):
        if isinstance(row, BadLine):
            bad += row in (UNCLOSED, STRAY)
        elif row.in_quotes or row.stray:
            good, bad = good + row.in_quotes, bad + row.stray
    return good > bad


def read_rows(
    lines: Iterator[NumberedLine],
    delimiter: str,
    quoted: bool,
    is_row: Callable[[list[str]], bool] = lambda cells: False,
) -> Iterator[Row]:
    """Yields the rows of a table, without empty lines. A bad line harms no other line.

    Args:
        lines: of the table.
        delimiter: the character between two cells.
        quoted: whether cells can be in quotes.
        is_row: tells whether the cells of a line are a row by themselves, if the line could also
            continue a cell in quotes.
    """
    if quoted:
        for number, row in _quoted_rows(lines, delimiter, is_row):
            yield number, row if isinstance(row, BadLine) else row.cells
        return
    for number, line in lines:
        if isinstance(line, BadLine):
            yield number, line
        elif not _is_empty(line, delimiter):
            yield number, RETURN if _BREAK(line) else line.split(delimiter)


def _is_empty(line: str, delimiter: str) -> bool:
    """Whether a line is empty. A line of delimiters alone is a row of empty cells."""
    return delimiter not in line and (not line or line.isspace())


class _Cells(NamedTuple):
    cells: list[str]
    in_quotes: bool = False
    stray: bool = False


def _quoted_rows(
    lines: Iterator[NumberedLine], delimiter: str, is_row: Callable[[list[str]], bool]
) -> Iterator[tuple[int, _Cells | BadLine]]:
    ahead: deque[NumberedLine] = deque()
    lines = iter(lines)

    def following() -> NumberedLine | None:
        return ahead.popleft() if ahead else next(lines, None)

    while entry := following():
        number, line = entry
        if isinstance(line, BadLine):
            yield number, line
            continue
        if _is_empty(line, delimiter):
            continue
        text, taken = line, []
        row = _split(text, delimiter)
        while row is UNCLOSED and len(taken) < _MAX_LINES_OF_CELL and (more := following()):
            taken.append(more)
            if isinstance(more[1], BadLine) or is_row(more[1].split(delimiter)):
                break
            text += "\n" + more[1]
            row = _split(text, delimiter)
        if isinstance(row, BadLine):
            ahead.extendleft(reversed(taken))
        yield number, row


@cache
def _cell(delimiter: str) -> re.Pattern:
    d = re.escape(delimiter)
    return re.compile(rf' *"([^"]*+(?:""[^"]*+)*+)(?:" *({d}|\Z)|(")|\Z)|([^{d}]*)({d}|\Z)')


def _split(text: str, delimiter: str) -> _Cells | BadLine:
    if '"' not in text:
        return RETURN if _BREAK(text) else _Cells(text.split(delimiter))
    cells, place, in_quotes, stray, end = [], 0, False, False, ""
    pattern = _cell(delimiter)
    while True:
        match = pattern.match(text, place)
        inside, end, wrong, plain, plain_end = match.groups()
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
        place = match.end()


def fit_row(row: list[str], width: int, delimiter: str) -> str | None:
    """Removes empty cells from the end of a row that is too long.

    Returns:
        What is wrong with the row, if it is still too long.
    """
    while len(row) > width and not row[-1].strip():
        row.pop()
    if len(row) <= width:
        return None
    return f"more columns than in the first line: {_NAMES[delimiter]} needs quotes"


def join_lines(text: str) -> str:
    """Returns a cell with its lines joined to one."""
    return " ".join(text.split("\n")) if "\n" in text else text


def column_names(row: Sequence[str]) -> tuple[str, ...]:
    """Returns the cells of a header as names of columns: in lower case, with underscores."""
    return tuple(re.sub(r"[ -]+", "_", cell.strip().lower()) for cell in row)


def usual_width(rows: Iterable[Sequence[str]]) -> int:
    """Returns the number of columns that most rows have."""
    widths = Counter(map(len, rows)).most_common(1)
    return widths[0][0] if widths else 0
