"""Decoders of different kinds that score together."""

from collections.abc import Sequence
from typing import Any

from kerasseq.decoders import Stepwise
from kerasseq.errors import UserError
from kerasseq.generation.members import Members
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
            has no say.

    Raises:
        UserError: as for `Members`; or a weight is negative, or they add up to less than 1.
    """

    kind = "A fusion"

    def __init__(self, decoders: Sequence[Stepwise], weights: Sequence[float]):
        super().__init__(decoders)
        self.weights = [float(weight) for weight in weights]
        if len(self.weights) != len(self.decoders):
            raise UserError(f"A fusion of {len(decoders)} needs as many weights, not {weights}.")
        if min(self.weights) < 0 or sum(self.weights) < 1 - 1e-6:
            raise UserError(
                "The weights of a fusion must not be negative and must add up to 1 or more, "
                f"not {self.weights}: multiply all by one number, which changes no ranking."
            )

    def combined(self, log_probs: Sequence[Any]) -> Any:
        pairs = zip(self.weights, log_probs, strict=True)
        # Zero times minus infinity would be no number.
        return filled_up(sum(weight * member for weight, member in pairs if weight))
