"""Row convolution: a look at the next steps for encoders that only read forwards."""

from typing import Any

import keras
from keras import ops

from kerasseq import backend
from kerasseq.checks import Count, checked, require_width
from kerasseq.masking import Memory
from kerasseq.precision import cast_variable
from kerasseq.serialization import register
from kerasseq.streaming import Streaming


@register("Lookahead")
class RowConvolution(Streaming, keras.layers.Layer):
    """Adds the next steps to each step, in each channel separately.

        y[t] = sum over i of w[i] * x[t + i], i = 0 .. steps

    Amodei et al., 2016, section 3.7. The layer starts close to the identity: w[0] is 1, and the
    other weights are small.

    Args:
        steps: the number of later steps that a step reads.

    Shapes: values (N, S, D), mask (N, S) -> Memory with values (N, S, D). Padding is set to zero
    first. The layer streams; its output is `steps` behind its input.

    Raises:
        UserError: `steps` is out of its range.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> layer = kerasseq.encoders.RowConvolution(steps=2)
    >>> memory = layer(np.zeros((1, 5, 8), "float32"), np.ones((1, 5), bool))
    >>> tuple(memory.values.shape), layer.latency
    ((1, 5, 8), 2)
    """

    @checked
    def __init__(self, steps: Count, **kwargs: Any):
        super().__init__(**kwargs)
        self.steps = self.lead = steps

    def build(self, input_shape: Any) -> None:
        self.width = require_width(self, input_shape)
        self.kernel = self.add_weight(
            name="kernel", shape=(self.steps + 1, self.width), initializer=_near_identity
        )

    def call(self, values: Any, mask: Any, training: bool = False) -> Memory:
        values = ops.where(mask[:, :, None], values, ops.zeros_like(values))
        return Memory(self._convolve(self._pad(values), training), mask)

    def _pad(self, values: Any) -> Any:
        return ops.pad(values, [[0, 0], [0, self.steps], [0, 0]])

    def _convolve(self, values: Any, training: bool = False) -> Any:
        """Maps (N, S + steps, D) to (N, S, D)."""
        return backend.depthwise_conv_1d(values, cast_variable(self, self.kernel), training)

    def begin_stream(self, n: int) -> Any:
        return ops.zeros((n, 0, self.width), dtype=self.compute_dtype)

    def stream(self, values: Any, state: Any) -> tuple[Any, Any]:
        values = ops.concatenate([state, values], axis=1)
        if values.shape[1] <= self.steps:
            return values[:, :0], values
        return self._convolve(values), values[:, values.shape[1] - self.steps :]

    def flush(self, values: Any, state: Any) -> Any:
        return self.stream(self._pad(values), state)[0]

    def get_config(self) -> dict:
        return {**super().get_config(), "steps": self.steps}


def _near_identity(shape: Any, dtype: Any = None) -> Any:
    later = keras.random.uniform((shape[0] - 1, shape[1]), -0.1, 0.1, dtype=dtype)
    return ops.concatenate([ops.ones((1, shape[1]), dtype=dtype), later], axis=0)
