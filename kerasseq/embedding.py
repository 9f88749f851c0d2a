"""Token embeddings and positions."""

from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from kerasseq.checks import Fraction, Size, VocabularySize, checked
from kerasseq.errors import UserError
from kerasseq.precision import cast_variable
from kerasseq.serialization import register

# 65,536 tokens in a width of 1,024.
_MOST_POSITIONS = 1 << 26


def sinusoidal_positions(steps: int, width: int) -> np.ndarray:
    """Returns sinusoidal positions, (steps, width) float32.

    PE[p, i] = sin(p / 10000^(2i/D)) for i < D/2, followed by the cosines. Vaswani et al., 2017,
    section 3.5, interleave sines and cosines; the order of the columns has no effect.
    """
    rate = 10000.0 ** (-2.0 * np.arange(width // 2) / width)
    angle = np.arange(steps)[:, None] * rate[None, :]
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1).astype("float32")


@register()
class TokenEmbedding(keras.layers.Layer):
    """Converts token ids to vectors, and vectors to logits where the weights are tied.

        y = E[ids] * scale + P[position]

    A tied decoder computes its logits with the same E: z = h E^T (Press and Wolf, 2017).

    Args:
        vocabulary_size: V, the number of rows of E.
        width: D, the number of columns of E.
        positions: None, "sinusoidal" (Vaswani et al., 2017, section 3.5) or "learned"
            (Gehring et al., 2017, section 3.1).
        max_length: the largest number of tokens, where there are positions.
        scale: whether to multiply E[ids] by sqrt(D), as Transformers do.
        dropout: fraction of the elements of the sum dropped in training.
        initializer: the initializer of E. Default: normal with a standard deviation of D^-0.5 if
            `scale` is set, else uniform in [-0.1, 0.1].

    Shapes: ids (N, T) int -> (N, T, D).

    Raises:
        UserError: an argument is out of its range, the width is odd and the positions are
            sinusoidal, or the ids are no whole numbers.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> embedding = kerasseq.TokenEmbedding(vocabulary_size=100, width=8, positions="sinusoidal")
    >>> vectors = embedding(np.array([[4, 5, 6]]))
    >>> tuple(vectors.shape), tuple(embedding.logits(vectors).shape)
    ((1, 3, 8), (1, 3, 100))
    """

    @checked
    def __init__(
        self,
        vocabulary_size: VocabularySize,
        width: Size,
        positions: Literal["sinusoidal", "learned"] | None = None,
        max_length: Size = 1024,
        scale: bool = False,
        dropout: Fraction = 0.0,
        initializer: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if positions and max_length * width > _MOST_POSITIONS:
            raise UserError(
                f"Positions of {max_length:,} tokens in a width of {width:,} take more than "
                f"{_MOST_POSITIONS:,} numbers: lower max_length."
            )
        if positions == "sinusoidal" and width % 2:
            raise UserError(f"Sinusoidal positions need an even width, not {width}.")
        self.vocabulary_size = vocabulary_size
        self.width = width
        self.positions = positions
        self.max_length = max_length
        self.scale = scale
        self.dropout = keras.layers.Dropout(dropout)
        if initializer is None:
            initializer = (
                keras.initializers.RandomNormal(stddev=width**-0.5)
                if scale
                else keras.initializers.RandomUniform(-0.1, 0.1)
            )
        self.initializer = keras.initializers.get(initializer)
        self.build()

    def build(self, input_shape: Any = None) -> None:
        if self.built:
            return
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.vocabulary_size, self.width),
            initializer=self.initializer,
        )
        if self.positions == "learned":
            self.position_embeddings = self.add_weight(
                name="positions",
                shape=(self.max_length, self.width),
                initializer=keras.initializers.RandomNormal(stddev=0.1),
            )
        elif self.positions == "sinusoidal":
            self._sinusoids = sinusoidal_positions(self.max_length, self.width)
        self.built = True

    def _position_table(self) -> Any:
        if self.positions == "learned":
            return cast_variable(self, self.position_embeddings)
        return ops.convert_to_tensor(self._sinusoids, dtype=self.compute_dtype)

    def _tokens(self, ids: Any) -> Any:
        dtype = keras.backend.standardize_dtype(ids.dtype)
        if "int" not in dtype:
            raise UserError(f"Token ids must be whole numbers, of int32 for example, not {dtype}.")
        vectors = ops.take(cast_variable(self, self.embeddings), ids, axis=0)
        return vectors * self.width**0.5 if self.scale else vectors

    def call(self, values: Any, training: bool = False) -> Any:
        vectors = self._tokens(values)
        if self.positions:
            vectors = vectors + self._position_table()[None, : ops.shape(values)[1]]
        return self.dropout(vectors, training=training)

    def at(self, ids: Any, position: Any) -> Any:
        """Returns the vectors (N, D) of one step: ids (N,), all at `position`, a scalar."""
        vectors = self._tokens(ids)
        if self.positions:
            vectors = vectors + ops.take(self._position_table(), position, axis=0)[None]
        return vectors

    def logits(self, hidden: Any) -> Any:
        """Computes logits (..., V) from vectors (..., D): z = h E^T."""
        return ops.matmul(hidden, ops.transpose(cast_variable(self, self.embeddings)))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "width": self.width,
            "positions": self.positions,
            "max_length": self.max_length,
            "scale": self.scale,
            "dropout": self.dropout.rate,
            "initializer": keras.initializers.serialize(self.initializer),
        }
