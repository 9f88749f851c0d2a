"""The base of all attentions."""

from typing import Any

import keras


class Attention(keras.layers.Layer):
    """Base of the attentions. An attention holds weights, never the data of a sequence.

    - `precompute(memory) -> static` computes the part that does not change from step to step.
    - `initial_state(memory, draws) -> state` makes the state before the first step, with `draws`
      as for an `Alignment`. It holds the weights of the last query, `state["weights"]` (N, S).
    - `attend(queries (N, T, Q), static, state) -> contexts (N, T, D), weights (N, T, S), state`
      attends with T queries. Where `stepwise` is True, T is 1.
    - `step` is `attend` with one query for each row.
    - `context_width` is D.

    Example:

    >>> import kerasseq
    >>> attention = kerasseq.attention.get("location")
    >>> isinstance(attention, kerasseq.attention.Attention), attention.stepwise
    (True, True)
    """

    stepwise = False

    def attend(
        self, queries: Any, static: dict, state: dict, training: bool = False
    ) -> tuple[Any, Any, dict]:
        raise NotImplementedError

    def step(
        self, query: Any, static: dict, state: dict, training: bool = False
    ) -> tuple[Any, Any, dict]:
        """Attends with a query (N, Q): returns context (N, D), weights (N, S) and the state."""
        contexts, weights, state = self.attend(query[:, None], static, state, training)
        return contexts[:, 0], weights[:, 0], state
