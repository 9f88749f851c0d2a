"""Recurrent encoder."""

from typing import Any

import keras
from keras import ops

from kerasseq.initializers import build
from kerasseq.masking import Memory, last_step, reverse_by_length
from kerasseq.recurrent import cell
from kerasseq.streaming import Streaming


@keras.saving.register_keras_serializable("kerasseq")
class RNNEncoder(Streaming, keras.layers.Layer):
    """A stack of recurrent layers over the source.

    Args:
        units: U, of each layer and direction.
        layers: how many are stacked.
        cell: "lstm" or "gru".
        bidirectional: run every layer in both directions and join them (Schuster and Paliwal,
            1997; Bahdanau et al., 2015, section 3.2).
        reverse: read the source backwards (Sutskever et al., 2014, section 3.3).
        fixed: return not all steps but one vector, the last outputs of all layers and directions
            side by side (Cho et al., 2014; Sutskever et al., 2014).
        dropout: fraction of each layer's output dropped in training.
        residual: add a layer's input to its output, where they have the same width.

    Shapes: values (N, S, I), mask (N, S) -> Memory with values (N, S, `width`), or with
    (N, 1, `width`) if `fixed`. Padding is on the right; the kernels run without a mask, and
    backward layers see the sequence reversed by its length. Streams if it reads forwards alone
    and returns all steps.
    """

    def __init__(
        self,
        units: int,
        layers: int = 1,
        cell: str = "lstm",
        bidirectional: bool = False,
        reverse: bool = False,
        fixed: bool = False,
        dropout: float = 0.0,
        residual: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units, self.layers, self.cell = units, layers, cell
        self.bidirectional, self.reverse, self.fixed = bidirectional, reverse, fixed
        self.residual = residual
        self.dropout = keras.layers.Dropout(dropout)
        self.forward_cells = _cells(layers, cell, units, "forward")
        self.backward_cells = _cells(layers if bidirectional else 0, cell, units, "backward")

    @property
    def width(self) -> int:
        """The width of the memory."""
        directions = 2 if self.bidirectional else 1
        return self.units * directions * (self.layers if self.fixed else 1)

    def build(self, input_shape: Any) -> None:
        width = input_shape[-1]
        for index, forward in enumerate(self.forward_cells):
            build(forward, (None, None, width))
            if self.bidirectional:
                build(self.backward_cells[index], (None, None, width))
            width = self.units * (2 if self.bidirectional else 1)

    def call(self, values: Any, mask: Any, training: bool = False) -> Memory:
        if self.reverse:
            values = reverse_by_length(values, mask)
        finals = []
        for index, forward in enumerate(self.forward_cells):
            outputs = _run(forward, values)
            finals.append(last_step(outputs, mask))
            if self.bidirectional:
                backward = _run(self.backward_cells[index], reverse_by_length(values, mask))
                finals.append(last_step(backward, mask))
                outputs = ops.concatenate([outputs, reverse_by_length(backward, mask)], axis=-1)
            outputs = self.dropout(outputs, training=training)
            if self.residual and outputs.shape[-1] == values.shape[-1]:
                outputs = outputs + values
            values = outputs
        if self.fixed:
            vector = self.dropout(ops.concatenate(finals, axis=-1), training=training)
            return Memory(vector[:, None], ops.ones_like(mask[:, :1]))
        if self.reverse:
            values = reverse_by_length(values, mask)
        return Memory(values, mask)

    @property
    def streams(self) -> bool:
        return not (self.bidirectional or self.reverse or self.fixed)

    def begin_stream(self, n: int) -> list:
        return [layer.initial_state(ops.zeros((n, 1))) for layer in self.forward_cells]

    def stream(self, values: Any, state: list) -> tuple[Any, list]:
        states = []
        for layer, before in zip(self.forward_cells, state, strict=True):
            outputs, after = layer.run_on(layer.project(values), before)
            if self.residual and outputs.shape[-1] == values.shape[-1]:
                outputs = outputs + values
            values = outputs
            states.append(after)
        return values, states

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "units": self.units,
            "layers": self.layers,
            "cell": self.cell,
            "bidirectional": self.bidirectional,
            "reverse": self.reverse,
            "fixed": self.fixed,
            "dropout": self.dropout.rate,
            "residual": self.residual,
        }


def _cells(layers: int, kind: str, units: int, name: str) -> list:
    return [cell(kind, units, name=f"{name}_{index}") for index in range(layers)]


def _run(layer: Any, values: Any) -> Any:
    return layer.run(layer.project(values), layer.initial_state(values))
