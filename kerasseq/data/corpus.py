"""What a corpus is: examples that can be read again and again."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, Self, TypeVar

from kerasseq.data.problems import Problems

E = TypeVar("E")


class Corpus(Generic[E]):
    """Examples that can be read again and again, lazily: the base of all corpora.

    A pair of texts, a recording and a captioned picture are examples.

    Attributes:
        problems: the entries that the latest reading left out.
        example: the name of one example, for messages.
        groups_text: says how many groups of examples there are, for the messages of `holdout`.

    Example:

    >>> from kerasseq.data import Corpus
    >>> class Counting(Corpus):
    ...     def __iter__(self):
    ...         yield from [("one", "eins"), ("two", "zwei")]
    >>> corpus = Counting()
    >>> [source for source, target in corpus]
    ['one', 'two']
    """

    example = "example"
    groups_text = "in {:,} groups"

    def __init__(self):
        self.problems = Problems()

    def __iter__(self) -> Iterator[E]:
        raise NotImplementedError

    def fingerprint(self) -> str:
        """Returns a digest that changes when the examples change."""
        raise NotImplementedError

    @staticmethod
    def group(example: Any) -> str:
        """Returns a text that is equal for examples that no split may separate."""
        raise NotImplementedError

    def subset(self, keep: Callable[[E], bool], name: str) -> Self:
        """Returns the examples for which `keep` is true.

        Args:
            keep: tells whether an example belongs to the subset.
            name: distinguishes this subset from other subsets of the corpus.
        """
        raise NotImplementedError


def digest(texts: Iterable[str]) -> str:
    """Returns the SHA-256 of texts, in hexadecimal; it depends on where each text ends."""
    state = hashlib.sha256()
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        state.update(len(encoded).to_bytes(8, "little") + encoded)
    return state.hexdigest()
