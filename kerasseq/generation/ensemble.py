"""Several decoders that behave like one."""

import math
from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasseq.generation.scorers import Members


class Ensemble(Members):
    """log p(w) = log of the mean over the members m of p_m(w), each member with its own memory."""

    kind = "An ensemble"

    def combined(self, log_probs: Sequence[Any]) -> Any:
        return ops.logsumexp(ops.stack(log_probs), axis=0) - math.log(len(log_probs))
