"""What every attention is to the decoders."""

from typing import Any

import keras


class Attention(keras.layers.Layer):
    """Contract of an attention layer, which holds weights, never a sequence's data.

    `precompute(memory) -> static`, `initial_state(memory, draws) -> state`, `draws` as for an
    `Alignment`;
    `attend(queries (N, T, Q), static, state) -> contexts (N, T, D), weights (N, T, S), state`,
    T > 1 only where `stepwise` is False; `step` is `attend` with one query for each row.
    `context_width` is D; the state holds the last query's weights, `state["weights"]` (N, S).
    """

    stepwise = False

    def attend(
        self, queries: Any, static: dict, state: dict, training: bool = False
    ) -> tuple[Any, Any, dict]:
        raise NotImplementedError

    def step(
        self, query: Any, static: dict, state: dict, training: bool = False
    ) -> tuple[Any, Any, dict]:
        """query (N, Q) -> context (N, D), weights (N, S), state."""
        contexts, weights, state = self.attend(query[:, None], static, state, training)
        return contexts[:, 0], weights[:, 0], state
