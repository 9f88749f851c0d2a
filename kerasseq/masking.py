"""The memory of an encoder, and functions of masks. Every call takes and returns masks."""

from typing import Any, NamedTuple

from keras import ops


class Memory(NamedTuple):
    """The output of an encoder, which a decoder reads.

    Attributes:
        values: (N, S, D), float.
        mask: (N, S), bool, True where a step is real and False where it is padding.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> encoder = kerasseq.encoders.RNNEncoder(units=4)
    >>> values, mask = encoder(np.zeros((2, 5, 8), "float32"), np.ones((2, 5), bool))
    >>> memory = kerasseq.Memory(values, mask)
    >>> tuple(memory.values.shape), tuple(memory.mask.shape)
    ((2, 5, 4), (2, 5))
    """

    values: Any
    mask: Any


def repeat_memory(memory: Memory, times: Any) -> Memory:
    """Repeats each row `times` times; the copies of a row follow each other."""
    return Memory(*(ops.repeat(part, times, axis=0) for part in memory))


def mask_to_lengths(mask: Any) -> Any:
    """Returns the lengths (N,) int32 of right-padded rows with a mask (N, S)."""
    return ops.sum(ops.cast(mask, "int32"), axis=-1)


def softmax(scores: Any) -> Any:
    """Computes the softmax over the last axis. Unlike Keras, it does not warn of a single place."""
    return ops.ones_like(scores) if scores.shape[-1] == 1 else ops.softmax(scores, axis=-1)


def masked_softmax(scores: Any, mask: Any) -> Any:
    """Computes the softmax over the last axis, with weights of 0 where a place is masked.

    The weights of a row without a real place are 0, not NaN.

    Args:
        scores: (..., S), float. The softmax is computed in float32.
        mask: bool, broadcastable to the shape of `scores`, True where a place is real.
    """
    dtype = scores.dtype
    scores = ops.where(mask, ops.cast(scores, "float32"), _LOWEST)
    weights = softmax(scores)
    return ops.cast(ops.where(mask, weights, 0.0), dtype)


def mask_to_bias(mask: Any) -> Any:
    """Converts a bool mask to numbers to add to scores: 0 where a place is real, else -60000.

    This is cheaper than `masked_softmax` where several softmaxes have the same mask. In a row with
    a real place, the others get a weight of exactly 0. -60000 is finite in float16 too, to which
    Keras casts the arguments of a layer in mixed precision.
    """
    return ops.where(mask, 0.0, -60000.0)


# Finite, since inf - inf is NaN in a row without a real place.
_LOWEST = -1e30


def reverse_by_length(values: Any, mask: Any) -> Any:
    """Reverses the real steps of each right-padded row. The padding stays in place.

    Args:
        values: (N, S) or (N, S, D).
        mask: (N, S) bool.
    """
    steps = ops.shape(values)[1]
    lengths = mask_to_lengths(mask)[:, None]
    index = ops.arange(steps)[None, :]
    index = ops.where(index < lengths, lengths - 1 - index, index)
    if len(values.shape) == 3:
        index = index[:, :, None]
    return ops.take_along_axis(values, index, axis=1)


def take_last_step(values: Any, mask: Any) -> Any:
    """Returns the last real step (N, D) of each right-padded row of (N, S, D)."""
    index = ops.maximum(mask_to_lengths(mask) - 1, 0)
    return ops.take_along_axis(values, index[:, None, None], axis=1)[:, 0]
