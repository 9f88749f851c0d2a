"""Strategies that follow one hypothesis for each source: greedy search and sampling."""

from dataclasses import dataclass, replace
from typing import Annotated, Any, NamedTuple

import numpy as np
from keras import ops

from kerasseq.checks import Checked, Count, Size, number
from kerasseq.errors import UserError
from kerasseq.generation.selection import log_normalizer, mask_logits
from kerasseq.masking import softmax
from kerasseq.sampling import sample_categorical
from kerasseq.special_ids import END, PAD


class SearchContext(NamedTuple):
    """The facts of a search that do not change in its loop.

    Attributes:
        n: the number of sources.
        length: the most steps, a Python int.
        limits: (N,) int32, the most steps for each source, whatever the length.
        mask: (N, S) bool of the memory, or None where there is no single memory.
        uniforms: (N, length) float32 random numbers of `Sample`, or None.
        numbers: the numbers of the strategy, as tensors.
    """

    n: Any
    length: int
    limits: Any
    mask: Any
    uniforms: Any
    numbers: dict


class Strategy:
    """Base of the strategies, for the code that compiles a search.

    The graph of a search depends on the `form` of the strategy alone. Its `numbers` are arguments
    of the compiled search, so that another number needs no other compilation.
    """

    width = 1
    n_best = 1

    def form(self) -> "Strategy":
        """Returns the strategy that stands for all whose searches have the same graph."""
        return self

    def numbers(self, length: int) -> dict[str, np.ndarray]:
        """Returns the numbers that the form lacks, for searches of at most `length` steps."""
        return {}


class _OneHypothesis(Strategy):
    """The pool is {"tokens" (L, N), "scores" (N,), "going" (N,) bool}."""

    def pick(self, logits: Any, allowed: Any, position: Any, context: SearchContext) -> Any:
        """Picks tokens (N,) by logits (N, V)."""
        raise NotImplementedError

    def begin(self, context: SearchContext) -> Any:
        return {
            "tokens": ops.full((context.length, context.n), PAD, dtype="int32"),
            "scores": ops.zeros((context.n,)),
            "going": ops.ones((context.n,), dtype="bool"),
        }

    def advance(
        self,
        logits: Any,
        allowed: Any,
        position: Any,
        state: Any,
        pool: Any,
        context: SearchContext,
    ) -> tuple[Any, None, Any]:
        going = pool["going"]
        tokens = self.pick(logits, allowed, position, context)
        gains = ops.take_along_axis(mask_logits(logits, allowed), tokens[:, None], axis=1)
        gains = (gains - log_normalizer(logits))[:, 0]
        tokens = ops.where(ops.logical_and(going, gains > -np.inf), tokens, PAD)
        pool = {
            "tokens": ops.slice_update(pool["tokens"], (position, 0), tokens[None]),
            "scores": ops.where(going, pool["scores"] + gains, pool["scores"]),
            "going": ops.logical_and(
                ops.logical_and(tokens != END, tokens != PAD), position + 1 < context.limits
            ),
        }
        return tokens, None, pool

    def going(self, position: Any, pool: Any, context: SearchContext) -> Any:
        return pool["going"]

    def finish(self, position: Any, pool: Any, context: SearchContext) -> tuple[Any, Any]:
        return ops.transpose(pool["tokens"])[:, None], pool["scores"][:, None]


@dataclass(frozen=True)
class Greedy(_OneHypothesis):
    """Greedy search: the most probable token at each step. The score is the log-probability.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> from kerasseq.generation import Greedy, search
    >>> model = kerasseq.NGram.learn([[4, 5, 6], [4, 5, 7], [5, 6]], vocabulary_size=8, order=2)
    >>> memory = kerasseq.Memory(np.zeros((1, 1, 1), "float32"), np.ones((1, 1), bool))
    >>> tokens, scores, _ = search(model, memory, Greedy(), max_length=5)
    >>> [int(token) for token in tokens[0, 0]]
    [4, 5, 6, 3, 0]
    """

    def pick(self, logits: Any, allowed: Any, position: Any, context: SearchContext) -> Any:
        return ops.cast(ops.argmax(mask_logits(logits, allowed), axis=-1), "int32")


@dataclass(frozen=True)
class Sample(Checked, _OneHypothesis):
    """Sampling: one random hypothesis, token by token. The score is the model's own
    log-probability.

    w_t ~ softmax(logits / temperature), of the `top_k` most probable tokens alone (Fan et al.,
    2018, section 5.1), then of the smallest set of most probable ones with a mass of at least
    `top_p` (Holtzman et al., 2020, equations 2 and 3).

    The random numbers of a row depend on `seed` and on the row's index alone, so that a text is the
    same at every batch size and on every backend.

    Args:
        temperature: from 0.0001 to 1,000. Below 1 it sharpens the distribution.
        top_k: None for the whole vocabulary.
        top_p: from 0.0001 to 1; 1 for all.
        seed: not negative.

    Raises:
        OptionError: an argument is out of its range.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> from kerasseq.generation import Sample, search
    >>> model = kerasseq.NGram.learn([[4, 5, 6], [4, 5, 7], [5, 6]], vocabulary_size=8, order=2)
    >>> memory = kerasseq.Memory(np.zeros((1, 1, 1), "float32"), np.ones((1, 1), bool))
    >>> rows = [search(model, memory, Sample(seed=1), 5)[0][0, 0] for _ in range(2)]
    >>> [int(token) for token in rows[0]] == [int(token) for token in rows[1]]
    True
    """

    temperature: Annotated[float, number(1e-4, 1e3)] = 1.0
    top_k: Size | None = None
    top_p: Annotated[float, number(1e-4, 1)] = 1.0
    seed: Count = 0

    def form(self) -> "Sample":
        return replace(self, temperature=1.0, top_p=0.5 if self.top_p < 1 else 1.0, seed=0)

    def numbers(self, length: int) -> dict[str, np.ndarray]:
        return {"temperature": np.float32(self.temperature), "top_p": np.float32(self.top_p)}

    def draw(self, rows: Any, length: int) -> np.ndarray:
        """Draws (N, length) float32 random numbers in [0, 1) for row indices (N,)."""
        uniforms = [np.random.default_rng([self.seed, int(row)]).random(length) for row in rows]
        # Far enough below 1 that u * total < total holds in float32.
        return np.minimum(np.asarray(uniforms, "float32").reshape(-1, length), 1 - 2**-22)

    def begin(self, context: SearchContext) -> Any:
        if context.uniforms is None:
            raise UserError("Sample needs `uniforms` where the batch size is unknown: see draw.")
        return super().begin(context)

    def pick(self, logits: Any, allowed: Any, position: Any, context: SearchContext) -> Any:
        logits = mask_logits(logits / context.numbers["temperature"], allowed)
        size = logits.shape[-1]
        truncated = self.top_k is not None or self.top_p < 1
        if truncated:
            logits, tokens = ops.top_k(logits, min(self.top_k or size, size))
        mass = softmax(logits)
        if self.top_p < 1:
            before = ops.cumsum(mass, axis=-1) - mass
            mass = ops.where(before < context.numbers["top_p"], mass, 0.0)
        index = sample_categorical(mass, ops.take(context.uniforms, position, axis=1))
        if truncated:
            index = ops.cast(ops.take_along_axis(tokens, index[:, None], axis=1)[:, 0], "int32")
        return index
