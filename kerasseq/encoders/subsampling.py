"""Fewer steps, and the way into an encoder."""

from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from kerasseq.checks import Fraction, Size, checked, require_width
from kerasseq.errors import UserError
from kerasseq.initializers import build
from kerasseq.masking import Memory
from kerasseq.serialization import register
from kerasseq.streaming import Streaming


def _every(mask: Any, factor: int) -> Any:
    """The mask of ceil(S / factor) steps, each real if the first of those it stands for is."""
    return mask[:, ::factor]


def _whole(values: Any, factor: int) -> Any:
    """Zeros behind the steps, up to a multiple of `factor`."""
    return ops.pad(values, [[0, 0], [0, -ops.shape(values)[1] % factor], [0, 0]])


def _sinusoids(steps: Any, width: int) -> Any:
    """As `kerasseq.embedding.sinusoids`, for a number of steps known only when it runs."""
    rate = 10000.0 ** (-2.0 * np.arange(width // 2) / width)
    angle = ops.arange(steps, dtype="float32")[:, None] * rate.astype("float32")
    return ops.concatenate([ops.sin(angle), ops.cos(angle)], axis=1)


@register()
class FrameStacking(Streaming, keras.layers.Layer):
    """`factor` steps side by side as one (Sak et al., 2015, section 4).

    Shapes: values (N, S, D), mask (N, S) -> Memory with (N, ceil(S / factor), factor * D). What
    a last step lacks is 0.
    """

    @checked
    def __init__(self, factor: Size, **kwargs: Any):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape: Any) -> None:
        self.width = self.factor * require_width(self, input_shape)

    def call(self, values: Any, mask: Any, training: bool = False) -> Memory:
        values = ops.where(mask[:, :, None], values, ops.zeros_like(values))
        return Memory(self._stack(values), _every(mask, self.factor))

    def _stack(self, values: Any) -> Any:
        values = _whole(values, self.factor)
        shape = ops.shape(values)
        return ops.reshape(values, (shape[0], shape[1] // self.factor, self.width))

    def begin_stream(self, n: int) -> dict:
        return {}

    def stream(self, values: Any, state: dict) -> tuple[Any, dict]:
        return self._stack(values), state

    def get_config(self) -> dict:
        return {**super().get_config(), "factor": self.factor}


@register()
class ConvolutionalSubsampling(Streaming, keras.layers.Layer):
    """A quarter or half of the steps: two convolutions in time and frequency, then a dense layer.

        h_1 = relu(Conv(x)), h_2 = relu(Conv(h_1)), y = W h_2 + b;  3 x 3, stride 2 in both

    Dong et al., 2018, section 3.2. For half of the steps the second convolution has a stride of 2
    in frequency alone. An output step sees 7 input steps, 3 before its own first and 3 after.

    Args:
        filters: channels of the convolutions.
        width: D', of the result.
        factor: 4 or 2, input steps to an output step.

    Shapes: values (N, S, D), mask (N, S) -> Memory with (N, ceil(ceil(S / 2) / 2), D') or (N,
    ceil(S / 2), D'). Padding is zero before each convolution, so it is as if there was none.
    Streams.

    Raises:
        UserError: an argument is out of its range.
    """

    @checked
    def __init__(self, filters: Size, width: Size, factor: Literal[2, 4] = 4, **kwargs: Any):
        super().__init__(**kwargs)
        self.filters, self.width, self.factor = filters, width, factor
        self._strides = (2, factor // 2)  # in time
        # With a stride of 1 the second convolution waits for a step of the first, which is two.
        self.lead = 4 - factor
        self.convolutions = [
            keras.layers.Conv2D(
                filters,
                3,
                strides=(stride, 2),
                activation="relu",
                data_format="channels_last",
                kernel_initializer="he_uniform",
                name=f"convolution_{index}",
            )
            for index, stride in enumerate(self._strides)
        ]
        self.leave = keras.layers.Dense(width, name="leave")

    def build(self, input_shape: Any) -> None:
        self._planes, bands, channels = [], require_width(self, input_shape), 1
        for convolution in self.convolutions:
            self._planes.append((bands, channels))
            build(convolution, (None, None, bands + 2, channels))
            bands, channels = -(-bands // 2), self.filters
        build(self.leave, (None, None, bands * channels))

    def call(self, values: Any, mask: Any, training: bool = False) -> Memory:
        values = values[:, :, :, None]
        for index, stride in enumerate(self._strides):
            values = ops.where(mask[:, :, None, None], values, ops.zeros_like(values))
            values = self._convolve(index, ops.pad(values, [[0, 0], [1, 0], [0, 0], [0, 0]]))
            mask = _every(mask, stride)
        return Memory(self._leave(values), mask)

    def _convolve(self, index: int, values: Any) -> Any:
        """One of the convolutions over steps with the one before them: (N, 1 + S, ...)."""
        lacking = (ops.shape(values)[1] + 1) % 2 if self._strides[index] == 2 else 1
        return self._over(index, ops.pad(values, [[0, 0], [0, lacking], [0, 0], [0, 0]]))

    def _over(self, index: int, values: Any) -> Any:
        return self.convolutions[index](ops.pad(values, [[0, 0], [0, 0], [1, 1], [0, 0]]))

    def _leave(self, values: Any) -> Any:
        shape = ops.shape(values)
        return self.leave(ops.reshape(values, (shape[0], shape[1], shape[2] * self.filters)))

    def begin_stream(self, n: int) -> list:
        return [ops.zeros((n, 1, *plane), dtype=self.compute_dtype) for plane in self._planes]

    def stream(self, values: Any, state: list) -> tuple[Any, list]:
        values, states = values[:, :, :, None], []
        for index, stride in enumerate(self._strides):
            known = ops.concatenate([state[index], values], axis=1)
            states.append(known[:, stride - 3 :])  # the step before, or it and one that waits
            if values.shape[1] == 0 or (stride == 1 and known.shape[1] < 3):
                values = self._none(index, known)
            else:
                values = self._convolve(index, known) if stride == 2 else self._over(index, known)
        return self._leave(values), states

    def flush(self, values: Any, state: list) -> Any:
        values = values[:, :, :, None]
        for index, stride in enumerate(self._strides):
            known = ops.concatenate([state[index], values], axis=1)
            nothing = known.shape[1] == 1 if stride == 1 else values.shape[1] == 0
            values = self._none(index, known) if nothing else self._convolve(index, known)
        return self._leave(values)

    def _none(self, index: int, known: Any) -> Any:
        """No step of what a convolution makes."""
        bands = -(-self._planes[index][0] // 2)
        return ops.zeros((ops.shape(known)[0], 0, bands, self.filters), self.compute_dtype)

    def get_config(self) -> dict:
        sizes = {"filters": self.filters, "width": self.width, "factor": self.factor}
        return {**super().get_config(), **sizes}


@register()
class Projection(Streaming, keras.layers.Layer):
    """The way into an encoder of a certain width: y = dropout(W x + b + P).

    Args:
        width: D', of the result.
        positions: add the sinusoids P of the positions (Vaswani et al., 2017, section 3.5). The
            sum is not scaled as one with token embeddings is, which begin smaller.
        dropout: fraction of the result's elements dropped in training.
        norm: normalise the result, before dropout and positions (Ba et al., 2016).

    Shapes: values (N, S, D), mask (N, S) -> Memory with (N, S, D'). Streams without positions.

    Raises:
        UserError: an argument is out of its range, or a width is odd where there are positions.
    """

    @checked
    def __init__(
        self,
        width: Size,
        positions: bool = False,
        dropout: Fraction = 0.0,
        norm: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if positions and width % 2:
            raise UserError(f"Sinusoidal positions need an even width, not {width}.")
        self.width, self.positions = width, positions
        self.dense = keras.layers.Dense(width, name="dense")
        self.dropout = keras.layers.Dropout(dropout)
        self.norm = keras.layers.LayerNormalization(epsilon=1e-5, name="norm") if norm else None

    def build(self, input_shape: Any) -> None:
        build(self.dense, (None, None, require_width(self, input_shape)))
        if self.norm:
            build(self.norm, (None, None, self.width))

    @property
    def streams(self) -> bool:
        return not self.positions

    def call(self, values: Any, mask: Any, training: bool = False) -> Memory:
        values = self._project(values)
        if self.positions:
            values = values + ops.cast(_sinusoids(ops.shape(values)[1], self.width), values.dtype)
        return Memory(self.dropout(values, training=training), mask)

    def _project(self, values: Any) -> Any:
        values = self.dense(values)
        return self.norm(values) if self.norm else values

    def begin_stream(self, n: int) -> dict:
        return {}

    def stream(self, values: Any, state: dict) -> tuple[Any, dict]:
        return self._project(values), state

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "width": self.width,
            "positions": self.positions,
            "dropout": self.dropout.rate,
            "norm": self.norm is not None,
        }
