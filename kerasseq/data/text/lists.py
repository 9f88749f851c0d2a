"""Users' own files as a corpus of pairs."""

import os
from collections.abc import Iterator

from kerasseq.data.corpus import digest
from kerasseq.data.examples import file_stamp, no_entries
from kerasseq.data.files import Paths, check_file, paths_of, plain_name
from kerasseq.data.lines import BadLine
from kerasseq.data.problems import Problems
from kerasseq.data.text import formats
from kerasseq.data.text.corpus import Chunk, PairCorpus
from kerasseq.errors import UserError

SIDES = ("source", "target")
PAIR_FORMATS = {
    ".tsv": "table",
    ".tab": "table",
    ".csv": "table",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json list",
    ".po": "po",
    ".zip": "zip",
}


class FileCorpus(PairCorpus):
    r"""The pairs in files, told apart by their names.

    - `.tsv`, `.tab`: source, a tab, target; further columns are ignored. `.csv`: with commas or
      semicolons. A first line may name the columns: "source" and "target", or codes of languages.
      Cells may be in quotes.
    - `.jsonl`, `.ndjson`: an object a line with the texts "source" and "target", or with a
      "translation" that has a text for each language. `.json`: such objects in a list.
    - `.po`: gettext; entries that are fuzzy, obsolete or not translated do not count.
    - `.zip`: one table (`.tsv`, `.tab`, `.csv`, `.txt`) or JSON-lines file in it.
    - two files with other names: line-aligned, the source's and the target's.
    - one `.txt` alone: tab-separated.

    Each but a `.zip` may be gzipped, with `.gz` after its name. Several files that hold pairs by
    themselves are read one after the other. Text is UTF-8 or UTF-16. What cannot be used is left
    out and counted in `problems`.

    Args:
        files: a path, or several.
        limit: characters on one side at most.
        swap: whether the files have the target first.
        languages: the codes of the source's and the target's, by which columns may be named.

    Raises:
        UserError: at once, if a file is missing or its name tells no format; while reading, if
            a file is damaged, has no usable pair, or its partner has another number of lines.
    """

    def __init__(
        self,
        files: Paths,
        limit: int = 10_000,
        *,
        swap: bool = False,
        languages: tuple[str, str] = ("", ""),
    ):
        super().__init__()
        self.files = paths_of(files)
        for file in self.files:
            check_file(file)
        self.limit, self.swap, self._languages = limit, swap, languages
        self._parts = _parts(self.files)

    def chunks(self) -> Iterator[Chunk]:
        problems = self.problems = Problems()
        for read, paths in self._parts:
            usable, before = 0, len(problems)
            for places, numbers, rows in read(*paths, self._languages):
                chunk = self._usable(places, numbers, rows, problems)
                usable += len(chunk.lines)
                if chunk.lines:
                    yield chunk
            if not usable:
                raise no_entries(" and ".join(paths), problems, before)

    def _usable(self, places, numbers, rows, problems):
        sources, targets, lines = [], [], []
        limit = self.limit
        for number, row in zip(numbers, rows, strict=True):
            if isinstance(row, str):
                problems.add(places[0], number, row)
                continue
            source, target = row
            if isinstance(source, BadLine) or isinstance(target, BadLine):
                side = 0 if isinstance(source, BadLine) else 1
                problems.add(places[side], number, row[side].kind)
            elif not source or not target or source.isspace() or target.isspace():
                side = 0 if not source or source.isspace() else 1
                problems.add(places[side], number, f"the {SIDES[side]} is empty")
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
        languages = f" languages {self._languages}" if any(self._languages) else ""
        return digest(
            [*map(file_stamp, self.files), f"limit {self.limit} swap {self.swap}{languages}"]
        )


def _parts(files):
    kinds = [PAIR_FORMATS.get(os.path.splitext(plain_name(file))[1]) for file in files]
    if files and all(kinds):
        readers = {
            "table": formats.table,
            "json": formats.json_lines,
            "json list": formats.json_list,
            "po": formats.gettext,
            "zip": formats.zipped,
        }
        return [(readers[kind], (file,)) for kind, file in zip(kinds, files, strict=True)]
    known = ", ".join(PAIR_FORMATS)
    if any(kinds):
        odd = files[kinds.index(None)]
        raise UserError(
            f"{odd} holds one side alone and cannot stand beside files of pairs; give either "
            f"two line-aligned files or files of pairs ({known})."
        )
    if len(files) == 1 and plain_name(files[0]).endswith(".txt"):
        return [(formats.table, tuple(files))]
    if len(files) == 2:
        if os.path.samefile(*files):
            raise UserError(f"{files[0]} is given both as source and as target.")
        return [(formats.aligned, tuple(files))]
    got = f"{files[0]} alone" if len(files) == 1 else f"{len(files)} files"
    raise UserError(
        f"{got} cannot be read as pairs: give two line-aligned files, SOURCE TARGET, or files "
        f"whose names end in one of {known}, .gz after it or not."
    )
