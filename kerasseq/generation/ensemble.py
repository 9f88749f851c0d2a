"""Several decoders that behave like one."""

import math
from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasseq.decoders import Stepwise
from kerasseq.errors import UserError
from kerasseq.generation.selection import log_normalizer


class Ensemble(Stepwise):
    """log p(w) = log of the mean over the members m of p_m(w), each member with its own memory.

    Its memory, static and state are lists of the members'. It keeps no attention weights.

    Raises:
        UserError: the members' vocabularies differ in size.
    """

    def __init__(self, decoders: Sequence[Any]):
        sizes = [decoder.vocabulary_size for decoder in decoders]
        if len(set(sizes)) != 1:
            raise UserError(
                f"An ensemble needs members of one target vocabulary; theirs have {sizes} tokens."
            )
        self.decoders = list(decoders)
        self.vocabulary_size = sizes[0]
        known = [decoder.max_steps for decoder in decoders if decoder.max_steps is not None]
        self.max_steps = min(known, default=None)

    def constants(self, precision: str | None = None) -> Any:
        return [decoder.constants(precision) for decoder in self.decoders]

    def begin(self, memory: Sequence[Any], length: int, constants: Any = None) -> tuple[Any, Any]:
        if len(memory) != len(self.decoders):
            raise UserError(
                f"An ensemble of {len(self.decoders)} needs as many memories, not {len(memory)}."
            )
        constants = constants or [None] * len(memory)
        members = zip(self.decoders, memory, constants, strict=True)
        pairs = [decoder.begin(one, length, own) for decoder, one, own in members]
        return [static for static, _ in pairs], [state for _, state in pairs]

    def expand(self, static: Any, state: Any, beams: int) -> tuple[Any, Any]:
        members = zip(self.decoders, static, state, strict=True)
        pairs = [decoder.expand(fixed, changing, beams) for decoder, fixed, changing in members]
        return [static for static, _ in pairs], [state for _, state in pairs]

    def reorder(self, state: Any, parents: Any) -> Any:
        return [d.reorder(s, parents) for d, s in zip(self.decoders, state, strict=True)]

    def step(self, tokens: Any, position: Any, static: Any, state: Any) -> tuple[Any, Any]:
        logits, states = [], []
        for decoder, fixed, changing in zip(self.decoders, static, state, strict=True):
            member, changing = decoder.step(tokens, position, fixed, changing)
            member = ops.cast(member, "float32")
            logits.append(member - log_normalizer(member))
            states.append(changing)
        mean = ops.logsumexp(ops.stack(logits), axis=0) - math.log(len(logits))
        return mean, states
