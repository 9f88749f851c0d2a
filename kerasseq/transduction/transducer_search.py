"""What transducers' searches share, and greedy search."""

from typing import Any, NamedTuple

from keras import ops, tree

from kerasseq.decoders import Decoder
from kerasseq.generation.selection import BEGIN, END, PAD
from kerasseq.masking import Memory, mask_to_lengths
from kerasseq.transduction.joiner import Joiner

# Frames that greedy search looks at together. Between two labels the prediction network stands
# still, so one product serves all blanks up to the next label, if that is not further away.
_AHEAD = 4


class Found(NamedTuple):
    """What a search found, padded with 0; a beam's has an axis of n_best behind that of rows.

    Attributes:
        tokens: (N, L) int32.
        score: (N,) float32, log-probability of the path, or as the search says.
        frames: (N, L) int32, the frame at which each token was written.
        log_probs: (N, L) float32, log of each token's probability there.
    """

    tokens: Any
    score: Any
    frames: Any
    log_probs: Any


def predict(
    decoder: Decoder, joiner: Joiner, tokens: Any, static: Any, state: Any
) -> tuple[Any, Any]:
    """A step of the prediction network: its features behind `tokens`, projected, and the state."""
    # Rows are at different positions, so the network must not depend on them.
    position = ops.zeros((), dtype="int32")
    features, state = decoder.step_features(tokens, position, static, state)
    return joiner.project_predicted(features), state


def where_rows(condition: Any, new: Any, old: Any) -> Any:
    """The rows of `new` where the condition holds, else those of `old`; pytrees.

    The condition is (N,), or (N, W) for leaves with both axes.
    """

    def chosen(a, b):
        rows = condition
        for axis in range(len(condition.shape), len(a.shape)):
            rows = ops.expand_dims(rows, axis)
        return ops.where(rows, a, b)

    return tree.map_structure(chosen, new, old)


def greedy_search(
    decoder: Decoder,
    joiner: Joiner,
    memory: Memory,
    max_length: int | None = None,
    max_symbols: int = 5,
    constants: Any = None,
    begun: Any = None,
    limit: Any = None,
) -> tuple[Found, Any]:
    """The path that takes the most probable of blank and labels at each place of the lattice.

    A pure function of tensors, to be called as it is or compiled. No special id but the blank is
    taken. Each row is at its own frame: a round takes it over the blanks ahead and one label, so
    there are about as many rounds as labels (compare Bataev et al., 2024, label-looping).

    Args:
        decoder: the prediction network, whose steps do not depend on their position.
        joiner: its joiner.
        memory: the encoder's.
        max_length: L, most labels of a row; by default as many as there can be.
        max_symbols: most labels at one frame, behind which a blank is taken.
        constants: `decoder.constants()`, where the caller keeps them.
        begun: what an earlier call gave last, to go on behind its frames. Its prediction network
            must not attend to the memory.
        limit: a scalar int32 tensor, most labels of a row where they are fewer than `max_length`.

    Returns:
        What was found, with the scores of the paths; and what a later call goes on from.
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
        "found": Found(
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
        found = Found(
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
