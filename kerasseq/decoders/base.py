"""What every decoder is to the models and to generation."""

from typing import Any

import keras
from keras import ops, tree

from kerasseq import backend
from kerasseq.checks import abbreviate, checked
from kerasseq.embedding import TokenEmbedding
from kerasseq.errors import UserError
from kerasseq.initializers import build
from kerasseq.masking import Memory
from kerasseq.precision import cast_variable
from kerasseq.serialization import deserialize_arguments


class Stepwise:
    """Contract of what generation runs: one distribution over V tokens a step.

    `constants(precision) -> constants` is what steps use of the weights alone, laid out for them;
    `begin(memory, length, constants) -> static, state` prepares for at most `length` (a Python
    int) steps, with constants of its own unless it is handed some that the caller keeps;
    `step(tokens (N,), position, static, state) -> logits (N, V), state` makes one, `position`
    being a scalar, the same for all rows. `static` does not change from step to step.

    `static` and `state` are pytrees whose every leaf has the batch on axis 0: no scalars, no
    None. `expand` and `reorder` rely on it; who lays out beams in another way overrides both.
    A decoder with attention, which `attends`, keeps the weights of the last step, (N, S), averaged
    over layers and heads, in `state["weights"]`.
    """

    vocabulary_size: int
    max_steps: int | None = None  # the most there are positions for; None for any number
    attends: bool = False

    def constants(self, precision: str | None = None) -> Any:
        """What steps use of the weights alone; a pytree without a batch.

        Args:
            precision: of the logits' product: "bfloat16", or None for the decoder's own.
        """
        return {}

    def begin(self, memory: Any, length: int, constants: Any = None) -> tuple[Any, Any]:
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
    gives what T calls of `step` would. A kind of decoder provides `start`, which is `begin` but
    for the constants: these are `static["constants"]`, which has not the batch on axis 0; and
    what the logits are made of, `features(tokens, memory, training) -> (N, T, D)` and
    `step_features(tokens, position, static, state) -> (N, D), state`.

    Args:
        embedding: of the target's tokens.
        tied: compute the logits with the embedding's own matrix (Press and Wolf, 2017), without
            a bias; else with a dense layer.
        projection: whether there are logits at all. A transducer's prediction network has none.

    Raises:
        UserError: an argument is out of its range, tied embeddings have not the width of the
            features, or a memory is no `Memory`.
    """

    @checked
    def __init__(
        self,
        embedding: TokenEmbedding,
        tied: bool = False,
        projection: bool = True,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.embedding = embedding
        self.tied, self.projection = tied, projection
        if projection and not tied:
            self.output_projection = keras.layers.Dense(embedding.vocabulary_size, name="logits")

    @property
    def vocabulary_size(self) -> int:
        return self.embedding.vocabulary_size

    @property
    def max_steps(self) -> int | None:
        """The most steps that the embedding has positions for."""
        return self.embedding.max_length if self.embedding.positions else None

    def build_logits(self, width: int) -> None:
        """Build the output projection for features of `width`."""
        if not self.projection:
            return
        if not self.tied:
            build(self.output_projection, (None, None, width))
        elif width != self.embedding.width:
            raise UserError(
                f"Tied embeddings of width {self.embedding.width} cannot give logits "
                f"for features of width {width}."
            )

    def logits(self, features: Any) -> Any:
        """(..., D) to (..., V), for whole sequences."""
        if self.tied:
            return self.embedding.logits(features)
        return self.output_projection(features)

    def constants(self, precision: str | None = None) -> Any:
        if not self.projection:
            return {}
        if self.tied:
            # Transposed once; within a loop the product would read it the slow way.
            matrix = ops.transpose(cast_variable(self.embedding, self.embedding.embeddings))
        else:
            matrix = cast_variable(self.output_projection, self.output_projection.kernel)
        return {"output": matrix if precision is None else ops.cast(matrix, precision)}

    def step_logits(self, features: Any, static: Any) -> Any:
        """(N, D) to (N, V), for a step."""
        logits = backend.product(features, static["constants"]["output"])
        if self.tied:
            return logits
        return logits + ops.cast(self.output_projection.bias, logits.dtype)

    def start(self, memory: Memory, length: int) -> tuple[dict, Any]:
        raise NotImplementedError

    def begin(self, memory: Any, length: int, constants: Any = None) -> tuple[Any, Any]:
        static, state = self.start(_memory(self, memory), length)
        constants = self.constants() if constants is None else constants
        return {**static, "constants": constants}, state

    def expand(self, static: Any, state: Any, beams: int) -> tuple[Any, Any]:
        static = dict(static)
        constants = static.pop("constants")
        static, state = super().expand(static, state, beams)
        return {**static, "constants": constants}, state

    def features(self, tokens: Any, memory: Memory, training: bool = False) -> Any:
        raise NotImplementedError

    def step_features(self, tokens: Any, position: Any, static: Any, state: Any) -> tuple[Any, Any]:
        raise NotImplementedError

    def call(self, tokens: Any, memory: Memory, training: bool = False) -> Any:
        return self.logits(self.features(tokens, _memory(self, memory), training))

    def step(self, tokens: Any, position: Any, static: Any, state: Any) -> tuple[Any, Any]:
        features, state = self.step_features(tokens, position, static, state)
        return self.step_logits(features, static), state

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "embedding": keras.saving.serialize_keras_object(self.embedding),
            "tied": self.tied,
            "projection": self.projection,
        }

    @classmethod
    def from_config(cls, config: dict) -> "Decoder":
        return cls(**deserialize_arguments(config, "embedding", "attention"))


def _memory(decoder: Decoder, memory: Any) -> Memory:
    if not isinstance(memory, Memory):
        raise UserError(
            f"{type(decoder).__name__} attends to a Memory(values, mask), not to "
            f"{abbreviate(memory)}: give it what an encoder returns."
        )
    return memory
