"""CTC as a decoder: the probability of the next token of a text, over all its continuations."""

from typing import Any

from keras import ops

from kerasseq.decoders import Stepwise
from kerasseq.generation.selection import fill_up
from kerasseq.masking import Memory
from kerasseq.special_ids import BEGIN, BLANK, END
from kerasseq.transduction.ctc import NEVER

# The cost of an impossible step: greater than that of any path, and small enough to add to.
_IMPOSSIBLE = -1e4
_TINY = 1e-37


class CTCPrefix(Stepwise):
    """p(w | g) = psi(g w) / psi(g), and p(end | g) = p_ctc(g) / psi(g) after the prefix g.

    psi(g) is the probability that CTC's labels begin with g, and p_ctc(g) the probability that they
    are g. The product over the steps of a text and its end is therefore its p_ctc, the probability
    of `ctc_loss`. Watanabe et al., 2017 (Hybrid CTC/attention architecture), algorithm 2.

    With r_t(g) the probability of the paths of t frames that spell g and end in a label (n) or in a
    blank (b):

        phi_t = r^b_t(g) + r^n_t(g), or r^b_t(g) alone where w is the last label of g
        psi(g w) = sum over t of phi_{t-1} y_t(w)
        r^n_t(g w) = (r^n_{t-1}(g w) + phi_{t-1}) y_t(w)
        r^b_t(g w) = (r^b_{t-1}(g w) + r^n_{t-1}(g w)) y_t(blank)

    No step loops over the frames. One product of matrices gives psi of all w. In it a token counts
    for at least e^-85 of the best place; the next steps correct what this adds. log2(S) doublings
    give r once its token is known. An impossible step has the log-probability -1e4.

    The values of its memory are the log-probabilities of CTC's units, (N, S, V). S must be known.

    Args:
        vocabulary_size: V.

    Example:

    >>> import numpy as np
    >>> from kerasseq import Beam, Memory
    >>> from kerasseq.generation import search
    >>> from kerasseq.transduction import CTCPrefix
    >>> log_probs = np.log(0.01 + 0.94 * np.eye(6, dtype="float32")[[[4, 0, 5, 5]]])
    >>> memory = Memory(log_probs, np.ones((1, 4), bool))
    >>> tokens, scores, _ = search(CTCPrefix(6), memory, Beam(3), max_length=4)
    >>> [int(token) for token in tokens[0, 0]]  # the labels, and 3 for the end
    [4, 5, 3, 0]
    """

    def __init__(self, vocabulary_size: int):
        self.vocabulary_size = vocabulary_size

    def begin(self, memory: Memory, length: int, constants: Any = None) -> tuple[Any, Any]:
        values, mask = ops.cast(memory.values, "float32"), memory.mask[:, :, None]
        probs = ops.where(mask, ops.exp(values), 0.0)
        # Padding is blank with certainty: the value of the last real frame stays to its end.
        blank = ops.arange(self.vocabulary_size) == BLANK
        values = ops.where(mask, ops.maximum(values, NEVER), ops.where(blank, 0.0, NEVER))
        log_probs = ops.transpose(values, (0, 2, 1))
        in_blank = ops.pad(ops.cumsum(log_probs[:, BLANK], axis=1), ((0, 0), (1, 0)))
        static = {"probs": probs, "log_probs": log_probs}
        return static, {
            # (N, S + 1) of frames 0 (before the first) to S, of the prefix before the last token.
            "in_label": ops.full_like(in_blank, NEVER),
            "in_blank": in_blank,
            "last": ops.zeros_like(ops.cast(in_blank[:, 0], "int32")),
            # (N, V) log psi of that prefix with each token.
            "psi": ops.zeros_like(probs[:, 0]),
        }

    def expand(self, static: Any, state: Any, beams: int) -> tuple[Any, Any]:
        # A source's beams are multiplied with its probabilities side by side.
        return static, super().expand((), state, beams)[1]

    def step(self, tokens: Any, position: Any, static: Any, state: Any) -> tuple[Any, Any]:
        log_probs, size = static["log_probs"], self.vocabulary_size
        sources, steps = ops.shape(log_probs)[0], log_probs.shape[2]
        beams = ops.shape(tokens)[0] // sources
        tokens = ops.cast(tokens, "int32")
        psi = ops.take_along_axis(state["psi"], tokens[:, None], axis=1)

        rows = ops.arange(ops.shape(tokens)[0], dtype="int32") // beams
        flat = ops.reshape(log_probs, (-1, steps))
        own = ops.take(flat, rows * size + tokens, axis=0)
        blank = ops.take(log_probs[:, BLANK], rows, axis=0)
        in_label, in_blank = self._extend(tokens, own, blank, state)

        both = ops.logaddexp(in_label, in_blank)
        phi = both[:, :-1]
        peak = ops.max(both, axis=1, keepdims=True)
        mass = ops.reshape(ops.exp(phi - peak), (sources, -1, steps))
        mass = ops.reshape(ops.matmul(mass, static["probs"]), (-1, size))
        after = peak + ops.log(ops.maximum(mass, _TINY))
        again = ops.logsumexp(in_blank[:, :-1] + own, axis=1, keepdims=True)
        ids = ops.arange(size, dtype="int32")
        after = ops.where(ids == tokens[:, None], again, after)
        after = ops.where(ids == END, both[:, -1:], after)
        # Of a prefix that no path spells there is nothing to be had.
        gains = ops.clip(after - psi, _IMPOSSIBLE, 0.0)
        gains = fill_up(ops.where(peak > NEVER / 2, gains, _IMPOSSIBLE))
        state = {"in_label": in_label, "in_blank": in_blank, "last": tokens, "psi": after}
        return gains, state

    def _extend(self, tokens, own, blank, state):
        """r^n and r^b of the prefix with `tokens`; in the first step those of the empty prefix."""
        in_label, in_blank = state["in_label"], state["in_blank"]
        again = (tokens == state["last"])[:, None]
        phi = ops.where(again, in_blank, ops.logaddexp(in_label, in_blank))
        new_label = _recurrence(phi[:, :-1], own)
        new_blank = _recurrence(new_label[:, :-1], blank)
        begins = (tokens == BEGIN)[:, None]
        return ops.where(begins, in_label, new_label), ops.where(begins, in_blank, new_blank)


def _recurrence(inflow, gain):
    """x_t = log(exp x_{t-1} + exp inflow_{t-1}) + gain_t for t = 1 to S, and x_0 = NEVER: (N, S +
    1).

    With c_t the sum of `gain` up to t, x_t is the log of the sum over s <= t of
    exp(inflow_{s-1} + c_t - c_{s-1}). Each round sums twice as many terms (Hillis and Steele,
    1986). No c is subtracted from another, since few digits would remain.
    """
    total, shift = inflow + gain, 1
    while shift < gain.shape[1]:
        earlier = ops.pad(total[:, :-shift], ((0, 0), (shift, 0)), constant_values=NEVER)
        total = ops.logaddexp(total, earlier + gain)
        gain = gain + ops.pad(gain[:, :-shift], ((0, 0), (shift, 0)))
        shift *= 2
    return ops.pad(total, ((0, 0), (1, 0)), constant_values=NEVER)
