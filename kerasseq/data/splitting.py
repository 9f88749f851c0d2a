"""Splits of a corpus, by hashes of its examples: independent of their order and repeatable."""

import hashlib
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from kerasseq.data.corpus import Corpus
from kerasseq.errors import UserError

MIN_VALIDATION = 20
"""Examples that a validation part should have, unless they are more than a tenth of the corpus."""

_HASHES = 1 << 64

C = TypeVar("C", bound=Corpus)


def part_size(size: int | float, total: int, least: int = 0) -> int:
    """Returns the number of examples in a part of a corpus.

    Args:
        size: the number of examples, or a fraction of all examples if it is less than 1.
        total: the number of all examples.
        least: the smallest part that a fraction gives, unless it is more than a tenth of `total`.

    Raises:
        UserError: if `size` is not positive.
    """
    if not size > 0:
        raise UserError(f"a part of {size:g} examples cannot be cut off: take more than 0")
    return int(size) if size >= 1 else max(1, round(size * total), min(least, total // 10))


def holdout(
    corpus: C,
    size: int | float,
    seed: int = 0,
    least: int = 0,
    group: Callable[..., str] | None = None,
) -> tuple[C, C]:
    """Splits a corpus into (rest, part), so that no group has examples in both.

    The groups with the smallest hashes make up the part. So the split depends on the examples
    and the seed, but not on the order of the examples. It reads the corpus once and takes 8 bytes
    of memory for each example. Upper and lower case and outer white space do not change a hash.

    Args:
        corpus: pairs, recordings or pictures.
        size: the number of examples in the part, or a fraction of all if it is less than 1. The
            part can be larger by less than one group, since groups stay whole.
        seed: of the hash.
        least: the smallest part that a fraction gives; see `part_size`.
        group: returns a text that is equal for all examples of a group. By default pairs of equal
            sources are one group, and so are the examples of one file.

    Raises:
        UserError: if the corpus has fewer than two groups, or no more than `size` examples.

    Example:

    >>> from kerasseq.data import ListCorpus, holdout
    >>> corpus = ListCorpus([("one", "eins"), ("two", "zwei"), ("two", "zwo"), ("six", "sechs")])
    >>> rest, part = holdout(corpus, 1, seed=1)
    >>> len(list(rest)), len(list(part))
    (2, 2)
    >>> list(part)
    [('two', 'zwei'), ('two', 'zwo')]
    """
    group_of, hash_of = group or corpus.group, text_hash(seed)
    hashes = np.fromiter((hash_of(group_of(example)) for example in corpus), np.uint64)
    values, counts = np.unique(hashes, return_counts=True)
    wanted = part_size(size, len(hashes), least)
    if len(values) < 2 or wanted >= len(hashes):
        raise UserError(
            f"{wanted:,} {corpus.example}s cannot be held out of {len(hashes):,} "
            f"{corpus.groups_text.format(len(values))}; give a validation set of its own."
        )
    last = min(int(np.searchsorted(np.cumsum(counts), wanted)), len(values) - 2)
    bound, name = int(values[last]) + 1, f"{size} {least} {seed}"
    rest = corpus.subset(lambda example: hash_of(group_of(example)) >= bound, f"rest {name}")
    return rest, corpus.subset(lambda example: hash_of(group_of(example)) < bound, f"part {name}")


def fraction(
    corpus: C, low: float, high: float, group: Callable[..., str] | None = None, seed: int = 0
) -> C:
    """Returns the examples whose groups hash into the range from `low` to `high`.

    Args:
        low: where the range begins, from 0 to 1.
        high: where the range ends; `high - low` is the expected fraction of the groups.
        group: as in `holdout`.
        seed: of the hash.
    """
    group_of, hash_of = group or corpus.group, text_hash(seed)
    first, end = round(low * _HASHES), round(high * _HASHES)

    def keep(example) -> bool:
        return first <= hash_of(group_of(example)) < end

    return corpus.subset(keep, f"{low} to {high} {seed}")


def text_hash(seed: int) -> Callable[[str], int]:
    """Returns a function from a text to a number below 2^64 that is the same in every process.

    Texts that differ in upper and lower case or in outer white space have the same hash.
    """
    key = str(seed).encode()

    def value(text: str) -> int:
        folded = text.strip().casefold().encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.blake2b(folded, digest_size=8, key=key).digest(), "little")

    return value


def split_into_folds(
    corpus: C, folds: int, seed: int = 0, group: Callable[..., str] | None = None
) -> list[tuple[C, C]]:
    """Splits a corpus into folds of about the same size, so that no group is in two folds.

    The largest groups are dealt out first, each to the fold with the fewest examples. The split
    depends on the examples and the seed, but not on the order of the examples.

    Args:
        corpus: pairs, recordings or pictures.
        folds: the number of folds, at least 2.
        seed: of the order of groups that are equally large.
        group: as in `holdout`.

    Returns:
        For each fold all other examples, and the examples of the fold.

    Raises:
        UserError: if there are fewer groups than folds.
    """
    group_of, hash_of = group or corpus.group, text_hash(seed)
    sizes = Counter(hash_of(group_of(example)) for example in corpus)
    if len(sizes) < folds:
        count = sizes.total()
        raise UserError(
            f"{count:,} {corpus.example}s {corpus.groups_text.format(len(sizes))} make no "
            f"{folds} folds: take at most {len(sizes)}."
        )
    fold_of, counts = {}, [0] * folds
    for value, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        fold = counts.index(min(counts))
        fold_of[value] = fold
        counts[fold] += size

    def cut(fold: int) -> tuple[C, C]:
        def is_inside(example: Any) -> bool:
            return fold_of[hash_of(group_of(example))] == fold

        name = f"fold {fold} of {folds} by {seed}"
        rest = corpus.subset(lambda example: not is_inside(example), f"all but {name}")
        return rest, corpus.subset(is_inside, name)

    return [cut(fold) for fold in range(folds)]
