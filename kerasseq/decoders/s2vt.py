"""The decoder that reads the source with the layers that write the target."""

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
    """Two recurrent layers that first read the memory's steps, then write the tokens.

        reading:  h_s = upper(x_s),  g_s = lower([h_s; 0])      x: the memory, of real steps
        writing:  h_t = upper(0),    g_t = lower([h_t; e_t])    e: the token before

    logits come from g_t. One stack does both, with the states going on from the one to the other.
    Venugopalan et al., 2015 (Sequence to Sequence - Video to Text), section 3.2, figure 2.

    Args:
        embedding: of the target's tokens.
        units: U, of each of the two layers.
        cell: "lstm" or "gru".
        dropout: fraction of each layer's output dropped in training.
        tied: compute the logits with the embedding's matrix, whose width is U.
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
        """The states of both layers behind the last real step of each row."""
        state = {"upper": self.upper.initial_state(memory.mask)}
        state["lower"] = self.lower.initial_state(memory.mask)
        silence = ops.zeros_like(memory.values[:, 0, :1]) + self._silence(self.embedding.width)
        xs = {
            "projected": ops.transpose(self.upper.project(memory.values), (1, 0, 2)),
            "real": ops.transpose(memory.mask),
        }

        def body(state, x):
            after = self._advance(x["projected"], silence, state)[1]
            return _chosen(x["real"], after, state), x["real"]

        return backend.scan(body, state, xs)[0]

    def _silence(self, width: int) -> Any:
        return ops.zeros((1, width), dtype=self.compute_dtype)

    def _advance(self, projected: Any, embedded: Any, state: dict) -> tuple[Any, dict]:
        output, upper = self.upper.advance(projected, state["upper"])
        output, lower = self.lower.advance(
            self.lower.project(ops.concatenate([output, embedded], axis=-1)), state["lower"]
        )
        return output, {"upper": upper, "lower": lower}

    def step_features(self, tokens: Any, position: Any, static: Any, state: Any) -> tuple[Any, Any]:
        embedded = self.embedding.at(tokens, position)
        projected = self.upper.project(self._silence(self.source_width))
        projected = projected + ops.zeros_like(embedded[:, :1])
        return self._advance(projected, embedded, state)

    def features(self, tokens: Any, memory: Memory, training: bool = False) -> Any:
        embedded = self.embedding(tokens, training=training)
        state = self._read(memory)
        # While it writes, the upper layer hears nothing: all its steps, before any token.
        projected = self.upper.project(self._silence(self.source_width))[None]
        heard = self.upper.run(projected + ops.zeros_like(embedded[:, :, :1]), state["upper"])
        heard = self.dropout(heard, training=training)
        joined = self.lower.project(ops.concatenate([heard, embedded], axis=-1))
        return self.dropout(self.lower.run(joined, state["lower"]), training=training)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "units": self.units,
            "cell": self.cell,
            "dropout": self.dropout.rate,
        }


def _chosen(real: Any, after: dict, before: dict) -> dict:
    """The state after a step where it is real, before it where it is padding."""
    return keras.tree.map_structure(
        lambda new, old: ops.where(real[:, None], new, old), after, before
    )
