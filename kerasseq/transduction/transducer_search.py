"""Greedy search of transducers, and the helpers of both searches."""

from typing import Any

from keras import ops, tree

from kerasseq.decoders import Decoder
from kerasseq.masking import Memory, mask_to_lengths
from kerasseq.special_ids import BEGIN, END, PAD
from kerasseq.transduction.joiner import Joiner
from kerasseq.transduction.result import SearchResult

# Frames that greedy search looks at together. Between two labels the prediction network stands
# still, so one product serves all blanks up to the next label, if that is not further away.
_AHEAD = 4


def predict(
    decoder: Decoder, joiner: Joiner, tokens: Any, static: Any, state: Any
) -> tuple[Any, Any]:
    """Steps the prediction network: its projected features after `tokens`, and its state."""
    # Rows are at different positions, so the network must not depend on them.
    position = ops.zeros((), dtype="int32")
    features, state = decoder.step_features(tokens, position, static, state)
    return joiner.project_predicted(features), state


def where_rows(condition: Any, new: Any, old: Any) -> Any:
    """Selects the rows of `new` where the condition holds, else those of `old`; both are pytrees.

    The condition is (N,), or (N, W) for leaves with both axes.
    """

    def chosen(a, b):
        rows = condition
        for axis in range(len(condition.shape), len(a.shape)):
            rows = ops.expand_dims(rows, axis)
        return ops.where(rows, a, b)

    return tree.map_structure(chosen, new, old)


def transducer_greedy_search(
    decoder: Decoder,
    joiner: Joiner,
    memory: Memory,
    max_length: int | None = None,
    max_symbols: int = 5,
    constants: Any = None,
    begun: Any = None,
    limit: Any = None,
) -> tuple[SearchResult, Any]:
    """Follows the path that takes the most probable of blank and labels at each place of the
    lattice.

    This is a pure function of tensors. Call it as it is or compile it. The path holds no special id
    but the blank. Each row is at its own frame: a round passes the blanks ahead and takes one
    label, so that there are about as many rounds as labels (compare Bataev et al., 2024,
    label-looping).

    Args:
        decoder: the prediction network, whose steps do not depend on their position.
        joiner: its joiner.
        memory: the encoder's `Memory`.
        max_length: L, the most labels of a row. The default allows as many as there can be.
        max_symbols: the most labels at one frame; a blank follows them.
        constants: `decoder.constants()`, if the caller has them.
        begun: the second result of an earlier call, to continue after its frames. The prediction
            network must not attend to the memory.
        limit: a scalar int32 tensor, the most labels of a row if fewer than `max_length`.

    Returns:
        A `SearchResult` with the scores of the paths, and the state from which a later call
        continues.

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
    >>> result, state = transduction.transducer_greedy_search(network, joiner, memory, max_length=4)
    >>> tuple(result.tokens.shape), tuple(result.score.shape)
    ((2, 4), (2,))
    """
    n, steps = ops.shape(memory.mask)
    most = steps * max_symbols
    length = most if max_length is None else min(most, max_length)
    limit = length if limit is None else ops.minimum(limit, length)
    frames = mask_to_lengths(memory.mask)
    # Room for a look beyond the end.
    encoded = ops.pad(joiner.project_encoded(memory.values), ((0, 0), (0, _AHEAD), (0, 0)))
    encoded = ops.reshape(encoded, (n * (steps + _AHEAD), joiner.units))
    rows = ops.arange(n, dtype="int32") * (steps + _AHEAD)
    ahead = ops.arange(_AHEAD, dtype="int32")[None]
    places = ops.arange(length, dtype="int32")[None]
    static, state = decoder.begin(memory, length, constants)
    if begun is None:
        tokens = ops.full((n,), BEGIN, dtype="int32")
        begun = predict(decoder, joiner, tokens, static, state)
    zeros = ops.zeros((n,), dtype="int32")
    start = {
        "frame": zeros,
        "length": zeros,
        "here": zeros,  # labels at this frame
        "begun": begun,
        "found": SearchResult(
            ops.full((n, length), PAD, dtype="int32"),
            ops.zeros((n,), dtype="float32"),
            ops.zeros((n, length), dtype="int32"),
            ops.zeros((n, length), dtype="float32"),
        ),
    }

    def cond(now):
        return ops.any(now["frame"] < frames)

    def body(now):
        predicted, state = now["begun"]
        found = now["found"]
        at = now["frame"][:, None] + ahead
        window = ops.take(encoded, rows[:, None] + at, axis=0)
        logits = ops.cast(joiner(window, predicted[:, None]), "float32")
        norm = ops.logsumexp(logits, axis=-1)
        blank = logits[:, :, 0] - norm
        label = ops.max(logits[:, :, END + 1 :], axis=-1) - norm
        full = ops.logical_and(ahead == 0, now["here"][:, None] >= max_symbols)
        full = ops.logical_or(full, now["length"][:, None] >= limit)
        real = at < frames[:, None]
        written = ops.logical_and(ops.logical_and(label > blank, real), ops.logical_not(full))
        stopped = ops.logical_or(written, ops.logical_not(real))
        blanks = ops.min(ops.where(stopped, ahead, _AHEAD), axis=1)
        last = ops.minimum(blanks, _AHEAD - 1)[:, None]
        written = ops.take_along_axis(written, last, axis=1)[:, 0]
        gain = ops.where(written, ops.take_along_axis(label, last, axis=1)[:, 0], 0.0)
        there = ops.take_along_axis(logits, last[:, :, None], axis=1)[:, 0, END + 1 :]
        token = ops.cast(ops.argmax(there, axis=-1), "int32") + END + 1

        passed = ops.sum(ops.where(ahead < blanks[:, None], blank, 0.0), axis=1)
        frame = now["frame"] + blanks
        place = ops.logical_and(places == now["length"][:, None], written[:, None])
        found = SearchResult(
            ops.where(place, token[:, None], found.tokens),
            found.score + passed + gain,
            ops.where(place, frame[:, None], found.frames),
            ops.where(place, gain[:, None], found.log_probs),
        )
        one = ops.cast(written, "int32")
        here = one * (ops.where(blanks == 0, now["here"], 0) + 1)
        begun = predict(decoder, joiner, token, static, state)
        return {
            "frame": frame,
            "length": now["length"] + one,
            "here": here,
            "begun": where_rows(written, begun, now["begun"]),
            "found": found,
        }

    end = ops.while_loop(cond, lambda now: (body(now),), (start,))[0]
    return end["found"], end["begun"]
