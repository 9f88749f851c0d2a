"""Filters: the tokens that may continue a hypothesis.

A filter has two methods:
`begin(n, width, length) -> state` prepares for at most `length` steps of `width` beams for each
of `n` sources. The state is a pytree whose leaves have N * width rows; the search reorders them
with the beams.
`allow(allowed, tokens, position, state) -> allowed, state` narrows `allowed`, (1, V) or
(N * width, V) bool, given the `tokens` (N * width,) fed at `position`, a scalar.

The search does not choose a forbidden token, except the end symbol where nothing else remains.
The scores of the chosen tokens remain the model's own.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from kerasseq.errors import UserError
from kerasseq.special_ids import END


@dataclass(frozen=True)
class MinimumLength:
    """Requires at least `length` tokens before the end symbol.

    Args:
        length: an int, or a tensor of a compiled search.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> from kerasseq.generation import Greedy, MinimumLength, search
    >>> model = kerasseq.NGram.learn([[4, 5, 6], [4, 5, 7], [5, 6]], vocabulary_size=8, order=2)
    >>> memory = kerasseq.Memory(np.zeros((1, 1, 1), "float32"), np.ones((1, 1), bool))
    >>> tokens, _, _ = search(model, memory, Greedy(), 6, filters=[MinimumLength(4)])
    >>> sum(int(token) > 3 for token in tokens[0, 0]) >= 4  # ids above 3 are not special
    True
    """

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
    """Forbids some tokens.

    Args:
        tokens: a tuple of ids.

    Raises:
        UserError: an id is the end symbol or not in the vocabulary.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> from kerasseq.generation import Ban, Greedy, search
    >>> model = kerasseq.NGram.learn([[4, 5, 6], [4, 5, 7], [5, 6]], vocabulary_size=8, order=2)
    >>> memory = kerasseq.Memory(np.zeros((1, 1, 1), "float32"), np.ones((1, 1), bool))
    >>> tokens, _, _ = search(model, memory, Greedy(), 5, filters=[Ban((4,))])
    >>> [int(token) for token in tokens[0, 0]]
    [5, 6, 3, 0, 0]
    """

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
    """Forbids an n-gram of `size` tokens that is in the hypothesis (Paulus et al., 2018, section
    2.5).

    Args:
        size: at least 1.

    Raises:
        UserError: the size is less than 1.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> from kerasseq.generation import Greedy, NoRepeatedNGram, search
    >>> model = kerasseq.NGram.learn([[4, 4, 4, 4, 4, 4, 5]], vocabulary_size=8, order=2)
    >>> memory = kerasseq.Memory(np.zeros((1, 1, 1), "float32"), np.ones((1, 1), bool))
    >>> tokens, _, _ = search(model, memory, Greedy(), 6, filters=[NoRepeatedNGram(2)])
    >>> [int(token) for token in tokens[0, 0]]
    [4, 4, 5, 3, 0, 0]
    """

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
        # One more column than tokens takes the positions that match no n-gram.
        size = allowed.shape[-1]
        columns = ops.where(ends, history, size)
        places = ops.arange(rows, dtype="int32")[:, None] * (size + 1) + columns
        places = ops.reshape(places, (-1, 1))
        hits = ops.scatter(places, ops.ones_like(places[:, 0]), (rows * (size + 1),))
        hits = ops.reshape(hits, (-1, size + 1))[:, :size]
        return ops.logical_and(allowed, hits == 0), history


@dataclass(frozen=True)
class ForcedPrefix:
    """Starts row n with the first `lengths[n]` tokens of `tokens[n]`, whatever other filters
    forbid.

    Args:
        tokens: (N, P) int32.
        lengths: (N,) int32, 0 to P.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> from kerasseq.generation import ForcedPrefix, Greedy, search
    >>> model = kerasseq.NGram.learn([[4, 5, 6], [4, 5, 7], [5, 6]], vocabulary_size=8, order=2)
    >>> memory = kerasseq.Memory(np.zeros((1, 1, 1), "float32"), np.ones((1, 1), bool))
    >>> prefix = ForcedPrefix(np.array([[7, 4]]), np.array([2]))
    >>> tokens, _, _ = search(model, memory, Greedy(), 6, filters=[prefix])
    >>> [int(token) for token in tokens[0, 0, :3]]
    [7, 4, 5]
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
