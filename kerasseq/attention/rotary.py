"""Self-attention with rotary positions."""

from typing import Any

import numpy as np
from keras import ops

from kerasseq.attention.multi_head import MultiHeadAttention
from kerasseq.checks import Fraction, Size, checked
from kerasseq.errors import UserError
from kerasseq.serialization import register


@register()
class RotaryAttention(MultiHeadAttention):
    """Multi-head self-attention whose scores depend on the distance between query and key.

        score = (R_i q_i)^T (R_j k_j) = q_i^T R_(j - i) k_j

    R_i rotates pair p of the elements by i * 10000^(-2p/(D/H)). Su et al., 2021, equations 14
    to 16. A pair here consists of elements p and p + D/2H, not of neighbours; the trained
    projections make the two equivalent.

    Args and shapes: see `MultiHeadAttention`.

    Raises:
        UserError: an argument is out of its range, `heads` does not divide `width`, or a head's
            width is odd.
    """

    @checked
    def __init__(self, heads: Size, width: Size, dropout: Fraction = 0.0, **kwargs: Any):
        super().__init__(heads, width, dropout, **kwargs)
        if width // heads % 2:
            raise UserError(
                f"A head of rotary attention needs an even width, but {heads} heads of a width of "
                f"{width} have {width // heads} each."
            )

    def weigh(
        self, queries: Any, keys: Any, values: Any, bias: Any, training: bool = False
    ) -> tuple[Any, Any]:
        """Attends as `MultiHeadAttention.weigh` does; the queries are the last T of the S steps."""
        steps, count = ops.shape(keys)[3], ops.shape(queries)[1]
        cosines, sines = self._angles(steps)
        keys = _rotate(keys, ops.transpose(cosines), ops.transpose(sines), axis=2)
        first = steps - count
        queries = _rotate(self._project_queries(queries), cosines[first:], sines[first:], axis=3)
        return self._weigh(queries, keys, values, bias, training)

    def _angles(self, steps: Any) -> tuple[Any, Any]:
        """Returns the cosines and sines of the angles, (steps, D/2H) each."""
        half = self.width // self.heads // 2
        rate = (10000.0 ** (-np.arange(half) / half)).astype("float32")
        angle = ops.arange(steps, dtype="float32")[:, None] * rate
        return ops.cast(ops.cos(angle), self.compute_dtype), ops.cast(
            ops.sin(angle), self.compute_dtype
        )


def _rotate(values: Any, cosines: Any, sines: Any, axis: int) -> Any:
    a, b = ops.split(values, 2, axis=axis)
    return ops.concatenate([a * cosines - b * sines, a * sines + b * cosines], axis=axis)
