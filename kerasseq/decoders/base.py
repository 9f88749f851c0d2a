"""The base of all decoders."""

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
    """Contract of everything that generation runs: each step gives a distribution over V tokens.

    - `constants(precision) -> constants` computes the part that depends on the weights alone.
    - `begin(memory, length, constants) -> static, state` prepares at most `length` steps, a
      Python int. It computes the constants unless the caller passes them.
    - `step(tokens (N,), position, static, state) -> logits (N, V), state` computes a step. The
      `position` is a scalar, the same for all rows. `static` is the same for all steps.

    `static` and `state` are pytrees. Every leaf has the batch on axis 0: there are no scalars and
    no None. `expand` and `reorder` rely on this; a class with another layout of beams overrides
    both. A decoder with attention sets `attends = True` and keeps the weights of the last step,
    averaged over layers and heads, in `state["weights"]` (N, S).

    Example:

    >>> import kerasseq
    >>> issubclass(kerasseq.NGram, kerasseq.decoders.Stepwise)
    True
    """

    vocabulary_size: int
    max_steps: int | None = None  # None: there is no limit
    attends: bool = False

    def constants(self, precision: str | None = None) -> Any:
        """Returns what steps need of the weights alone: a pytree without a batch.

        Args:
            precision: the precision of the product that gives the logits, "bfloat16", or None for
                the precision of the decoder.
        """
        return {}

    def begin(self, memory: Any, length: int, constants: Any = None) -> tuple[Any, Any]:
        raise NotImplementedError

    def step(self, tokens: Any, position: Any, static: Any, state: Any) -> tuple[Any, Any]:
        raise NotImplementedError

    def expand(self, static: Any, state: Any, beams: int) -> tuple[Any, Any]:
        """Repeats the result of `begin` for N sources: `beams` adjacent rows for each of them."""
        return tree.map_structure(lambda leaf: ops.repeat(leaf, beams, axis=0), (static, state))

    def reorder(self, state: Any, parents: Any) -> Any:
        """Returns the state in which row r continues row `parents[r]`; parents (N,) int32."""
        return tree.map_structure(lambda leaf: ops.take(leaf, parents, axis=0), state)


class Decoder(keras.layers.Layer, Stepwise):
    """Base of the decoders: a layer with the contract `Stepwise` and a parallel form for training.

    `call(tokens (N, T), memory) -> logits (N, T, V)` computes T steps under teacher forcing. Its
    result equals T calls of `step`. A subclass defines

    - `start(memory, length) -> static, state`: `begin` without the constants. The base adds them
      as `static["constants"]`, the only leaves without the batch on axis 0.
    - `features(tokens, memory, training) -> (N, T, D)`, from which the logits are computed.
    - `step_features(tokens, position, static, state) -> (N, D), state`, the same for a step.

    Args:
        embedding: the embedding of the target tokens.
        tied: whether to compute the logits with the matrix of the embedding, without a bias
            (Press and Wolf, 2017), and not with a dense layer.
        projection: whether there are logits. The prediction network of a transducer has none.

    Shapes: tokens (N, T) int, memory (N, S, D) -> logits (N, T, V).

    Raises:
        UserError: an argument is out of its range, a tied embedding and the features differ in
            width, or the memory is no `Memory`.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> from keras import ops
    >>> memory = kerasseq.Memory(ops.zeros((1, 5, 8)), ops.ones((1, 5), "bool"))
    >>> embedding = kerasseq.TokenEmbedding(100, 8)
    >>> decoder = kerasseq.decoders.RNNDecoder(embedding, units=16)
    >>> decoder.build((None, None, 8))
    >>> tuple(decoder(np.array([[2, 4, 5]]), memory).shape)
    (1, 3, 100)
    >>> static, state = decoder.begin(memory, length=3)
    >>> logits, state = decoder.step(np.array([2]), 0, static, state)
    >>> tuple(logits.shape)
    (1, 100)
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
        """The number of steps that the embedding has positions for; None if it has none."""
        return self.embedding.max_length if self.embedding.positions else None

    def build_logits(self, width: int) -> None:
        """Builds the output projection for features of `width`."""
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
        """Computes logits (..., V) from features (..., D) of whole sequences."""
        if self.tied:
            return self.embedding.logits(features)
        return self.output_projection(features)

    def constants(self, precision: str | None = None) -> Any:
        if not self.projection:
            return {}
        if self.tied:
            # Transposed once: within a loop the product with the transposed matrix is slower.
            matrix = ops.transpose(cast_variable(self.embedding, self.embedding.embeddings))
        else:
            matrix = cast_variable(self.output_projection, self.output_projection.kernel)
        return {"output": matrix if precision is None else ops.cast(matrix, precision)}

    def step_logits(self, features: Any, static: Any) -> Any:
        """Computes logits (N, V) from the features (N, D) of a step."""
        logits = backend.mixed_matmul(features, static["constants"]["output"])
        if self.tied:
            return logits
        return logits + ops.cast(self.output_projection.bias, logits.dtype)

    def start(self, memory: Memory, length: int) -> tuple[dict, Any]:
        raise NotImplementedError

    def begin(self, memory: Any, length: int, constants: Any = None) -> tuple[Any, Any]:
        static, state = self.start(_require_memory(self, memory), length)
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
        return self.logits(self.features(tokens, _require_memory(self, memory), training))

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


def _require_memory(decoder: Decoder, memory: Any) -> Memory:
    if not isinstance(memory, Memory):
        raise UserError(
            f"{type(decoder).__name__} attends to a Memory(values, mask), not to "
            f"{abbreviate(memory)}: give it what an encoder returns."
        )
    return memory
