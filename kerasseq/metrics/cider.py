"""CIDEr-D, the consensus of a caption with several others of the same picture."""

from collections.abc import Hashable, Iterator, Sequence
from itertools import chain

import numpy as np

from kerasseq.errors import UserError
from kerasseq.metrics.words import caption_words

Caption = str | Sequence[Hashable]
"""A text, which `caption_words` splits, or words: strings, ids, or what else can be hashed."""

ORDERS = 4
SIGMA = 6.0

# Two numbers in one: the first in the upper half. No number reaches the last.
_HALF = 32
_LOW = (1 << _HALF) - 1
_NEVER = np.iinfo(np.int64).max


class CiderD:
    """CIDEr-D of captions against the references of a corpus.

    With the candidate c, the m references s_j of its example and the example's n-grams w,

        g_w(s) = tf_w(s) log(examples / examples with w in a reference)
        CIDEr-D_n(c) = 10/m sum_j exp(-(l(c) - l(s_j))^2 / (2 sigma^2))
                            (min(g(c), g(s_j)) . g(s_j)) / (|g(c)| |g(s_j)|)

    and CIDEr-D is the mean over n = 1 to 4, with sigma = 6. It lies in 0 to 10, as the output of
    COCO's evaluation (coco-caption), which it equals; papers print a hundred times this number.
    Vedantam et al., 2015, equations 1 to 4. As in COCO's code tf is a count, not a share, a length
    l is the number of bigrams, and an n-gram that no reference has counts as if one example had it.

    How rare an n-gram is, is counted once, so a score depends on the corpus and on its own
    example, not on the other candidates. In a corpus of one example nothing is rare: all is 0.

    Args:
        references: for each example its references, at least one.

    Raises:
        UserError: if there is no example, or one without a list of references.
    """

    def __init__(self, references: Sequence[Sequence[Caption]]):
        _check(references)
        self._references = np.array(list(map(len, references)), np.int64)
        rows = [_words(caption) for captions in references for caption in captions]
        self._words: dict[Hashable, int] = {}
        tokens, sizes = self._numbered(rows, self._words)
        self._lengths = _bigrams(sizes)

        # The n-grams of all references are a trie: a node's key is its parent and its last word.
        # Orders follow each other, so all keys are sorted and a node is its key's place plus one.
        keys, found, size = [], [], 1
        node, owner = np.zeros(len(rows), np.int64), np.arange(len(rows))
        for order, (parent, word, count) in enumerate(_ngrams(tokens, sizes)):
            new, place = np.unique(_joined(node[parent], word), return_inverse=True)
            node, owner = size + place, owner[parent]
            size += len(new)
            keys.append(new)
            found.append((owner, node, count, owner + len(rows) * order))
        self._keys = np.append(np.concatenate(keys), _NEVER)
        owner, node, count, vector = map(np.concatenate, zip(*found, strict=True))

        # What references hold, by example and node: one place in `_held`, an entry a reference.
        key = _joined(np.repeat(np.arange(len(references)), self._references)[owner], node)
        order = np.argsort(key, kind="stable")
        held, starts = np.unique(key[order], return_index=True)
        self._held, self._starts = np.append(held, _NEVER), np.append(starts, len(key))

        self._rarest = np.log(float(len(references)))
        examples = np.bincount(held & _LOW, minlength=size)
        self._rarity = self._rarest - np.log(np.maximum(1.0, examples))
        rarity = self._rarity[node]
        norms = np.sqrt(np.bincount(vector, (count * rarity) ** 2, len(rows) * ORDERS))
        weights = count * rarity**2 / _or_one(norms[vector])
        # In narrow types: a large corpus has tens of millions of entries.
        self._entries = owner[order].astype("int32"), count[order].astype("int32"), weights[order]

    def scores(self, indices: Sequence[int], hypotheses: Sequence[Caption]) -> np.ndarray:
        """(N,) in 0 to 10: of hypothesis i against the references of example `indices[i]`.

        A caption without words scores 0, one without n-grams of an order 0 in that order.

        Raises:
            UserError: if there are not as many indices as hypotheses.
            IndexError: if there is no such example.
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
        tokens, sizes = self._numbered(list(map(_words, hypotheses)), {})
        lengths = _bigrams(sizes)
        references, counts, weights = self._entries
        total = np.zeros(n)
        node, owner = np.zeros(n, np.int64), np.arange(n)
        for parent, word, count in _ngrams(tokens, sizes):
            owner = owner[parent]
            node = 1 + _places(self._keys, _joined(node[parent], word))
            # No key begins with node -1, so what follows an unseen n-gram is not found either.
            node[node == 0] = -1
            rarity = np.where(node < 0, self._rarest, self._rarity[node])
            norms = np.sqrt(np.bincount(owner, (count * rarity) ** 2, n))
            place = _places(self._held, _joined(indices[owner], node))
            shared = np.flatnonzero(place >= 0)
            first = self._starts[place[shared]]
            many = self._starts[place[shared] + 1] - first
            of = np.repeat(shared, many)
            entry = np.arange(len(of)) + np.repeat(first - (np.cumsum(many) - many), many)
            apart = lengths[owner[of]] - self._lengths[references[entry]]
            likeness = np.minimum(count[of], counts[entry]) * weights[entry]
            likeness *= np.exp(-(apart**2) / (2 * SIGMA**2))
            total += np.bincount(owner[of], likeness, n) / _or_one(norms)
        return 10 * total / (ORDERS * self._references[indices])

    def _numbered(
        self, rows: list[Sequence[Hashable]], fresh: dict[Hashable, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """The words of all rows as numbers, new ones entered into `fresh`; each row's length."""
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


def _words(caption: Caption) -> Sequence[Hashable]:
    return caption_words(caption) if isinstance(caption, str) else caption


def _bigrams(sizes: np.ndarray) -> np.ndarray:
    return np.maximum(sizes - 1, 0)


def _ngrams(
    tokens: np.ndarray, sizes: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """For each order the distinct n-grams of each caption: parent, last word, count, all (P,).

    A parent is the place of the n-gram without its last word among those of the order before; at
    first, the caption.
    """
    start = np.arange(len(tokens))
    current = np.repeat(np.arange(len(sizes)), sizes)
    left = np.repeat(np.cumsum(sizes), sizes) - start
    for order in range(ORDERS):
        fits = left > order
        start, current, left = start[fits], current[fits], left[fits]
        found, current, counts = np.unique(
            _joined(current, tokens[start + order]), return_inverse=True, return_counts=True
        )
        yield found >> _HALF, found & _LOW, counts


def _joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return (first << _HALF) | second


def _places(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Where among the sorted keys; -1 where there is none."""
    place = np.searchsorted(keys, wanted)
    return np.where(keys[place] == wanted, place, -1)


def _or_one(norms: np.ndarray) -> np.ndarray:
    """Norms to divide by: what has none is 0 over any."""
    return np.where(norms == 0, 1, norms)
