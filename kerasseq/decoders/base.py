"""What every decoder is to the models and to generation."""

from typing import Any

import keras
from keras import ops, tree

from kerasseq.embedding import TokenEmbedding
from kerasseq.initializers import build
from kerasseq.masking import Memory


class Stepwise:
    """Contract of what generation runs: one distribution over V tokens a step.

    `begin(memory, length) -> static, state` prepares for at most `length` (a Python int) steps;
    `step(tokens (N,), position, static, state) -> logits (N, V), state` makes one, `position`
    being a scalar, the same for all rows. `static` does not change from step to step.

    `static` and `state` are pytrees whose every leaf has the batch on axis 0: no scalars, no
    None. `expand` and `reorder` rely on it; who lays out beams in another way overrides both.
    A decoder with attention keeps the weights of the last step, (N, S), averaged over layers and
    heads, in `state["weights"]`.
    """

    vocabulary_size: int

    def begin(self, memory: Any, length: int) -> tuple[Any, Any]:
        raise NotImplementedError

    def step(self, tokens: Any, position: Any, static: Any, state: Any) -> tuple[Any, Any]:
        raise NotImplementedError

    def expand(self, static: Any, state: Any, beams: int) -> tuple[Any, Any]:
        """What `begin` gave for N sources, for steps of N * beams rows, a source's side by side."""
        return tree.map_structure(lambda leaf: ops.repeat(leaf, beams, axis=0), (static, state))

    def reorder(self, state: Any, parents: Any) -> Any:
        """The state in which row r goes on from what row `parents[r]` was; parents (N,) int32."""
        return tree.map_structure(lambda leaf: ops.take(leaf, parents, axis=0), state)


class Decoder(keras.layers.Layer, Stepwise):
    """A decoder that is a layer: `Stepwise`, and its parallel form for training.

    `call(tokens (N, T), memory) -> logits (N, T, V)` makes T steps under teacher forcing and
    gives what T calls of `step` would.

    Args:
        embedding: of the target's tokens.
        tied: compute the logits with the embedding's own matrix (Press and Wolf, 2017), without
            a bias; else with a dense layer.
    """

    def __init__(self, embedding: TokenEmbedding, tied: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.embedding = embedding
        self.tied = tied
        if not tied:
            self.output_projection = keras.layers.Dense(embedding.vocabulary_size, name="logits")

    @property
    def vocabulary_size(self) -> int:
        return self.embedding.vocabulary_size

    def build_logits(self, width: int) -> None:
        """Build the output projection for features of `width`."""
        if not self.tied:
            build(self.output_projection, (None, None, width))
        elif width != self.embedding.width:
            raise ValueError(
                f"Tied embeddings of width {self.embedding.width} cannot give logits "
                f"for features of width {width}."
            )

    def logits(self, features: Any) -> Any:
        """(..., D) to (..., V)."""
        if self.tied:
            return self.embedding.logits(features)
        return self.output_projection(features)

    def call(self, tokens: Any, memory: Memory, training: bool = False) -> Any:
        raise NotImplementedError

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "embedding": keras.saving.serialize_keras_object(self.embedding),
            "tied": self.tied,
        }

    @classmethod
    def from_config(cls, config: dict) -> "Decoder":
        for key in ("embedding", "attention"):
            if isinstance(config.get(key), dict):
                config[key] = keras.saving.deserialize_keras_object(config[key])
        return cls(**config)
