"""Decoders of different kinds that score together."""

import copy
from collections.abc import Sequence
from itertools import compress
from typing import Any

from kerasseq.decoders import Stepwise
from kerasseq.errors import UserError
from kerasseq.generation.scorers import Members
from kerasseq.generation.selection import filled_up


class Fusion(Members):
    """score(w) = sum over the members m of weight_m log p_m(w), each with its own memory.

    Hori et al., 2017 (Advances in joint CTC-attention), with members such as an attention decoder,
    `CTCPrefix`, an `NGram`. The scores are not renormalised: a hypothesis' score in a search, and
    its `rescore`, is the weighted sum of the members'. They pass for log-probabilities by PAD,
    which no search takes: it gets what is missing to a sum of 1. Something always is, when the
    weights are not negative and add up to 1 or more (Hölder's inequality).

    Args:
        decoders: the members.
        weights: one for each; only their ratios matter, but for penalties. A member of weight 0
            has no say and is not computed, though there is a memory for it.

    Raises:
        UserError: as for `Members`; or a weight is negative, or they add up to less than 1.
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

    def weighted(self, weights: Any) -> "Fusion":
        """These members with other weights, which are not checked: tensors of a compiled search."""
        other = copy.copy(self)
        other.weights = weights
        return other

    def combined(self, log_probs: Sequence[Any]) -> Any:
        return filled_up(sum(self.weights[i] * one for i, one in enumerate(log_probs)))
