"""Pairs of texts that can be read again and again."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress
from typing import NamedTuple

from kerasseq.data.corpus import Corpus, digest
from kerasseq.data.parallel import batched
from kerasseq.data.problems import Problems
from kerasseq.printable import is_text

PAIRS_AT_ONCE = 8192

Pair = tuple[str, str]


class Chunk(NamedTuple):
    """Some pairs of a corpus, in order, and where each of them stands.

    Attributes:
        source: n texts.
        target: n texts.
        place: the file.
        lines: n line numbers, from 1.
    """

    source: list[str]
    target: list[str]
    place: str
    lines: Sequence[int]

    def select(self, mask: Iterable[bool]) -> "Chunk":
        """Returns the pairs where `mask` is true."""
        mask = list(mask)
        source, target, lines = (
            list(compress(values, mask)) for values in (self.source, self.target, self.lines)
        )
        return Chunk(source, target, self.place, lines)


class PairCorpus(Corpus[Pair]):
    """(source, target) pairs of texts; the base of all corpora of pairs.

    A subclass implements `chunks` and `fingerprint`.

    Example:

    >>> from kerasseq.data import ListCorpus, PairCorpus
    >>> corpus = ListCorpus([("one", "eins"), ("two", "zwei")])
    >>> isinstance(corpus, PairCorpus)
    True
    >>> short = corpus.subset(lambda pair: pair[0] == "two", "the second")
    >>> list(short)
    [('two', 'zwei')]
    """

    example, groups_text = "pair", "with {:,} different sources"

    def chunks(self) -> Iterator[Chunk]:
        """Yields the pairs, some thousands at a time."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Pair]:
        for chunk in self.chunks():
            yield from zip(chunk.source, chunk.target, strict=True)

    @staticmethod
    def group(example: Pair) -> str:
        """Returns the source, so that pairs of equal sources stay together."""
        return example[0]

    def subset(self, keep: Callable[[Pair], bool], name: str) -> "PairCorpus":
        """Returns the pairs for which `keep` is true; see `Corpus.subset`."""
        return _Subset(self, keep, name)


class _Subset(PairCorpus):
    def __init__(self, corpus: PairCorpus, keep: Callable[[Pair], bool], name: str):
        super().__init__()
        self._corpus, self._keep, self._name = corpus, keep, name

    def chunks(self) -> Iterator[Chunk]:
        for chunk in self._corpus.chunks():
            some = chunk.select(map(self._keep, zip(chunk.source, chunk.target, strict=True)))
            if some.lines:
                yield some
            self.problems = self._corpus.problems

    def fingerprint(self) -> str:
        return digest([self._corpus.fingerprint(), self._name])


class ListCorpus(PairCorpus):
    """Pairs that are in memory; entries that are no pairs of texts are counted in `problems`.

    Args:
        pairs: (source, target) texts.
        name: stands in the place of a file name in messages.

    Example:

    >>> from kerasseq.data import ListCorpus
    >>> corpus = ListCorpus([("one", "eins"), ("two", None), ("three", "drei")])
    >>> list(corpus)
    [('one', 'eins'), ('three', 'drei')]
    >>> print(corpus.problems)
    1 left out: 1 × not a pair of texts
      pairs:2: not a pair of texts
    """

    def __init__(self, pairs: Iterable[Pair], name: str = "pairs"):
        super().__init__()
        self._pairs = pairs if isinstance(pairs, Sequence) else list(pairs)
        self._name = name

    def chunks(self) -> Iterator[Chunk]:
        problems = self.problems = Problems()
        for some in batched(enumerate(self._pairs, 1), PAIRS_AT_ONCE):
            good = []
            for number, pair in some:
                if reason := _reason_against(pair):
                    problems.add(self._name, number, reason)
                else:
                    good.append((number, *pair))
            if good:
                lines, source, target = map(list, zip(*good, strict=True))
                yield Chunk(source, target, self._name, lines)

    def fingerprint(self) -> str:
        return digest(repr(pair) for pair in self._pairs)


def _reason_against(pair: object) -> str:
    """Returns what is wrong with a pair of texts, or an empty text."""
    sides = [] if isinstance(pair, str) or not isinstance(pair, Iterable) else list(pair)
    if [isinstance(side, str) for side in sides] != [True, True]:
        return "not a pair of texts"
    return "" if all(map(is_text, sides)) else "not valid Unicode"
