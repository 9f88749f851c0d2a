"""CIDEr-D: the consensus of a caption with several references of the same picture."""

from collections.abc import Hashable, Iterator, Sequence
from itertools import chain

import numpy as np

from kerasseq.errors import UserError
from kerasseq.metrics.words import caption_words

Caption = str | Sequence[Hashable]
"""A text, which `caption_words` splits, or a sequence of words: strings, ids or other hashables."""

ORDERS = 4
SIGMA = 6.0

# One int64 holds a pair of numbers, the first one in the upper half. No pair reaches _NEVER.
_HALF = 32
_LOW = (1 << _HALF) - 1
_NEVER = np.iinfo(np.int64).max


class CiderD:
    """Computes CIDEr-D of captions against the references of a corpus.

    For a candidate c, the m references s_j of its example, and n-grams w,

        g_w(s) = tf_w(s) log(examples / examples with w in a reference)
        CIDEr-D_n(c) = 10/m sum_j exp(-(l(c) - l(s_j))^2 / (2 sigma^2))
                            (min(g(c), g(s_j)) . g(s_j)) / (|g(c)| |g(s_j)|)

    CIDEr-D is the mean over n = 1 to 4, with sigma = 6 (Vedantam et al., 2015, equations 1 to 4).
    It is between 0 and 10, and equals the output of COCO's evaluation (coco-caption); papers print
    a hundred times this number. As in COCO's code, tf is a count and not a fraction, the length l
    is the number of bigrams, and an n-gram that is in no reference counts as one in one example.

    The document frequencies are counted once. So a score depends on the corpus and on its own
    example, and not on other candidates. In a corpus of one example all scores are 0.

    Args:
        references: for each example a list of one or more references.

    Raises:
        UserError: there is no example, or an example without a list of references.

    Example:

    >>> import kerasseq
    >>> references = [["a dog runs on grass", "a brown dog runs"], ["two people sit on a bench"]]
    >>> metric = kerasseq.metrics.CiderD(references)
    >>> metric.scores([0, 0, 1], ["a dog runs", "a bench", "two people sit"]).round(2).tolist()
    [3.99, 0.0, 4.41]
    """

    def __init__(self, references: Sequence[Sequence[Caption]]):
        _check(references)
        self._references = np.array(list(map(len, references)), np.int64)
        rows = [_split(caption) for captions in references for caption in captions]
        self._words: dict[Hashable, int] = {}
        tokens, sizes = self._number_words(rows, self._words)
        self._lengths = _count_bigrams(sizes)

        # The n-grams of all references form a trie: a node's key is its parent and its last word.
        # The orders follow each other, so all keys are sorted; a node is its key's index plus one.
        keys, levels, size = [], [], 1
        node, owner = np.zeros(len(rows), np.int64), np.arange(len(rows))
        for order, (parent, word, count) in enumerate(_list_ngrams(tokens, sizes)):
            new, place = np.unique(_join(node[parent], word), return_inverse=True)
            node, owner = size + place, owner[parent]
            size += len(new)
            keys.append(new)
            levels.append((owner, node, count, owner + len(rows) * order))
        self._keys = np.append(np.concatenate(keys), _NEVER)
        owner, node, count, vector = map(np.concatenate, zip(*levels, strict=True))

        # For each pair of example and node: one index in `_held`, and one entry per reference.
        key = _join(np.repeat(np.arange(len(references)), self._references)[owner], node)
        order = np.argsort(key, kind="stable")
        held, starts = np.unique(key[order], return_index=True)
        self._held, self._starts = np.append(held, _NEVER), np.append(starts, len(key))

        self._rarest = np.log(float(len(references)))
        examples = np.bincount(held & _LOW, minlength=size)
        self._rarity = self._rarest - np.log(np.maximum(1.0, examples))
        rarity = self._rarity[node]
        norms = np.sqrt(np.bincount(vector, (count * rarity) ** 2, len(rows) * ORDERS))
        weights = count * rarity**2 / _replace_zeros(norms[vector])
        # Narrow types, because a large corpus has tens of millions of entries.
        self._entries = owner[order].astype("int32"), count[order].astype("int32"), weights[order]

    def scores(self, indices: Sequence[int], hypotheses: Sequence[Caption]) -> np.ndarray:
        """Returns the scores (N,), from 0 to 10, of captions.

        A caption without words gets 0. A caption without n-grams of an order gets 0 in this order.

        Args:
            indices: (N,); caption i is compared with the references of example `indices[i]`.
            hypotheses: the N captions.

        Raises:
            UserError: the numbers of indices and captions differ.
            IndexError: an index is not that of an example.
        """
        indices = np.asarray(indices, np.int64)
        if len(indices) != len(hypotheses):
            raise UserError(
                f"{len(hypotheses):,} captions cannot be compared with the references of "
                f"{len(indices):,} examples."
            )
        if len(indices) and not 0 <= indices.min() <= indices.max() < len(self._references):
            raise IndexError(f"an index is not in 0 to {len(self._references) - 1}")
        n = len(indices)
        tokens, sizes = self._number_words(list(map(_split, hypotheses)), {})
        lengths = _count_bigrams(sizes)
        references, counts, weights = self._entries
        total = np.zeros(n)
        node, owner = np.zeros(n, np.int64), np.arange(n)
        for parent, word, count in _list_ngrams(tokens, sizes):
            owner = owner[parent]
            node = 1 + _find(self._keys, _join(node[parent], word))
            # No key has the parent -1, so longer n-grams with an unseen prefix are unseen too.
            node[node == 0] = -1
            rarity = np.where(node < 0, self._rarest, self._rarity[node])
            norms = np.sqrt(np.bincount(owner, (count * rarity) ** 2, n))
            place = _find(self._held, _join(indices[owner], node))
            shared = np.flatnonzero(place >= 0)
            first = self._starts[place[shared]]
            many = self._starts[place[shared] + 1] - first
            of = np.repeat(shared, many)
            entry = np.arange(len(of)) + np.repeat(first - (np.cumsum(many) - many), many)
            apart = lengths[owner[of]] - self._lengths[references[entry]]
            likeness = np.minimum(count[of], counts[entry]) * weights[entry]
            likeness *= np.exp(-(apart**2) / (2 * SIGMA**2))
            total += np.bincount(owner[of], likeness, n) / _replace_zeros(norms)
        return 10 * total / (ORDERS * self._references[indices])

    def _number_words(
        self, rows: list[Sequence[Hashable]], fresh: dict[Hashable, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns all words as numbers, and the rows' lengths; adds new words to `fresh`."""
        known, base = self._words, 0 if fresh is self._words else len(self._words)
        tokens = [
            known[word] if word in known else fresh.setdefault(word, base + len(fresh))
            for word in chain.from_iterable(rows)
        ]
        return np.array(tokens, np.int64), np.array(list(map(len, rows)), np.int64)


def _check(references: Sequence[Sequence[Caption]]) -> None:
    if not len(references):
        raise UserError("There is no reference to compare captions with.")
    for number, captions in enumerate(references, 1):
        if isinstance(captions, str):
            raise UserError(f"Example {number:,} needs a list of references, not one text.")
        if not len(captions):
            raise UserError(f"Example {number:,} has no reference to compare its caption with.")


def _split(caption: Caption) -> Sequence[Hashable]:
    return caption_words(caption) if isinstance(caption, str) else caption


def _count_bigrams(sizes: np.ndarray) -> np.ndarray:
    return np.maximum(sizes - 1, 0)


def _list_ngrams(
    tokens: np.ndarray, sizes: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yields the distinct n-grams of each caption for each order: parent, last word, count, (P,).

    The parent is the index of the n-gram without its last word, among those of the previous order.
    For the first order it is the caption's index.
    """
    start = np.arange(len(tokens))
    current = np.repeat(np.arange(len(sizes)), sizes)
    left = np.repeat(np.cumsum(sizes), sizes) - start
    for order in range(ORDERS):
        fits = left > order
        start, current, left = start[fits], current[fits], left[fits]
        pairs, current, counts = np.unique(
            _join(current, tokens[start + order]), return_inverse=True, return_counts=True
        )
        yield pairs >> _HALF, pairs & _LOW, counts


def _join(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return (first << _HALF) | second


def _find(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Returns the index of each key among the sorted keys, or -1."""
    place = np.searchsorted(keys, wanted)
    return np.where(keys[place] == wanted, place, -1)


def _replace_zeros(norms: np.ndarray) -> np.ndarray:
    """Returns the norms with 1 for 0, for a division of 0."""
    return np.where(norms == 0, 1, norms)
