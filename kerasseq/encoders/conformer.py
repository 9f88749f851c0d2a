"""Convolution-augmented Transformer encoder."""

from dataclasses import asdict
from typing import Any

import keras
from keras import ops

from kerasseq import backend
from kerasseq.attention.rotary import RotaryAttention
from kerasseq.checks import Activation, Count, Fraction, OddSize, Size, checked, require_width
from kerasseq.encoders.convolution import glu
from kerasseq.errors import UserError
from kerasseq.initializers import build
from kerasseq.masking import Memory, mask_to_bias
from kerasseq.precision import cast_variable
from kerasseq.serialization import register
from kerasseq.streaming import Streaming
from kerasseq.transformer import FeedForward, LayerSettings


class ConvolutionModule(keras.layers.Layer):
    """The convolution module of a Conformer layer (Gulati et al., 2020, section 2.2).

        y = W_2 swish(norm(depthwise(GLU(W_1 x))))

    It has layer normalisation in place of batch normalisation, so that neither padding nor the
    rest of the batch has an effect.

    Shapes: values (N, S, D), real (N, S, 1), gated values of earlier steps (N, B, D) -> (N, S, D)
    and the gated values (N, B + S, D), where B is K - 1 if the module is causal, and else 0.
    """

    def __init__(self, width: int, kernel_size: int, causal: bool, **kwargs: Any):
        super().__init__(**kwargs)
        self.kernel_size, self.causal = kernel_size, causal
        self.enter = keras.layers.Dense(2 * width, name="enter")
        self.norm = keras.layers.LayerNormalization(epsilon=1e-5, name="norm")
        self.leave = keras.layers.Dense(width, name="leave")

    def build(self, input_shape: Any) -> None:
        for layer in (self.enter, self.norm, self.leave):
            build(layer, input_shape)
        # Each channel has K inputs of its own.
        limit = (3.0 / self.kernel_size) ** 0.5
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.kernel_size, input_shape[-1]),
            initializer=keras.initializers.RandomUniform(-limit, limit),
        )

    def call(self, values: Any, real: Any, before: Any, training: bool = False) -> tuple[Any, Any]:
        values = ops.where(real, glu(self.enter(values)), 0.0)
        values = ops.concatenate([before, values], axis=1)
        # A causal module has its context in `before`; any other is padded on both sides.
        sides = 0 if self.causal else self.kernel_size // 2
        padded = ops.pad(values, [[0, 0], [sides, sides], [0, 0]])
        hidden = backend.depthwise_conv_1d(padded, cast_variable(self, self.kernel), training)
        return self.leave(ops.silu(self.norm(hidden))), values


class ConformerLayer(keras.layers.Layer):
    """Attention and convolution between two half feed-forward layers.

        x = x + FFN(x) / 2;  x = x + attention(x);  x = x + convolution(x)
        y = norm(x + FFN(x) / 2)

    Every branch starts with a layer normalisation. Gulati et al., 2020, equation 1.

    Shapes: values (N, S, D), real (N, S, 1), bias (N, 1, S, P + S) and a state of P past steps
    -> (N, S, D) and the next state.
    """

    halves = ("first", "second")

    def __init__(
        self, width: int, settings: LayerSettings, kernel_size: int, causal: bool, **kwargs: Any
    ):
        super().__init__(**kwargs)
        units, dropped = settings.units, settings.attention_dropout
        for name in self.halves:
            setattr(self, name, FeedForward(units, settings.activation, dropped, name=name))
        self.attention = RotaryAttention(settings.heads, width, dropped, name="attention")
        self.convolution = ConvolutionModule(width, kernel_size, causal, name="convolution")
        self.norms = {
            name: keras.layers.LayerNormalization(epsilon=1e-5, name=f"{name}_norm")
            for name in (*self.halves, "attention", "convolution", "last")
        }
        self.dropout = keras.layers.Dropout(settings.dropout)

    def build(self, input_shape: Any) -> None:
        build(self.attention, input_shape, input_shape)
        for layer in (self.first, self.second, self.convolution, *self.norms.values()):
            build(layer, input_shape)

    def call(
        self, values: Any, real: Any, bias: Any, state: dict, training: bool = False
    ) -> tuple[Any, dict]:
        def drop(branch: Any) -> Any:
            return self.dropout(branch, training=training)

        norms = self.norms
        values = values + 0.5 * drop(self.first(norms["first"](values), training=training))

        normed = norms["attention"](values)
        keys, contents = self.attention.keys_values(normed)
        keys = ops.concatenate([state["keys"], keys], axis=3)
        contents = ops.concatenate([state["values"], contents], axis=2)
        attended, _ = self.attention.weigh(normed, keys, contents, bias, training)
        values = values + drop(attended)

        convolved, gated = self.convolution(
            norms["convolution"](values), real, state["convolution"], training=training
        )
        values = values + drop(convolved)

        values = values + 0.5 * drop(self.second(norms["second"](values), training=training))
        state = {"keys": keys, "values": contents, "convolution": gated}
        return norms["last"](values), state

    def begin(self, like: Any, past: int) -> dict:
        """Returns the state of `past` steps before the first, for the rows of `like`."""
        n, heads, width = ops.shape(like)[0], self.attention.heads, self.attention.width
        before = self.convolution.kernel_size - 1 if self.convolution.causal else 0
        shapes = {
            "keys": (n, heads, width // heads, past),
            "values": (n, heads, past, width // heads),
            "convolution": (n, before, width),
        }
        return {key: ops.zeros(shape, self.compute_dtype) for key, shape in shapes.items()}

    def trim(self, state: dict, past: int) -> dict:
        """Returns the part of a state that the next chunk needs."""
        before = state["convolution"].shape[1] - (self.convolution.kernel_size - 1)
        drop = state["keys"].shape[3] - past
        return {
            "keys": state["keys"][:, :, :, drop:],
            "values": state["values"][:, :, drop:],
            "convolution": state["convolution"][:, before:],
        }


@register()
class Conformer(Streaming, keras.layers.Layer):
    """A stack of Conformer layers (Gulati et al., 2020).

    The positions are rotary (Su et al., 2021); the paper uses those of Dai et al., 2019. Both are
    relative, and rotary positions only rotate queries and keys. The input needs no positions.

    Args:
        layers: the number of layers.
        heads: H, the heads of each attention. It divides the width into even parts.
        units: the width of the feed-forward layers.
        kernel_size: K, the steps that a convolution reads, odd.
        activation: the activation of the feed-forward layers.
        dropout: fraction of each residual branch dropped in training.
        attention_dropout: fraction of the attention weights and of the activations of the
            feed-forward layers dropped in training.
        chunk: the number of steps in a chunk. With chunks the encoder streams: a step attends to
            its own chunk and to the `left` chunks before it, and convolutions read no later steps.
            None for an encoder that reads the whole input.
        left: the number of earlier chunks that a step attends to.

    Shapes: values (N, S, D), mask (N, S) -> Memory with values (N, S, D). The latency of a stream
    is `chunk` - 1 steps, for any number of layers.

    Raises:
        UserError: an argument is out of its range, or `heads` does not fit the width.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> encoder = kerasseq.encoders.Conformer(layers=1, heads=2, units=16, chunk=4)
    >>> memory = encoder(np.zeros((1, 10, 8), "float32"), np.ones((1, 10), bool))
    >>> tuple(memory.values.shape), encoder.latency
    ((1, 10, 8), 3)
    """

    @checked
    def __init__(
        self,
        layers: Size,
        heads: Size,
        units: Size,
        kernel_size: OddSize = 15,
        activation: Activation = "silu",
        dropout: Fraction = 0.0,
        attention_dropout: Fraction = 0.0,
        chunk: Size | None = None,
        left: Count = 4,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.settings = LayerSettings(heads, units, activation, dropout, attention_dropout)
        self.count, self.layers = layers, []
        self.kernel_size, self.chunk, self.left = kernel_size, chunk, left

    def build(self, input_shape: Any) -> None:
        self.width = require_width(self, input_shape)
        if not self.layers:
            self.layers = [
                ConformerLayer(
                    self.width,
                    self.settings,
                    self.kernel_size,
                    causal=self.chunk is not None,
                    name=f"layer_{index}",
                )
                for index in range(self.count)
            ]
        for layer in self.layers:
            build(layer, input_shape)

    def call(self, values: Any, mask: Any, training: bool = False) -> Memory:
        bias = mask_to_bias(mask)[:, None, None]
        if self.chunk:
            steps = ops.shape(values)[1]
            bias = ops.minimum(bias, self._chunk_bias(steps, steps))
        real = mask[:, :, None]
        for layer in self.layers:
            values, _ = layer(values, real, bias, layer.begin(values, 0), training=training)
        return Memory(values, mask)

    def _chunk_bias(self, count: Any, steps: Any) -> Any:
        """Returns the bias (count, steps) of the last `count` steps over all steps."""
        keys = ops.arange(steps) // self.chunk
        queries = keys[steps - count :, None]
        return mask_to_bias((keys <= queries) & (keys >= queries - self.left))

    @property
    def streams(self) -> bool:
        return self.chunk is not None

    @property
    def block(self) -> int:
        return self.chunk or 1

    @property
    def past(self) -> int:
        """The number of steps before a chunk that the state holds."""
        return self.left * (self.chunk or 0)

    def begin_stream(self, n: int) -> dict:
        if not self.streams:
            raise UserError("A Conformer without chunks cannot stream: set its argument chunk.")
        rows = ops.zeros((n, self.past))
        layers = [layer.begin(rows, self.past) for layer in self.layers]
        return {"past": ops.cast(rows, "bool"), "layers": layers}

    def stream(self, values: Any, state: dict) -> tuple[Any, dict]:
        real = ops.ones_like(values[:, :, 0], dtype="bool")
        mask = ops.concatenate([state["past"], real], axis=1)
        steps, count = mask.shape[1], values.shape[1]
        bias = ops.minimum(mask_to_bias(mask)[:, None, None], self._chunk_bias(count, steps))
        states = []
        for layer, before in zip(self.layers, state["layers"], strict=True):
            values, after = layer(values, real[:, :, None], bias, before)
            states.append(layer.trim(after, self.past))
        return values, {"past": mask[:, steps - self.past :], "layers": states}

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "layers": self.count,
            **asdict(self.settings),
            "kernel_size": self.kernel_size,
            "chunk": self.chunk,
            "left": self.left,
        }
