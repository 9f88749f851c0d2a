"""Scores: how well a query fits each step of a memory."""

from typing import Any

import keras
from keras import ops

from kerasseq.checks import OddSize, Size, checked
from kerasseq.errors import UserError
from kerasseq.masking import Memory
from kerasseq.precision import cast_variable
from kerasseq.serialization import register


class Score(keras.layers.Layer):
    """Base of the scores, which compare T queries with the S steps of a memory.

    - `keys(memory)` computes the part that depends on the memory alone, once for each source.
    - `call(queries (N, T, Q), keys, state) -> (N, T, S)` computes the scores, before any mask.

    The `state` is the state of the attention. A score that reads the weights of the step before,
    `state["weights"]` (N, S), sets `stepwise = True` and is called in a loop, with T = 1.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> from keras import ops
    >>> class Distance(kerasseq.attention.Score):
    ...     def call(self, queries, keys, state):
    ...         return -ops.sum(ops.square(queries[:, :, None] - keys[:, None]), axis=-1)
    >>> score = Distance()
    >>> score.build((None, None, 4), (None, None, 4))
    >>> queries, keys = np.zeros((1, 1, 4), "float32"), np.ones((1, 2, 4), "float32")
    >>> np.array(score(queries, keys, {})).tolist()
    [[[-4.0, -4.0]]]
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
    """The dot product: e = q . h  (Luong et al., 2015, equation 8, "dot").

    Shapes: queries (N, T, D), keys (N, S, D) -> scores (N, T, S).

    Raises:
        UserError: the query and the memory differ in width.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> queries, memory = np.ones((1, 1, 4), "float32"), np.ones((1, 2, 4), "float32")
    >>> score = kerasseq.attention.Dot()
    >>> score.build((None, None, 4), (None, None, 4))
    >>> np.array(score(queries, memory, {})).tolist()
    [[[4.0, 4.0]]]
    """

    def build(self, query_shape: Any, memory_shape: Any) -> None:
        super().build(query_shape, memory_shape)
        self._require_equal_widths()

    def call(self, queries: Any, keys: Any, state: dict) -> Any:
        return ops.matmul(queries, ops.transpose(keys, (0, 2, 1)))


@register()
class ScaledDot(Dot):
    """The scaled dot product: e = q . h / sqrt(D)  (Vaswani et al., 2017, equation 1).

    Shapes: queries (N, T, D), keys (N, S, D) -> scores (N, T, S).

    Raises:
        UserError: the query and the memory differ in width.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> queries, memory = np.ones((1, 1, 4), "float32"), np.ones((1, 2, 4), "float32")
    >>> score = kerasseq.attention.ScaledDot()
    >>> score.build((None, None, 4), (None, None, 4))
    >>> np.array(score(queries, memory, {})).tolist()
    [[[2.0, 2.0]]]
    """

    def call(self, queries: Any, keys: Any, state: dict) -> Any:
        return super().call(queries, keys, state) * self.memory_width**-0.5


@register()
class Bilinear(Score):
    """A trained bilinear form: e = q^T W h  (Luong et al., 2015, equation 8, "general").

    Shapes: queries (N, T, Q), memory (N, S, D) -> scores (N, T, S).

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> score = kerasseq.attention.Bilinear()
    >>> score.build((None, None, 4), (None, None, 8))
    >>> memory = kerasseq.Memory(np.ones((1, 3, 8), "float32"), np.ones((1, 3), bool))
    >>> queries = np.ones((1, 2, 4), "float32")
    >>> tuple(score(queries, score.keys(memory), {}).shape)
    (1, 2, 3)
    """

    def build(self, query_shape: Any, memory_shape: Any) -> None:
        super().build(query_shape, memory_shape)
        self.kernel = self._matrix("kernel", self.memory_width, self.query_width)

    def keys(self, memory: Memory) -> Any:
        return ops.matmul(memory.values, cast_variable(self, self.kernel))

    def call(self, queries: Any, keys: Any, state: dict) -> Any:
        return ops.matmul(queries, ops.transpose(keys, (0, 2, 1)))


@register()
class Cosine(Dot):
    """The cosine of the angle: e = b * q . h / (|q| |h|)  (Graves et al., 2014, equations 5 and 6).

    The strength b is one trained scalar; in the paper the controller computes it. It starts at
    10, since a softmax over numbers within [-1, 1] is nearly flat.

    Shapes: queries (N, T, D), keys (N, S, D) -> scores (N, T, S).

    Raises:
        UserError: the query and the memory differ in width.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> score = kerasseq.attention.Cosine()
    >>> score.build((None, None, 4), (None, None, 4))
    >>> memory = kerasseq.Memory(np.ones((1, 2, 4), "float32"), np.ones((1, 2), bool))
    >>> queries = np.full((1, 1, 4), 3.0, "float32")
    >>> np.array(score(queries, score.keys(memory), {})).round(3).tolist()
    [[[10.0, 10.0]]]
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
    """A trained hidden layer: e = v . tanh(W q + U h + b)  (Bahdanau et al., 2015, A.1.2).

    The paper has no bias b. The score is also known as MLP attention.
    `keras.layers.AdditiveAttention` has no W and no U.

    Args:
        units: the width of the hidden layer. Default: the width of the query.

    Shapes: queries (N, T, Q), memory (N, S, D) -> scores (N, T, S).

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> score = kerasseq.attention.Additive(units=16)
    >>> score.build((None, None, 4), (None, None, 8))
    >>> memory = kerasseq.Memory(np.ones((1, 3, 8), "float32"), np.ones((1, 3), bool))
    >>> queries = np.ones((1, 2, 4), "float32")
    >>> tuple(score(queries, score.keys(memory), {}).shape)
    (1, 2, 3)
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
    """A hidden layer over query and memory: e = v . tanh(W [q; h])  (Luong et al., 2015, "concat").

    Equation 8. W times the concatenation is computed as a sum of two products, one of the query
    and one of the memory. `Additive` is the same with a bias. `keras.layers.Attention("concat")`
    has no W, and one scalar in place of v.

    Args:
        units: the width of the hidden layer. Default: the width of the query.

    Shapes: queries (N, T, Q), memory (N, S, D) -> scores (N, T, S).

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> score = kerasseq.attention.Concat()
    >>> score.build((None, None, 4), (None, None, 8))
    >>> memory = kerasseq.Memory(np.ones((1, 3, 8), "float32"), np.ones((1, 3), bool))
    >>> queries = np.ones((1, 2, 4), "float32")
    >>> tuple(score(queries, score.keys(memory), {}).shape)
    (1, 2, 3)
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
    """Location-aware attention: an additive score that reads the weights of the step before.

        e_s = v . tanh(W q + M h_s + U f_s + b),  f = F * a

    Here a are the weights of the step before and * is a convolution. Chorowski et al., 2015,
    equations 8 and 9.

    Args:
        units: the width of the hidden layer. Default: the width of the query.
        filters: the number of convolutions in F.
        kernel_size: steps of each convolution, odd.

    Shapes: queries (N, 1, Q), memory (N, S, D), state["weights"] (N, S) -> scores (N, 1, S).

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> score = kerasseq.attention.Location(units=16, filters=4, kernel_size=5)
    >>> score.build((None, None, 4), (None, None, 8))
    >>> memory = kerasseq.Memory(np.ones((1, 3, 8), "float32"), np.ones((1, 3), bool))
    >>> state = {"weights": np.array([[1.0, 0.0, 0.0]], "float32")}
    >>> tuple(score(np.ones((1, 1, 4), "float32"), score.keys(memory), state).shape)
    (1, 1, 3)
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
        location = ops.conv(state["weights"][:, :, None], filters, padding="same")
        keys = keys + ops.matmul(location, cast_variable(self, self.location_kernel))
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
