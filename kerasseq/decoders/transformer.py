"""Transformer decoder with caches of fixed size."""

from dataclasses import asdict
from typing import Any

import keras
from keras import ops

from kerasseq.checks import Activation, Fraction, Size, checked
from kerasseq.decoders.base import Decoder
from kerasseq.embedding import TokenEmbedding
from kerasseq.initializers import build
from kerasseq.masking import Memory, mask_to_bias
from kerasseq.serialization import register
from kerasseq.transformer import LayerSettings, TransformerLayer


class TransformerDecoderLayer(TransformerLayer):
    """Pre-norm self-attention, cross-attention and feed-forward layer, each with a residual.

    The caller passes the keys and values of the self-attention. In training they are those of the
    same T steps, in generation those of the cache.

    Shapes: values (N, T, D); own keys (N, H, D/H, L), own values (N, H, L, D/H) and their bias
    (N, H, T, L), see `mask_to_bias`; the memory as `MultiHeadAttention.precompute` gives it
    -> (N, T, D), and the weights of the cross-attention (N, H, T, S).
    """

    branches = {"self_attention": "self_norm", "cross_attention": "cross_norm"}

    def call(
        self,
        values: Any,
        normed: Any,
        own: tuple[Any, Any],
        own_bias: Any,
        memory: dict,
        training: bool = False,
    ) -> tuple[Any, Any]:
        attended, _ = self.self_attention.weigh(normed, *own, own_bias, training)
        values = self.add(values, attended, training)
        crossed, weights = self.cross_attention.weigh(
            self.cross_norm(values),
            memory["keys"],
            memory["values"],
            memory["bias"],
            training,
        )
        return self.feed(self.add(values, crossed, training), training), weights


@register()
class TransformerDecoder(Decoder):
    """A stack of pre-norm Transformer decoder layers.

    Vaswani et al., 2017, section 3.1, with the normalisation of Xiong et al., 2020. In generation
    each layer holds its keys and values in buffers of the full length, which are never moved (see
    `_empty_state`).

    Args:
        embedding: the embedding of the target tokens, with positions. Its width is D.
        layers, heads, units, activation, dropout, attention_dropout: see `TransformerEncoder`.
        tied: whether to compute the logits with the matrix of the embedding.

    Shapes: tokens (N, T) int, memory (N, S, M) -> logits (N, T, V).

    Raises:
        UserError: an argument is out of its range, or `heads` does not divide the width.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> memory = kerasseq.Memory(np.zeros((1, 5, 8), "float32"), np.ones((1, 5), bool))
    >>> embedding = kerasseq.TokenEmbedding(100, 8, positions="sinusoidal")
    >>> decoder = kerasseq.decoders.TransformerDecoder(embedding, layers=2, heads=2, units=16)
    >>> decoder.build((None, None, 8))
    >>> tuple(decoder(np.array([[2, 4, 5]]), memory).shape)
    (1, 3, 100)
    """

    attends = True

    @checked
    def __init__(
        self,
        embedding: TokenEmbedding,
        layers: Size,
        heads: Size,
        units: Size,
        activation: Activation = "relu",
        dropout: Fraction = 0.0,
        attention_dropout: Fraction = 0.0,
        tied: bool = True,
        **kwargs: Any,
    ):
        super().__init__(embedding, tied, **kwargs)
        self.settings = LayerSettings(heads, units, activation, dropout, attention_dropout)
        self.layers = [
            TransformerDecoderLayer(embedding.width, self.settings, name=f"layer_{index}")
            for index in range(layers)
        ]
        self.norm = keras.layers.LayerNormalization(epsilon=1e-5, name="norm")

    def build(self, memory_shape: Any) -> None:
        shape = (None, None, self.embedding.width)
        for layer in self.layers:
            build(layer, shape, memory_shape)
        build(self.norm, shape)
        self.build_logits(self.embedding.width)

    def _precompute(self, memory: Memory) -> list[dict]:
        return [layer.cross_attention.precompute(memory) for layer in self.layers]

    def features(self, tokens: Any, memory: Memory, training: bool = False) -> Any:
        values = self.embedding(tokens, training=training)
        steps = ops.arange(ops.shape(tokens)[1])
        causal = mask_to_bias(steps[None, :] <= steps[:, None])[None, None]
        for layer, static in zip(self.layers, self._precompute(memory), strict=True):
            normed = layer.self_norm(values)
            own = layer.self_attention.keys_values(normed)
            values, _ = layer(values, normed, own, causal, static, training=training)
        return self.norm(values)

    def start(self, memory: Memory, length: int) -> tuple[dict, Any]:
        return {"memory": self._precompute(memory)}, self._empty_state(
            ops.shape(memory.mask), 1, length
        )

    def _empty_state(self, shape: tuple, beams: int, length: int) -> dict:
        """Returns empty caches for a memory of `shape` (B, S).

        Step t of beam w of a source is entry t * W + w of its cache, and stays there.
        `ancestry[b, w, t]` is the beam that holds step t of the hypothesis that is beam w now, so
        that only this small array is reordered.
        """
        heads = self.settings.heads
        width, entries = self.embedding.width // heads, length * beams
        keys = ops.zeros((shape[0], heads, width, entries), dtype=self.compute_dtype)
        values = ops.zeros((shape[0], heads, entries, width), dtype=self.compute_dtype)
        return {
            "keys": [keys] * len(self.layers),
            "values": [values] * len(self.layers),
            "ancestry": ops.zeros((shape[0], beams, length), dtype="int32"),
            "weights": ops.zeros((shape[0] * beams, shape[1]), dtype=self.compute_dtype),
        }

    def expand(self, static: Any, state: Any, beams: int) -> tuple[Any, Any]:
        shape = ops.shape(state["weights"])
        return static, self._empty_state(shape, beams, state["ancestry"].shape[2])

    def reorder(self, state: Any, parents: Any) -> Any:
        _, beams, length = state["ancestry"].shape
        ancestry = ops.take(ops.reshape(state["ancestry"], (-1, length)), parents, axis=0)
        return {
            **state,
            "ancestry": ops.reshape(ancestry, (-1, beams, length)),
            "weights": ops.take(state["weights"], parents, axis=0),
        }

    def step_features(self, tokens: Any, position: Any, static: Any, state: Any) -> tuple[Any, Any]:
        # The beams of a source are its queries, side by side on the axis of steps.
        beams, length = state["ancestry"].shape[1:]
        width = self.embedding.width
        values = ops.reshape(self.embedding.at(tokens, position), (-1, beams, width))
        own = ops.arange(beams, dtype="int32")
        here = ops.zeros_like(state["ancestry"][:, :, :1]) + own[:, None]
        ancestry = ops.slice_update(state["ancestry"], (0, 0, position), here)
        past = (ops.arange(length) <= position)[:, None]
        mask = ops.logical_and(ancestry[:, :, :, None] == own, past)
        bias = mask_to_bias(ops.reshape(mask, (-1, 1, beams, length * beams)))
        keys, cached, weights = [], [], []
        for index, layer in enumerate(self.layers):
            normed = layer.self_norm(values)
            key, value = layer.self_attention.keys_values(normed)
            start = position * beams
            keys.append(ops.slice_update(state["keys"][index], (0, 0, 0, start), key))
            cached.append(ops.slice_update(state["values"][index], (0, 0, start, 0), value))
            memory = static["memory"][index]
            values, crossed = layer(values, normed, (keys[-1], cached[-1]), bias, memory)
            weights.append(ops.mean(crossed, axis=1))
        features = ops.reshape(self.norm(values), (-1, width))
        mean = ops.reshape(sum(weights) / len(weights), (-1, weights[0].shape[-1]))
        state = {"keys": keys, "values": cached, "ancestry": ancestry, "weights": mean}
        return features, state

    def get_config(self) -> dict:
        return {**super().get_config(), "layers": len(self.layers), **asdict(self.settings)}
