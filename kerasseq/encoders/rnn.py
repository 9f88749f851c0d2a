"""Recurrent encoder."""

from typing import Any, Literal

import keras
from keras import ops

from kerasseq.checks import Count, Fraction, Size, checked, require_width
from kerasseq.errors import UserError
from kerasseq.initializers import build
from kerasseq.masking import Memory, reverse_by_length, take_last_step
from kerasseq.recurrent import make_cell
from kerasseq.serialization import register
from kerasseq.streaming import Streaming


@register()
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
        chunk: read backwards within stretches of so many steps alone, so that both directions can
            stream (latency-controlled: Zhang et al., 2016, "Highway long short-term memory RNNs
            for distant speech recognition", section 4). None reads backwards from the end.
        ahead: each layer reads a chunk from so many steps behind its end; in exchange its chunks
            end so many steps before those of the layer below it.
        offset: how many steps later than at a multiple of `chunk` the chunks of the last layer
            end: what the layers above this encoder are to read ahead.

    Shapes: values (N, S, I), mask (N, S) -> Memory with values (N, S, `width`), or with
    (N, 1, `width`) if `fixed`. Padding is on the right; the kernels run without a mask, and
    backward layers see the sequence reversed by its length. Streams if it reads forwards alone,
    or backwards in chunks, and returns all steps.

    Raises:
        UserError: an argument is out of its range; a chunk where nothing is read backwards, or
            not all steps are returned; or `ahead` or `offset` without a chunk.
    """

    @checked
    def __init__(
        self,
        units: Size,
        layers: Size = 1,
        cell: Literal["lstm", "gru"] = "lstm",
        bidirectional: bool = False,
        reverse: bool = False,
        fixed: bool = False,
        dropout: Fraction = 0.0,
        residual: bool = False,
        chunk: Size | None = None,
        ahead: Count = 0,
        offset: Count = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if chunk and (not bidirectional or reverse or fixed):
            raise UserError(
                "A chunk is for an RNNEncoder that reads both directions and returns all steps: "
                "set bidirectional, and neither reverse nor fixed."
            )
        if (ahead or offset) and not chunk:
            raise UserError("The ahead and offset of an RNNEncoder are of chunks: set chunk too.")
        self.chunk, self.ahead, self.offset = chunk, ahead, offset
        self.lead = layers * ahead
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
        self.input_width = width = require_width(self, input_shape)
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
            finals.append(take_last_step(outputs, mask))
            if self.bidirectional:
                backward = self._backward(index, values, mask)
                finals.append(backward[:, 0])
                outputs = ops.concatenate([outputs, backward], axis=-1)
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

    def _backward(self, index: int, values: Any, mask: Any, begun: bool = False) -> Any:
        """The outputs of a layer that reads backwards; in streams of what comes when `begun`."""
        layer = self.backward_cells[index]
        if self.chunk:
            behind = self.offset + (self.layers - 1 - index) * self.ahead
            behind = 0 if begun else behind
            return _in_chunks(layer, values, mask, self.chunk, self.ahead, behind)
        return reverse_by_length(_run(layer, reverse_by_length(values, mask)), mask)

    @property
    def block(self) -> int:
        return self.chunk or 1

    @property
    def streams(self) -> bool:
        return not (self.reverse or self.fixed) and bool(self.chunk or not self.bidirectional)

    def begin_stream(self, n: int) -> list:
        width, states = self.input_width, []
        for layer in self.forward_cells:
            held = ops.zeros((n, 0, width), dtype=self.compute_dtype)
            forward = layer.initial_state(ops.zeros((n, 1)))
            # As wide as the number of chunks so far, but at most 1.
            states.append({"forward": forward, "held": held, "begun": held[:, :, 0]})
            width = self.units * (2 if self.bidirectional else 1)
        return states

    def stream(self, values: Any, state: list) -> tuple[Any, list]:
        states = []
        for index, before in enumerate(state):
            values, after = self._stream(index, values, before, self.ahead)
            states.append(after)
        return values, states

    def flush(self, values: Any, state: list) -> Any:
        for index, before in enumerate(state):
            values, _ = self._stream(index, values, before, 0)
        return values

    def _stream(self, index: int, values: Any, state: dict, held: int) -> tuple[Any, dict]:
        """The outputs of a layer for all steps but the last `held`, and its state behind them."""
        layer, begun = self.forward_cells[index], state["begun"]
        values = ops.concatenate([state["held"], values], axis=1)
        steps = max(values.shape[1] - held, 0)
        if steps == 0:
            width = self.units * (2 if self.bidirectional else 1)
            return ops.zeros((ops.shape(values)[0], 0, width), self.compute_dtype), {
                **state,
                "held": values,
            }
        inputs = values[:, :steps]
        outputs, forward = layer.run_on(layer.project(inputs), state["forward"])
        if self.bidirectional:
            mask = ops.ones(ops.shape(values)[:2], dtype="bool")
            backward = self._backward(index, values, mask, begun.shape[1] > 0)[:, :steps]
            outputs = ops.concatenate([outputs, backward], axis=-1)
        if self.residual and outputs.shape[-1] == inputs.shape[-1]:
            outputs = outputs + inputs
        after = {"forward": forward, "held": values[:, steps:], "begun": inputs[:, :1, 0]}
        return outputs, after

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
            "chunk": self.chunk,
            "ahead": self.ahead,
            "offset": self.offset,
        }


def _cells(layers: int, kind: str, units: int, name: str) -> list:
    return [make_cell(kind, units, name=f"{name}_{index}") for index in range(layers)]


def _run(layer: Any, values: Any) -> Any:
    return layer.run(layer.project(values), layer.initial_state(values))


def _in_chunks(layer: Any, values: Any, mask: Any, chunk: int, ahead: int, offset: int) -> Any:
    """The outputs (N, S, U) of a layer that reads each chunk from `ahead` steps behind its end.

    The first chunk ends at the first step that is `offset`, but for multiples of `chunk`.
    """
    n, steps = ops.shape(values)[0], ops.shape(values)[1]
    short = -offset % chunk  # of the first chunk
    numbers = ops.arange(-(-(steps + short) // chunk))
    starts = ops.maximum(numbers * chunk - short, 0)[:, None]
    ends = ((numbers + 1) * chunk - short + ahead)[:, None]
    place = starts + ops.arange(chunk + ahead)[None]
    inside = place < ops.minimum(ends, steps)
    place = ops.reshape(ops.minimum(place, steps - 1), (-1,))
    projected = layer.project(values)
    rows = ops.take(projected, place, axis=1)
    rows = ops.reshape(rows, (-1, chunk + ahead, projected.shape[-1]))
    real = ops.take(mask, place, axis=1) & ops.reshape(inside, (1, -1))
    real = ops.reshape(real, (-1, chunk + ahead))
    outputs = layer.run(reverse_by_length(rows, real), layer.initial_state(rows))
    outputs = ops.reshape(reverse_by_length(outputs, real), (n, -1, layer.units))
    step = ops.arange(steps)
    number = (step + short) // chunk
    within = step - ops.maximum(number * chunk - short, 0)
    return ops.take(outputs, number * (chunk + ahead) + within, axis=1)
