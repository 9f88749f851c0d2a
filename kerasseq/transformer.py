"""The parts that Transformer encoders and decoders share."""

from dataclasses import dataclass
from typing import Any

import keras

from kerasseq.attention import MultiHeadAttention
from kerasseq.checks import Activation, Fraction, Size, checked, require_width
from kerasseq.initializers import build, initializer_for
from kerasseq.serialization import register


@dataclass(frozen=True)
class LayerSettings:
    """The settings of all layers of a stack.

    Attributes:
        heads: the heads of each attention.
        units, activation: the width and the activation of the feed-forward layers.
        dropout: fraction of each branch dropped in training.
        attention_dropout: fraction of the attention weights and of the activations of the
            feed-forward layers dropped in training.
    """

    heads: int
    units: int
    activation: str
    dropout: float
    attention_dropout: float


@register()
class FeedForward(keras.layers.Layer):
    """The feed-forward layer of a Transformer (Vaswani et al., 2017, equation 2).

        W_2 dropout(activation(W_1 x + b_1)) + b_2

    Shapes: (N, T, D) -> (N, T, D). The hidden layer has `units`.
    """

    @checked
    def __init__(
        self, units: Size, activation: Activation = "relu", dropout: Fraction = 0.0, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.units, self.activation = units, activation
        self.enter = keras.layers.Dense(
            units, activation, kernel_initializer=initializer_for(activation), name="enter"
        )
        self.dropout = keras.layers.Dropout(dropout)

    def build(self, input_shape: Any) -> None:
        if not hasattr(self, "leave"):
            self.leave = keras.layers.Dense(require_width(self, input_shape), name="leave")
        build(self.enter, input_shape)
        build(self.leave, (None, None, self.units))

    def call(self, values: Any, training: bool = False) -> Any:
        return self.leave(self.dropout(self.enter(values), training=training))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": self.activation,
            "dropout": self.dropout.rate,
        }


class TransformerLayer(keras.layers.Layer):
    """Base of the layers: x = x + dropout(branch(norm(x))) for each branch (Xiong et al., 2020).

    `branches` maps the attribute of each attention to the attribute of its normalisation. The last
    branch is `feed`. The layers have no configuration, since a stack creates them from its own.
    """

    branches: dict[str, str] = {}

    def __init__(self, width: int, settings: LayerSettings, **kwargs: Any):
        super().__init__(**kwargs)
        dropped = settings.attention_dropout
        for name in self.branches:
            setattr(self, name, MultiHeadAttention(settings.heads, width, dropped, name=name))
        self.feed_forward = FeedForward(
            settings.units, settings.activation, dropped, name="feed_forward"
        )
        for name in (*self.branches.values(), "feed_forward_norm"):
            setattr(self, name, keras.layers.LayerNormalization(epsilon=1e-5, name=name))
        self.dropout = keras.layers.Dropout(settings.dropout)

    def build(self, input_shape: Any, memory_shape: Any = None) -> None:
        memories = [input_shape, memory_shape]
        for name, memory in zip(self.branches, memories, strict=False):
            build(getattr(self, name), input_shape, memory)
        build(self.feed_forward, input_shape)
        for name in (*self.branches.values(), "feed_forward_norm"):
            build(getattr(self, name), input_shape)

    def add(self, values: Any, branch: Any, training: bool) -> Any:
        return values + self.dropout(branch, training=training)

    def feed(self, values: Any, training: bool) -> Any:
        """Applies the last branch, the feed-forward layer."""
        fed = self.feed_forward(self.feed_forward_norm(values), training=training)
        return self.add(values, fed, training)
