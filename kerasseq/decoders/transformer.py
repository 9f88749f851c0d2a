"""Transformer decoder with caches of fixed size."""

from typing import Any

import keras
from keras import ops

from kerasseq.attention import MultiHeadAttention
from kerasseq.decoders.base import Decoder
from kerasseq.embedding import TokenEmbedding
from kerasseq.encoders.transformer import FeedForward
from kerasseq.initializers import build
from kerasseq.masking import Memory


@keras.saving.register_keras_serializable("kerasseq")
class TransformerDecoderLayer(keras.layers.Layer):
    """Pre-norm self-attention, cross-attention and feed-forward, each added to its input.

    `call` serves both ways of decoding: T queries over keys and values that the caller provides,
    which are those of the same T steps in training and the cache in generation.

    Shapes: values (N, T, D); own keys and values (N, H, L, D/H) under a mask that broadcasts to
    (N, H, T, L); the memory's (N, H, S, D/H) under (N, 1, 1, S). Returns (N, T, D) and the
    cross-attention's weights (N, H, T, S).
    """

    def __init__(
        self,
        heads: int,
        width: int,
        units: int,
        activation: str = "relu",
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.settings = {
            "heads": heads,
            "width": width,
            "units": units,
            "activation": activation,
            "dropout": dropout,
            "attention_dropout": attention_dropout,
        }
        self.self_attention = MultiHeadAttention(heads, width, attention_dropout, name="self")
        self.cross_attention = MultiHeadAttention(heads, width, attention_dropout, name="cross")
        self.feed_forward = FeedForward(units, activation, attention_dropout, name="feed_forward")
        self.self_norm = keras.layers.LayerNormalization(epsilon=1e-5, name="self_norm")
        self.cross_norm = keras.layers.LayerNormalization(epsilon=1e-5, name="cross_norm")
        self.feed_forward_norm = keras.layers.LayerNormalization(
            epsilon=1e-5, name="feed_forward_norm"
        )
        self.dropout = keras.layers.Dropout(dropout)

    def build(self, input_shape: Any, memory_shape: Any) -> None:
        build(self.self_attention, input_shape, input_shape)
        build(self.cross_attention, input_shape, memory_shape)
        for part in (self.feed_forward, self.self_norm, self.cross_norm, self.feed_forward_norm):
            build(part, input_shape)

    def call(
        self,
        values: Any,
        normed: Any,
        own: tuple[Any, Any],
        own_mask: Any,
        memory: dict,
        training: bool = False,
    ) -> tuple[Any, Any]:
        attended, _ = self.self_attention.weigh(normed, *own, own_mask, training)
        values = values + self.dropout(attended, training=training)
        crossed, weights = self.cross_attention.weigh(
            self.cross_norm(values),
            memory["keys"],
            memory["values"],
            memory["mask"][:, None, None],
            training,
        )
        values = values + self.dropout(crossed, training=training)
        fed = self.feed_forward(self.feed_forward_norm(values), training=training)
        return values + self.dropout(fed, training=training), weights

    def get_config(self) -> dict:
        return {**super().get_config(), **self.settings}


@keras.saving.register_keras_serializable("kerasseq")
class TransformerDecoder(Decoder):
    """A stack of pre-norm Transformer decoder layers.

    Vaswani et al., 2017, section 3.1, with the normalisation of Xiong et al., 2020. In generation
    each layer keeps its keys and values in buffers of the full length, written at `position`.

    Args:
        embedding: of the target's tokens, with positions; its width is the model's.
        layers, heads, units, activation, dropout, attention_dropout: as `TransformerEncoder`.
        tied: compute the logits with the embedding's matrix.
    """

    def __init__(
        self,
        embedding: TokenEmbedding,
        layers: int,
        heads: int,
        units: int,
        activation: str = "relu",
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        tied: bool = True,
        **kwargs: Any,
    ):
        super().__init__(embedding, tied, **kwargs)
        self.settings = {
            "layers": layers,
            "heads": heads,
            "units": units,
            "activation": activation,
            "dropout": dropout,
            "attention_dropout": attention_dropout,
        }
        options = {key: value for key, value in self.settings.items() if key != "layers"}
        self.layers = [
            TransformerDecoderLayer(width=embedding.width, **options, name=f"layer_{index}")
            for index in range(layers)
        ]
        self.norm = keras.layers.LayerNormalization(epsilon=1e-5, name="norm")

    def build(self, memory_shape: Any) -> None:
        shape = (None, None, self.embedding.width)
        for layer in self.layers:
            build(layer, shape, memory_shape)
        build(self.norm, shape)
        self.build_logits(self.embedding.width)

    def _memory(self, memory: Memory) -> list[dict]:
        return [layer.cross_attention.precompute(memory) for layer in self.layers]

    def call(self, tokens: Any, memory: Memory, training: bool = False) -> Any:
        values = self.embedding(tokens, training=training)
        steps = ops.arange(ops.shape(tokens)[1])
        causal = (steps[None, :] <= steps[:, None])[None, None]
        for layer, static in zip(self.layers, self._memory(memory), strict=True):
            normed = layer.self_norm(values)
            own = layer.self_attention.keys_values(normed)
            values, _ = layer(values, normed, own, causal, static, training=training)
        return self.logits(self.norm(values))

    def begin(self, memory: Memory, length: int) -> tuple[Any, Any]:
        heads = self.settings["heads"]
        width = self.embedding.width // heads
        rows = ops.shape(memory.values)[0]
        empty = ops.zeros((rows, heads, length, width), dtype=self.compute_dtype)
        weights = ops.zeros(ops.shape(memory.mask), dtype=self.compute_dtype)
        state = {"keys": [empty] * len(self.layers), "values": [empty] * len(self.layers)}
        return self._memory(memory), {**state, "weights": weights}

    def step(self, tokens: Any, position: Any, static: Any, state: Any) -> tuple[Any, Any]:
        values = self.embedding.at(tokens, position)[:, None]
        length = state["keys"][0].shape[2]
        past = (ops.arange(length) <= position)[None, None, None]
        keys, cached, weights = [], [], []
        for index, layer in enumerate(self.layers):
            normed = layer.self_norm(values)
            key, value = layer.self_attention.keys_values(normed)
            keys.append(_write(state["keys"][index], key, position))
            cached.append(_write(state["values"][index], value, position))
            own = (keys[-1], cached[-1])
            values, crossed = layer(values, normed, own, past, static[index])
            weights.append(ops.mean(crossed[:, :, 0], axis=1))
        logits = self.logits(self.norm(values)[:, 0])
        mean = sum(weights) / len(weights)
        return logits, {"keys": keys, "values": cached, "weights": mean}

    def get_config(self) -> dict:
        return {**super().get_config(), **self.settings}


def _write(buffer: Any, entry: Any, position: Any) -> Any:
    """Put entry (N, H, 1, D/H) into buffer (N, H, L, D/H) at `position`."""
    return ops.slice_update(buffer, (0, 0, position, 0), entry)
