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
        units: U, the units of each layer and direction.
        layers: the number of layers.
        cell: "lstm" or "gru".
        bidirectional: whether each layer reads in both directions and concatenates the outputs
            (Schuster and Paliwal, 1997; Bahdanau et al., 2015, section 3.2).
        reverse: whether to read the source backwards (Sutskever et al., 2014, section 3.3).
        fixed: whether to return one vector in place of all steps: the last outputs of all layers
            and directions, concatenated (Cho et al., 2014; Sutskever et al., 2014).
        dropout: fraction of the output of each layer dropped in training.
        residual: whether to add the input of a layer to its output, where the widths are equal.
        chunk: the number of steps that the backward direction reads at a time, so that a
            bidirectional encoder can stream (latency-controlled: Zhang et al., 2016, "Highway
            long short-term memory RNNs for distant speech recognition", section 4). None for an
            encoder that reads backwards from the end.
        ahead: the number of steps behind the end of a chunk at which the backward direction
            starts. The chunks of a layer end `ahead` steps before the chunks of the layer below.
        offset: the number of steps by which the chunks of the last layer end after a multiple of
            `chunk`. It makes room for the layers above this encoder to read ahead.

    Shapes: values (N, S, I), mask (N, S) -> Memory with values (N, S, `width`), or (N, 1,
    `width`) if `fixed`. Padding is on the right. The kernels run without a mask, and the backward
    direction reads each row reversed by its length. The encoder streams if it returns all steps
    and reads forwards only, or backwards in chunks.

    Raises:
        UserError: an argument is out of its range; there is a chunk where nothing is read
            backwards or not all steps are returned; or `ahead` or `offset` without a chunk.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> encoder = kerasseq.encoders.RNNEncoder(units=16, layers=2, bidirectional=True)
    >>> memory = encoder(np.zeros((1, 10, 8), "float32"), np.ones((1, 10), bool))
    >>> tuple(memory.values.shape)
    (1, 10, 32)
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

    def _backward(self, index: int, values: Any, mask: Any, started: bool = False) -> Any:
        """Returns the backward outputs of a layer; `started` marks later chunks of a stream."""
        layer = self.backward_cells[index]
        if self.chunk:
            behind = self.offset + (self.layers - 1 - index) * self.ahead
            behind = 0 if started else behind
            return _run_in_chunks(layer, values, mask, self.chunk, self.ahead, behind)
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
            states.append({"forward": forward, "held": held, "started": held[:, :, 0]})
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
        """Returns the outputs of a layer for all but the last `held` steps, and the next state."""
        layer, started = self.forward_cells[index], state["started"]
        values = ops.concatenate([state["held"], values], axis=1)
        steps = max(values.shape[1] - held, 0)
        if steps == 0:
            width = self.units * (2 if self.bidirectional else 1)
            return ops.zeros((ops.shape(values)[0], 0, width), self.compute_dtype), {
                **state,
                "held": values,
            }
        inputs = values[:, :steps]
        outputs, forward = layer.run(layer.project(inputs), state["forward"])
        if self.bidirectional:
            mask = ops.ones(ops.shape(values)[:2], dtype="bool")
            backward = self._backward(index, values, mask, started.shape[1] > 0)[:, :steps]
            outputs = ops.concatenate([outputs, backward], axis=-1)
        if self.residual and outputs.shape[-1] == inputs.shape[-1]:
            outputs = outputs + inputs
        after = {"forward": forward, "held": values[:, steps:], "started": inputs[:, :1, 0]}
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
    return layer.run(layer.project(values), layer.initial_state(values))[0]


def _run_in_chunks(layer: Any, values: Any, mask: Any, chunk: int, ahead: int, offset: int) -> Any:
    """Returns the outputs (N, S, U) of a layer that reads chunks backwards.

    It starts `ahead` steps behind the end of each chunk. Chunks end at `offset` plus the multiples
    of `chunk`.
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
    outputs, _ = layer.run(reverse_by_length(rows, real), layer.initial_state(rows))
    outputs = ops.reshape(reverse_by_length(outputs, real), (n, -1, layer.units))
    step = ops.arange(steps)
    number = (step + short) // chunk
    within = step - ops.maximum(number * chunk - short, 0)
    return ops.take(outputs, number * (chunk + ahead) + within, axis=1)
