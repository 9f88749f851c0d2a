"""Pairs of texts that can be read again and again, and cutting a part of them off."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from kerasseq.errors import UserError
from kerasseq.printable import is_text, printable

CHUNK = 8192
LEAST = 20
"""Examples that a validation part should have, if that is not more than a fifth of all."""

NAMED = 5
_HASHES = 1 << 64


class Chunk(NamedTuple):
    """Some pairs of a corpus, in order, and where each came from.

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

    def take(self, indices: Sequence[int]) -> "Chunk":
        """The pairs at `indices`."""
        source, target, place, lines = self
        return Chunk(
            [source[i] for i in indices],
            [target[i] for i in indices],
            place,
            [lines[i] for i in indices],
        )


class Problems:
    """What was left out: how many of each kind, and the first few by name.

    Attributes:
        counts: kind to number of pairs.
        named: the first few, as "file:line: what is wrong".
    """

    def __init__(self):
        self.counts: Counter[str] = Counter()
        self.named: list[str] = []

    def add(self, place: str, line: int, kind: str, detail: str = "") -> None:
        """Count one pair; `detail` is for those that are named."""
        self.counts[kind] += 1
        if len(self.named) < NAMED:
            self.named.append(printable(f"{place}:{line}: {kind}{detail and f' ({detail})'}"))

    def merge(self, other: "Problems") -> None:
        """Count another's too; of all that have names, the first few keep theirs."""
        self.counts.update(other.counts)
        self.named = (self.named + other.named)[:NAMED]

    def to_dict(self) -> dict:
        """What JSON can hold."""
        return {"counts": dict(self.counts), "named": self.named}

    @classmethod
    def from_dict(cls, state: dict) -> "Problems":
        """What `to_dict` gave."""
        problems = cls()
        problems.counts, problems.named = Counter(state["counts"]), list(state["named"])
        return problems

    def __len__(self) -> int:
        return self.counts.total()

    def __str__(self) -> str:
        kinds = ", ".join(f"{count:,} × {kind}" for kind, count in self.counts.most_common())
        rest = len(self) - len(self.named)
        lines = [f"{len(self):,} left out: {kinds}", *self.named]
        return "\n  ".join(lines + [f"and {rest:,} more"] * bool(rest))


class Corpus:
    """(source, target) pairs; each iteration reads them from the start, lazily.

    Attributes:
        problems: what the latest reading left out.
    """

    def __init__(self):
        self.problems = Problems()

    def chunks(self) -> Iterator[Chunk]:
        """The pairs, some thousands at a time."""
        raise NotImplementedError

    def fingerprint(self) -> str:
        """A digest that changes when the pairs do."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for chunk in self.chunks():
            yield from zip(chunk.source, chunk.target, strict=True)


class ListCorpus(Corpus):
    """Pairs that are in memory already; what is no pair of texts is left out and counted."""

    def __init__(self, pairs: Sequence[tuple[str, str]], name: str = "pairs"):
        super().__init__()
        self._pairs = pairs if isinstance(pairs, Sequence) else list(pairs)
        self._name = name

    def chunks(self) -> Iterator[Chunk]:
        problems = self.problems = Problems()
        rows = enumerate(self._pairs, 1)
        while some := list(islice(rows, CHUNK)):
            good = []
            for number, pair in some:
                if wrong := _wrong(pair):
                    problems.add(self._name, number, wrong)
                else:
                    good.append((number, *pair))
            if good:
                lines, source, target = map(list, zip(*good, strict=True))
                yield Chunk(source, target, self._name, lines)

    def fingerprint(self) -> str:
        return digest(repr(pair) for pair in self._pairs)


def _wrong(pair: object) -> str:
    """What is wrong with a pair of texts; empty if nothing is."""
    sides = [] if isinstance(pair, str) or not isinstance(pair, Iterable) else list(pair)
    if [isinstance(side, str) for side in sides] != [True, True]:
        return "not a pair of texts"
    return "" if all(map(is_text, sides)) else "not valid Unicode"


class Part(Corpus):
    """The pairs of a corpus whose text on one side hashes into a range.

    Equal texts, capitals and outer white space aside, are all inside or all outside.

    Args:
        corpus: the whole.
        low: the range's first hash, and
        high: the first one after it, of 2^64 in all.
        seed: of the hash.
        side: "source" or "target".
    """

    def __init__(self, corpus: Corpus, low: int, high: int, seed: int = 0, side: str = "source"):
        super().__init__()
        self._corpus, self._range, self._seed, self._side = corpus, (low, high), seed, side

    def chunks(self) -> Iterator[Chunk]:
        low, high = self._range
        for chunk in self._corpus.chunks():
            hashes = map(text_hash(self._seed), getattr(chunk, self._side))
            inside = [index for index, value in enumerate(hashes) if low <= value < high]
            if inside:
                yield chunk.take(inside)
            self.problems = self._corpus.problems

    def fingerprint(self) -> str:
        return digest([self._corpus.fingerprint(), str(self._range), str(self._seed), self._side])


def part_size(size: int | float, total: int, least: int = 0) -> int:
    """How many examples a part of `total` has.

    Args:
        size: the examples, or below 1 the part of all of them.
        least: what a part of all has at least, though not more than a fifth of all.

    Raises:
        UserError: `size` is not above 0.
    """
    if not size > 0:
        raise UserError(f"a part of {size:g} examples cannot be cut off: take more than 0")
    return int(size) if size >= 1 else max(1, round(size * total), min(least, total // 5))


def holdout(corpus: Corpus, size: int | float, seed: int = 0, least: int = 0) -> tuple[Part, Part]:
    """Cut (rest, part) of a corpus so that no source text is in both.

    The part depends on the pairs and the seed, not on their order. One reading of the corpus
    and 8 bytes a pair are all it takes.

    Args:
        size, least: pairs in the part, as `part_size` has it. As equal sources stay together,
            the part has this many or, by one group, more.

    Raises:
        UserError: the corpus has fewer than two different sources, or not more than `size`.
    """
    hash_of = text_hash(seed)
    hashes = np.fromiter(
        (hash_of(text) for chunk in corpus.chunks() for text in chunk.source), np.uint64
    )
    values, counts = np.unique(hashes, return_counts=True)
    wanted = part_size(size, len(hashes), least)
    if len(values) < 2 or wanted >= len(hashes):
        raise UserError(
            f"{wanted:,} pairs cannot be held out of {len(hashes):,} with {len(values):,} "
            "different sources; give a validation set of its own."
        )
    last = min(int(np.searchsorted(np.cumsum(counts), wanted)), len(values) - 2)
    cut = int(values[last]) + 1
    return Part(corpus, cut, _HASHES, seed), Part(corpus, 0, cut, seed)


def fraction_range(low: float, high: float) -> tuple[int, int]:
    """The hashes of the part from `low` to `high` of 1, for `Part`."""
    return round(low * _HASHES), round(high * _HASHES)


def text_hash(seed: int):
    """A function from a text to a number below 2^64, the same in every process."""
    key = str(seed).encode()

    def value(text: str) -> int:
        folded = text.strip().casefold().encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.blake2b(folded, digest_size=8, key=key).digest(), "little")

    return value


def digest(parts) -> str:
    """SHA-256 of texts, in hexadecimal; their borders count."""
    state = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        state.update(len(encoded).to_bytes(8, "little") + encoded)
    return state.hexdigest()
