"""What attention compares: the scores of a query against the keys of a memory."""

from typing import Any

import keras
from keras import ops

from kerasseq.checks import OddSize, Size, checked
from kerasseq.errors import UserError
from kerasseq.masking import Memory
from kerasseq.precision import cast_variable
from kerasseq.serialization import register


class Score(keras.layers.Layer):
    """Contract: compare T queries with S keys.

    `keys(memory)` is what depends on the memory alone, computed once per source;
    `call(queries (N, T, Q), keys, state) -> (N, T, S)` are the scores, before any mask.
    `state` is the attention's: a score that reads the weights of the step before,
    `state["weights"]` (N, S), sets `stepwise = True` and is called with T = 1 in a loop.
    """

    stepwise = False

    def build(self, query_shape: Any, memory_shape: Any) -> None:
        self.query_width, self.memory_width = query_shape[-1], memory_shape[-1]

    def keys(self, memory: Memory) -> Any:
        return memory.values

    def call(self, queries: Any, keys: Any, state: dict) -> Any:
        raise NotImplementedError

    def _require_equal_widths(self) -> None:
        if self.query_width != self.memory_width:
            raise UserError(
                f"{type(self).__name__} compares vectors of one width, but the query has "
                f"{self.query_width} and the memory {self.memory_width} elements. "
                'Make them equal, or use "bilinear" or "additive".'
            )

    def _matrix(self, name: str, rows: int, columns: int) -> Any:
        return self.add_weight(name=name, shape=(rows, columns), initializer="glorot_uniform")


@register()
class Dot(Score):
    """e = q . h  (Luong et al., 2015, equation 8, "dot").

    Raises:
        UserError: the query and the memory differ in width.
    """

    def build(self, query_shape: Any, memory_shape: Any) -> None:
        super().build(query_shape, memory_shape)
        self._require_equal_widths()

    def call(self, queries: Any, keys: Any, state: dict) -> Any:
        return ops.matmul(queries, ops.transpose(keys, (0, 2, 1)))


@register()
class ScaledDot(Dot):
    """e = q . h / sqrt(D)  (Vaswani et al., 2017, equation 1).

    Raises:
        UserError: the query and the memory differ in width.
    """

    def call(self, queries: Any, keys: Any, state: dict) -> Any:
        return super().call(queries, keys, state) * self.memory_width**-0.5


@register()
class Bilinear(Score):
    """e = q^T W h  (Luong et al., 2015, equation 8, "general")."""

    def build(self, query_shape: Any, memory_shape: Any) -> None:
        super().build(query_shape, memory_shape)
        self.kernel = self._matrix("kernel", self.memory_width, self.query_width)

    def keys(self, memory: Memory) -> Any:
        return ops.matmul(memory.values, cast_variable(self, self.kernel))

    def call(self, queries: Any, keys: Any, state: dict) -> Any:
        return ops.matmul(queries, ops.transpose(keys, (0, 2, 1)))


@register()
class Cosine(Dot):
    """e = b * q . h / (|q| |h|)  (Graves et al., 2014, equations 5 and 6).

    The strength b is one trained scalar, not a function of the controller as in that paper;
    it starts at 10, since a softmax over numbers within [-1, 1] is nearly flat.

    Raises:
        UserError: the query and the memory differ in width.
    """

    def build(self, query_shape: Any, memory_shape: Any) -> None:
        super().build(query_shape, memory_shape)
        self.strength = self.add_weight(
            name="strength", shape=(), initializer=keras.initializers.Constant(10.0)
        )

    def keys(self, memory: Memory) -> Any:
        return ops.normalize(memory.values, axis=-1)

    def call(self, queries: Any, keys: Any, state: dict) -> Any:
        cosine = super().call(ops.normalize(queries, axis=-1), keys, state)
        return cosine * cast_variable(self, self.strength)


@register()
class Additive(Score):
    """e = v . tanh(W q + U h + b)  (Bahdanau et al., 2015, appendix A.1.2, with a bias).

    Known as MLP attention too. `keras.layers.AdditiveAttention` has neither W nor U.

    Args:
        units: the width of the hidden layer; the query's width unless given.
    """

    @checked
    def __init__(self, units: Size | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = units

    def build(self, query_shape: Any, memory_shape: Any) -> None:
        super().build(query_shape, memory_shape)
        units = self.units or self.query_width
        self.query_kernel = self._matrix("query_kernel", self.query_width, units)
        self.memory_kernel = self._matrix("memory_kernel", self.memory_width, units)
        self.vector = self._matrix("vector", units, 1)
        self.bias = self.add_weight(name="bias", shape=(units,), initializer="zeros")

    def keys(self, memory: Memory) -> Any:
        return ops.matmul(memory.values, cast_variable(self, self.memory_kernel)) + cast_variable(
            self, self.bias
        )

    def call(self, queries: Any, keys: Any, state: dict) -> Any:
        queries = ops.matmul(queries, cast_variable(self, self.query_kernel))
        hidden = ops.tanh(queries[:, :, None] + keys[:, None])
        return ops.matmul(hidden, cast_variable(self, self.vector))[..., 0]

    def get_config(self) -> dict:
        return {**super().get_config(), "units": self.units}


@register()
class Concat(Additive):
    """e = v . tanh(W [q; h])  (Luong et al., 2015, equation 8, "concat").

    One matrix over the two joined is the sum of one matrix over each, and that sum is what is
    computed; `Additive` is the same but for its bias. `keras.layers.Attention("concat")` has one
    scalar weight in place of v and none of W.
    """

    def build(self, query_shape: Any, memory_shape: Any) -> None:
        Score.build(self, query_shape, memory_shape)
        units = self.units or self.query_width
        kernel = self._matrix("kernel", self.query_width + self.memory_width, units)
        self.kernel, self.vector = kernel, self._matrix("vector", units, 1)

    @property
    def query_kernel(self) -> Any:
        return self.kernel[: self.query_width]

    def keys(self, memory: Memory) -> Any:
        return ops.matmul(memory.values, cast_variable(self, self.kernel)[self.query_width :])


@register()
class Location(Additive):
    """e_s = v . tanh(W q + M h_s + U f_s + b),  f = F * a,  a the weights of the step before.

    Additive attention that also sees where it looked last, through `filters` convolutions of
    `kernel_size` steps. Chorowski et al., 2015, equations 8 and 9.

    Args:
        units: as for `Additive`.
        filters: rows of F.
        kernel_size: columns of F, odd.
    """

    stepwise = True

    @checked
    def __init__(
        self,
        units: Size | None = None,
        filters: Size = 10,
        kernel_size: OddSize = 31,
        **kwargs: Any,
    ):
        super().__init__(units, **kwargs)
        self.filters, self.kernel_size = filters, kernel_size

    def build(self, query_shape: Any, memory_shape: Any) -> None:
        super().build(query_shape, memory_shape)
        self.location_filters = self._matrix("location_filters", self.kernel_size, self.filters)
        units = self.units or self.query_width
        self.location_kernel = self._matrix("location_kernel", self.filters, units)

    def call(self, queries: Any, keys: Any, state: dict) -> Any:
        filters = cast_variable(self, self.location_filters)[:, None]
        found = ops.conv(state["weights"][:, :, None], filters, padding="same")
        keys = keys + ops.matmul(found, cast_variable(self, self.location_kernel))
        return super().call(queries, keys, state)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
        }


SCORES = {
    "dot": Dot,
    "scaled_dot": ScaledDot,
    "bilinear": Bilinear,
    "cosine": Cosine,
    "concat": Concat,
    "additive": Additive,
    "location": Location,
}
