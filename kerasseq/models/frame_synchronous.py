"""What the models have in common that align units to frames."""

from collections.abc import Callable, Sequence
from typing import Any

from keras import ops

from kerasseq.errors import OptionError
from kerasseq.generation import Greedy
from kerasseq.models.base import SequenceModel, listed
from kerasseq.models.batching import by_length, check_call
from kerasseq.models.hypothesis import Hypothesis
from kerasseq.models.options import Options


class Recogniser(SequenceModel):
    """Base of CTC and transducers: nats a unit for a loss, and greedy or beam search.

    A subclass has `evaluation_sums`, of the losses and of the weights, and `decoding`; and names
    in `without` the options that it has not.
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
        """The sum of the losses and that of the weights."""
        raise NotImplementedError

    def decoding(self, options: Options, jit: bool) -> Callable:
        """A function from features, of which the first `rows` rows count, to their hypotheses."""
        raise NotImplementedError

    def vain(self, options: Options) -> dict[str, str]:
        kind = type(self).__name__
        reasons = super().vain(options)
        reasons |= dict.fromkeys(self.without, f"is not for a {kind}: leave it out")
        reasons["sample"] = f"is not for a {kind}, which is decoded by Greedy or Beam"
        if isinstance(options.strategy, Greedy):
            for name in ("lm_weight", "length_bonus"):
                reasons.setdefault(name, "goes with beam search: set {beam} to 2 or more")
        return reasons

    def hypotheses(
        self,
        sources: Sequence[Any],
        options: Options | None = None,
        *,
        prefixes: Sequence[str] | None = None,
        with_models: Sequence[SequenceModel] = (),
        batch_size: int = 16,
        jit: bool | None = None,
    ) -> list[list[Hypothesis]]:
        """The hypotheses of each raw source, best first.

        Args:
            sources: what the preprocessor reads, e.g. paths of recordings.
            options: by default those of the model, see `Options`. `Greedy` takes the most
                probable unit or blank at each place; `Beam` searches for the most probable texts,
                over all their alignments, with the language model if `lm_weight` is not 0.
            prefixes, with_models: refused; they are for models with a decoder.
            batch_size: sources that are decoded together; of no effect on the result.
            jit: whether TensorFlow compiles by XLA. JAX always does, PyTorch never.

        Raises:
            UserError: the model has no preprocessor, or an option has no effect.
        """
        options = self.usable(options)
        sources, preprocessor = listed(sources), self.require_preprocessor()
        for name, value in (("prefixes", prefixes), ("with_models", with_models)):
            if value is not None and len(value):
                raise OptionError(name, f"is not for a {type(self).__name__}: leave it out")
        check_call(batch_size, jit)
        decode = self.decoding(options, bool(jit))
        return by_length(preprocessor, sources, batch_size, decode)
