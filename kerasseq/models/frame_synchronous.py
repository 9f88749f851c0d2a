"""The base of the models that align units to frames."""

from collections.abc import Callable, Sequence
from typing import Any

from keras import ops

from kerasseq.errors import OptionError
from kerasseq.generation import Greedy
from kerasseq.models.base import SequenceModel
from kerasseq.models.batching import check_call, map_by_length
from kerasseq.models.hypothesis import Hypothesis
from kerasseq.models.options import Options

# Batches of recordings that are read and ordered by length together.
_CHUNK = 8


class FrameSynchronousModel(SequenceModel):
    """Base of CTC and transducers: the loss is in nats a unit, and the search greedy or a beam's.

    A subclass implements `evaluation_sums`, of the losses and of the weights, and `make_decoder`.
    It names the options that it does not have in `without`.
    """

    without: tuple[str, ...] = (
        "min_length",
        "no_repeat",
        "precision",
        "ctc_weight",
        "length_penalty",
        "coverage_penalty",
    )

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        total, weight = self.evaluation_sums(x, y, y_pred, sample_weight)
        return total / ops.maximum(weight, 1e-6)

    def evaluation_sums(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, ...]:
        """Returns the sum of the losses and the sum of the weights."""
        raise NotImplementedError

    def make_decoder(self, options: Options, jit: bool) -> Callable:
        """Returns a function from features to the hypotheses of their first `rows` rows.

        `Greedy` takes the most probable unit or blank at each place. `Beam` searches for the most
        probable texts, over all their alignments, with the language model if `lm_weight` is not 0.
        """
        raise NotImplementedError

    def find_idle_options(self, options: Options) -> dict[str, str]:
        kind = type(self).__name__
        reasons = super().find_idle_options(options)
        reasons |= dict.fromkeys(self.without, f"is not for a {kind}: leave it out")
        reasons["sample"] = f"is not for a {kind}, which is decoded by Greedy or Beam"
        if isinstance(options.strategy, Greedy):
            for name in ("lm_weight", "length_bonus"):
                reasons.setdefault(name, "goes with beam search: set {beam} to 2 or more")
        return reasons

    def _decode(
        self,
        sources: Sequence[Any],
        options: Options,
        *,
        prefixes: Sequence[str] | None = None,
        with_models: Sequence[SequenceModel] = (),
        batch_size: int = 16,
        jit: bool | None = None,
    ) -> list[list[Hypothesis]]:
        preprocessor = self.require_preprocessor()
        for name, value in (("prefixes", prefixes), ("with_models", with_models)):
            if value is not None and len(value):
                raise OptionError(name, f"is not for a {type(self).__name__}: leave it out")
        check_call(batch_size, jit)
        decode = self.make_decoder(options, bool(jit))
        return list(
            map_by_length(
                [preprocessor],
                sources,
                batch_size * _CHUNK,
                batch_size,
                lambda inputs, rows, attempt: decode(inputs[0], len(rows)),
            )
        )
