"""The formats of files of pairs.

Each reader takes the paths and the codes of the languages, and yields (the files of both sides,
line numbers, rows). A row is a pair, each side of which can be a bad line, or a text that says what
is wrong with the row.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from kerasseq.data.files import find_zip_member, plain_name, read_whole
from kerasseq.data.lists.columns import is_number
from kerasseq.data.lists.entries import read_objects
from kerasseq.data.lists.lines import LINES_AT_ONCE, BadLine, Line, line_batches, numbered_lines
from kerasseq.data.lists.tables import (
    DELIMITERS,
    Sample,
    column_names,
    fit_row,
    join_lines,
    read_rows,
    read_samples,
    usual_width,
)
from kerasseq.errors import UserError
from kerasseq.printable import is_text

Languages = tuple[str, str]
Pair = tuple[Line, Line]
Read = Iterator[tuple[tuple[str, str], Sequence[int], Sequence[Pair | str]]]

_SIDES = (
    ("source", "src", "source_text", "source_sentence", "input"),
    ("target", "tgt", "trg", "target_text", "target_sentence", "translation", "output"),
)
# ISO 639-1, without which a first line "no, ja" could be a pair.
_CODES = frozenset(
    "aa ab af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da "
    "de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy "
    "hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg "
    "li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or "
    "os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta "
    "te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu".split()
)

# The most bytes of a catalogue, which takes fifty times as many in memory.
_MAX_GETTEXT_BYTES = 32 << 20
# The most lines of an entry: for each line polib copies the lines before it.
_MAX_ENTRY_LINES = 5_000


def read_table(path: str, languages: Languages, member: str | None = None) -> Read:
    """Reads a table: a source and a target a line, with tabs or in `.csv` commas or the like."""
    place = path if member is None else f"{path}/{member}"
    delimiters = DELIMITERS[".csv"] if plain_name(place).endswith(".csv") else "\t"
    samples, lines = read_samples(numbered_lines(path, member), delimiters)
    if not samples:
        yield from _make_pairs(place, lines, _no_tab)
        return
    some = max(samples, key=_score)
    header = _head(some)
    try:
        named = _named_columns(header, languages)
    except UserError as error:
        raise UserError(f"{place}:1: {error}") from None
    width = len(header) if named else usual_width(some.rows)
    strict = width if named or some.delimiter != "\t" else None
    columns = named or _unnamed_columns(place, some.rows, width)

    def pair(row: list[str]) -> Pair | str:
        return _pair(row, columns, strict, some.delimiter)

    def is_row(cells: list[str]) -> bool:
        whole = len(cells) == width and not any('"' in cell for cell in cells)
        return whole and some.delimiter == "\t"

    rows = read_rows(lines, some.delimiter, some.quoted, is_row)
    if named:
        rows = _below_header(rows)
    yield from _make_pairs(place, rows, pair)


def _no_tab(_: str) -> str:
    return "no tab between a source and a target"


def _score(some: Sample) -> tuple[bool, int]:
    width = usual_width(some.rows)
    named = _named_columns(_head(some), ("", "")) is not None
    return named, sum(len(row) == width > 1 for row in some.rows)


def _head(some: Sample) -> tuple[str, ...]:
    """Returns the first row with a delimiter in it, as names of columns."""
    return column_names(next(row for row in some.rows if len(row) > 1))


def _unnamed_columns(place: str, rows: list[list[str]], width: int) -> tuple[int, int]:
    """Returns the first two columns.

    Raises:
        UserError: if there are more columns, and one of the two has numbers alone.
    """
    whole = [row for row in rows if len(row) >= width][-max(1, len(rows) - 1) :]
    if width > 2 and any(all(is_number(row[column]) for row in whole) for column in (0, 1)):
        raise UserError(
            f"{place}:1: there are {width} columns, numbers among the first two, and no header "
            "that tells which have the texts; add a first line with the names of the columns, "
            "such as source and target."
        )
    return 0, 1


def _named_columns(header: Sequence[str], languages: Languages) -> tuple[int, int] | None:
    """Returns the columns of the source and the target, if this is a header.

    Raises:
        UserError: if the header has other languages.
    """
    columns = [
        next((header.index(name) for name in side if name in header), None) for side in _SIDES
    ]
    if None not in columns:
        return columns[0], columns[1]
    codes = [name.partition("_")[0] for name in header]
    if all(languages) and all(code in codes for code in languages):
        return codes.index(languages[0]), codes.index(languages[1])
    sides = [column for column, code in enumerate(codes) if code]  # an index has no name
    if len(sides) != 2 or not _CODES.issuperset(filter(None, codes)):
        return None
    if all(languages):
        codes_in_file = " and ".join(filter(None, codes))
        raise UserError(f"The columns are {codes_in_file}, not {' and '.join(languages)}.")
    return sides[0], sides[1]


def _below_header(rows: Iterator) -> Iterator:
    for row in rows:
        if isinstance(row[1], list) and len(row[1]) > 1:
            break
        yield row
    yield from rows


def _pair(
    row: list[str], columns: tuple[int, int], width: int | None, delimiter: str
) -> Pair | str:
    if width and (reason := fit_row(row, width, delimiter)):
        return reason
    if len(row) <= max(columns):
        what = "tab" if delimiter == "\t" else f"{delimiter!r}"
        return f"no {what} between a source and a target"
    return join_lines(row[columns[0]]), join_lines(row[columns[1]])


def _make_pairs(place: str, rows: Iterator, make: Callable[[Any], Pair | str]) -> Read:
    rows = iter(rows)
    while True:
        numbers, made = [], []
        for number, row in islice(rows, LINES_AT_ONCE):
            numbers.append(number)
            made.append(row.kind if isinstance(row, BadLine) else make(row))
        if not numbers:
            return
        yield (place, place), numbers, made


def read_json_lines(path: str, languages: Languages, member: str | None = None) -> Read:
    """Reads an object with both sides a line."""
    place = path if member is None else f"{path}/{member}"
    objects = read_objects(path, member, or_whole=False)
    yield from _make_pairs(place, objects, _pair_maker(languages))


def read_json_list(path: str, languages: Languages) -> Read:
    """Reads objects with both sides, in a list or one a line."""
    yield from _make_pairs(path, read_objects(path), _pair_maker(languages))


def _pair_maker(languages: Languages) -> Callable[[dict | str], Pair | str]:
    """Returns a function from objects to pairs; the first object shows unknown languages."""
    names = list(languages) if all(languages) else []

    def pair(row: dict | str) -> Pair | str:
        if isinstance(row, str):
            return row
        inner = row.get("translation")
        texts = inner if isinstance(inner, dict) else row
        if not names:
            codes = [name for name in texts if texts is inner or name in _CODES]
            names.extend(codes[:2] if len(codes) > 1 else [])
        return _both(row, texts, names)

    return pair


def _both(row: dict, texts: dict, names: Sequence[str]) -> Pair | str:
    pair = [next((row[name] for name in side if name in row), None) for side in _SIDES]
    if None in pair and names:
        pair = [texts.get(name) for name in names]
    if not all(isinstance(text, str) for text in pair):
        return 'not an object with the texts "source" and "target"'
    return (pair[0], pair[1]) if all(map(is_text, pair)) else "not valid Unicode"


def read_zip(path: str, languages: Languages) -> Read:
    """Reads the one file of pairs in a zip file."""
    member = find_zip_member(path)
    is_json = member.lower().endswith((".jsonl", ".ndjson"))
    return (read_json_lines if is_json else read_table)(path, languages, member)


def read_aligned(source: str, target: str, _: Languages) -> Read:
    """Reads two files, whose lines of the same number are pairs.

    Raises:
        UserError: if the files have different numbers of lines.
    """
    sides, counts, first = (line_batches(source), line_batches(target)), [0, 0], 1
    while True:
        sources, targets = (next(side, []) for side in sides)
        counts = [counts[0] + len(sources), counts[1] + len(targets)]
        if len(sources) != len(targets):
            counts = [
                count + sum(map(len, side)) for count, side in zip(counts, sides, strict=True)
            ]
            raise UserError(
                f"{source} has {counts[0]:,} lines and {target} has {counts[1]:,}: line-aligned "
                "files must have as many."
            )
        if not sources:
            return
        numbers = range(first, first + len(sources))
        yield (source, target), numbers, list(zip(sources, targets, strict=True))
        first += len(sources)


class _Lines(str):
    """A text for polib, whose lines end as in a file: polib also splits lines at U+2028.

    It ends with a NUL, so that there is no file of this name, which polib would open.
    """

    def __new__(cls, text: str) -> "_Lines":
        return super().__new__(cls, text + "\n# \0")

    def splitlines(self, keepends: bool = False) -> list[str]:
        return list(_join_quotes(re.split("\r\n?|\n", self)))


def _join_quotes(lines: Iterable[str]) -> Iterator[str]:
    """Yields the lines of a catalogue with adjacent quotes joined, and without comments.

    For each line of a quote or a comment polib copies all lines of it before.
    """
    begin, quotes, count = "", [], 0
    for line in chain(lines, [""]):
        quote = _QUOTE.fullmatch(line)
        if quotes and (not quote or quote[1] != begin):
            yield from [""] * (count - 1)
            yield f'{begin} "{"".join(quotes)}"'
            quotes, count = [], 0
        if quote:
            begin = quote[1]
            quotes.append(quote[2])
            count += 1
        else:
            yield "" if _COMMENT.match(line) else line


_COMMENT = re.compile(r"\s*#(?![,~|])")
_QUOTE = re.compile(r'\s*((?:#~|#\|)?)\s*"(.*)"\s*', re.DOTALL)


def read_gettext(path: str, _: Languages) -> Read:
    """Reads a catalogue: the translated entries, with their plural forms."""
    import polib

    data = read_whole(path, _MAX_GETTEXT_BYTES)
    try:
        lines = _Lines(data.decode(_charset(data)))
        if _longest_run(lines) > _MAX_ENTRY_LINES:
            raise ValueError(f"an entry has more than {_MAX_ENTRY_LINES:,} lines")
        catalogue = polib.pofile(lines)
    except Exception as error:  # whatever polib stumbles over
        reason = str(error).split("\n")[0][:200]
        raise UserError(f"{path} is not a gettext file: {reason}.") from error
    numbers, rows = [], []
    for entry in catalogue.translated_entries():
        forms = sorted(entry.msgstr_plural.items())
        pairs = [(entry.msgid, entry.msgstr or (forms[0][1] if forms else ""))]
        if entry.msgid_plural and forms:
            pairs.append((entry.msgid_plural, forms[-1][1]))
        for pair in pairs:
            numbers.append(entry.linenum)
            texts = [" ".join(text.split("\n")).strip() for text in pair]
            rows.append((texts[0], texts[1]) if all(map(is_text, texts)) else "not valid Unicode")
    yield (path, path), numbers, rows


def _longest_run(text: _Lines) -> int:
    """Returns the length of the longest run of lines with a quote or a comment."""
    longest = run = 0
    for line in text.splitlines():
        run = run + 1 if line.lstrip()[:1] in ('"', "#") else 0
        longest = max(longest, run)
    return longest


def _charset(data: bytes) -> str:
    head = data.partition(b"charset=")[2][:40]
    name = head.split(b"\\n")[0].split(b'"')[0].decode("ascii", "replace")
    return name if name and name != "CHARSET" else "utf-8-sig"
