"""Interpolated modified Kneser-Ney smoothing: sequences of ids to discounted n-grams."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kerasseq.errors import UserError
from kerasseq.special_ids import BEGIN, END


@dataclass(frozen=True)
class Table:
    """The n-grams. State 0 is the empty context; the others are ordered by length.

    Attributes:
        keys: (M,) int64, context * V + token of each n-gram, ascending.
        probs: (M,) float64, its discounted share max(c - D(c), 0) / c(context).
        children: (M,) int32, the context that the n-gram is itself, or 0.
        weights: (C,) float64, gamma(context).
        suffixes: (C,) int32, the context without its first token; -1 for the empty one.
    """

    keys: np.ndarray
    probs: np.ndarray
    children: np.ndarray
    weights: np.ndarray
    suffixes: np.ndarray

    def lengths(self, order: int) -> np.ndarray:
        """Returns (C,) int32, the number of tokens of each context, below `order`."""
        lengths, suffix = np.zeros(len(self.suffixes), np.int32), self.suffixes
        for _ in range(order):
            lengths += suffix >= 0
            suffix = np.where(suffix >= 0, self.suffixes[suffix], -1)
        return lengths


def estimate_ngrams(rows: Sequence[np.ndarray], size: int, order: int) -> Table:
    """Estimates the n-grams of rows of ids without special ids; equations as in `NGram`."""
    if not rows:
        raise UserError("There are no sequences to learn a language model from.")
    ids = np.concatenate([np.concatenate([[BEGIN], row, [END]]) for row in rows])
    if ids.min() < 0 or ids.max() >= size:
        raise UserError(f"The token {ids.max()} is not in the vocabulary of {size}.")
    lengths = np.array([len(row) + 2 for row in rows])
    depth = np.arange(len(ids)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    levels = _levels(ids, depth, size, order)

    keys, probs, children = [], [], []
    weights, suffixes = [np.zeros(1)], [np.array([-1])]
    states = np.zeros(1, np.int64)  # of the contexts of this level
    total = 1
    for n, level in enumerate(levels):
        longer = levels[n + 1] if n + 1 < len(levels) else None
        counts = level.counts.copy()
        if longer is not None:
            before = np.bincount(longer.suffixes, minlength=len(counts))
            counts = np.where(level.first, counts, before)
        if n == 0:
            counts[level.tokens == BEGIN] = 0
        share, weight = _discount(counts, level.contexts, len(states))
        weights[-1] = weight[states >= 0]
        used = np.zeros(len(counts), bool)
        if longer is not None:
            used[longer.contexts] = True
        own = np.full(len(counts), -1)
        own[used] = total + np.arange(used.sum())
        total += used.sum()
        keys.append(states[level.contexts] * size + level.tokens)
        probs.append(share)
        children.append(np.maximum(own, 0))
        if longer is not None:
            weights.append(None)
            suffixes.append(states[level.suffixes[used]])
        states = own
    return Table(
        np.concatenate(keys),
        np.concatenate(probs),
        np.concatenate(children).astype("int32"),
        np.concatenate(weights),
        np.concatenate(suffixes).astype("int32"),
    )


@dataclass(frozen=True)
class _Level:
    """The different n-grams of one length: context (n-1 tokens) and token ascending.

    Attributes:
        contexts, suffixes: (M,), the number of the n-gram without its last and its first token.
        tokens: (M,), the last token.
        counts: (M,)
        first: (M,) bool, whether it begins a sequence, with BEGIN.
    """

    contexts: np.ndarray
    suffixes: np.ndarray
    tokens: np.ndarray
    counts: np.ndarray
    first: np.ndarray


def _levels(ids, depth, size, order) -> list[_Level]:
    levels = []
    numbers = np.zeros(len(ids), np.int64)  # of the n-gram that ends at each place
    for n in range(1, order + 1):
        places = np.flatnonzero(depth >= n - 1)
        if not len(places):
            break
        contexts = numbers[places - 1] if n > 1 else np.zeros(len(places), np.int64)
        keys, at, inverse, counts = np.unique(
            contexts * size + ids[places],
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        at = places[at]
        levels.append(_Level(keys // size, numbers[at], keys % size, counts, depth[at] == n - 1))
        numbers = np.full(len(ids), -1)
        numbers[places] = inverse
    return levels


def _discount(counts, contexts, size):
    """max(c - D(c), 0) / c(h) of each n-gram, and gamma(h) of each of the `size` contexts."""
    n1, n2, n3, n4 = (float((counts == i).sum()) for i in (1, 2, 3, 4))
    discounts = np.array([0, 0.5, 1, 1.5])
    if min(n1, n2, n3, n4) > 0:
        y = n1 / (n1 + 2 * n2)
        estimated = np.array([0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3])
        if (estimated[1:] > 0).all():
            discounts = estimated
    discount = discounts[np.minimum(counts, 3)]
    totals = np.maximum(np.bincount(contexts, counts, size), 1e-30)
    weights = np.bincount(contexts, discount, size) / totals
    return (counts - discount) / totals[contexts], weights
