"""Filters: which tokens a hypothesis may go on with.

A filter has two methods:
`begin(n, width, length) -> state` prepares for at most `length` steps of `width` beams for each
of `n` sources; the state is a pytree whose leaves have N * width rows, reordered with the beams;
`allow(allowed, tokens, position, state) -> allowed, state` narrows `allowed`, (1, V) or
(N * width, V) bool, given the `tokens` (N * width,) fed at `position`, a scalar.

What a filter forbids is not chosen, but for the end symbol where nothing else is left. The scores
of what is chosen remain the model's own.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from kerasseq.errors import UserError
from kerasseq.generation.selection import END


@dataclass(frozen=True)
class MinimumLength:
    """At least `length` tokens before the end symbol; an int, or a tensor of a compiled search."""

    length: Any

    def begin(self, n: Any, width: int, length: int) -> Any:
        if isinstance(self.length, int) and self.length >= length:
            raise UserError(
                f"A minimum length of {self.length} leaves no room for the end symbol "
                f"in {length} steps: raise the maximum length."
            )
        return ()

    def allow(self, allowed: Any, tokens: Any, position: Any, state: Any) -> tuple[Any, Any]:
        other = ops.arange(allowed.shape[-1]) != END
        return ops.logical_and(allowed, ops.logical_or(other, position >= self.length)), state


@dataclass(frozen=True)
class Ban:
    """None of `tokens`, a tuple of ids."""

    tokens: tuple[int, ...]

    def begin(self, n: Any, width: int, length: int) -> Any:
        if END in self.tokens:
            raise UserError(f"The end symbol {END} cannot be banned: set a minimum length instead.")
        return ()

    def allow(self, allowed: Any, tokens: Any, position: Any, state: Any) -> tuple[Any, Any]:
        size = allowed.shape[-1]
        outside = [token for token in self.tokens if not 0 <= token < size]
        if outside:
            raise UserError(f"Banned tokens {outside} are not in the vocabulary of {size}.")
        kept = ~np.isin(np.arange(size), self.tokens)
        return ops.logical_and(allowed, kept), state


@dataclass(frozen=True)
class NoRepeatedNGram:
    """No n-gram of `size` tokens twice in a hypothesis (Paulus et al., 2018, section 2.5)."""

    size: int

    def __post_init__(self) -> None:
        if self.size < 1:
            raise UserError(f"The size of an n-gram must be at least 1, not {self.size}.")

    def begin(self, n: Any, width: int, length: int) -> Any:
        return ops.full((n * width, length), -1, dtype="int32")

    def allow(self, allowed: Any, tokens: Any, position: Any, state: Any) -> tuple[Any, Any]:
        history = ops.slice_update(state, (0, position), tokens[:, None])
        rows, length = ops.shape(history)[0], history.shape[1]
        # ends[r, t]: an earlier n-gram that ends at t began with the last size - 1 tokens.
        ends = history >= 0
        for back in range(1, self.size):
            last = ops.take(history, ops.maximum(position + 1 - back, 0), axis=1)
            earlier = ops.pad(history, ((0, 0), (back, 0)), constant_values=-1)[:, :length]
            ends = ops.logical_and(ends, earlier == last[:, None])
        ends = ops.logical_and(ends, ops.logical_and(position + 2 > self.size, ends))
        # Scattered onto one column more than there are tokens, for what is no hit.
        size = allowed.shape[-1]
        columns = ops.where(ends, history, size)
        places = ops.arange(rows, dtype="int32")[:, None] * (size + 1) + columns
        places = ops.reshape(places, (-1, 1))
        hits = ops.scatter(places, ops.ones_like(places[:, 0]), (rows * (size + 1),))
        hits = ops.reshape(hits, (-1, size + 1))[:, :size]
        return ops.logical_and(allowed, hits == 0), history


@dataclass(frozen=True)
class ForcedPrefix:
    """Row n begins with the first `lengths[n]` tokens of `tokens[n]`, whatever else is forbidden.

    Args:
        tokens: (N, P) int32.
        lengths: (N,) int32, 0 to P.
    """

    tokens: Any
    lengths: Any

    def begin(self, n: Any, width: int, length: int) -> Any:
        tokens = ops.convert_to_tensor(self.tokens, dtype="int32")
        lengths = ops.convert_to_tensor(self.lengths, dtype="int32")
        return {
            "tokens": ops.repeat(tokens, width, axis=0),
            "lengths": ops.repeat(lengths, width, axis=0),
        }

    def allow(self, allowed: Any, tokens: Any, position: Any, state: Any) -> tuple[Any, Any]:
        prefix = state["tokens"]
        token = ops.take(prefix, ops.minimum(position, prefix.shape[1] - 1), axis=1)
        forced = ops.arange(allowed.shape[-1], dtype="int32") == token[:, None]
        return ops.where((position < state["lengths"])[:, None], forced, allowed), state
