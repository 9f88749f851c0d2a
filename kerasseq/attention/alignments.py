"""Where attention may look: from scores to weights."""

from typing import Any

import keras

from kerasseq.masking import Memory, masked_softmax


class Alignment(keras.layers.Layer):
    """Contract: scores (N, T, S) to weights (N, T, S).

    `state` goes from step to step; its leaves have the batch on axis 0. An alignment whose
    weights depend on earlier steps sets `stepwise = True` and is called with T = 1 in a loop;
    any other is called with all T steps of a teacher-forced target at once.
    """

    stepwise = False

    def build(self, query_shape: Any, memory_shape: Any) -> None:
        pass

    def initial_state(self, memory: Memory) -> dict:
        return {}

    def call(
        self, scores: Any, mask: Any, queries: Any, state: dict, training: bool = False
    ) -> tuple[Any, dict]:
        raise NotImplementedError


@keras.saving.register_keras_serializable("kerasseq")
class Global(Alignment):
    """a = softmax(e) over all real steps of the source: global, soft attention.

    Bahdanau et al., 2015, equation 6; Luong et al., 2015, equation 7.
    """

    def call(
        self, scores: Any, mask: Any, queries: Any, state: dict, training: bool = False
    ) -> tuple[Any, dict]:
        return masked_softmax(scores, mask[:, None]), state


ALIGNMENTS = {"global": Global}
