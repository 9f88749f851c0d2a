"""Decoders of different kinds that score together."""

import copy
from collections.abc import Sequence
from itertools import compress
from typing import Any

from kerasseq.decoders import Stepwise
from kerasseq.errors import UserError
from kerasseq.generation.scorers import CombinedScorers
from kerasseq.generation.selection import fill_up


class ShallowFusion(CombinedScorers):
    """score(w) = sum over the scorers m of weight_m log p_m(w), each scorer with its own memory.

    Hori et al., 2017 (Advances in joint CTC-attention). The scorers are for example an attention
    decoder, `CTCPrefix` and an `NGram`. The scores are not renormalised: the score of a hypothesis
    in a search, and its `rescore`, is the weighted sum of the scorers' log-probabilities. PAD,
    which no search takes, gets the rest to a sum of 1, so that the scores pass for
    log-probabilities. There always is a rest when the weights are not negative and add up to 1 or
    more (Hölder's inequality).

    Args:
        decoders: the scorers.
        weights: one for each. Only their ratios matter, except for penalties. A scorer of weight 0
            is not computed, but has a memory.

    Raises:
        UserError: the vocabularies differ in size, a weight is negative, or the weights add up to
            less than 1.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> from kerasseq.generation import Greedy, ShallowFusion, search
    >>> model = kerasseq.NGram.learn([[4, 5, 6], [4, 5, 7], [5, 6]], vocabulary_size=8, order=2)
    >>> memory = kerasseq.Memory(np.zeros((1, 1, 1), "float32"), np.ones((1, 1), bool))
    >>> other = kerasseq.NGram.learn([[4, 7], [4, 7]], vocabulary_size=8, order=2)
    >>> both = ShallowFusion([model, other], weights=[1.0, 0.5])
    >>> tokens, scores, _ = search(both, [memory, memory], Greedy(), max_length=4)
    >>> tuple(tokens.shape), bool(scores[0, 0] < 0)
    ((1, 1, 4), True)
    """

    kind = "A fusion"

    def __init__(self, decoders: Sequence[Stepwise], weights: Sequence[float]):
        weights = [float(weight) for weight in weights]
        if len(weights) != len(decoders):
            raise UserError(f"A fusion of {len(decoders)} needs as many weights, not {weights}.")
        if min(weights) < 0 or sum(weights) < 1 - 1e-6:
            raise UserError(
                "The weights of a fusion must not be negative and must add up to 1 or more, "
                f"not {weights}: multiply all by one number, which changes no ranking."
            )
        self._says = [weight > 0 for weight in weights]
        super().__init__(list(compress(decoders, self._says)))
        self.weights: Any = list(compress(weights, self._says))

    def begin(self, memory: Sequence[Any], length: int, constants: Any = None) -> tuple[Any, Any]:
        if len(memory) == len(self._says):
            memory = list(compress(memory, self._says))
        return super().begin(memory, length, constants)

    def with_weights(self, weights: Any) -> "ShallowFusion":
        """Returns a copy with other weights, unchecked: tensors of a compiled search."""
        other = copy.copy(self)
        other.weights = weights
        return other

    def combine(self, log_probs: Sequence[Any]) -> Any:
        return fill_up(sum(self.weights[i] * one for i, one in enumerate(log_probs)))
