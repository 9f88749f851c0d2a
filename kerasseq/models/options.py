"""How to generate."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasseq.errors import UserError
from kerasseq.generation import Beam, Greedy, Sample


@dataclass(frozen=True)
class Options:
    """How to generate.

    Attributes:
        strategy: `Greedy`, `Beam` or `Sample`.
        min_length: least number of tokens.
        max_length: greatest number of tokens, the end symbol included. Default: twice the
            source's steps and 10, or as many as `min_length` needs.
        no_repeat: no n-gram of this length comes twice; 0 allows all.
        precision: None, or "bfloat16", to which the operands of the product that makes the logits
            are then rounded, while sums stay in float32. Faster on JAX; few texts change by it.
        lm_weight: of the log-probabilities of the model's language model; 0 leaves it out.
        ctc_weight: of those of CTC, in models that have both CTC and a decoder, which has the rest.
        length_bonus: added to a score for each token; of CTC and transducers, which have no
            length penalty.

    Raises:
        UserError: a number is out of its range, or there is no such precision.
    """

    strategy: Greedy | Beam | Sample = Beam(5)
    min_length: int = 0
    max_length: int | None = None
    no_repeat: int = 0
    precision: str | None = None
    lm_weight: float = 0.0
    ctc_weight: float = 0.3
    length_bonus: float = 0.0

    def __post_init__(self) -> None:
        for name, least in (("min_length", 0), ("max_length", 1), ("no_repeat", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise UserError(f"{name} must be at least {least}, not {value}.")
        if self.lm_weight < 0 or not 0 <= self.ctc_weight <= 1:
            raise UserError(
                f"lm_weight must be at least 0 and ctc_weight from 0 to 1, not {self.weights}."
            )
        if self.precision not in (None, "bfloat16"):
            raise UserError(f'precision must be "bfloat16" or None, not {self.precision!r}.')

    @property
    def weights(self) -> tuple[float, ...]:
        """The weights of what scores hypotheses together."""
        return self.lm_weight, self.ctc_weight

    def length_for(self, steps: Any) -> Any:
        """The greatest number of tokens for sources of so many steps."""
        if self.max_length is not None:
            return 0 * steps + self.max_length
        return np.maximum(2 * steps + 10, self.min_length + 1)
