"""The S2VT decoder, whose recurrent layers read the source before they write the target."""

from typing import Any, Literal

import keras
from keras import ops

from kerasseq import backend, recurrent
from kerasseq.checks import Fraction, Size, checked
from kerasseq.decoders.base import Decoder
from kerasseq.embedding import TokenEmbedding
from kerasseq.initializers import build
from kerasseq.masking import Memory
from kerasseq.serialization import register


@register()
class S2VTDecoder(Decoder):
    """Two recurrent layers that first read the memory, then write the target.

        reading:  h_s = upper(x_s),  g_s = lower([h_s; 0])      x: the real steps of the memory
        writing:  h_t = upper(0),    g_t = lower([h_t; e_t])    e: the token before

    The logits are computed from g_t. Writing starts from the states at the end of reading.
    Venugopalan et al., 2015 (Sequence to Sequence - Video to Text), section 3.2, figure 2.

    Args:
        embedding: the embedding of the target tokens.
        units: U, the units of each layer.
        cell: "lstm" or "gru".
        dropout: fraction of the output of each layer dropped in training.
        tied: whether to compute the logits with the matrix of the embedding, whose width is then U.
        projection: whether there are logits, see `Decoder`.

    Shapes: tokens (N, T) int, memory (N, S, M) -> logits (N, T, V).

    Raises:
        UserError: an argument is out of its range, or a tied embedding has another width.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> memory = kerasseq.Memory(np.zeros((1, 5, 8), "float32"), np.ones((1, 5), bool))
    >>> embedding = kerasseq.TokenEmbedding(100, 8)
    >>> decoder = kerasseq.decoders.S2VTDecoder(embedding, units=16)
    >>> decoder.build((None, None, 8))
    >>> tuple(decoder(np.array([[2, 4, 5]]), memory).shape)
    (1, 3, 100)
    """

    @checked
    def __init__(
        self,
        embedding: TokenEmbedding,
        units: Size,
        cell: Literal["lstm", "gru"] = "lstm",
        dropout: Fraction = 0.0,
        tied: bool = False,
        projection: bool = True,
        **kwargs: Any,
    ):
        super().__init__(embedding, tied, projection, **kwargs)
        self.units, self.cell = units, cell
        self.dropout = keras.layers.Dropout(dropout)
        self.upper = recurrent.make_cell(cell, units, name="upper")
        self.lower = recurrent.make_cell(cell, units, name="lower")

    def build(self, memory_shape: Any) -> None:
        self.source_width = memory_shape[-1]
        build(self.upper, (None, None, self.source_width))
        build(self.lower, (None, None, self.units + self.embedding.width))
        self.build_logits(self.units)

    def start(self, memory: Memory, length: int) -> tuple[dict, Any]:
        return {}, self._read(memory)

    def _read(self, memory: Memory) -> dict:
        """Returns the states of both layers after the last real step of each row."""
        state = {"upper": self.upper.initial_state(memory.mask)}
        state["lower"] = self.lower.initial_state(memory.mask)
        zeros = ops.zeros_like(memory.values[:, 0, :1]) + self._zero_input(self.embedding.width)
        xs = {
            "projected": ops.transpose(self.upper.project(memory.values), (1, 0, 2)),
            "real": ops.transpose(memory.mask),
        }

        def body(state, x):
            after = self._advance(x["projected"], zeros, state)[1]
            return _select(x["real"], after, state), x["real"]

        return backend.scan(body, state, xs)[0]

    def _zero_input(self, width: int) -> Any:
        return ops.zeros((1, width), dtype=self.compute_dtype)

    def _advance(self, projected: Any, embedded: Any, state: dict) -> tuple[Any, dict]:
        output, upper = self.upper.step(projected, state["upper"])
        output, lower = self.lower.step(
            self.lower.project(ops.concatenate([output, embedded], axis=-1)), state["lower"]
        )
        return output, {"upper": upper, "lower": lower}

    def step_features(self, tokens: Any, position: Any, static: Any, state: Any) -> tuple[Any, Any]:
        embedded = self.embedding.at(tokens, position)
        projected = self.upper.project(self._zero_input(self.source_width))
        projected = projected + ops.zeros_like(embedded[:, :1])
        return self._advance(projected, embedded, state)

    def features(self, tokens: Any, memory: Memory, training: bool = False) -> Any:
        embedded = self.embedding(tokens, training=training)
        state = self._read(memory)
        # The upper layer reads zeros while it writes, so that its steps depend on no token.
        projected = self.upper.project(self._zero_input(self.source_width))[None]
        upper, _ = self.upper.run(projected + ops.zeros_like(embedded[:, :, :1]), state["upper"])
        upper = self.dropout(upper, training=training)
        joined = self.lower.project(ops.concatenate([upper, embedded], axis=-1))
        outputs, _ = self.lower.run(joined, state["lower"])
        return self.dropout(outputs, training=training)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "units": self.units,
            "cell": self.cell,
            "dropout": self.dropout.rate,
        }


def _select(real: Any, after: dict, before: dict) -> dict:
    """Returns the state after a real step, and the state before a step of padding."""
    return keras.tree.map_structure(
        lambda new, old: ops.where(real[:, None], new, old), after, before
    )
