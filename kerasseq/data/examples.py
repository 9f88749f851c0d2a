"""Examples that are files with what is written of them: lists to be read again and again."""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from kerasseq.data.corpus import Problems, digest, part_size, text_hash
from kerasseq.errors import UserError
from kerasseq.printable import is_text


class Example(Protocol):
    """A file, or a part of it, and what is written of it.

    Attributes:
        path: the file.
        texts: the transcript, or the captions.
        place: the list that names it, and
        line: where, from 1.
        what: many of them are called, and
        one: of them.
    """

    path: str
    texts: tuple[str, ...]
    place: str
    line: int
    what: str
    one: str

    def wrong(self) -> str | None:
        """What is wrong with it, as far as that shows without the file."""

    def stamp(self) -> str:
        """What of it a fingerprint counts, beside the file."""

    def read(self, *how: Any) -> np.ndarray:
        """Decode the file."""


E = TypeVar("E", bound=Example)


class Examples(Generic[E]):
    """Examples that can be gone through again and again.

    Attributes:
        problems: what was left out.
    """

    def __init__(self):
        self.problems = Problems()

    def __iter__(self) -> Iterator[E]:
        raise NotImplementedError

    def texts(self) -> Iterator[str]:
        """What is written of all examples."""
        for example in self:
            yield from example.texts

    def fingerprint(self) -> str:
        """A digest that changes when the examples do."""
        raise NotImplementedError

    @contextlib.contextmanager
    def reader(self, *how: Any) -> Iterator[Callable[[E], np.ndarray]]:
        """A function that decodes an example, for as long as the context lasts.

        Threads may call it side by side. An example that cannot be used is a `FileError`.

        Args:
            how: as `Recording.read` or `Captioned.read` has it.
        """
        yield lambda example: example.read(*how)


class ListedExamples(Examples[E]):
    """The examples that a reader of lists finds: read once, when they are first asked for.

    What cannot be used is left out and counted in `problems`: a line that is none, an empty text,
    a missing file. What is wrong inside a file shows when it is decoded.

    Args:
        rows: gives (place, line, example), or in the example's stead a text that says what is
            wrong with the line.
        lists: the files that the rows come from, for the fingerprint.
        name: what is read, for the errors.
    """

    def __init__(
        self,
        rows: Callable[[], Iterator[tuple[str, int, E | str]]],
        lists: Sequence[str | os.PathLike],
        name: str,
    ):
        super().__init__()
        self._rows, self._lists, self._name = rows, list(map(os.fspath, lists)), name
        self._read: tuple[list[E], str] | None = None

    def __iter__(self) -> Iterator[E]:
        return iter(self._index()[0])

    def fingerprint(self) -> str:
        return self._index()[1]

    def _index(self) -> tuple[list[E], str]:
        """The examples and their fingerprint."""
        if self._read is None:
            examples: list[E] = []
            self.problems = Problems()
            fingerprint = digest(self._stamps(examples))
            self._read = examples, fingerprint
        return self._read

    def _stamps(self, examples: list[E]) -> Iterator[str]:
        """Read the examples; gives what the fingerprint counts of the lists and of each."""
        problems = self.problems
        for path in self._lists:
            yield _stamp(path, os.stat(path))
        for place, line, row in self._rows():
            if isinstance(row, str):
                problems.add(place, line, row)
            elif isinstance(found := _usable(row), str):
                problems.add(place, line, found, row.path)
            else:
                examples.append(row)
                yield f"{_stamp(row.path, found)} {row.stamp()}"
            if len(problems) > max(_HOPELESS, 100 * len(examples)):
                examples.clear()
                break
        if not examples:
            what = "nothing but bad lines" if len(problems) else "nothing in it"
            raise UserError("\n  ".join([f"{self._name}: there is {what}.", *problems.named]))


_HOPELESS = 100_000
"""Bad lines after which a list in which not one of a hundred is good is none."""


def _usable(example: Example) -> os.stat_result | str:
    """What the system says of an example's file, or what is wrong with the example."""
    if wrong := example.wrong():
        return wrong
    if not all(map(is_text, example.texts)):
        return "not valid Unicode"
    try:
        found = os.stat(example.path)
    except (OSError, ValueError):
        return f"there is no such {example.one}"
    return found if stat.S_ISREG(found.st_mode) else "not a file"


def _stamp(path: str, found: os.stat_result) -> str:
    return f"{os.path.abspath(path)} {found.st_size} {found.st_mtime_ns}"


class Part(Examples[E]):
    """The examples of a corpus that a rule keeps.

    Args:
        keep: the rule.
        name: tells this part of the corpus from others.
    """

    def __init__(self, corpus: Examples[E], keep: Callable[[E], bool], name: str):
        super().__init__()
        self._corpus, self._keep, self._name = corpus, keep, name

    def __iter__(self) -> Iterator[E]:
        yield from filter(self._keep, self._corpus)
        self.problems = self._corpus.problems

    def fingerprint(self) -> str:
        return digest([self._corpus.fingerprint(), self._name])

    def reader(self, *how: Any):
        return self._corpus.reader(*how)


def cut_off(
    corpus: Examples[E],
    size: int | float,
    group: Callable[[E], str] = lambda example: example.path,
    seed: int = 0,
    least: int = 0,
) -> tuple[Part[E], Part[E]]:
    """Cut (rest, part) of a corpus so that no group is in both.

    The part depends on the groups and the seed, not on their order.

    Args:
        size, least: examples in the part, as `part_size` has it. As a group stays together,
            the part has this many or, by one group, more.
        group: what stays together: by default the parts of a file; a speaker, say.
        seed: of the hash by which groups are drawn.

    Raises:
        UserError: the corpus has fewer than two groups, or not more than `size` examples.
    """
    hash_of = text_hash(seed)
    hashes = np.fromiter((hash_of(group(example)) for example in corpus), np.uint64)
    values, counts = np.unique(hashes, return_counts=True)
    wanted = part_size(size, len(hashes), least)
    if len(values) < 2 or wanted >= len(hashes):
        what = next((example.what for example in corpus), "examples")
        raise UserError(
            f"{wanted:,} {what} cannot be held out of {len(hashes):,} in {len(values):,} "
            "files; give a validation set of its own."
        )
    last = min(int(np.searchsorted(np.cumsum(counts), wanted)), len(values) - 2)
    cut, name = int(values[last]), f"{size} {seed}"

    def is_part(example: E) -> bool:
        return hash_of(group(example)) <= cut

    rest = Part(corpus, lambda example: not is_part(example), f"rest {name}")
    return rest, Part(corpus, is_part, f"part {name}")
