"""A decoder on given tokens: their probability, and where it looks."""

from typing import Any

from keras import ops

from kerasseq.backend import scan
from kerasseq.errors import UserError
from kerasseq.generation.selection import log_normalizer
from kerasseq.special_ids import BEGIN, PAD


def rescore(decoder: Any, memory: Any, tokens: Any) -> Any:
    """Computes log p(tokens | memory) of given tokens, by teacher forcing.

    The end symbol counts when it is among the tokens. The result holds no penalty.

    Args:
        decoder: a `Stepwise`.
        memory: its memory of N sources.
        tokens: (N, T) int, padded after their end.

    Returns:
        (N,) float32, in nats.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> from kerasseq.generation import rescore
    >>> model = kerasseq.NGram.learn([[4, 5, 6], [4, 5, 7], [5, 6]], vocabulary_size=8, order=2)
    >>> memory = kerasseq.Memory(np.zeros((1, 1, 1), "float32"), np.ones((1, 1), bool))
    >>> score = rescore(model, memory, np.array([[4, 5, 6, 3, 0]]))
    >>> abs(float(score[0]) - model.score([4, 5, 6])) < 1e-4
    True
    """
    tokens = ops.convert_to_tensor(tokens, dtype="int32")

    def gain(logits, state, labels):
        logits = ops.cast(logits, "float32")
        chosen = ops.take_along_axis(logits, labels[:, None], axis=1) - log_normalizer(logits)
        return ops.where(labels == PAD, 0.0, chosen[:, 0])

    return ops.sum(_forced(decoder, memory, tokens, gain), axis=0)


def attend(decoder: Any, memory: Any, tokens: Any) -> Any:
    """Computes the attention weights with which a decoder predicts each of the given tokens.

    Args:
        decoder: a decoder with attention.
        memory: its `Memory` of N sources.
        tokens: (N, T) int.

    Returns:
        (N, T, S).

    Raises:
        UserError: the decoder keeps no attention weights.

    Example:

    >>> import keras, numpy as np
    >>> import kerasseq
    >>> from kerasseq import attention, decoders, generation
    >>> decoder = decoders.RNNDecoder(
    ...     kerasseq.TokenEmbedding(9, 6), 6, attention=attention.StepAttention("dot"))
    >>> decoder.build((None, None, 6))
    >>> memory = kerasseq.Memory(keras.ops.ones((1, 4, 6)), keras.ops.ones((1, 4), "bool"))
    >>> weights = generation.attend(decoder, memory, np.array([[4, 5, 3]]))
    >>> tuple(weights.shape), round(sum(float(weight) for weight in weights[0, 0]), 4)
    ((1, 3, 4), 1.0)
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
