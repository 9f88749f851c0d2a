"""Recurrent cells that project the inputs of all steps in one matrix product."""

from typing import Any

import keras
from keras import ops

from kerasseq import backend
from kerasseq.checks import Size, checked, require_width
from kerasseq.errors import UserError
from kerasseq.precision import cast_variable
from kerasseq.serialization import register


class Cell(keras.layers.Layer):
    """Contract of a recurrent cell of U units with G gates.

    - `project(inputs (..., I)) -> (..., G * U)` computes the part that does not depend on the
      step before.
    - `step(projected (N, G * U), state) -> output (N, U), state` computes one step from it.
    - `run(projected (N, S, G * U), state) -> outputs (N, S, U), state` computes all steps. It
      takes no mask: in right-padded rows the outputs of real steps do not depend on the padding.

    `state` is a dict of (N, U) tensors; "h" is the output.
    """

    gates: int
    states: tuple[str, ...]

    @checked
    def __init__(self, units: Size, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = units
        # An initializer draws its seed when it is made. So equal seeds give equal weights only as
        # long as these are made here, before other layers are built.
        self._kernel_initializer = keras.initializers.get("glorot_uniform")
        self._recurrent_initializer = keras.initializers.get("orthogonal")

    def build(self, input_shape: Any) -> None:
        width, inputs = self.gates * self.units, require_width(self, input_shape)
        self.kernel = self.add_weight(
            name="kernel", shape=(inputs, width), initializer=self._kernel_initializer
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, width),
            initializer=self._recurrent_initializer,
        )
        self.bias = self.add_weight(name="bias", shape=(width,), initializer=self._bias)

    def _bias(self, shape: Any, dtype: Any = None) -> Any:
        return ops.zeros(shape, dtype=dtype)

    def initial_state(self, like: Any) -> dict:
        """Returns a state of zeros for the N rows of `like` (N, ...)."""
        zeros = ops.zeros((ops.shape(like)[0], self.units), dtype=self.compute_dtype)
        return {key: zeros for key in self.states}

    def project(self, inputs: Any) -> Any:
        return ops.matmul(inputs, cast_variable(self, self.kernel)) + cast_variable(self, self.bias)

    def step(self, projected: Any, state: dict) -> tuple[Any, dict]:
        raise NotImplementedError

    def run(self, projected: Any, state: dict) -> tuple[Any, dict]:
        def step(state, projected):
            output, state = self.step(projected, state)
            return state, output

        state, outputs = backend.scan(step, state, ops.transpose(projected, (1, 0, 2)))
        return ops.transpose(outputs, (1, 0, 2)), state

    def get_config(self) -> dict:
        return {**super().get_config(), "units": self.units}


@register()
class LSTMCell(Cell):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997; Gers et al., 2000).

        i, f, g, o = split(W x + R h + b)
        c' = sigmoid(f) * c + sigmoid(i) * tanh(g);  h' = sigmoid(o) * tanh(c')

    The forget gate's bias starts at 1 (Jozefowicz et al., 2015, section 2.3).
    """

    gates, states = 4, ("h", "c")

    def _bias(self, shape: Any, dtype: Any = None) -> Any:
        zeros, ones = ops.zeros((self.units,), dtype), ops.ones((self.units,), dtype)
        return ops.concatenate([zeros, ones, zeros, zeros])

    def step(self, projected: Any, state: dict) -> tuple[Any, dict]:
        gates = projected + ops.matmul(state["h"], cast_variable(self, self.recurrent_kernel))
        i, f, g, o = ops.split(gates, 4, axis=-1)
        c = ops.sigmoid(f) * state["c"] + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        return h, {"h": h, "c": c}


@register()
class GRUCell(Cell):
    """Gated recurrent unit (Cho et al., 2014, equations 5 to 8), as cuDNN computes it.

        r = sigmoid(W_r x + R_r h);  z = sigmoid(W_z x + R_z h)
        g = tanh(W_g x + r * (R_g h + b));  h' = z * h + (1 - z) * g

    The reset gate follows the recurrent product here; in the paper it comes before the product.
    """

    gates, states = 3, ("h",)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.recurrent_bias = self.add_weight(
            name="recurrent_bias", shape=(self.units,), initializer="zeros"
        )

    def step(self, projected: Any, state: dict) -> tuple[Any, dict]:
        h = state["h"]
        xr, xz, xg = ops.split(projected, 3, axis=-1)
        hr, hz, hg = ops.split(
            ops.matmul(h, cast_variable(self, self.recurrent_kernel)), 3, axis=-1
        )
        z = ops.sigmoid(xz + hz)
        g = ops.tanh(xg + ops.sigmoid(xr + hr) * (hg + cast_variable(self, self.recurrent_bias)))
        h = z * h + (1 - z) * g
        return h, {"h": h}


CELLS = {"lstm": LSTMCell, "gru": GRUCell}


def make_cell(kind: str, units: int, **kwargs: Any) -> Cell:
    """Returns the cell of a name, "lstm" or "gru"."""
    if kind not in CELLS:
        raise UserError(f"There is no cell {kind!r}. There are: {', '.join(CELLS)}.")
    return CELLS[kind](units, **kwargs)
