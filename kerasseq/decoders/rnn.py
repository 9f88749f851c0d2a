"""Recurrent decoder, with a fixed context vector or with an attention."""

from typing import Any, Literal

import keras
from keras import ops

from kerasseq import backend
from kerasseq.attention import Attention, get
from kerasseq.checks import Fraction, Size, checked
from kerasseq.decoders.base import Decoder
from kerasseq.embedding import TokenEmbedding
from kerasseq.errors import UserError
from kerasseq.initializers import build
from kerasseq.masking import Memory
from kerasseq.recurrent import make_cell
from kerasseq.serialization import register


@register()
class RNNDecoder(Decoder):
    """A stack of recurrent layers over the target, with a context vector from the memory.

        s_0 = tanh(W_s m),  m = mean of the memory's real steps
        s_t = cell(s_{t-1}, [e_t; c_t; r_{t-1}]),  r_t = tanh(W_r [s_t; c_t; e_t])

    The logits are computed from r_t. The arguments determine the other terms:

    - Without attention the context is the fixed vector m (the only step of an encoder with
      `fixed=True`). `context="initial"` uses it for s_0 (Sutskever et al., 2014). "joined" also
      adds it to every input and to the readout (Cho et al., 2014, appendix A). "none" does not
      read the memory, and s_0 is zero: the prediction network of a transducer (Graves, 2012,
      section 2.1). Its features are r_t; with attention, c_t is part of them (Prabhavalkar et al.,
      2017).
    - With attention and `query="before"`, s_{t-1} is the query and c_t an input of the cell
      (Bahdanau et al., 2015, appendix A.2.2). With "after", s_t is the query and c_t an input of
      the readout (Luong et al., 2015, equation 5).
    - With `input_feeding`, r_{t-1} is an input of the cell (Luong et al., 2015, section 3.3).
    - With `gate`, c_t is multiplied by sigmoid(W_g q_t), where q_t is the query (Xu et al., 2015,
      section 4.2.1).

    e_t is part of the readout where c_t is an input of the cell.

    Args:
        embedding: the embedding of the target tokens.
        units: U, the units of each layer.
        layers: the number of layers.
        cell: "lstm" or "gru".
        attention: None, an `Attention`, or a name, see `kerasseq.attention.get`.
        query: "before" or "after", with attention only.
        context: "initial", "joined" or "none", without attention only.
        input_feeding: see above.
        gate: see above, with attention only.
        dropout: fraction of the output of each layer, and of the readout, dropped in training.
        tied: whether to compute the logits with the matrix of the embedding. The readout then has
            the width of the embedding.
        projection: whether there are logits, see `Decoder`.

    Shapes: tokens (N, T) int, memory (N, S, M) -> logits (N, T, V).

    Raises:
        UserError: an argument is out of its range, or there is a gate without attention.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> memory = kerasseq.Memory(np.zeros((1, 5, 8), "float32"), np.ones((1, 5), bool))
    >>> embedding = kerasseq.TokenEmbedding(100, 8)
    >>> decoder = kerasseq.decoders.RNNDecoder(embedding, units=16, attention="additive")
    >>> decoder.build((None, None, 8))
    >>> tuple(decoder(np.array([[2, 4, 5]]), memory).shape)
    (1, 3, 100)
    """

    @checked
    def __init__(
        self,
        embedding: TokenEmbedding,
        units: Size,
        layers: Size = 1,
        cell: Literal["lstm", "gru"] = "lstm",
        attention: Attention | str | None = None,
        query: Literal["before", "after"] = "after",
        context: Literal["initial", "joined", "none"] = "initial",
        input_feeding: bool = False,
        dropout: Fraction = 0.0,
        tied: bool = False,
        projection: bool = True,
        gate: bool = False,
        **kwargs: Any,
    ):
        super().__init__(embedding, tied, projection, **kwargs)
        if gate and attention is None:
            raise UserError("A gate needs attention: set attention too, or leave gate.")
        self.units, self.layers, self.cell = units, layers, cell
        self.attention, self.query, self.context = get(attention), query, context
        self.input_feeding = input_feeding
        self.dropout = keras.layers.Dropout(dropout)
        self.cells = _cells(cell, units, layers)
        if self.sees_memory:
            self.bridge = keras.layers.Dense(
                units * layers * len(self.cells[0].states), activation="tanh", name="bridge"
            )
        readout = embedding.width if tied else units
        self.readout = keras.layers.Dense(readout, activation="tanh", name="readout")
        width = self.cells[0].gates * units
        if self.joins_context:
            self.join_context = keras.layers.Dense(width, use_bias=False, name="join_context")
        self.gate = keras.layers.Dense(1, activation="sigmoid", name="gate") if gate else None
        if input_feeding:
            self.join_readout = keras.layers.Dense(width, use_bias=False, name="join_readout")

    @property
    def feature_width(self) -> int:
        """D of the features."""
        return self.readout.units

    @property
    def attends(self) -> bool:
        return self.attention is not None

    @property
    def sees_memory(self) -> bool:
        """Whether the decoder reads the values of the memory."""
        return self.attention is not None or self.context != "none"

    @property
    def joins_context(self) -> bool:
        """Whether the context is an input of the cell."""
        return self.context == "joined" if self.attention is None else self.query == "before"

    @property
    def stepwise(self) -> bool:
        """Whether a step needs more of the step before than the states of the cells."""
        if self.input_feeding:
            return True
        return self.attention is not None and (self.query == "before" or self.attention.stepwise)

    def build(self, memory_shape: Any) -> None:
        memory_width = context_width = memory_shape[-1]
        query = (None, None, self.units)
        if self.attention is not None:
            build(self.attention, query, memory_shape)
            context_width = self.attention.context_width
        if self.gate is not None:
            build(self.gate, query)
        if self.sees_memory:
            build(self.bridge, (None, memory_width))
        build(self.cells[0], (None, None, self.embedding.width))
        for upper in self.cells[1:]:
            build(upper, query)
        readout = self.units
        if self.attention is not None or self.joins_context:
            readout += context_width
        if self.joins_context:
            build(self.join_context, (None, context_width))
            readout += self.embedding.width
        if self.input_feeding:
            build(self.join_readout, (None, self.readout.units))
        build(self.readout, (None, None, readout))
        self.build_logits(self.readout.units)

    def start(self, memory: Memory, length: Any, training: bool = False) -> tuple[dict, Any]:
        static: dict = {}
        if self.sees_memory:
            mean, cells = self._initial_cells(memory)
        else:
            cells = [one.initial_state(memory.mask) for one in self.cells]
        state: dict = {"cells": cells}
        if self.attention is not None:
            static["attention"] = self.attention.precompute(memory)
            attention = dict(self.attention.initial_state(memory, length if training else 0))
            state["weights"] = attention.pop("weights")
            state["attention"] = attention
        elif self.joins_context:
            static["context"] = mean
        if self.input_feeding:
            state["readout"] = ops.zeros(
                (ops.shape(memory.mask)[0], self.readout.units), dtype=self.compute_dtype
            )
        return static, state

    def _initial_cells(self, memory: Memory) -> tuple[Any, list[dict]]:
        """Returns the mean m (N, D) of the real steps, and the initial states of the cells."""
        real = ops.cast(memory.mask, self.compute_dtype)[:, :, None]
        total = ops.sum(memory.values * real, axis=1)
        mean = total / ops.maximum(ops.sum(real, axis=1), 1.0)
        parts = ops.split(self.bridge(mean), len(self.cells) * len(self.cells[0].states), axis=-1)
        parts = iter(parts)
        return mean, [{key: next(parts) for key in one.states} for one in self.cells]

    def _attend(self, query: Any, static: dict, state: dict) -> tuple[Any, dict]:
        """Attends with one query: returns the context, and the parts of the state that change."""
        attention = {**state["attention"], "weights": state["weights"]}
        context, _, attention = self.attention.step(query, static["attention"], attention)
        weights = attention.pop("weights")
        return self._gate(context, query), {"attention": attention, "weights": weights}

    def _gate(self, context: Any, query: Any) -> Any:
        return context if self.gate is None else context * self.gate(query)

    def _read(self, output: Any, context: Any, embedded: Any) -> Any:
        parts = [output]
        if context is not None:
            parts.append(context)
        if self.joins_context:
            parts.append(embedded)
        return self.readout(ops.concatenate(parts, axis=-1))

    def _advance(
        self, projected: Any, embedded: Any, static: dict, state: dict, masks: list
    ) -> tuple[Any, Any, dict]:
        """Computes one step without the readout, or with it if there is input feeding.

        Args:
            projected: the projection of `embedded` by the first cell.
            masks: the dropout masks between the cells, or an empty list.
        """
        changes, context = {}, static.get("context")
        if self.attention is not None and self.query == "before":
            context, changes = self._attend(state["cells"][-1]["h"], static, state)
        if self.joins_context:
            projected = projected + self.join_context(context)
        if self.input_feeding:
            projected = projected + self.join_readout(state["readout"])
        output, first = self.cells[0].step(projected, state["cells"][0])
        cells = [first]
        for index, upper in enumerate(self.cells[1:]):
            output = output * masks[index] if masks else output
            output, now = upper.step(upper.project(output), state["cells"][index + 1])
            cells.append(now)
        if self.attention is not None and self.query == "after":
            context, changes = self._attend(output, static, state)
        state = {**state, **changes, "cells": cells}
        if self.input_feeding:
            state["readout"] = self._read(output, context, embedded)
        return output, context, state

    def step_features(self, tokens: Any, position: Any, static: Any, state: Any) -> tuple[Any, Any]:
        embedded = self.embedding.at(tokens, position)
        projected = self.cells[0].project(embedded)
        output, context, state = self._advance(projected, embedded, static, state, [])
        if self.input_feeding:
            return state["readout"], state
        return self._read(output, context, embedded), state

    def features(self, tokens: Any, memory: Memory, training: bool = False) -> Any:
        return self._force(tokens, memory, training)[0]

    def call_with_attention(
        self, tokens: Any, memory: Memory, training: bool = False
    ) -> tuple[Any, Any]:
        """Returns the logits (N, T, V), as a call does, and the attention weights (N, T, S)."""
        features, weights = self._force(tokens, memory, training, weighing=True)
        return self.logits(features), weights

    def _force(
        self, tokens: Any, memory: Memory, training: bool, weighing: bool = False
    ) -> tuple[Any, Any]:
        """Returns features (N, T, D) under teacher forcing, and weights (N, T, S) if `weighing`."""
        embedded = self.embedding(tokens, training=training)
        static, state = self.start(memory, ops.shape(tokens)[1], training)
        run = self._stepwise if self.stepwise else self._parallel
        features, weights = run(embedded, static, state, training, weighing)
        return self.dropout(features, training=training), weights

    def _stepwise(
        self, embedded: Any, static: dict, state: dict, training: bool, weighing: bool
    ) -> tuple[Any, Any]:
        by_step = ops.transpose(embedded, (1, 0, 2))
        xs = {"projected": self.cells[0].project(by_step), "embedded": by_step, "masks": []}
        if training and self.dropout.rate:
            # Sampled before the loop, since a scan on JAX cannot sample within it.
            ones = ops.ones((*ops.shape(by_step)[:2], self.units), dtype=self.compute_dtype)
            xs["masks"] = [self.dropout(ones, training=True) for _ in self.cells[1:]]

        def body(state, x):
            output, context, state = self._advance(
                x["projected"], x["embedded"], static, state, x["masks"]
            )
            outputs = [state["readout"]] if self.input_feeding else [output, context]
            return state, [*outputs, state["weights"]] if weighing else outputs

        _, outputs = backend.scan(body, state, xs)
        outputs = [ops.transpose(leaf, (1, 0, 2)) for leaf in outputs]
        weights = outputs.pop() if weighing else None
        if self.input_feeding:
            return outputs[0], weights
        return self._read(*outputs, embedded), weights

    def _parallel(
        self, embedded: Any, static: dict, state: dict, training: bool, weighing: bool
    ) -> tuple[Any, Any]:
        values, context, weights = embedded, None, None
        if self.joins_context:
            context = static["context"][:, None]
            joined = self.join_context(context)
            context = context + ops.zeros_like(embedded[:, :, :1])
        for index, (layer, initial) in enumerate(zip(self.cells, state["cells"], strict=True)):
            projected = layer.project(values)
            if index == 0 and self.joins_context:
                projected = projected + joined
            values, _ = layer.run(projected, initial)
            if index + 1 < len(self.cells):
                values = self.dropout(values, training=training)
        if self.attention is not None:
            attention = {**state["attention"], "weights": state["weights"]}
            context, weights, _ = self.attention.attend(
                values, static["attention"], attention, training
            )
            context = self._gate(context, values)
        return self._read(values, context, embedded), weights

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "units": self.units,
            "layers": self.layers,
            "cell": self.cell,
            "attention": keras.saving.serialize_keras_object(self.attention),
            "query": self.query,
            "context": self.context,
            "input_feeding": self.input_feeding,
            "gate": self.gate is not None,
            "dropout": self.dropout.rate,
        }


def _cells(kind: str, units: int, layers: int) -> list:
    return [make_cell(kind, units, name=f"cell_{index}") for index in range(layers)]
