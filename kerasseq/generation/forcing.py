"""What a decoder makes of tokens that are given: their probability, and where it looks."""

from typing import Any

from keras import ops

from kerasseq.backend import scan
from kerasseq.errors import UserError
from kerasseq.generation.selection import BEGIN, PAD, log_normalizer


def rescore(decoder: Any, memory: Any, tokens: Any) -> Any:
    """(N, T) tokens, padded after their end, to (N,) log p(tokens | memory).

    The end symbol counts when it is among the tokens. No penalty is in it.
    """
    tokens = ops.convert_to_tensor(tokens, dtype="int32")

    def gain(logits, state, labels):
        logits = ops.cast(logits, "float32")
        chosen = ops.take_along_axis(logits, labels[:, None], axis=1) - log_normalizer(logits)
        return ops.where(labels == PAD, 0.0, chosen[:, 0])

    return ops.sum(_forced(decoder, memory, tokens, gain), axis=0)


def attend(decoder: Any, memory: Any, tokens: Any) -> Any:
    """(N, T) tokens to the attention weights (N, T, S) with which each was predicted.

    Raises:
        UserError: the decoder keeps no attention weights.
    """
    tokens = ops.convert_to_tensor(tokens, dtype="int32")

    def weights(logits, state, labels):
        if not (isinstance(state, dict) and "weights" in state):
            raise UserError(
                "An attention map needs a decoder with attention, which keeps its weights in "
                'state["weights"]; this decoder has none.'
            )
        return state["weights"]

    return ops.transpose(_forced(decoder, memory, tokens, weights), (1, 0, 2))


def _forced(decoder, memory, tokens, read):
    """`read(logits, state, labels)` of every step, stacked on axis 0, under teacher forcing."""
    length = tokens.shape[1]
    static, state = decoder.begin(memory, length)
    begin = ops.full_like(tokens[:, :1], BEGIN)
    inputs = ops.concatenate([begin, tokens[:, :-1]], axis=1)

    def step(state, x):
        token, label, position = x
        logits, state = decoder.step(token, position, static, state)
        return state, read(logits, state, label)

    xs = (ops.transpose(inputs), ops.transpose(tokens), ops.arange(length, dtype="int32"))
    return scan(step, state, xs)[1]
