"""Beam search."""

from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from keras import ops

from kerasseq.checks import Checked, number, whole
from kerasseq.errors import OptionError, UserError
from kerasseq.generation.selection import END, PAD, Candidates
from kerasseq.generation.strategies import Greedy, Setting, Strategy

Width = Annotated[int, whole(1, 1000)]


@dataclass(frozen=True)
class Beam(Checked, Strategy):
    """The hypotheses Y of source X with the best scores that a beam of `width` comes upon.

    score(X, Y) = log p(Y | X) / lp(Y) + cp(X, Y)
    lp(Y) = ((5 + |Y|) / 6) ** length_penalty, |Y| with the end symbol
    cp(X, Y) = coverage_penalty * sum over source steps i of log(min(sum over t of a[t, i], 1))

    (Wu et al., 2016, equation 14; a are the attention weights.) This is not a division by
    |Y| ** length_penalty.

    Of the 2 * width candidates of each step, `width` continuations and `width` endings, an
    ending counts when it is among the `width` best. It is finished then: never extended, and
    kept while it is among the `n_best`. The search of a source stops when no live hypothesis
    can still reach a better score, whatever it goes on with. Those that are still live when the
    steps are used up compete with the finished ones by their scores, without an end symbol.

    Args:
        width: live hypotheses of a source.
        length_penalty: 0 (none) or greater; the greater, the longer the results.
        coverage_penalty: 0 (none) or greater; needs a decoder that keeps `state["weights"]`.
        n_best: hypotheses to return, at most `width`.
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

    def begin(self, setting: Setting) -> Any:
        n, width, length = setting.n, self.width, setting.length
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
            if setting.mask is None:
                raise UserError("A coverage penalty needs one memory with a mask of its steps.")
            mask = ops.repeat(setting.mask, width, axis=0)
            pool["coverage"] = ops.zeros_like(ops.cast(mask, "float32"))
        return pool

    def advance(
        self,
        logits: Any,
        allowed: Any,
        position: Any,
        state: Any,
        pool: Any,
        setting: Setting,
    ) -> tuple[Any, Any, Any]:
        width, live, pool = self.width, pool["live"], dict(pool)
        open_ = (position < setting.limits)[:, None]
        candidates = Candidates(logits, allowed, width, width)
        base = live - ops.reshape(candidates.log_normalizer(), (-1, width))
        endings = ops.reshape(candidates.ending, (-1, width)) + base
        sums, beams, tokens = candidates.best(base)

        both = ops.concatenate([sums, endings], axis=1)
        last = ops.top_k(both, width)[0][:, -1:]
        endings = ops.where(ops.logical_and(open_, endings >= last), endings, -np.inf)
        penalty = self._coverage(state, pool, setting, open_)
        scores = endings / ops.take(setting.numbers["divisors"], position + 1) + penalty
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
        parents = beams + ops.arange(setting.n, dtype="int32")[:, None] * width
        parents = ops.reshape(parents, (-1,))
        if self.coverage_penalty:
            pool["coverage"] = ops.take(pool["coverage"], parents, axis=0)
        return ops.reshape(tokens, (-1,)), parents, pool

    def going(self, position: Any, pool: Any, setting: Setting) -> Any:
        # Log-probabilities only fall, lp is greatest at the limit, and cp is at most 0.
        limits = (5 + ops.cast(setting.limits, "float32")) / 6
        limit = ops.power(limits, setting.numbers["length_penalty"])
        reachable = ops.max(pool["live"], axis=1) / limit
        wins = reachable > pool["finished"][:, -1]
        return ops.logical_and(position < setting.limits, wins)

    def finish(self, position: Any, pool: Any, setting: Setting) -> tuple[Any, Any]:
        width, n_best = self.width, self.n_best
        limits = ops.minimum(setting.limits, setting.length)[:, None]
        penalty = 0.0
        if self.coverage_penalty:
            penalty = self._penalty(pool["coverage"], setting)
        unfinished = pool["live"] / ops.take(setting.numbers["divisors"], limits) + penalty
        # A search that stopped before its limit did so as none of these can win.
        scores, index = ops.top_k(ops.concatenate([pool["finished"], unfinished], axis=1), n_best)
        beams = ops.zeros_like(limits) + ops.arange(width, dtype="int32")
        ends = ops.concatenate([pool["ends"], limits * width + beams], axis=1)
        ends, ended = ops.take_along_axis(ends, index, axis=1), index < n_best
        tokens = self._trace_back(position, pool, setting, ends // width, ends % width, ended)
        return ops.where((scores > -np.inf)[:, :, None], tokens, PAD), scores

    def _trace_back(self, position, pool, setting, lengths, beams, ended):
        def body(step, beams, out):
            tokens = ops.take_along_axis(ops.take(pool["tokens"], step, axis=0), beams, axis=1)
            parents = ops.take_along_axis(ops.take(pool["parents"], step, axis=0), beams, axis=1)
            inside = step < lengths
            at_end = ops.logical_and(ended, step == lengths)
            tokens = ops.where(inside, tokens, ops.where(at_end, END, PAD))
            out = ops.slice_update(out, (step, 0, 0), tokens[None])
            return step - 1, ops.where(inside, parents, beams), out

        out = ops.full((setting.length, setting.n, self.n_best), PAD, dtype="int32")
        _, _, out = ops.while_loop(
            lambda step, beams, out: step >= 0, body, (position - 1, beams, out)
        )
        return ops.transpose(out, (1, 2, 0))

    def _coverage(self, state, pool, setting, open_):
        """Add the step's attention weights to the pool's; 0, or cp (N, width) so far."""
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
        return self._penalty(pool["coverage"], setting)

    def _penalty(self, coverage, setting):
        mask = ops.repeat(setting.mask, self.width, axis=0)
        logs = ops.log(ops.clip(coverage, 1e-9, 1.0))
        sums = ops.sum(ops.where(mask, logs, 0.0), axis=-1)
        return setting.numbers["coverage_penalty"] * ops.reshape(sums, (-1, self.width))


def of_width(width: int) -> Greedy | Beam:
    """The search that keeps so many hypotheses: greedy for one."""
    return Greedy() if width == 1 else Beam(width)
