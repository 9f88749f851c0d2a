"""Beam search of transducers."""

from typing import Any

import numpy as np
from keras import ops, tree

from kerasseq.decoders import Decoder, Stepwise
from kerasseq.errors import UserError
from kerasseq.generation.selection import Candidates, log_normalizer
from kerasseq.masking import Memory, mask_to_lengths
from kerasseq.special_ids import BEGIN, PAD
from kerasseq.transduction.joiner import Joiner
from kerasseq.transduction.result import SearchResult
from kerasseq.transduction.transducer import NEVER, log_add
from kerasseq.transduction.transducer_search import predict, where_rows


def transducer_beam_search(
    decoder: Decoder,
    joiner: Joiner,
    memory: Memory,
    width: int = 5,
    n_best: int = 1,
    max_length: int | None = None,
    language_model: Stepwise | None = None,
    lm_weight: float = 0.0,
    length_bonus: float = 0.0,
    constants: Any = None,
    lm_constants: Any = None,
    limit: Any = None,
) -> SearchResult:
    """Finds the label sequences y of each source x with the best scores.

        score(x, y) = log p(y | x) + lm_weight * log p_lm(y) + length_bonus * |y|

    The search is alignment-length synchronous (Saon et al., 2020): step i has hypotheses with
    t + u = i, each at its frame t after its u labels. So all paths of one label sequence meet, and
    their probabilities are summed. A finished hypothesis stays while it is among the n_best. The
    search of a row stops when no live hypothesis can reach a better score. A result holds no
    special id. The language model's end of sequence does not count.

    This is a pure function of tensors. Call it as it is or compile it.

    Args:
        decoder, joiner, memory, constants: as for `transducer_greedy_search`.
        width: W, live hypotheses of a row.
        n_best: B, hypotheses to return, at most W.
        max_length: L, the most labels of a row. The default is the number of frames.
        language_model: None, or a `Stepwise` over the same tokens, whose steps do not depend on
            their position.
        lm_weight: at least 0; a number or a scalar tensor.
        length_bonus: nats for each label; a number or a scalar tensor.
        lm_constants: `language_model.constants()`, if the caller has them.
        limit: a scalar int32 tensor, the most labels of a row if fewer than `max_length`.

    Returns:
        A `SearchResult` with scores (N, B), best first, minus infinity where there are fewer than B
        hypotheses, and tokens, frames and log-probabilities (N, B, L). Frames and log-probabilities
        are those of the most probable path.

    Raises:
        UserError: a number is out of its range.

    Example:

    >>> import keras, numpy as np
    >>> import kerasseq
    >>> from kerasseq import decoders, transduction
    >>> keras.utils.set_random_seed(0)
    >>> network = decoders.RNNDecoder(
    ...     kerasseq.TokenEmbedding(9, 6), 6, context="none", projection=False)
    >>> joiner = transduction.Joiner(vocabulary_size=9, units=4)
    >>> network.build((None, None, 8))
    >>> joiner.build((None, None, 8), (None, None, 6))
    >>> memory = kerasseq.Memory(np.ones((2, 5, 8), "float32"), np.ones((2, 5), bool))
    >>> result = transduction.transducer_beam_search(network, joiner, memory, width=3, n_best=2)
    >>> tuple(result.tokens.shape), bool(result.score[0, 0] >= result.score[0, 1])
    ((2, 2, 5), True)
    """
    if not 1 <= n_best <= width:
        raise UserError(
            f"n_best must be at least 1 and at most the beam's width {width}, not {n_best}."
        )
    known = isinstance(lm_weight, float | int)
    if known and lm_weight < 0:
        raise UserError(f"The language model's weight must be at least 0, not {lm_weight}.")
    n, steps = ops.shape(memory.mask)
    length = steps if max_length is None else max_length
    limit = length if limit is None else ops.minimum(limit, length)
    frames = mask_to_lengths(memory.mask)
    encoded = ops.reshape(joiner.project_encoded(memory.values), (n * steps, joiner.units))
    networks = _Networks(decoder, joiner, constants)
    if language_model is not None and not (known and lm_weight == 0):
        networks.fuse(language_model, lm_weight, lm_constants)
    carry = networks.begin(memory, n, width, length)
    firsts = ops.arange(n, dtype="int32")[:, None]

    def going(live, done):
        # The beam holds all that a label sequence can still gain, except the bonus of its labels.
        room = ops.cast(limit - live["length"], "float32") * ops.maximum(length_bonus, 0.0)
        reachable = ops.logsumexp(live["score"] + room, axis=1)
        return ops.logical_and(reachable > done["score"][:, -1], reachable > NEVER / 2)

    def cond(i, live, done, carry):
        return ops.logical_and(i < steps + limit, ops.any(going(live, done)))

    def body(i, live, done, carry):
        t = i - live["length"]
        here = ops.take(encoded, firsts * steps + ops.clip(t, 0, steps - 1), axis=0)
        logits, fused = networks.logits(ops.reshape(here, (-1, joiner.units)), carry)
        normal = live["score"] - ops.reshape(log_normalizer(logits), (-1, width))
        base = normal + length_bonus
        blank = normal + ops.reshape(logits[:, 0], (-1, width))
        log_probs = logits - log_normalizer(logits)

        # Another hypothesis may lack the last label alone: the label leads from it to this one.
        parent, met, label = _parents(live)
        rows = firsts * width + parent
        arriving = ops.take_along_axis(base, parent, axis=1) + _gather(fused, rows, label)
        arriving = ops.where(met, arriving, NEVER)
        other = _append_label(
            _take_hypotheses(live, parent),
            label,
            ops.take_along_axis(t, parent, axis=1),
            _gather(log_probs, rows, label),
            met,
        )
        stays = where_rows(arriving > blank, other, live)
        stays["score"] = log_add(blank, arriving)

        final = ops.logical_and(live["score"] > NEVER / 2, t == frames[:, None] - 1)
        ended = {**stays, "score": ops.where(final, stays["score"], NEVER)}
        both = _concatenate(done, ended)
        done = _take_hypotheses(both, ops.top_k(both["score"], n_best)[1])

        # As many as W of these can be in the beam already.
        open_ = ops.where(live["length"] < limit, base, NEVER)
        sums, beams, tokens = Candidates(fused, None, width, 2 * width).best(open_)
        again = ops.logical_and(beams[:, :, None] == parent[:, None], met[:, None])
        again = ops.logical_and(again, tokens[:, :, None] == label[:, None])
        sums = ops.where(ops.any(again, axis=-1), NEVER, ops.maximum(sums, NEVER))

        stay = ops.where(final, NEVER, stays["score"])
        score, index = ops.top_k(ops.concatenate([stay, sums], axis=1), width)
        index = ops.cast(index, "int32")
        longer = index >= width
        of = ops.maximum(index - width, 0)
        parents = ops.where(longer, ops.take_along_axis(beams, of, axis=1), index)
        tokens = ops.take_along_axis(tokens, of, axis=1)
        rows = firsts * width + parents
        live = _append_label(
            _take_hypotheses(_concatenate(stays, live), ops.where(longer, width + parents, index)),
            tokens,
            ops.take_along_axis(t, parents, axis=1),
            _gather(log_probs, rows, tokens),
            longer,
        )
        live["score"] = score
        flat = [ops.reshape(x, (-1,)) for x in (rows, tokens, longer)]
        return i + 1, live, done, networks.advance(carry, *flat)

    # One hypothesis without labels; it is the result of a row without frames.
    empty = frames[:, None] == 0
    first, best = ops.arange(width) == 0, ops.arange(n_best) == 0
    live = _hypotheses(ops.logical_and(first, ops.logical_not(empty)), length)
    done = _hypotheses(ops.logical_and(best, empty), length)
    start = (ops.zeros((), dtype="int32"), live, done, carry)
    _, _, done, _ = ops.while_loop(cond, body, start)
    there = done["score"] > NEVER / 2
    score = ops.where(there, done["score"], -np.inf)
    done = where_rows(there, done, _hypotheses(there, length))
    return SearchResult(done["tokens"], score, done["frames"], done["log_probs"])


class _Networks:
    """The prediction network and the language model of N * W hypotheses."""

    def __init__(self, decoder, joiner, constants):
        self.decoder, self.joiner, self.constants = decoder, joiner, constants
        self.language_model = None

    def fuse(self, language_model, weight, constants):
        self.language_model, self.weight, self.lm_constants = language_model, weight, constants

    def begin(self, memory, n, width, length):
        decoder, tokens = self.decoder, ops.full((n * width,), BEGIN, dtype="int32")
        begun = decoder.begin(memory, length, self.constants)
        self.static, state = decoder.expand(*begun, width)
        carry = {"own": predict(decoder, self.joiner, tokens, self.static, state)}
        if self.language_model is not None:
            begun = self.language_model.begin(memory, length, self.lm_constants)
            self.lm_static, state = self.language_model.expand(*begun, width)
            carry["language"] = self._gains(tokens, state)
        return carry

    def _gains(self, tokens, state):
        position = ops.zeros((), dtype="int32")
        logits, state = self.language_model.step(tokens, position, self.lm_static, state)
        logits = ops.cast(logits, "float32")
        return self.weight * (logits - log_normalizer(logits)), state

    def logits(self, encoded, carry):
        """The joiner's logits (N * W, V), and the same with the language model's scores."""
        logits = ops.cast(self.joiner(encoded, carry["own"][0]), "float32")
        if self.language_model is None:
            return logits, logits
        return logits, logits + carry["language"][0]

    def advance(self, carry, parents, tokens, written):
        """Steps from `parents`, and where `written` with a token; all (N * W,)."""
        predicted, state = carry["own"]
        own = ops.take(predicted, parents, axis=0), self.decoder.reorder(state, parents)
        new = predict(self.decoder, self.joiner, tokens, self.static, own[1])
        after = {"own": where_rows(written, new, own)}
        if self.language_model is not None:
            gains, state = carry["language"]
            state = self.language_model.reorder(state, parents)
            own = ops.take(gains, parents, axis=0), state
            after["language"] = where_rows(written, self._gains(tokens, state), own)
        return after


def _hypotheses(there, length):
    """Hypotheses (N, K) without labels, with a score of 0 where there is one."""
    n, k = ops.shape(there)
    return {
        "score": ops.where(there, 0.0, NEVER),
        "length": ops.zeros((n, k), dtype="int32"),
        "tokens": ops.full((n, k, length), PAD, dtype="int32"),
        "frames": ops.zeros((n, k, length), dtype="int32"),
        "log_probs": ops.zeros((n, k, length), dtype="float32"),
    }


def _parents(live):
    """For each hypothesis (N, W) the one that lacks its last label alone, whether there is one, and
    the label.
    """
    tokens, lengths = live["tokens"], live["length"]
    ends = ops.arange(tokens.shape[2], dtype="int32") == lengths[:, :, None] - 1
    label = ops.sum(ops.where(ends, tokens, 0), axis=2)
    shorter = ops.where(ends, PAD, tokens)
    same = ops.all(shorter[:, :, None] == tokens[:, None], axis=3)
    alive = live["score"] > NEVER / 2
    same = ops.logical_and(same, ops.logical_and(alive, lengths > 0)[:, :, None])
    same = ops.cast(ops.logical_and(same, alive[:, None]), "int32")
    return ops.cast(ops.argmax(same, axis=2), "int32"), ops.any(same > 0, axis=2), label


def _append_label(hypotheses, token, frame, log_prob, written):
    """Appends one label to the hypotheses where `written`; all (N, W)."""
    lengths, tokens = hypotheses["length"], hypotheses["tokens"]
    place = ops.arange(tokens.shape[2], dtype="int32") == lengths[:, :, None]
    place = ops.logical_and(place, written[:, :, None])
    return {
        "score": hypotheses["score"],
        "length": lengths + ops.cast(written, "int32"),
        "tokens": ops.where(place, token[:, :, None], tokens),
        "frames": ops.where(place, frame[:, :, None], hypotheses["frames"]),
        "log_probs": ops.where(place, log_prob[:, :, None], hypotheses["log_probs"]),
    }


def _take_hypotheses(hypotheses, index):
    """Selects the hypotheses with the indices (N, K)."""

    def picked(leaf):
        shape = index if len(leaf.shape) == 2 else index[:, :, None]
        return ops.take_along_axis(leaf, shape, axis=1)

    return tree.map_structure(picked, hypotheses)


def _concatenate(first, second):
    return tree.map_structure(lambda a, b: ops.concatenate([a, b], axis=1), first, second)


def _gather(values, rows, tokens):
    """values[rows, tokens]: (N * W, V) and twice (N, K) to (N, K)."""
    places = rows * values.shape[1] + tokens
    return ops.take(ops.reshape(values, (-1,)), places)
