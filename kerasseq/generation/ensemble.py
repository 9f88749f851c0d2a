"""An ensemble of decoders, which scores as one decoder."""

import math
from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasseq.generation.scorers import CombinedScorers


class Ensemble(CombinedScorers):
    """log p(w) = log of the mean over the members m of p_m(w), each member with its own memory.

    Args:
        decoders: the members, of one target vocabulary.

    Raises:
        UserError: the vocabularies differ in size, or there is not one memory for each member.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> from kerasseq.generation import Ensemble, Greedy, search
    >>> model = kerasseq.NGram.learn([[4, 5, 6], [4, 5, 7], [5, 6]], vocabulary_size=8, order=2)
    >>> memory = kerasseq.Memory(np.zeros((1, 1, 1), "float32"), np.ones((1, 1), bool))
    >>> other = kerasseq.NGram.learn([[4, 7], [4, 7]], vocabulary_size=8, order=2)
    >>> both = Ensemble([model, other])
    >>> tokens, _, _ = search(both, [memory, memory], Greedy(), max_length=4)
    >>> [int(token) for token in tokens[0, 0]]
    [4, 7, 3, 0]
    """

    kind = "An ensemble"

    def combine(self, log_probs: Sequence[Any]) -> Any:
        return ops.logsumexp(ops.stack(log_probs), axis=0) - math.log(len(log_probs))
