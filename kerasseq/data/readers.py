"""Users' own files as a corpus of pairs."""

import json
import os
import re
from collections.abc import Iterator, Sequence

import polib

from kerasseq.data.corpus import Chunk, Corpus, Problems, digest
from kerasseq.data.files import check_file, line_batches, plain_name, read_whole, zip_member
from kerasseq.errors import UserError

SIDES = ("source", "target")
PAIR_FORMATS = {
    ".tsv": "tabs",
    ".tab": "tabs",
    ".jsonl": "json",
    ".ndjson": "json",
    ".po": "po",
    ".zip": "zip",
}


class FileCorpus(Corpus):
    r"""The pairs in files, told apart by their names.

    - `.tsv`, `.tab`: source, a tab, target; further columns are ignored.
    - `.jsonl`, `.ndjson`: an object with the texts "source" and "target" a line.
    - `.po`: gettext; entries that are fuzzy, obsolete or not translated do not count.
    - `.zip`: one tab-separated (`.tsv`, `.tab`, `.txt`) or JSON-lines file in it.
    - two files with other names: line-aligned, the source's and the target's.
    - one `.txt` alone: tab-separated.

    Each but a `.zip` may be gzipped, with `.gz` after its name. Several files that hold pairs by
    themselves are read one after the other. Text is UTF-8. What cannot be used is left out and
    counted in `problems`.

    Args:
        files: the paths.
        limit: characters on one side at most.
        swap: whether the files have the target first.

    Raises:
        UserError: at once, if a file is missing or its name tells no format; while reading, if
            a file is damaged, has no usable pair, or its partner has another number of lines.
    """

    def __init__(
        self, files: Sequence[str | os.PathLike], limit: int = 10_000, *, swap: bool = False
    ):
        super().__init__()
        self.files = [os.fspath(file) for file in files]
        for file in self.files:
            check_file(file)
        self.limit, self.swap = limit, swap
        self._parts = _parts(self.files)

    def chunks(self) -> Iterator[Chunk]:
        problems = self.problems = Problems()
        for read, paths in self._parts:
            usable, before = 0, len(problems)
            for places, numbers, rows in read(*paths):
                chunk = self._usable(places, numbers, rows, problems)
                usable += len(chunk.lines)
                if chunk.lines:
                    yield chunk
            if not usable:
                what = "nothing but bad lines" if len(problems) > before else "nothing in it"
                raise UserError(
                    "\n  ".join([f"{' and '.join(paths)}: there is {what}.", *problems.named])
                )

    def _usable(self, places, numbers, rows, problems):
        sources, targets, lines = [], [], []
        limit = self.limit
        for number, row in zip(numbers, rows, strict=True):
            if isinstance(row, str):
                problems.add(places[0], number, row)
                continue
            source, target = row
            if not source or not target or source.isspace() or target.isspace():
                side = 0 if not source or source.isspace() else 1
                kind = "not valid UTF-8" if row[side] is None else f"the {SIDES[side]} is empty"
                problems.add(places[side], number, kind)
            elif len(source) > limit or len(target) > limit:
                side = 0 if len(source) > limit else 1
                problems.add(places[side], number, f"longer than {limit:,} characters")
            else:
                sources.append(source)
                targets.append(target)
                lines.append(number)
        if self.swap:
            sources, targets = targets, sources
        return Chunk(sources, targets, places[0], lines)

    def fingerprint(self) -> str:
        stats = [(os.path.abspath(file), os.stat(file)) for file in self.files]
        names = [f"{path} {stat.st_size} {stat.st_mtime_ns}" for path, stat in stats]
        return digest([*names, f"limit {self.limit} swap {self.swap}"])


def _parts(files):
    formats = [PAIR_FORMATS.get(os.path.splitext(plain_name(file))[1]) for file in files]
    if files and all(formats):
        readers = {"tabs": _tabs, "json": _json_lines, "po": _po, "zip": _zip}
        return [(readers[kind], (file,)) for kind, file in zip(formats, files, strict=True)]
    known = ", ".join(PAIR_FORMATS)
    if any(formats):
        odd = files[formats.index(None)]
        raise UserError(
            f"{odd} holds one side alone and cannot stand beside files of pairs; give either "
            f"two line-aligned files or files of pairs ({known})."
        )
    if len(files) == 1 and plain_name(files[0]).endswith(".txt"):
        return [(_tabs, tuple(files))]
    if len(files) == 2:
        if os.path.samefile(*files):
            raise UserError(f"{files[0]} is given both as source and as target.")
        return [(_aligned, tuple(files))]
    got = f"{files[0]} alone" if len(files) == 1 else f"{len(files)} files"
    raise UserError(
        f"{got} cannot be read as pairs: give two line-aligned files, SOURCE TARGET, or files "
        f"whose names end in one of {known}, .gz after it or not."
    )


# Each reader yields (both sides' places, line numbers, rows). A row is a pair, where None is a
# side that is not UTF-8, or else a text that says what is wrong with the line.


def _numbered(path, member=None):
    first = 1
    for lines in line_batches(path, member):
        yield range(first, first + len(lines)), lines
        first += len(lines)


def _tabs(path, member=None):
    place = path if member is None else f"{path}/{member}"
    for numbers, lines in _numbered(path, member):
        yield (place, place), numbers, [_columns(line) for line in lines]


def _columns(line):
    if line is None:
        return "not valid UTF-8"
    columns = line.split("\t", 2)
    return columns[:2] if len(columns) > 1 else "no tab between a source and a target"


def _json_lines(path, member=None):
    place = path if member is None else f"{path}/{member}"
    for numbers, lines in _numbered(path, member):
        yield (place, place), numbers, [_object(line) for line in lines]


def _object(line):
    if line is None:
        return "not valid UTF-8"
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return "not JSON"
    pair = (row.get("source"), row.get("target")) if isinstance(row, dict) else ()
    if not pair or not all(isinstance(text, str) for text in pair):
        return 'not an object with the texts "source" and "target"'
    # Half of a surrogate pair, which JSON can spell, is no character.
    return pair if all(map(_is_text, pair)) else "not valid Unicode"


def _is_text(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _zip(path):
    member = zip_member(path)
    json_lines = member.lower().endswith((".jsonl", ".ndjson"))
    return (_json_lines if json_lines else _tabs)(path, member)


def _aligned(source, target):
    sides, counts = (_numbered(source), _numbered(target)), [0, 0]
    while True:
        (numbers, sources), (_, targets) = (next(side, (range(0), [])) for side in sides)
        counts = [counts[0] + len(sources), counts[1] + len(targets)]
        if len(sources) != len(targets):
            counts = [
                count + sum(len(lines) for _, lines in side)
                for count, side in zip(counts, sides, strict=True)
            ]
            raise UserError(
                f"{source} has {counts[0]:,} lines and {target} has {counts[1]:,}: line-aligned "
                "files must have as many."
            )
        if not sources:
            return
        yield (source, target), numbers, zip(sources, targets, strict=True)


class _Lines(str):
    """Text whose lines end as those of a file do; for polib, U+2028 and the like do it too."""

    def splitlines(self, keepends=False):
        return re.split("\r\n?|\n", self)


def _po(path):
    data = read_whole(path)
    try:
        catalogue = polib.pofile(_Lines(data.decode(_charset(data))))
    except (OSError, ValueError, LookupError, IndexError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not a gettext file: {error}.") from error
    numbers, rows = [], []
    for entry in catalogue.translated_entries():
        forms = sorted(entry.msgstr_plural.items())
        pairs = [(entry.msgid, entry.msgstr or (forms[0][1] if forms else ""))]
        if entry.msgid_plural and forms:
            pairs.append((entry.msgid_plural, forms[-1][1]))
        for pair in pairs:
            numbers.append(entry.linenum)
            rows.append(tuple(" ".join(text.split("\n")).strip() for text in pair))
    yield (path, path), numbers, rows


def _charset(data):
    head = data.partition(b"charset=")[2][:40]
    name = head.split(b"\\n")[0].split(b'"')[0].decode("ascii", "replace")
    return name if name and name != "CHARSET" else "utf-8-sig"
