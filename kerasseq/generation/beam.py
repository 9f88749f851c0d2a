"""Beam search."""

from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from keras import ops

from kerasseq.checks import Checked, number, whole
from kerasseq.errors import OptionError, UserError
from kerasseq.generation.selection import Candidates
from kerasseq.generation.strategies import Greedy, SearchContext, Strategy
from kerasseq.special_ids import END, PAD

Width = Annotated[int, whole(1, 1000)]


@dataclass(frozen=True)
class Beam(Checked, Strategy):
    """Beam search: the hypotheses Y of source X with the best scores that a beam of `width` finds.

        score(X, Y) = log p(Y | X) / lp(Y) + cp(X, Y)
        lp(Y) = ((5 + |Y|) / 6) ** length_penalty, |Y| with the end symbol
        cp(X, Y) = coverage_penalty * sum over source steps i of log(min(sum over t of a[t, i], 1))

    with the attention weights a (Wu et al., 2016, equation 14). This is not a division by
    |Y| ** length_penalty.

    Each step has 2 * width candidates, `width` continuations and `width` endings. An ending counts
    when it is among the `width` best. The hypothesis is then finished: the search never extends it,
    and keeps it while it is among the `n_best`. The search of a source stops when no live
    hypothesis can reach a better score with any continuation. Hypotheses that are live when the
    steps are used up compete with the finished ones by their scores, without an end symbol.

    Args:
        width: live hypotheses of a source.
        length_penalty: 0 (none) or greater. A greater penalty gives longer results.
        coverage_penalty: 0 (none) or greater. It needs a decoder that keeps `state["weights"]`.
        n_best: hypotheses to return, at most `width`.

    Raises:
        OptionError: an argument is out of its range.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> from kerasseq.generation import Beam, search
    >>> model = kerasseq.NGram.learn([[4, 5, 6], [4, 5, 7], [5, 6]], vocabulary_size=8, order=2)
    >>> memory = kerasseq.Memory(np.zeros((1, 1, 1), "float32"), np.ones((1, 1), bool))
    >>> tokens, scores, _ = search(model, memory, Beam(width=3, n_best=2), max_length=5)
    >>> [[int(token) for token in row] for row in tokens[0]]  # 3 is the end, 0 is padding
    [[4, 5, 6, 3, 0], [5, 6, 3, 0, 0]]
    """

    width: Width = 5
    length_penalty: Annotated[float, number(0, 10)] = 1.0
    coverage_penalty: Annotated[float, number(0, 1e3)] = 0.0
    n_best: Width = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_best > self.width:
            raise OptionError(
                "n_best", f"must be at most the beam's width {self.width}, not {self.n_best}"
            )

    def form(self) -> "Beam":
        return replace(self, length_penalty=0.0, coverage_penalty=float(self.coverage_penalty > 0))

    def numbers(self, length: int) -> dict[str, np.ndarray]:
        lengths = np.arange(length + 1)
        return {
            "length_penalty": np.float32(self.length_penalty),
            "coverage_penalty": np.float32(self.coverage_penalty),
            # lp of each length.
            "divisors": np.float32(((5 + lengths) / 6) ** self.length_penalty),
        }

    def begin(self, context: SearchContext) -> Any:
        n, width, length = context.n, self.width, context.length
        pool = {
            # Step by step, for `finish` to trace back.
            "tokens": ops.full((length, n, width), PAD, dtype="int32"),
            "parents": ops.zeros((length, n, width), dtype="int32"),
            # Log-probabilities. All beams but the first are dead at the start.
            "live": ops.where(ops.arange(width) > 0, -np.inf, ops.zeros((n, width))),
            "finished": ops.full((n, self.n_best), -np.inf, dtype="float32"),
            # Tokens before the end symbol * width + the last one's beam.
            "ends": ops.zeros((n, self.n_best), dtype="int32"),
        }
        if self.coverage_penalty:
            if context.mask is None:
                raise UserError("A coverage penalty needs one memory with a mask of its steps.")
            mask = ops.repeat(context.mask, width, axis=0)
            pool["coverage"] = ops.zeros_like(ops.cast(mask, "float32"))
        return pool

    def advance(
        self,
        logits: Any,
        allowed: Any,
        position: Any,
        state: Any,
        pool: Any,
        context: SearchContext,
    ) -> tuple[Any, Any, Any]:
        width, live, pool = self.width, pool["live"], dict(pool)
        open_ = (position < context.limits)[:, None]
        candidates = Candidates(logits, allowed, width, width)
        base = live - ops.reshape(candidates.log_normalizer(), (-1, width))
        endings = ops.reshape(candidates.ending, (-1, width)) + base
        sums, beams, tokens = candidates.best(base)

        both = ops.concatenate([sums, endings], axis=1)
        last = ops.top_k(both, width)[0][:, -1:]
        endings = ops.where(ops.logical_and(open_, endings >= last), endings, -np.inf)
        penalty = self._coverage(state, pool, context, open_)
        scores = endings / ops.take(context.numbers["divisors"], position + 1) + penalty
        places = ops.zeros_like(beams) + position * width + ops.arange(width, dtype="int32")
        # Equal scores keep the order in which they were found.
        pool["finished"], index = ops.top_k(
            ops.concatenate([pool["finished"], scores], axis=1), self.n_best
        )
        places = ops.concatenate([pool["ends"], places], axis=1)
        pool["ends"] = ops.take_along_axis(places, index, axis=1)

        # A source whose steps are used up stays as it is.
        pool["live"] = ops.where(open_, sums, live)
        beams = ops.where(open_, beams, ops.arange(width, dtype="int32"))
        tokens = ops.where(open_, tokens, PAD)
        pool["tokens"] = ops.slice_update(pool["tokens"], (position, 0, 0), tokens[None])
        pool["parents"] = ops.slice_update(pool["parents"], (position, 0, 0), beams[None])
        parents = beams + ops.arange(context.n, dtype="int32")[:, None] * width
        parents = ops.reshape(parents, (-1,))
        if self.coverage_penalty:
            pool["coverage"] = ops.take(pool["coverage"], parents, axis=0)
        return ops.reshape(tokens, (-1,)), parents, pool

    def going(self, position: Any, pool: Any, context: SearchContext) -> Any:
        # Log-probabilities only fall, lp is greatest at the limit, and cp is at most 0.
        limits = (5 + ops.cast(context.limits, "float32")) / 6
        limit = ops.power(limits, context.numbers["length_penalty"])
        reachable = ops.max(pool["live"], axis=1) / limit
        wins = reachable > pool["finished"][:, -1]
        return ops.logical_and(position < context.limits, wins)

    def finish(self, position: Any, pool: Any, context: SearchContext) -> tuple[Any, Any]:
        width, n_best = self.width, self.n_best
        limits = ops.minimum(context.limits, context.length)[:, None]
        penalty = 0.0
        if self.coverage_penalty:
            penalty = self._penalty(pool["coverage"], context)
        unfinished = pool["live"] / ops.take(context.numbers["divisors"], limits) + penalty
        # A search that stopped before its limit did so as none of these can win.
        scores, index = ops.top_k(ops.concatenate([pool["finished"], unfinished], axis=1), n_best)
        beams = ops.zeros_like(limits) + ops.arange(width, dtype="int32")
        ends = ops.concatenate([pool["ends"], limits * width + beams], axis=1)
        ends, ended = ops.take_along_axis(ends, index, axis=1), index < n_best
        tokens = self._trace_back(position, pool, context, ends // width, ends % width, ended)
        return ops.where((scores > -np.inf)[:, :, None], tokens, PAD), scores

    def _trace_back(self, position, pool, context, lengths, beams, ended):
        def body(step, beams, out):
            tokens = ops.take_along_axis(ops.take(pool["tokens"], step, axis=0), beams, axis=1)
            parents = ops.take_along_axis(ops.take(pool["parents"], step, axis=0), beams, axis=1)
            inside = step < lengths
            at_end = ops.logical_and(ended, step == lengths)
            tokens = ops.where(inside, tokens, ops.where(at_end, END, PAD))
            out = ops.slice_update(out, (step, 0, 0), tokens[None])
            return step - 1, ops.where(inside, parents, beams), out

        out = ops.full((context.length, context.n, self.n_best), PAD, dtype="int32")
        _, _, out = ops.while_loop(
            lambda step, beams, out: step >= 0, body, (position - 1, beams, out)
        )
        return ops.transpose(out, (1, 2, 0))

    def _coverage(self, state, pool, context, open_):
        """Adds the step's attention weights to the pool's; returns 0, or cp (N, width) so far."""
        if not self.coverage_penalty:
            return 0.0
        if not (isinstance(state, dict) and "weights" in state):
            raise UserError(
                "A coverage penalty needs a decoder with attention, which keeps its weights in "
                'state["weights"]; this decoder has none.'
            )
        weights = ops.cast(state["weights"], "float32")
        open_ = ops.repeat(open_, self.width, axis=0)
        pool["coverage"] = pool["coverage"] + ops.where(open_, weights, 0.0)
        return self._penalty(pool["coverage"], context)

    def _penalty(self, coverage, context):
        mask = ops.repeat(context.mask, self.width, axis=0)
        logs = ops.log(ops.clip(coverage, 1e-9, 1.0))
        sums = ops.sum(ops.where(mask, logs, 0.0), axis=-1)
        return context.numbers["coverage_penalty"] * ops.reshape(sums, (-1, self.width))


def search_of_width(width: int) -> Greedy | Beam:
    """Returns the search that keeps `width` hypotheses; one hypothesis is greedy search.

    Example:

    >>> from kerasseq.generation import search_of_width
    >>> search_of_width(1)
    Greedy()
    >>> search_of_width(4).width
    4
    """
    return Greedy() if width == 1 else Beam(width)
