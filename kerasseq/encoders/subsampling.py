"""Layers before an encoder, which reduce the steps or project to its width."""

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


def _subsample_mask(mask: Any, factor: int) -> Any:
    """Returns the mask of ceil(S / factor) steps: real where their first input step is."""
    return mask[:, ::factor]


def _pad_to_multiple(values: Any, factor: int) -> Any:
    """Pads the steps with zeros, up to a multiple of `factor`."""
    return ops.pad(values, [[0, 0], [0, -ops.shape(values)[1] % factor], [0, 0]])


def _sinusoidal_positions(steps: Any, width: int) -> Any:
    """Computes `kerasseq.embedding.sinusoidal_positions` for a number of steps in a tensor."""
    rate = 10000.0 ** (-2.0 * np.arange(width // 2) / width)
    angle = ops.arange(steps, dtype="float32")[:, None] * rate.astype("float32")
    return ops.concatenate([ops.sin(angle), ops.cos(angle)], axis=1)


@register()
class FrameStacking(Streaming, keras.layers.Layer):
    """Concatenates every `factor` steps to one step (Sak et al., 2015, section 4).

    Args:
        factor: the number of steps.

    Shapes: values (N, S, D), mask (N, S) -> Memory with values (N, ceil(S / factor), factor * D).
    The last step is padded with zeros. The layer streams.

    Raises:
        UserError: `factor` is out of its range.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> layer = kerasseq.encoders.FrameStacking(factor=3)
    >>> memory = layer(np.zeros((1, 10, 80), "float32"), np.ones((1, 10), bool))
    >>> tuple(memory.values.shape)
    (1, 4, 240)
    """

    @checked
    def __init__(self, factor: Size, **kwargs: Any):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape: Any) -> None:
        self.width = self.factor * require_width(self, input_shape)

    def call(self, values: Any, mask: Any, training: bool = False) -> Memory:
        values = ops.where(mask[:, :, None], values, ops.zeros_like(values))
        return Memory(self._stack(values), _subsample_mask(mask, self.factor))

    def _stack(self, values: Any) -> Any:
        values = _pad_to_multiple(values, self.factor)
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
    """Reduces the steps to a quarter or a half, with two convolutions over time and frequency.

        h_1 = relu(Conv(x)), h_2 = relu(Conv(h_1)), y = W h_2 + b

    The kernels are 3 x 3 and the strides 2 in both directions (Dong et al., 2018, section 3.2).
    For a half of the steps the second convolution has a stride of 2 in frequency only. An output
    step reads 7 input steps: its own first one, 3 before it and 3 after it.

    Args:
        filters: channels of the convolutions.
        width: D', the width of the result.
        factor: input steps in an output step, 4 or 2.

    Shapes: values (N, S, D), mask (N, S) -> Memory with values (N, ceil(ceil(S / 2) / 2), D'), or
    (N, ceil(S / 2), D') for a factor of 2. Padding is set to zero before each convolution, so
    that it has no effect. The layer streams.

    Raises:
        UserError: an argument is out of its range.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> layer = kerasseq.encoders.ConvolutionalSubsampling(filters=4, width=16)
    >>> memory = layer(np.zeros((1, 10, 80), "float32"), np.ones((1, 10), bool))
    >>> tuple(memory.values.shape)
    (1, 3, 16)
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
            mask = _subsample_mask(mask, stride)
        return Memory(self._project(values), mask)

    def _convolve(self, index: int, values: Any) -> Any:
        """Applies a convolution to S steps and the step before them: (N, 1 + S, ...)."""
        lacking = (ops.shape(values)[1] + 1) % 2 if self._strides[index] == 2 else 1
        return self._apply(index, ops.pad(values, [[0, 0], [0, lacking], [0, 0], [0, 0]]))

    def _apply(self, index: int, values: Any) -> Any:
        return self.convolutions[index](ops.pad(values, [[0, 0], [0, 0], [1, 1], [0, 0]]))

    def _project(self, values: Any) -> Any:
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
                values = self._empty(index, known)
            else:
                values = self._convolve(index, known) if stride == 2 else self._apply(index, known)
        return self._project(values), states

    def flush(self, values: Any, state: list) -> Any:
        values = values[:, :, :, None]
        for index, stride in enumerate(self._strides):
            known = ops.concatenate([state[index], values], axis=1)
            nothing = known.shape[1] == 1 if stride == 1 else values.shape[1] == 0
            values = self._empty(index, known) if nothing else self._convolve(index, known)
        return self._project(values)

    def _empty(self, index: int, known: Any) -> Any:
        """Returns an output of a convolution that has no steps."""
        bands = -(-self._planes[index][0] // 2)
        return ops.zeros((ops.shape(known)[0], 0, bands, self.filters), self.compute_dtype)

    def get_config(self) -> dict:
        sizes = {"filters": self.filters, "width": self.width, "factor": self.factor}
        return {**super().get_config(), **sizes}


@register()
class Projection(Streaming, keras.layers.Layer):
    """Projects features to the width of an encoder: y = dropout(W x + b + P).

    Args:
        width: D', the width of the result.
        positions: whether to add the sinusoids P of the positions (Vaswani et al., 2017,
            section 3.5). Unlike token embeddings, which start smaller, W x is not scaled.
        dropout: fraction of the elements of the result dropped in training.
        norm: whether to normalise W x + b (Ba et al., 2016), before positions and dropout.

    Shapes: values (N, S, D), mask (N, S) -> Memory with values (N, S, D'). The layer streams
    unless it adds positions.

    Raises:
        UserError: an argument is out of its range, or the width is odd and positions are added.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> layer = kerasseq.encoders.Projection(width=16, positions=True)
    >>> memory = layer(np.zeros((1, 10, 80), "float32"), np.ones((1, 10), bool))
    >>> tuple(memory.values.shape)
    (1, 10, 16)
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
            values = values + ops.cast(
                _sinusoidal_positions(ops.shape(values)[1], self.width), values.dtype
            )
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
