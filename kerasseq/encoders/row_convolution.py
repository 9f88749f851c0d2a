"""A glance ahead for encoders that read forwards alone."""

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
    """Each step joined with the `steps` after it, every channel by itself.

        y[t] = sum over i of w[i] * x[t + i], i = 0 .. steps

    The row convolution of Amodei et al., 2016, section 3.7. It begins as no change: w[0] is 1,
    the others are small.

    Shapes: values (N, S, D), mask (N, S) -> Memory with (N, S, D). Padding is zero before it.
    Streams, `steps` behind.
    """

    @checked
    def __init__(self, steps: Count, **kwargs: Any):
        super().__init__(**kwargs)
        self.steps = self.lead = steps

    def build(self, input_shape: Any) -> None:
        self.width = require_width(self, input_shape)
        self.kernel = self.add_weight(
            name="kernel", shape=(self.steps + 1, self.width), initializer=_nearly_first
        )

    def call(self, values: Any, mask: Any, training: bool = False) -> Memory:
        values = ops.where(mask[:, :, None], values, ops.zeros_like(values))
        return Memory(self._join(self._pad(values), training), mask)

    def _pad(self, values: Any) -> Any:
        return ops.pad(values, [[0, 0], [0, self.steps], [0, 0]])

    def _join(self, values: Any, training: bool = False) -> Any:
        """(N, S + steps, D) to (N, S, D)."""
        return backend.depthwise(values, cast_variable(self, self.kernel), training)

    def begin_stream(self, n: int) -> Any:
        return ops.zeros((n, 0, self.width), dtype=self.compute_dtype)

    def stream(self, values: Any, state: Any) -> tuple[Any, Any]:
        values = ops.concatenate([state, values], axis=1)
        if values.shape[1] <= self.steps:
            return values[:, :0], values
        return self._join(values), values[:, values.shape[1] - self.steps :]

    def flush(self, values: Any, state: Any) -> Any:
        return self.stream(self._pad(values), state)[0]

    def get_config(self) -> dict:
        return {**super().get_config(), "steps": self.steps}


def _nearly_first(shape: Any, dtype: Any = None) -> Any:
    later = keras.random.uniform((shape[0] - 1, shape[1]), -0.1, 0.1, dtype=dtype)
    return ops.concatenate([ops.ones((1, shape[1]), dtype=dtype), later], axis=0)
