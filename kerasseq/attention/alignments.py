"""Alignments: from scores to weights."""

from typing import Any

import keras
from keras import ops

from kerasseq.masking import Memory, masked_softmax
from kerasseq.sampling import sample_categorical
from kerasseq.serialization import register


class Alignment(keras.layers.Layer):
    """Base of the alignments, which turn scores into weights.

    The `state` passes from step to step; its leaves have the batch on axis 0. An alignment whose
    weights depend on earlier steps sets `stepwise = True` and is called in a loop, with T = 1.
    Any other is called once with all T steps of a teacher-forced target.

    Shapes: scores (N, T, S) -> weights (N, T, S).

    Example:

    >>> import kerasseq
    >>> class Uniform(kerasseq.attention.Alignment):
    ...     def call(self, scores, mask, queries, state, training=False):
    ...         return kerasseq.masking.masked_softmax(0.0 * scores, mask[:, None]), state
    >>> kerasseq.attention.StepAttention("dot", Uniform()).stepwise
    False
    """

    stepwise = False

    def build(self, query_shape: Any, memory_shape: Any) -> None:
        pass

    def initial_state(self, memory: Memory, draws: Any = 0) -> dict:
        """Returns the state before the first step.

        Args:
            draws: in training, the number of steps that need random numbers; 0 in use. The
                numbers are sampled here, since not every backend can sample within a loop.
        """
        return {}

    def call(
        self, scores: Any, mask: Any, queries: Any, state: dict, training: bool = False
    ) -> tuple[Any, dict]:
        raise NotImplementedError


@register()
class Global(Alignment):
    """Global, soft attention: a = softmax(e), over all real steps of the source.

    Bahdanau et al., 2015, equation 6; Luong et al., 2015, equation 7.

    Shapes: scores (N, T, S), mask (N, S) -> weights (N, T, S).

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> scores, mask = np.zeros((1, 1, 3), "float32"), np.array([[True, True, False]])
    >>> alignment = kerasseq.attention.Global()
    >>> alignment.build(None, None)
    >>> weights, _ = alignment(scores, mask, None, {})
    >>> np.array(weights).tolist()
    [[[0.5, 0.5, 0.0]]]
    """

    def call(
        self, scores: Any, mask: Any, queries: Any, state: dict, training: bool = False
    ) -> tuple[Any, dict]:
        return masked_softmax(scores, mask[:, None]), state


@register()
class Hard(Alignment):
    """Stochastic "hard" attention: each query attends to one step of the source.

        s_t ~ softmax(e_t),  a_t = onehot(s_t)

    In training the step is sampled; in use it is the most probable one. Xu et al., 2015,
    section 4.1, equations 8 and 9.

    The gradient is the straight-through estimator (Bengio et al., 2013, Estimating or Propagating
    Gradients Through Stochastic Neurons): the gradient of the softmax. It is biased, but needs no
    baseline and no repeated samples, which REINFORCE (Xu et al., equation 12) needs.

    Shapes: scores (N, T, S), mask (N, S) -> weights (N, T, S).

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> scores, mask = np.array([[[0.1, 0.3, 0.2]]], "float32"), np.ones((1, 3), bool)
    >>> alignment = kerasseq.attention.Hard()
    >>> alignment.build(None, None)
    >>> weights, _ = alignment(scores, mask, None, {})
    >>> np.array(weights).tolist()
    [[[0.0, 1.0, 0.0]]]
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.seeds = keras.random.SeedGenerator()

    def initial_state(self, memory: Memory, draws: Any = 0) -> dict:
        if isinstance(draws, int) and not draws:
            return {}
        n = ops.shape(memory.mask)[0]
        # Far enough below 1 that u * total < total holds in float32.
        uniforms = keras.random.uniform((n, draws), maxval=1 - 2**-22, seed=self.seeds)
        return {"uniforms": uniforms, "position": ops.zeros((n,), dtype="int32")}

    def call(
        self, scores: Any, mask: Any, queries: Any, state: dict, training: bool = False
    ) -> tuple[Any, dict]:
        soft = masked_softmax(scores, mask[:, None])
        places = soft.shape[-1] or ops.shape(soft)[-1]
        if "uniforms" not in state:
            return _one_hot(ops.argmax(soft, axis=-1), places, soft.dtype), state
        count = ops.shape(soft)[1]
        here = state["position"][:, None] + ops.arange(count, dtype="int32")[None]
        uniforms = ops.take_along_axis(state["uniforms"], here, axis=1)
        hard = _one_hot(sample_categorical(ops.cast(soft, "float32"), uniforms), places, soft.dtype)
        weights = hard + soft - ops.stop_gradient(soft)
        return weights, {**state, "position": state["position"] + count}


def _one_hot(indices: Any, size: Any, dtype: str) -> Any:
    return ops.cast(indices[..., None] == ops.arange(size, dtype=indices.dtype), dtype)


ALIGNMENTS = {"global": Global, "hard": Hard}
