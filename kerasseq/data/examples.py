"""Examples that are files with texts: recordings with transcripts, pictures with captions."""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np

from kerasseq.data.corpus import Corpus, digest
from kerasseq.data.problems import Problems
from kerasseq.errors import UserError
from kerasseq.printable import is_text

# Bad lines after which a list is given up, if less than one line of a hundred is good.
_MAX_BAD_LINES = 100_000


class Example(Protocol):
    """A file, or a part of a file, and its texts.

    Attributes:
        path: the file.
        texts: the transcript, or the captions.
        place: the list that names the file.
        line: the line of the list, from 1.
        kind: the name of one example, for messages: "recording".
    """

    path: str
    texts: tuple[str, ...]
    place: str
    line: int
    kind: str

    def reason_against(self) -> str | None:
        """Returns what is wrong with the example, as far as it shows without the file."""

    def stamp(self) -> str:
        """Returns the text that enters the fingerprint, besides the file."""

    def read(self, *options: Any) -> np.ndarray:
        """Decodes the file."""


E = TypeVar("E", bound=Example)

Entries = Iterator[tuple[str, int, E | str]]
"""(place, line, example) of each entry of a list; a text instead says what is wrong with it."""


class Examples(Corpus[E]):
    """Recordings or pictures that can be read again and again; the base of their corpora.

    A subclass implements `__iter__` and `fingerprint`.

    Example:

    >>> from kerasseq.data import Examples, Recording
    >>> class TwoWords(Examples):
    ...     example = "recording"
    ...     def __iter__(self):
    ...         yield Recording("one.wav", "one", place="list.tsv", line=1)
    ...         yield Recording("two.wav", "two", place="list.tsv", line=2)
    >>> corpus = TwoWords()
    >>> list(corpus.texts())
    ['one', 'two']
    >>> second = corpus.subset(lambda example: example.line == 2, "the second")
    >>> [example.path for example in second]
    ['two.wav']
    """

    groups_text = "in {:,} files"

    def texts(self) -> Iterator[str]:
        """Yields the texts of all examples."""
        for example in self:
            yield from example.texts

    @contextlib.contextmanager
    def reader(self, *options: Any) -> Iterator[Callable[[E], np.ndarray]]:
        """Returns a context with a function that decodes an example.

        Several threads may call the function at the same time. It raises a `FileError` for an
        example that cannot be used.

        Args:
            options: as in `Recording.read` or `Captioned.read`.
        """
        yield lambda example: example.read(*options)

    @staticmethod
    def group(example: E) -> str:
        """Returns the path, so that all parts of a file stay together."""
        return example.path

    def subset(self, keep: Callable[[E], bool], name: str) -> "Examples[E]":
        """Returns the examples for which `keep` is true; see `Corpus.subset`."""
        return _Subset(self, keep, name)


class _Subset(Examples[E]):
    def __init__(self, corpus: Examples[E], keep: Callable[[E], bool], name: str):
        super().__init__()
        self._corpus, self._keep, self._name = corpus, keep, name
        self.example = corpus.example

    def __iter__(self) -> Iterator[E]:
        yield from filter(self._keep, self._corpus)
        self.problems = self._corpus.problems

    def fingerprint(self) -> str:
        return digest([self._corpus.fingerprint(), self._name])

    def reader(self, *options: Any):
        return self._corpus.reader(*options)


class ListedExamples(Examples[E]):
    """The examples of lists, which are read when the first example is asked for.

    Entries that cannot be used are left out and counted in `problems`: lines that name no
    example, empty texts and missing files. Errors inside a file show when it is decoded.

    Args:
        entries: returns an iterator over the entries of the lists.
        lists: the files that have the entries, for the fingerprint.
        name: the name of the corpus, for messages.
        example: the name of one example, for messages.

    Example:

    >>> from pathlib import Path
    >>> from kerasseq.data import ListedExamples, Recording
    >>> Path("one.wav").touch()
    >>> def entries():
    ...     yield "list.txt", 1, Recording("one.wav", "one", "list.txt", 1)
    ...     yield "list.txt", 2, Recording("two.wav", "two", "list.txt", 2)
    ...     yield "list.txt", 3, "no path and text"
    >>> corpus = ListedExamples(entries, [], "list.txt", "recording")
    >>> [example.text for example in corpus]
    ['one']
    >>> print(corpus.problems)
    2 left out: 1 × there is no such recording, 1 × no path and text
      list.txt:2: there is no such recording (two.wav)
      list.txt:3: no path and text
    """

    def __init__(
        self,
        entries: Callable[[], Entries[E]],
        lists: Sequence[str | os.PathLike],
        name: str,
        example: str,
    ):
        super().__init__()
        self._entries, self._lists = entries, list(map(os.fspath, lists))
        self._name, self.example = name, example
        self._index: tuple[list[E], str] | None = None

    def __iter__(self) -> Iterator[E]:
        return iter(self._read_once()[0])

    def fingerprint(self) -> str:
        return self._read_once()[1]

    def _read_once(self) -> tuple[list[E], str]:
        """Returns the examples and their fingerprint."""
        if self._index is None:
            examples: list[E] = []
            self.problems = Problems()
            fingerprint = digest(self._read(examples))
            self._index = examples, fingerprint
        return self._index

    def _read(self, examples: list[E]) -> Iterator[str]:
        """Appends the examples to a list, and yields the texts of the fingerprint."""
        problems = self.problems
        for path in self._lists:
            yield file_stamp(path)
        for place, line, entry in self._entries():
            if isinstance(entry, str):
                problems.add(place, line, entry)
            elif isinstance(status := _file_status(entry), str):
                problems.add(place, line, status, entry.path)
            else:
                examples.append(entry)
                yield f"{file_stamp(entry.path, status)} {entry.stamp()}"
            if len(problems) > max(_MAX_BAD_LINES, 100 * len(examples)):
                examples.clear()
                break
        if not examples:
            raise no_entries(self._name, problems)


def file_stamp(path: str, status: os.stat_result | None = None) -> str:
    """Returns the path, the size and the time of the latest change of a file."""
    status = status or os.stat(path)
    return f"{os.path.abspath(path)} {status.st_size} {status.st_mtime_ns}"


def no_entries(name: str, problems: Problems, before: int = 0) -> UserError:
    """Returns the error that a list has no entry that can be used.

    Args:
        before: the number of problems that are of other lists.
    """
    what = "nothing but bad lines" if len(problems) > before else "nothing in it"
    return UserError("\n  ".join([f"{name}: there is {what}.", *problems.named]))


def _file_status(example: Example) -> os.stat_result | str:
    """Returns the status of an example's file, or what is wrong with the example."""
    if reason := example.reason_against():
        return reason
    if not all(map(is_text, example.texts)):
        return "not valid Unicode"
    try:
        status = os.stat(example.path)
    except (OSError, ValueError):
        return f"there is no such {example.kind}"
    return status if stat.S_ISREG(status.st_mode) else "not a file"
