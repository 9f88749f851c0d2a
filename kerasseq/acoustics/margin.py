"""Quiet at both ends of a recording."""

from typing import Any

import keras
from keras import ops

from kerasseq.checks import Size, checked
from kerasseq.masking import Memory
from kerasseq.serialization import register


@register()
class Margin(keras.layers.Layer):
    """Lengthens each recording by `frames` of quiet at each end.

        y = [q] * frames + x + [q] * frames,  q = the frame of x with the least mean

    A recogniser may hear the last sound of a word a little later than it ends. CTC writes at most
    one symbol at a step, and a blank between two equal ones: "three" in 0.23 s has no room in
    steps of 40 ms. So recordings that are cut to a word need a margin.

    Args:
        frames: the frames at each end.

    Shapes: values (N, S, D), mask (N, S) -> Memory with values (N, S + 2 * frames, D). A row
    without real steps stays without. The layer does not stream, since a stream's quietest frame is
    not known at its beginning.

    Raises:
        UserError: `frames` is not positive.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> values, mask = np.array([[[5.0], [3.0], [0.0]]], "float32"), np.array([[True, True, False]])
    >>> memory = kerasseq.acoustics.Margin(frames=1)(values, mask)
    >>> np.array(memory.values)[0, :, 0].tolist(), np.array(memory.mask)[0].tolist()
    ([3.0, 5.0, 3.0, 3.0, 0.0], [True, True, True, True, False])
    """

    @checked
    def __init__(self, frames: Size, **kwargs: Any):
        super().__init__(**kwargs)
        self.frames = frames

    @property
    def margin(self) -> int:
        """The steps by which the result begins before the recording."""
        return self.frames

    def build(self, input_shape: Any) -> None:
        self.width = input_shape[-1]

    def call(self, values: Any, mask: Any, training: bool = False) -> Memory:
        ends = [[0, 0], [self.frames, self.frames]]
        level = ops.where(mask, ops.mean(ops.cast(values, "float32"), axis=-1), float("inf"))
        quietest = ops.argmin(level, axis=1)
        places = ops.cumsum(ops.ones_like(mask, dtype="int32"), axis=1) - 1
        chosen = ops.cast(places == ops.cast(quietest, "int32")[:, None], values.dtype)
        quiet = ops.matmul(chosen[:, None], values)
        lengths = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)
        heard = ops.pad(ops.cast(mask, "int32"), ends) > 0
        places = ops.cumsum(ops.ones_like(heard, dtype="int32"), axis=1) - 1
        real = ops.logical_and(places < lengths + 2 * self.frames, lengths > 0)
        values = ops.where(heard[:, :, None], ops.pad(values, [*ends, [0, 0]]), quiet)
        return Memory(ops.where(real[:, :, None], values, 0.0), real)

    def get_config(self) -> dict:
        return {**super().get_config(), "frames": self.frames}
