"""Lengths and masks, which travel in the open: every call takes and returns them."""

from typing import Any, NamedTuple

from keras import ops


class Memory(NamedTuple):
    """What an encoder hands to a decoder.

    Attributes:
        values: (N, S, D), float.
        mask: (N, S), bool, True where a step is real and False where it is padding.
    """

    values: Any
    mask: Any


def repeat_memory(memory: Memory, times: Any) -> Memory:
    """Each row that many times, next to each other."""
    return Memory(*(ops.repeat(part, times, axis=0) for part in memory))


def mask_to_lengths(mask: Any) -> Any:
    """(N, S) bool mask of right-padded rows to (N,) int32 lengths."""
    return ops.sum(ops.cast(mask, "int32"), axis=-1)


def softmax(scores: Any) -> Any:
    """Softmax over the last axis, of one place too, of which Keras warns on the terminal."""
    return ops.ones_like(scores) if scores.shape[-1] == 1 else ops.softmax(scores, axis=-1)


def masked_softmax(scores: Any, mask: Any) -> Any:
    """Softmax over the last axis in which masked places have no weight at all.

    A row without a single real place gets weights of zero, not NaN.

    Args:
        scores: (..., S), float; computed in float32 at least.
        mask: bool, broadcastable to the shape of `scores`, True where a place is real.
    """
    dtype = scores.dtype
    scores = ops.where(mask, ops.cast(scores, "float32"), _LOWEST)
    weights = softmax(scores)
    return ops.cast(ops.where(mask, weights, 0.0), dtype)


def mask_to_bias(mask: Any) -> Any:
    """A bool mask as float32 numbers to add to scores: 0 where a place is real, else -60000.

    Cheaper than a masked softmax where one mask serves many softmaxes; for rows that have a real
    place, in which the others get a weight of exactly 0. In mixed precision Keras casts what a
    layer is called with, and the number is finite in float16 too.
    """
    return ops.where(mask, 0.0, -60000.0)


# Finite, so that a row without a real place has no inf - inf in it.
_LOWEST = -1e30


def reverse_by_length(values: Any, mask: Any) -> Any:
    """Reverse the real steps of each right-padded row and leave the padding where it is.

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
    """(N, S, D) to (N, D): the last real step of each right-padded row."""
    index = ops.maximum(mask_to_lengths(mask) - 1, 0)
    return ops.take_along_axis(values, index[:, None, None], axis=1)[:, 0]
