"""The base of decoders that score together."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasseq.decoders import Stepwise
from kerasseq.errors import UserError
from kerasseq.generation.selection import log_normalizer


class CombinedScorers(Stepwise):
    """Several `Stepwise` as one. A subclass combines their log-probabilities in `combine`.

    Its memory, constants, static and state are lists, with an item for each scorer. It keeps no
    attention weights.

    Raises:
        UserError: the vocabularies differ in size, or there is not one memory for each scorer.
    """

    kind: str

    def __init__(self, decoders: Sequence[Stepwise]):
        sizes = [decoder.vocabulary_size for decoder in decoders]
        if len(set(sizes)) != 1:
            raise UserError(
                f"{self.kind} needs members of one target vocabulary; theirs have {sizes} tokens."
            )
        self.decoders = list(decoders)
        self.vocabulary_size = sizes[0]
        known = [decoder.max_steps for decoder in decoders if decoder.max_steps is not None]
        self.max_steps = min(known, default=None)

    def combine(self, log_probs: Sequence[Any]) -> Any:
        """Combines log-probabilities, (N, V) of each scorer, into logits (N, V)."""
        raise NotImplementedError

    def constants(self, precision: str | None = None) -> Any:
        return [decoder.constants(precision) for decoder in self.decoders]

    def begin(self, memory: Sequence[Any], length: int, constants: Any = None) -> tuple[Any, Any]:
        if len(memory) != len(self.decoders):
            raise UserError(
                f"{self.kind} of {len(self.decoders)} needs as many memories, not {len(memory)}."
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
        log_probs, states = [], []
        for decoder, fixed, changing in zip(self.decoders, static, state, strict=True):
            member, changing = decoder.step(tokens, position, fixed, changing)
            member = ops.cast(member, "float32")
            log_probs.append(member - log_normalizer(member))
            states.append(changing)
        return self.combine(log_probs), states
