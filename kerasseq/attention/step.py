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
    """c_t = sum_s a_ts h_s, with weights a from a score and an alignment.

    Args:
        score: a `Score`, or the name of one: dot, scaled_dot, bilinear, cosine, concat, additive,
            location.
        alignment: an `Alignment`, or the name of one: global, hard.

    Raises:
        UserError: no such score or alignment.
    """

    @checked
    def __init__(
        self, score: Score | str = "bilinear", alignment: Alignment | str = "global", **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.score = _named(score, SCORES, "score")
        self.alignment = _named(alignment, ALIGNMENTS, "alignment")

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


def _named(part: Any, registry: dict, what: str) -> Any:
    if not isinstance(part, str):
        return part
    if part not in registry:
        raise UserError(f"There is no {what} {part!r}. There are: {', '.join(registry)}.")
    return registry[part]()
