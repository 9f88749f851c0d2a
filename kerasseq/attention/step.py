"""Single-head attention for recurrent decoders: a score times an alignment."""

from typing import Any

import keras
from keras import ops

from kerasseq.attention.alignments import ALIGNMENTS, Alignment
from kerasseq.attention.base import Attention
from kerasseq.attention.scores import SCORES, Score
from kerasseq.checks import checked
from kerasseq.errors import UserError
from kerasseq.masking import Memory
from kerasseq.serialization import deserialize_arguments, register


@register()
class StepAttention(Attention):
    """Attention with one head, as recurrent decoders use it: a score times an alignment.

        c_t = sum_s a_ts h_s

    The weights a come from the score and the alignment, h is the memory.

    Args:
        score: a `Score`, or the name of one: dot, scaled_dot, bilinear, cosine, concat, additive,
            location.
        alignment: an `Alignment`, or the name of one: global, hard.

    Shapes: query (N, Q), or queries (N, T, Q); memory (N, S, D) -> contexts (N, D) or (N, T, D),
    and weights (N, S) or (N, T, S).

    Raises:
        UserError: there is no such score or alignment.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> attention = kerasseq.attention.StepAttention("additive")
    >>> attention.build((None, None, 4), (None, None, 8))
    >>> memory = kerasseq.Memory(np.ones((1, 3, 8), "float32"), np.ones((1, 3), bool))
    >>> static, state = attention.precompute(memory), attention.initial_state(memory)
    >>> context, weights, state = attention.step(np.zeros((1, 4), "float32"), static, state)
    >>> tuple(context.shape), tuple(weights.shape)
    ((1, 8), (1, 3))
    """

    @checked
    def __init__(
        self, score: Score | str = "bilinear", alignment: Alignment | str = "global", **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.score = _get_by_name(score, SCORES, "score")
        self.alignment = _get_by_name(alignment, ALIGNMENTS, "alignment")

    @property
    def stepwise(self) -> bool:
        return self.score.stepwise or self.alignment.stepwise

    def build(self, query_shape: Any, memory_shape: Any) -> None:
        self.context_width = memory_shape[-1]
        for part in (self.score, self.alignment):
            if not part.built:
                part.build(query_shape, memory_shape)

    def precompute(self, memory: Memory) -> dict:
        return {
            "keys": self.score.keys(memory),
            "values": memory.values,
            "mask": memory.mask,
        }

    def initial_state(self, memory: Memory, draws: Any = 0) -> dict:
        weights = ops.zeros(ops.shape(memory.values)[:2], dtype=self.compute_dtype)
        return {**self.alignment.initial_state(memory, draws), "weights": weights}

    def attend(
        self, queries: Any, static: dict, state: dict, training: bool = False
    ) -> tuple[Any, Any, dict]:
        scores = self.score(queries, static["keys"], state)
        weights, state = self.alignment(scores, static["mask"], queries, state, training=training)
        contexts = ops.matmul(weights, static["values"])
        return contexts, weights, {**state, "weights": weights[:, -1]}

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "score": keras.saving.serialize_keras_object(self.score),
            "alignment": keras.saving.serialize_keras_object(self.alignment),
        }

    @classmethod
    def from_config(cls, config: dict) -> "StepAttention":
        return cls(**deserialize_arguments(config, "score", "alignment"))


def get(identifier: Attention | str | None) -> Attention | None:
    """Returns the attention that an argument stands for, as `keras.activations.get` does.

    Args:
        identifier: an `Attention`; None, for no attention; or a name. A name is that of a score
            (dot, scaled_dot, bilinear, cosine, concat, additive, location), which may be followed
            by "/" and an alignment (global, hard). It stands for a `StepAttention`, which is
            global unless an alignment is given.

    Raises:
        UserError: there is no such score or alignment.

    Example:

    >>> import kerasseq
    >>> attention = kerasseq.attention.get("additive/hard")
    >>> type(attention.score).__name__, type(attention.alignment).__name__
    ('Additive', 'Hard')
    """
    if not isinstance(identifier, str):
        return identifier
    return StepAttention(*identifier.split("/", 1))


def _get_by_name(part: Any, registry: dict, kind: str) -> Any:
    if not isinstance(part, str):
        return part
    if part not in registry:
        raise UserError(f"There is no {kind} {part!r}. There are: {', '.join(registry)}.")
    return registry[part]()
