"""Where attention may look: from scores to weights."""

from typing import Any

import keras
from keras import ops

from kerasseq.masking import Memory, masked_softmax
from kerasseq.sampling import sample_categorical
from kerasseq.serialization import register


class Alignment(keras.layers.Layer):
    """Contract: scores (N, T, S) to weights (N, T, S).

    `state` goes from step to step; its leaves have the batch on axis 0. An alignment whose
    weights depend on earlier steps sets `stepwise = True` and is called with T = 1 in a loop;
    any other is called with all T steps of a teacher-forced target at once.
    """

    stepwise = False

    def build(self, query_shape: Any, memory_shape: Any) -> None:
        pass

    def initial_state(self, memory: Memory, draws: Any = 0) -> dict:
        """What the first step needs.

        Args:
            draws: of training, for how many steps random numbers are wanted; 0 in use. They are
                drawn here, since nothing can be drawn within a loop on every backend.
        """
        return {}

    def call(
        self, scores: Any, mask: Any, queries: Any, state: dict, training: bool = False
    ) -> tuple[Any, dict]:
        raise NotImplementedError


@register()
class Global(Alignment):
    """a = softmax(e) over all real steps of the source: global, soft attention.

    Bahdanau et al., 2015, equation 6; Luong et al., 2015, equation 7.
    """

    def call(
        self, scores: Any, mask: Any, queries: Any, state: dict, training: bool = False
    ) -> tuple[Any, dict]:
        return masked_softmax(scores, mask[:, None]), state


@register()
class Hard(Alignment):
    """One step of the source at a time, drawn in training, the most probable one in use.

        s_t ~ softmax(e_t),  a_t = onehot(s_t)

    Stochastic "hard" attention (Xu et al., 2015, section 4.1, equations 8 and 9). Its gradient is
    the straight-through estimator (Bengio et al., 2013, Estimating or Propagating Gradients Through
    Stochastic Neurons): that of the softmax, as if its weights had been used. It is biased, but
    needs neither a baseline nor many draws, as REINFORCE (Xu et al., equation 12) does.
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
