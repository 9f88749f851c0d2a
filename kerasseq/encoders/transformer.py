"""Transformer encoder."""

from dataclasses import asdict
from typing import Any

import keras

from kerasseq.checks import Activation, Fraction, Size, checked, require_width
from kerasseq.initializers import build
from kerasseq.masking import Memory, mask_to_bias
from kerasseq.serialization import register
from kerasseq.transformer import LayerSettings, TransformerLayer


class TransformerEncoderLayer(TransformerLayer):
    """Pre-norm: x = x + attention(norm(x)); x = x + feed_forward(norm(x)).

    Xiong et al., 2020, figure 1b. Shapes: (N, S, D), a `mask_to_bias` (N, 1, 1, S) -> (N, S, D).
    """

    branches = {"attention": "attention_norm"}

    def call(self, values: Any, bias: Any, training: bool = False) -> Any:
        normed = self.attention_norm(values)
        keys = self.attention.keys_values(normed)
        attended, _ = self.attention.weigh(normed, *keys, bias, training)
        return self.feed(self.add(values, attended, training), training)


@register()
class TransformerEncoder(keras.layers.Layer):
    """A stack of pre-norm Transformer layers, followed by a layer normalisation.

    Vaswani et al., 2017, section 3.1, with the normalisation of Xiong et al., 2020.

    Args:
        layers: the number of layers.
        heads: H, the heads of each attention. It divides the width.
        units: the width of the feed-forward layers.
        activation: the activation of the feed-forward layers.
        dropout: fraction of each residual branch dropped in training.
        attention_dropout: fraction of the attention weights and of the activations of the
            feed-forward layers dropped in training.

    Shapes: values (N, S, D) with positions, mask (N, S) -> Memory with values (N, S, D).

    Raises:
        UserError: an argument is out of its range, or `heads` does not divide the width.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> embedding = kerasseq.TokenEmbedding(100, 8, positions="sinusoidal")
    >>> encoder = kerasseq.encoders.TransformerEncoder(layers=2, heads=2, units=16)
    >>> ids, mask = np.array([[4, 5, 6, 0]]), np.array([[True, True, True, False]])
    >>> tuple(encoder(embedding(ids), mask).values.shape)
    (1, 4, 8)
    """

    factor = 1

    @checked
    def __init__(
        self,
        layers: Size,
        heads: Size,
        units: Size,
        activation: Activation = "relu",
        dropout: Fraction = 0.0,
        attention_dropout: Fraction = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.settings = LayerSettings(heads, units, activation, dropout, attention_dropout)
        self.count, self.layers = layers, []
        self.norm = keras.layers.LayerNormalization(epsilon=1e-5, name="norm")

    def build(self, input_shape: Any) -> None:
        self.width = require_width(self, input_shape)
        if not self.layers:
            self.layers = [
                TransformerEncoderLayer(self.width, self.settings, name=f"layer_{index}")
                for index in range(self.count)
            ]
        for layer in (*self.layers, self.norm):
            build(layer, input_shape)

    def call(self, values: Any, mask: Any, training: bool = False) -> Memory:
        bias = mask_to_bias(mask)[:, None, None]
        for layer in self.layers:
            values = layer(values, bias, training=training)
        return Memory(self.norm(values), mask)

    def get_config(self) -> dict:
        return {**super().get_config(), "layers": self.count, **asdict(self.settings)}
