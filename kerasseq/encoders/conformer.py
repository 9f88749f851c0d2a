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
    """y = W_2 swish(norm(depthwise(GLU(W_1 x))))  (Gulati et al., 2020, section 2.2).

    With layer instead of batch normalisation, which padding and the rest of the batch do not
    touch. `call` takes x and what stands before it, and behind it where it is not causal.

    Shapes: values (N, S, D), real (N, S, 1), before (N, B, D) the gated values of earlier steps
    -> (N, S, D) and the gated values (N, B + S, D), where B is K - 1 if causal and else 0.
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
        # All that a causal one needs is before the values; else there is nothing yet.
        sides = 0 if self.causal else self.kernel_size // 2
        padded = ops.pad(values, [[0, 0], [sides, sides], [0, 0]])
        hidden = backend.depthwise(padded, cast_variable(self, self.kernel), training)
        return self.leave(ops.silu(self.norm(hidden))), values


class ConformerLayer(keras.layers.Layer):
    """Half a feed-forward layer, attention, convolution, the other half.

        x = x + FFN(x) / 2;  x = x + attention(x);  x = x + convolution(x)
        y = norm(x + FFN(x) / 2)

    Every branch begins with a layer normalisation. Gulati et al., 2020, equation 1.

    Shapes: values (N, S, D), real (N, S, 1), bias (N, 1, S, P + S) -> (N, S, D), where P past
    steps are in the state; and the state behind them.
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

        convolved, seen = self.convolution(
            norms["convolution"](values), real, state["convolution"], training=training
        )
        values = values + drop(convolved)

        values = values + 0.5 * drop(self.second(norms["second"](values), training=training))
        state = {"keys": keys, "values": contents, "convolution": seen}
        return norms["last"](values), state

    def begin(self, like: Any, past: int) -> dict:
        """A state of `past` steps before the first, for the rows of `like`."""
        n, heads, width = ops.shape(like)[0], self.attention.heads, self.attention.width
        before = self.convolution.kernel_size - 1 if self.convolution.causal else 0
        shapes = {
            "keys": (n, heads, width // heads, past),
            "values": (n, heads, past, width // heads),
            "convolution": (n, before, width),
        }
        return {key: ops.zeros(shape, self.compute_dtype) for key, shape in shapes.items()}

    def keep(self, state: dict, past: int) -> dict:
        """The part of a state that the next chunk needs."""
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

    Positions are rotary (Su et al., 2021), not those of Dai et al., 2019, as in the paper: they
    are as relative, and need no more than a turn of queries and keys. Put no others in before.

    Args:
        layers: how many are stacked.
        heads: of attention; divides the width.
        units: width of the feed-forward layers.
        kernel_size: K, odd; steps that a convolution sees.
        activation: of the feed-forward layers.
        dropout: fraction of each residual branch dropped in training.
        attention_dropout: fraction of attention weights and feed-forward activations dropped.
        chunk: None, or how many steps make a chunk: a step attends to its own chunk and the
            `left` before it, and convolutions see nothing later. Then it streams.
        left: chunks.

    Shapes: values (N, S, D), mask (N, S) -> Memory with (N, S, D). As a stream its latency is
    `chunk` - 1 steps, whatever the number of layers.

    Raises:
        UserError: an argument is out of its range, or `heads` does not fit the width.
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
            bias = ops.minimum(bias, self._chunks(steps, steps))
        real = mask[:, :, None]
        for layer in self.layers:
            values, _ = layer(values, real, bias, layer.begin(values, 0), training=training)
        return Memory(values, mask)

    def _chunks(self, asking: Any, steps: Any) -> Any:
        """The bias (asking, steps) of the last steps asking of all."""
        keys = ops.arange(steps) // self.chunk
        queries = keys[steps - asking :, None]
        return mask_to_bias((keys <= queries) & (keys >= queries - self.left))

    @property
    def streams(self) -> bool:
        return self.chunk is not None

    @property
    def block(self) -> int:
        return self.chunk or 1

    @property
    def past(self) -> int:
        """The steps before a chunk that its state keeps."""
        return self.left * (self.chunk or 0)

    def begin_stream(self, n: int) -> dict:
        if not self.streams:
            raise UserError("A Conformer streams in chunks alone: set its option chunk.")
        rows = ops.zeros((n, self.past))
        layers = [layer.begin(rows, self.past) for layer in self.layers]
        return {"past": ops.cast(rows, "bool"), "layers": layers}

    def stream(self, values: Any, state: dict) -> tuple[Any, dict]:
        real = ops.ones_like(values[:, :, 0], dtype="bool")
        mask = ops.concatenate([state["past"], real], axis=1)
        steps, asking = mask.shape[1], values.shape[1]
        bias = ops.minimum(mask_to_bias(mask)[:, None, None], self._chunks(asking, steps))
        states = []
        for layer, before in zip(self.layers, state["layers"], strict=True):
            values, after = layer(values, real[:, :, None], bias, before)
            states.append(layer.keep(after, self.past))
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
