"""Multi-head attention: self and cross, in parallel and step by step."""

from typing import Any

import keras
from keras import ops

from kerasseq.attention.base import Attention
from kerasseq.checks import Fraction, Size, checked
from kerasseq.errors import UserError
from kerasseq.masking import Memory, mask_to_bias, softmax
from kerasseq.serialization import register


@register()
class MultiHeadAttention(Attention):
    """Attention with several heads, for self-attention and cross-attention.

        Concat(head_1 .. head_H) W_O,  head_i = softmax(Q_i K_i^T / sqrt(D/H)) V_i

    Vaswani et al., 2017, section 3.2.2. Transformers use it, and recurrent decoders can.

    Args:
        heads: H, the number of heads. It divides the width.
        width: D, the width of the result, and of the queries, keys and values of all heads.
        dropout: fraction of the weights dropped in training. It has no effect in a recurrent
            decoder that queries before its cell or feeds its readout back, where the queries are
            not known at once.

    Shapes: queries (N, T, Q), memory (N, S, M) -> (N, T, D). `precompute` gives keys
    (N, H, D/H, S) and values (N, H, S, D/H).

    Raises:
        UserError: an argument is out of its range, or `heads` does not divide `width`.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> attention = kerasseq.attention.MultiHeadAttention(heads=2, width=8)
    >>> attention.build((None, None, 4), (None, None, 6))
    >>> memory = kerasseq.Memory(np.ones((1, 5, 6), "float32"), np.ones((1, 5), bool))
    >>> static, state = attention.precompute(memory), attention.initial_state(memory)
    >>> queries = np.ones((1, 3, 4), "float32")
    >>> context, weights, _ = attention.attend(queries, static, state)
    >>> tuple(context.shape), tuple(weights.shape)
    ((1, 3, 8), (1, 3, 5))
    """

    @checked
    def __init__(self, heads: Size, width: Size, dropout: Fraction = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        if width % heads:
            raise UserError(
                f"The heads of attention divide its width among them, but {heads} do not divide "
                f"{width}."
            )
        self.heads, self.width, self.context_width = heads, width, width
        self.query = keras.layers.Dense(width, name="query")
        self.key_value = keras.layers.Dense(2 * width, name="key_value")
        self.output_projection = keras.layers.Dense(width, name="output")
        self.dropout = keras.layers.Dropout(dropout)

    def build(self, query_shape: Any, memory_shape: Any) -> None:
        for layer, width in (
            (self.query, query_shape[-1]),
            (self.key_value, memory_shape[-1]),
            (self.output_projection, self.width),
        ):
            if not layer.built:
                layer.build((None, None, width))

    def _split(self, x: Any) -> Any:
        """Splits (N, T, D) into heads, (N, H, T, D/H)."""
        shape = ops.shape(x)
        x = ops.reshape(x, (shape[0], shape[1], self.heads, self.width // self.heads))
        return ops.transpose(x, (0, 2, 1, 3))

    def keys_values(self, values: Any) -> tuple[Any, Any]:
        """Projects (N, S, M) to keys (N, H, D/H, S), as the product reads them, and values
        (N, H, S, D/H)."""
        keys, values = ops.split(self.key_value(values), 2, axis=-1)
        return ops.transpose(self._split(keys), (0, 1, 3, 2)), self._split(values)

    def precompute(self, memory: Memory) -> dict:
        keys, values = self.keys_values(memory.values)
        return {"keys": keys, "values": values, "bias": mask_to_bias(memory.mask)[:, None, None]}

    def initial_state(self, memory: Memory, draws: Any = 0) -> dict:
        return {"weights": ops.zeros(ops.shape(memory.mask), dtype=self.compute_dtype)}

    def weigh(
        self, queries: Any, keys: Any, values: Any, bias: Any, training: bool = False
    ) -> tuple[Any, Any]:
        """Attends with queries (N, T, Q) to keys and values.

        Args:
            bias: what `mask_to_bias` gives, broadcastable to (N, H, T, S).

        Returns:
            The contexts (N, T, D), and the weights (N, H, T, S) of each head.
        """
        return self._weigh(self._project_queries(queries), keys, values, bias, training)

    def _project_queries(self, queries: Any) -> Any:
        """Projects queries (N, T, Q) to (N, H, T, D/H), and scales them."""
        return self._split(self.query(queries) * (self.width // self.heads) ** -0.5)

    def _weigh(
        self, queries: Any, keys: Any, values: Any, bias: Any, training: bool
    ) -> tuple[Any, Any]:
        scores = ops.cast(ops.matmul(queries, keys), "float32") + ops.cast(bias, "float32")
        weights = ops.cast(softmax(scores), self.compute_dtype)
        dropped = self.dropout(weights, training=training)
        heads = ops.transpose(ops.matmul(dropped, values), (0, 2, 1, 3))
        shape = ops.shape(heads)
        joined = ops.reshape(heads, (shape[0], shape[1], self.width))
        return self.output_projection(joined), weights

    def attend(
        self, queries: Any, static: dict, state: dict, training: bool = False
    ) -> tuple[Any, Any, dict]:
        context, weights = self.weigh(
            queries, static["keys"], static["values"], static["bias"], training
        )
        weights = ops.mean(weights, axis=1)
        return context, weights, {"weights": weights[:, -1]}

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "heads": self.heads,
            "width": self.width,
            "dropout": self.dropout.rate,
        }
