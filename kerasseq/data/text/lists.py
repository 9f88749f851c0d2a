"""Files of pairs that users have."""

import os
from collections.abc import Callable, Iterator

from kerasseq.data.corpus import digest
from kerasseq.data.examples import file_stamp, no_entries
from kerasseq.data.files import Paths, check_file, paths_of, plain_name
from kerasseq.data.lists.lines import BadLine
from kerasseq.data.problems import Problems
from kerasseq.data.text import formats
from kerasseq.data.text.corpus import Chunk, PairCorpus
from kerasseq.errors import UserError

SIDES = ("source", "target")
PAIR_FORMATS = {
    ".tsv": formats.read_table,
    ".tab": formats.read_table,
    ".csv": formats.read_table,
    ".jsonl": formats.read_json_lines,
    ".ndjson": formats.read_json_lines,
    ".json": formats.read_json_list,
    ".po": formats.read_gettext,
    ".zip": formats.read_zip,
}


class FileCorpus(PairCorpus):
    r"""The pairs in files, whose names say their format.

    | files | format |
    | --- | --- |
    | `.tsv`, `.tab`, one `.txt` | source, a tab, target; further columns are ignored |
    | `.csv` | the same with commas or semicolons |
    | `.jsonl`, `.ndjson` | an object a line |
    | `.json` | a list of objects |
    | `.po` | gettext, without entries that are fuzzy, obsolete or not translated |
    | `.zip` | one table or JSON-lines file in it |
    | two files with other names | line-aligned: one has the sources, one the targets |

    The first line of a table can name the columns: "source" and "target", or codes of languages.
    Cells can be in quotes. An object has the texts "source" and "target", or a "translation" with a
    text for each language.

    All files but a `.zip` can be gzipped, with `.gz` after the name. Several files of pairs are
    read one after the other. Text is UTF-8 or UTF-16. Entries that cannot be used are left out and
    counted in `problems`.

    Args:
        files: a path, or several.
        limit: the most characters of a text.
        swap: whether the target comes first in the files.
        languages: the codes of the source and the target language, which can name the columns.

    Raises:
        UserError: at once, if a file is missing or its name says no format; while reading, if a
            file is damaged or has no usable pair, or if line-aligned files have different numbers
            of lines.

    Example:

    >>> from pathlib import Path
    >>> from kerasseq.data import FileCorpus
    >>> Path("pairs.tsv").write_text("en\tde\none\teins\ntwo\n")
    19
    >>> corpus = FileCorpus("pairs.tsv", languages=("de", "en"))
    >>> list(corpus)
    [('eins', 'one')]
    >>> print(corpus.problems)
    1 left out: 1 × no tab between a source and a target
      pairs.tsv:3: no tab between a source and a target
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
        self._readers = _choose_readers(self.files)

    def chunks(self) -> Iterator[Chunk]:
        problems = self.problems = Problems()
        for read, paths in self._readers:
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


def _choose_readers(files: list[str]) -> list[tuple[Callable, tuple[str, ...]]]:
    """Returns the functions that read the files, each with its files."""
    readers = [PAIR_FORMATS.get(os.path.splitext(plain_name(file))[1]) for file in files]
    if files and all(readers):
        return [(read, (file,)) for read, file in zip(readers, files, strict=True)]
    known = ", ".join(PAIR_FORMATS)
    if any(readers):
        odd = files[readers.index(None)]
        raise UserError(
            f"{odd} holds one side alone and cannot stand beside files of pairs; give either "
            f"two line-aligned files or files of pairs ({known})."
        )
    if len(files) == 1 and plain_name(files[0]).endswith(".txt"):
        return [(formats.read_table, tuple(files))]
    if len(files) == 2:
        if os.path.samefile(*files):
            raise UserError(f"{files[0]} is given both as source and as target.")
        return [(formats.read_aligned, tuple(files))]
    got = f"{files[0]} alone" if len(files) == 1 else f"{len(files)} files"
    raise UserError(
        f"{got} cannot be read as pairs: give two line-aligned files, SOURCE TARGET, or files "
        f"whose names end in one of {known}, .gz after it or not."
    )
